// SPDX-License-Identifier: GPL-2.0
/*
 * Policies to compare with, each as its paper has it; chunks are of one size.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define NONE UINT32_MAX

/* A list of chunks, newest at the head; one chunk is in one list at most. */
struct chunk {
	u32 newer;
	u32 older;
	u32 list; /* 0: none */
	u32 hits; /* SIEVE, S3-FIFO: as they count */
};

struct queue {
	u32 head;
	u32 tail;
	u32 n;
	u32 id;
};

static struct chunk *chunks;

static struct queue queue(u32 id)
{
	return (struct queue){ NONE, NONE, 0, id };
}

static void push(struct queue *q, u32 c)
{
	chunks[c].newer = NONE;
	chunks[c].older = q->head;
	chunks[c].list = q->id;
	if (q->head != NONE)
		chunks[q->head].newer = c;
	else
		q->tail = c;
	q->head = c;
	q->n++;
}

static void take(struct queue *q, u32 c)
{
	if (chunks[c].newer != NONE)
		chunks[chunks[c].newer].older = chunks[c].older;
	else
		q->head = chunks[c].older;
	if (chunks[c].older != NONE)
		chunks[chunks[c].older].newer = chunks[c].newer;
	else
		q->tail = chunks[c].newer;
	chunks[c].list = 0;
	q->n--;
}

static void begin(const struct trace *t)
{
	chunks = calloc(t->chunks, sizeof(*chunks));
	if (!chunks)
		abort();
}

static void run_list(const struct trace *t, u32 room, struct score *s,
		     bool recent)
{
	struct queue q = queue(1);
	u32 i, c;

	begin(t);
	for (i = 0; i < t->n; i++) {
		c = t->chunk[i];
		score_note(s, t, i, chunks[c].list);
		if (chunks[c].list && !recent)
			continue;
		if (chunks[c].list)
			take(&q, c);
		else if (q.n == room)
			take(&q, q.tail);
		push(&q, c);
	}
	free(chunks);
}

void run_lru(const struct trace *t, u32 room, struct score *s)
{
	run_list(t, room, s, true);
}

void run_fifo(const struct trace *t, u32 room, struct score *s)
{
	run_list(t, room, s, false);
}

/* Zhang et al., NSDI 2024 */
void run_sieve(const struct trace *t, u32 room, struct score *s)
{
	struct queue q = queue(1);
	u32 i, c, hand = NONE;

	begin(t);
	for (i = 0; i < t->n; i++) {
		c = t->chunk[i];
		score_note(s, t, i, chunks[c].list);
		if (chunks[c].list) {
			chunks[c].hits = 1;
			continue;
		}
		if (q.n == room) {
			if (hand == NONE)
				hand = q.tail;
			while (chunks[hand].hits) {
				chunks[hand].hits = 0;
				hand = chunks[hand].newer != NONE ?
					       chunks[hand].newer :
					       q.tail;
			}
			c = hand;
			hand = chunks[c].newer;
			take(&q, c);
		}
		c = t->chunk[i];
		chunks[c].hits = 0;
		push(&q, c);
	}
	free(chunks);
}

/* Yang et al., SOSP 2023: a tenth is small, ghosts as many as main has. */
void run_s3fifo(const struct trace *t, u32 room, struct score *s)
{
	struct queue small = queue(1), main = queue(2), ghost = queue(3);
	u32 i, c, x, few = room / 10 ?: 1;

	begin(t);
	for (i = 0; i < t->n; i++) {
		c = t->chunk[i];
		x = chunks[c].list;
		score_note(s, t, i, x == 1 || x == 2);
		if (x == 1 || x == 2) {
			if (chunks[c].hits < 3)
				chunks[c].hits++;
			continue;
		}
		while (small.n + main.n >= room) {
			if (small.n >= few || !main.n) {
				u32 v = small.tail;

				take(&small, v);
				if (chunks[v].hits > 1) {
					chunks[v].hits = 0;
					push(&main, v);
					continue;
				}
				if (ghost.n >= room - few && ghost.n)
					take(&ghost, ghost.tail);
				push(&ghost, v);
			} else {
				u32 v = main.tail;

				take(&main, v);
				if (!chunks[v].hits)
					continue;
				chunks[v].hits--;
				push(&main, v);
			}
		}
		x = chunks[c].list;
		if (x == 3)
			take(&ghost, c);
		chunks[c].hits = 0;
		push(x == 3 ? &main : &small, c);
	}
	free(chunks);
}

/* A heap of what is there, by when it is read again; latest on top. */
struct later {
	u32 when;
	u32 chunk;
};

static struct later *heap;
static u32 heaped;

static void heap_add(u32 when, u32 chunk)
{
	u32 i = heaped++;

	for (; i && heap[(i - 1) / 2].when < when; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = (struct later){ when, chunk };
}

static struct later heap_pop(void)
{
	struct later top = heap[0], last = heap[--heaped];
	u32 i = 0, k;

	while ((k = 2 * i + 1) < heaped) {
		if (k + 1 < heaped && heap[k + 1].when > heap[k].when)
			k++;
		if (heap[k].when <= last.when)
			break;
		heap[i] = heap[k];
		i = k;
	}
	heap[i] = last;
	return top;
}

/* When each read's chunk is read again. */
static u32 *nexts(const struct trace *t)
{
	u32 *next = malloc(t->n * sizeof(u32)),
	    *seen = malloc(t->chunks * sizeof(u32)), i;

	if (!next || !seen)
		abort();
	for (i = 0; i < t->chunks; i++)
		seen[i] = NONE;
	for (i = t->n; i--;) {
		next[i] = seen[t->chunk[i]];
		seen[t->chunk[i]] = i;
	}
	free(seen);
	return next;
}

/* Who is needed last goes, or does not come in the first place. */
void run_belady(const struct trace *t, u32 room, struct score *s)
{
	u32 *next = nexts(t), *due = calloc(t->chunks, sizeof(u32)), i, c, n = 0;
	struct later top;

	heap = malloc(t->n * sizeof(*heap));
	if (!heap || !due)
		abort();
	heaped = 0;
	for (i = 0; i < t->n; i++) {
		c = t->chunk[i];
		/* due: when it is read, while it is there */
		score_note(s, t, i, due[c]);
		n += !due[c];
		due[c] = next[i];
		heap_add(next[i], c);
		while (n > room) {
			top = heap_pop();
			if (due[top.chunk] != top.when)
				continue; /* it was read since */
			due[top.chunk] = 0;
			n--;
		}
	}
	free(heap);
	free(next);
	free(due);
}
