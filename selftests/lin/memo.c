// SPDX-License-Identifier: GPL-2.0
/*
 * Set of configurations which were explored before.
 *
 * An entry answers for every configuration it dominates: same place in the
 * history, same state, same effects done, no fewer pure operations done and no
 * more of the operations which need not happen at all.  Whatever can follow
 * such a configuration can follow the entry too.  The hash only finds the
 * candidates, the comparison is always complete.
 */
#include <stdlib.h>
#include <string.h>

#include "lin_int.h"

struct ent {
	uint64_t	hash;
	uint32_t	next;
	uint32_t	ev;
	uint64_t	cfg[];
};

static struct ent *ent_at(const struct lin_memo *m, uint32_t i)
{
	return (struct ent *)(m->ent + (size_t)i * m->ent_size);
}

void lin_memo_init(struct lin_memo *m, size_t words, size_t slot_words)
{
	memset(m, 0, sizeof(*m));
	m->words = words;
	m->slot_words = slot_words;
	m->ent_size = sizeof(struct ent) + words * sizeof(uint64_t);
}

void lin_memo_free(struct lin_memo *m)
{
	free(m->head);
	free(m->ent);
	m->head = NULL;
	m->ent = NULL;
	m->n = 0;
	m->cap = 0;
	m->nhead = 0;
}

void lin_memo_clear(struct lin_memo *m)
{
	if (!m->n)
		return;
	if (m->nhead > 4096 && m->n < m->nhead / 16) {
		lin_memo_free(m);
		return;
	}
	m->n = 0;
	memset(m->head, 0xff, m->nhead * sizeof(*m->head));
}

size_t lin_memo_bytes(const struct lin_memo *m)
{
	return m->cap * m->ent_size + m->nhead * sizeof(*m->head);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static uint64_t hash(const struct lin_memo *m, const struct lin_masks *k,
		     uint32_t ev, const uint64_t *cfg)
{
	uint64_t h = mix(0x6c696e, ev);
	size_t i;

	for (i = 0; i < m->slot_words; i++)
		h = mix(h, cfg[i] & ~(k->pure[i] | k->maybe[i]));
	for (; i < m->words; i++)
		h = mix(h, cfg[i]);
	return h;
}

static bool dominates(const struct lin_memo *m, const struct lin_masks *k,
		      const uint64_t *a, const uint64_t *b)
{
	size_t i;

	if (memcmp(a + m->slot_words, b + m->slot_words,
		   (m->words - m->slot_words) * sizeof(*a)))
		return false;
	for (i = 0; i < m->slot_words; i++) {
		if ((a[i] ^ b[i]) & ~(k->pure[i] | k->maybe[i]))
			return false;
		if (b[i] & ~a[i] & k->pure[i])
			return false;
		if (a[i] & ~b[i] & k->maybe[i])
			return false;
	}
	return true;
}

bool lin_memo_has(const struct lin_memo *m, const struct lin_masks *k,
		  uint32_t ev, const uint64_t *cfg)
{
	const struct ent *e;
	uint64_t h;
	uint32_t i;

	if (!m->n)
		return false;
	h = hash(m, k, ev, cfg);
	for (i = m->head[h & (m->nhead - 1)]; i != UINT32_MAX; i = e->next) {
		e = ent_at(m, i);
		if (e->hash == h && e->ev == ev && dominates(m, k, e->cfg, cfg))
			return true;
	}
	return false;
}

static int grow(struct lin_memo *m)
{
	uint32_t cap = m->cap ? m->cap * 2 : 256;
	size_t nhead = (size_t)cap * 2;
	uint32_t *head;
	uint8_t *ent;
	uint32_t i;

	if (m->cap >= UINT32_MAX / 4)
		return -1;
	head = malloc(nhead * sizeof(*head));
	if (!head)
		return -1;
	ent = realloc(m->ent, cap * m->ent_size);
	if (!ent) {
		free(head);
		return -1;
	}
	free(m->head);
	m->head = head;
	m->nhead = nhead;
	m->ent = ent;
	m->cap = cap;
	memset(head, 0xff, nhead * sizeof(*head));
	for (i = 0; i < m->n; i++) {
		struct ent *e = ent_at(m, i);

		e->next = head[e->hash & (nhead - 1)];
		head[e->hash & (nhead - 1)] = i;
	}
	return 0;
}

int lin_memo_add(struct lin_memo *m, const struct lin_masks *k, uint32_t ev,
		 const uint64_t *cfg)
{
	struct ent *e;
	uint32_t *head;

	if (m->n == m->cap && grow(m))
		return -1;
	e = ent_at(m, m->n);
	e->hash = hash(m, k, ev, cfg);
	e->ev = ev;
	memcpy(e->cfg, cfg, m->words * sizeof(*cfg));
	head = &m->head[e->hash & (m->nhead - 1)];
	e->next = *head;
	*head = m->n++;
	return 0;
}
