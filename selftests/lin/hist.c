// SPDX-License-Identifier: GPL-2.0
/* Growing array of operations with memory for their lists. */
#include <stdlib.h>
#include <string.h>

#include "lin_int.h"

#define MEM_ENTRIES	4096

struct lin_mem {
	struct lin_mem	*next;
	size_t		used;
	uint32_t	entry[MEM_ENTRIES];
};

static uint32_t *list_copy(struct lin_hist *h, const uint32_t *list, uint32_t n)
{
	struct lin_mem *mem = h->mem;
	uint32_t *to;

	if (!mem || mem->used + n > MEM_ENTRIES) {
		mem = malloc(sizeof(*mem));
		if (!mem)
			return NULL;
		mem->next = h->mem;
		mem->used = 0;
		h->mem = mem;
	}
	to = mem->entry + mem->used;
	memcpy(to, list, n * sizeof(*to));
	mem->used += n;
	return to;
}

/**
 * lin_hist_add - append an operation, its list included
 * @h:		history, all zero when new
 * @op:		operation; at most LIN_LIST_MAX list entries
 *
 * Return: 0, or -1 when out of memory or the list is too long.
 */
int lin_hist_add(struct lin_hist *h, const struct lin_op *op)
{
	struct lin_op *to;

	if (op->nlist > LIN_LIST_MAX)
		return -1;
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 64;

		to = realloc(h->ops, cap * sizeof(*to));
		if (!to)
			return -1;
		h->ops = to;
		h->cap = cap;
	}
	to = &h->ops[h->n];
	*to = *op;
	to->list = NULL;
	if (op->nlist) {
		to->list = list_copy(h, op->list, op->nlist);
		if (!to->list)
			return -1;
	}
	h->n++;
	return 0;
}

/**
 * lin_hist_free - forget everything
 * @h:		history
 */
void lin_hist_free(struct lin_hist *h)
{
	struct lin_mem *mem = h->mem, *next;

	for (; mem; mem = next) {
		next = mem->next;
		free(mem);
	}
	free(h->ops);
	h->ops = NULL;
	h->n = 0;
	h->cap = 0;
	h->mem = NULL;
}
