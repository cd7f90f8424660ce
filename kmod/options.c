// SPDX-License-Identifier: GPL-2.0
/*
 * Mount options; see options.h. "bg" and its kin are for mount.gns, which does
 * not pass them on.
 */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include "gns.h"
#include "options.h"

enum option {
	OPT_SOFT,
	OPT_HARD,
	OPT_TIMEO,
	OPT_RASIZE,
	OPT_UIDMAP,
	OPT_GIDMAP,
	OPT_CACHE,
	OPT_VERIFY,
};

static const struct constant_table verify_values[] = {
	{ "first", false },
	{ "all", true },
	{}
};

const struct fs_parameter_spec gns_options_spec[] = {
	fsparam_flag("soft", OPT_SOFT),
	fsparam_flag("hard", OPT_HARD),
	fsparam_u32("timeo", OPT_TIMEO),
	fsparam_string("rasize", OPT_RASIZE),
	fsparam_string("uidmap", OPT_UIDMAP),
	fsparam_string("gidmap", OPT_GIDMAP),
	fsparam_string("cache", OPT_CACHE),
	fsparam_enum("verify", OPT_VERIFY, verify_values),
	{}
};

void gns_options_default(struct gns_options *opt)
{
	*opt = (struct gns_options){
		.timeo_ms = GNS_TIMEO_DEFAULT_MS,
		.rasize = GNS_RASIZE_DEFAULT,
	};
}

/* A number, with K or M behind it or without. */
static int parse_bytes(const char *s, u32 *bytes)
{
	size_t len = strlen(s);
	u32 unit = 1, n;
	char digits[12];

	switch (len ? s[len - 1] : 0) {
	case 'k':
	case 'K':
		unit = SZ_1K;
		len--;
		break;
	case 'm':
	case 'M':
		unit = SZ_1M;
		len--;
		break;
	}
	if (!len || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, s, len);
	digits[len] = 0;
	if (kstrtou32(digits, 10, &n) || check_mul_overflow(n, unit, bytes))
		return -EINVAL;
	return 0;
}

static int parse_rasize(struct fs_context *fc, struct gns_options *opt,
			const char *s)
{
	u32 bytes;

	if (parse_bytes(s, &bytes) || bytes < PAGE_SIZE ||
	    bytes > GNS_RASIZE_MAX)
		return invalfc(fc, "rasize=%s: give %lu to %u bytes, e.g. rasize=8M",
			       s, PAGE_SIZE, GNS_RASIZE_MAX);
	opt->rasize = round_down(bytes, PAGE_SIZE);
	return 0;
}

/* Absolute paths, so that nothing depends on who asks from where. */
static int parse_cache(struct fs_context *fc, struct gns_options *opt,
		       const char *s)
{
	const char *p = s;

	while (p && *p == '/') {
		p = strchr(p, ':');
		if (!p) {
			if (strscpy(opt->cache, s, sizeof(opt->cache)) < 0)
				return invalfc(fc, "cache=: longer than %u bytes",
					       GNS_CACHE_SPEC_MAX - 1);
			return 0;
		}
		p++;
	}
	return invalfc(fc, "cache=%s: give /dev/device[:/dev/device...]", s);
}

int gns_options_parse(struct fs_context *fc, struct gns_options *opt,
		      struct fs_parameter *param)
{
	struct fs_parse_result result;
	int nr = fs_parse(fc, gns_options_spec, param, &result);

	switch (nr) {
	case OPT_SOFT:
		opt->soft = true;
		return 0;
	case OPT_HARD:
		opt->soft = false;
		return 0;
	case OPT_TIMEO:
		if (result.uint_32 < GNS_TIMEO_MIN_MS ||
		    result.uint_32 > GNS_TIMEO_MAX_MS)
			return invalfc(fc, "timeo=%u: give %u to %u milliseconds",
				       result.uint_32, GNS_TIMEO_MIN_MS,
				       GNS_TIMEO_MAX_MS);
		opt->timeo_ms = result.uint_32;
		return 0;
	case OPT_RASIZE:
		return parse_rasize(fc, opt, param->string);
	case OPT_UIDMAP:
		return gns_idmap_parse(fc, "uidmap", &opt->uidmap,
				       param->string);
	case OPT_GIDMAP:
		return gns_idmap_parse(fc, "gidmap", &opt->gidmap,
				       param->string);
	case OPT_CACHE:
		return parse_cache(fc, opt, param->string);
	case OPT_VERIFY:
		opt->verify = result.uint_32;
		return 0;
	}
	return nr;
}

/*
 * What the VFS takes for itself, and what nobody here keeps: only a write can
 * wait until it is durable.
 */
int gns_options_check(struct fs_context *fc)
{
	if (fc->sb_flags & (SB_SYNCHRONOUS | SB_DIRSYNC))
		return invalfc(fc, "%s: changes are durable after fsync or by O_SYNC; leave it out",
			       fc->sb_flags & SB_SYNCHRONOUS ? "sync" :
							       "dirsync");
	if (fc->sb_flags & SB_MANDLOCK)
		return invalfc(fc, "mand: there are no mandatory locks; leave it out");
	return 0;
}

void gns_options_show(struct seq_file *m, const struct gns_options *opt)
{
	seq_printf(m, ",%s,timeo=%u,rasize=%u",
		   READ_ONCE(opt->soft) ? "soft" : "hard",
		   READ_ONCE(opt->timeo_ms), READ_ONCE(opt->rasize));
	if (*opt->cache)
		seq_show_option(m, "cache", opt->cache);
	if (opt->verify)
		seq_puts(m, ",verify=all");
	gns_idmap_show(m, "uidmap", &opt->uidmap);
	gns_idmap_show(m, "gidmap", &opt->gidmap);
}

bool gns_options_eq(const struct gns_options *a, const struct gns_options *b)
{
	return a->soft == b->soft && a->timeo_ms == b->timeo_ms &&
	       a->rasize == b->rasize && !strcmp(a->cache, b->cache) &&
	       a->verify == b->verify &&
	       gns_idmap_eq(&a->uidmap, &b->uidmap) &&
	       gns_idmap_eq(&a->gidmap, &b->gidmap);
}
