/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where large payloads go: memory that its owner has prepared.
 *
 * Lifetime: outlives whoever was given it, which ends with done(), and every
 * block it gave out.
 * Locks: none; one thread.
 */
#ifndef GNS_LIB_MEM_H
#define GNS_LIB_MEM_H

#include <stdlib.h>

#include "lib/types.h"

/**
 * struct gns_mem - a source of blocks
 * @alloc: @len bytes; NULL: there are none
 * @free:  a block of @alloc or of malloc(3); NULL is harmless
 * @done:  optional: who was given this needs it no more; called once
 */
struct gns_mem {
	void *(*alloc)(struct gns_mem *mem, u32 len);
	void (*free)(struct gns_mem *mem, void *p);
	void (*done)(struct gns_mem *mem);
};

static inline void *gns_mem_alloc(struct gns_mem *mem, u32 len)
{
	return mem ? mem->alloc(mem, len) : malloc(len);
}

static inline void gns_mem_free(struct gns_mem *mem, void *p)
{
	if (mem)
		mem->free(mem, p);
	else
		free(p);
}

#endif
