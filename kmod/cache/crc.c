// SPDX-License-Identifier: GPL-2.0
/*
 * crc32c by the fastest way that this machine has; without a module of its own
 * for that, by the kernel's own tables.
 */
#include <crypto/hash.h>
#include <linux/crc32.h>
#include <linux/err.h>
#include "int.h"

static struct crypto_shash *tfm;

int gns_crc_init(void)
{
	tfm = crypto_alloc_shash("crc32c", 0, 0);
	if (IS_ERR(tfm) || crypto_shash_descsize(tfm) != sizeof(u32)) {
		if (!IS_ERR(tfm))
			crypto_free_shash(tfm);
		tfm = NULL;
	}
	return 0;
}

void gns_crc_exit(void)
{
	crypto_free_shash(tfm);
	tfm = NULL;
}

u32 gns_crc32c(u32 crc, const void *p, u32 len)
{
	SHASH_DESC_ON_STACK(desc, tfm);
	u32 *state = (u32 *)shash_desc_ctx(desc);

	if (!tfm)
		return __crc32c_le(crc, p, len);
	desc->tfm = tfm;
	*state = crc;
	if (crypto_shash_update(desc, p, len))
		return __crc32c_le(crc, p, len);
	crc = *state;
	barrier_data(state);
	return crc;
}
