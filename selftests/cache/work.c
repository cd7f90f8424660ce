// SPDX-License-Identifier: GPL-2.0
/*
 * What is read: training epochs, popular things, scans, and these together.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static u64 state;

/* xorshift64*, Vigna 2016 */
static u64 draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 2685821657736338717ull;
}

static double unit(void)
{
	return (draw() >> 11) * (1.0 / 9007199254740992.0);
}

static void begin(struct trace *t, u32 n, u32 chunks, u32 second)
{
	state = 88172645463325252ull;
	*t = (struct trace){ .chunks = chunks,
			     .chunk = malloc(n * sizeof(u32)),
			     .first = { 0, second, chunks } };
	if (!t->chunk)
		abort();
}

static void shuffle(u32 *v, u32 n)
{
	u32 i, k, x;

	for (i = n; i > 1; i--) {
		k = draw() % i;
		x = v[k];
		v[k] = v[i - 1];
		v[i - 1] = x;
	}
}

static void epoch(struct trace *t, u32 first, u32 n, bool shuffled)
{
	u32 i;

	for (i = 0; i < n; i++)
		t->chunk[t->n + i] = first + i;
	if (shuffled)
		shuffle(t->chunk + t->n, n);
	t->n += n;
}

void trace_epochs(struct trace *t, u32 chunks, u32 epochs, bool shuffled)
{
	u32 i;

	begin(t, chunks * epochs, chunks, chunks);
	for (i = 0; i < epochs; i++)
		epoch(t, 0, chunks, shuffled);
	t->warm = 2 * chunks;
}

/* Numbers below @n, the first one most often; by its distribution. */
static double *zipf_table(u32 n, double skew)
{
	double *sum = malloc(n * sizeof(*sum)), all = 0;
	u32 i;

	if (!sum)
		abort();
	for (i = 0; i < n; i++)
		sum[i] = all += pow(i + 1, -skew);
	for (i = 0; i < n; i++)
		sum[i] /= all;
	return sum;
}

static u32 zipf(const double *sum, u32 n)
{
	u32 low = 0, high = n - 1, mid;
	double x = unit();

	while (low < high) {
		mid = (low + high) / 2;
		if (sum[mid] < x)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void trace_zipf(struct trace *t, u32 chunks, u32 n, double skew)
{
	double *sum = zipf_table(chunks, skew);

	begin(t, n, chunks, chunks);
	while (t->n < n)
		t->chunk[t->n++] = zipf(sum, chunks);
	t->warm = n / 4;
	free(sum);
}

/* Every second read is one of @hot, the others go once through the rest. */
void trace_scan(struct trace *t, u32 hot, u32 cold, u32 n)
{
	begin(t, n, hot + cold, hot + cold);
	for (; t->n < n; t->n++)
		t->chunk[t->n] = t->n & 1 ? (u32)(draw() % hot) :
					    hot + t->n / 2 % cold;
	t->warm = n / 4;
}

/* One set of data for some epochs, and then another, under one name. */
void trace_shift(struct trace *t, u32 chunks, u32 epochs)
{
	u32 i;

	begin(t, 2 * chunks * epochs, 2 * chunks, 2 * chunks);
	for (i = 0; i < 2 * epochs; i++)
		epoch(t, i < epochs ? 0 : chunks, chunks, true);
	t->warm = t->n - 2 * chunks;
}

/* Epochs of one set; of another one popular things, as often. */
void trace_mix(struct trace *t, u32 chunks, u32 epochs, u32 hot, double skew)
{
	double *sum = zipf_table(hot, skew);
	u32 *order = malloc(chunks * sizeof(u32)), i, e;

	if (!order)
		abort();
	begin(t, 2 * chunks * epochs, chunks + hot, chunks);
	for (i = 0; i < chunks; i++)
		order[i] = i;
	for (e = 0; e < epochs; e++) {
		shuffle(order, chunks);
		for (i = 0; i < chunks; i++) {
			t->chunk[t->n++] = order[i];
			t->chunk[t->n++] = chunks + zipf(sum, hot);
		}
	}
	t->warm = t->n / 3;
	free(order);
	free(sum);
}

void trace_free(struct trace *t)
{
	free(t->chunk);
}
