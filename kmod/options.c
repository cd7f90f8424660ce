// SPDX-License-Identifier: GPL-2.0
/*
 * Mount options; see options.h. "bg" and its kin are for mount.gns, which does
 * not pass them on.
 */
#include <linux/ctype.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
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
	OPT_CACHE_QUOTA,
	OPT_CACHE_PIN,
	OPT_CACHE_ADD,
	OPT_CACHE_DRAIN,
	OPT_CACHE_REMOVE,
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
	fsparam_string("cache_quota", OPT_CACHE_QUOTA),
	fsparam_bool("cache_pin", OPT_CACHE_PIN),
	fsparam_string("cache_add", OPT_CACHE_ADD),
	fsparam_string("cache_drain", OPT_CACHE_DRAIN),
	fsparam_string("cache_remove", OPT_CACHE_REMOVE),
	{}
};

void gns_options_default(struct gns_options *opt)
{
	*opt = (struct gns_options){
		.timeo_ms = GNS_TIMEO_DEFAULT_MS,
		.rasize = GNS_RASIZE_DEFAULT,
	};
}

/* A number, with K, M, G or T behind it or without. */
static int parse_bytes(const char *s, u64 *bytes)
{
	static const char units[] = "kmgt";
	size_t len = strlen(s);
	const char *unit = NULL;
	char digits[24];
	u64 n;

	if (len)
		unit = strchr(units, tolower(s[len - 1]));
	if (unit)
		len--;
	if (!len || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, s, len);
	digits[len] = 0;
	if (kstrtou64(digits, 10, &n))
		return -EINVAL;
	if (check_mul_overflow(n, 1ull << (unit ? 10 * (unit - units + 1) : 0),
			       bytes))
		return -EINVAL;
	return 0;
}

static int parse_rasize(struct fs_context *fc, struct gns_options *opt,
			const char *s)
{
	u64 bytes;

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

static int parse_quota(struct fs_context *fc, struct gns_options *opt,
		       const char *s)
{
	if (parse_bytes(s, &opt->limit.quota))
		return invalfc(fc, "cache_quota=%s: give bytes, e.g. cache_quota=500G; 0: no limit",
			       s);
	opt->limit.has_quota = true;
	return 0;
}

/* For a remount: what is to become of a device. */
static int parse_change(struct fs_context *fc, struct gns_options *opt,
			const struct fs_parameter *param,
			enum gns_cache_change change)
{
	if (fc->purpose != FS_CONTEXT_FOR_RECONFIGURE)
		return invalfc(fc, "%s: for a remount; give the devices by cache=",
			       param->key);
	if (opt->device)
		return invalfc(fc, "%s: one device at a time", param->key);
	if (*param->string != '/')
		return invalfc(fc, "%s=%s: give /dev/device", param->key,
			       param->string);
	opt->device = kstrdup(param->string, GFP_KERNEL);
	opt->change = change;
	return opt->device ? 0 : -ENOMEM;
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
	case OPT_CACHE_QUOTA:
		return parse_quota(fc, opt, param->string);
	case OPT_CACHE_PIN:
		opt->limit.has_pin = true;
		opt->limit.pin = result.boolean;
		return 0;
	case OPT_CACHE_ADD:
		return parse_change(fc, opt, param, GNS_CACHE_ADD);
	case OPT_CACHE_DRAIN:
		return parse_change(fc, opt, param, GNS_CACHE_DRAIN);
	case OPT_CACHE_REMOVE:
		return parse_change(fc, opt, param, GNS_CACHE_REMOVE);
	}
	return nr;
}

/*
 * What the VFS takes for itself, and what nobody here keeps: only a write can
 * wait until it is durable.
 */
int gns_options_check(struct fs_context *fc)
{
	const struct gns_options *opt = fc->fs_private;

	if (fc->sb_flags & (SB_SYNCHRONOUS | SB_DIRSYNC))
		return invalfc(fc, "%s: changes are durable after fsync or by O_SYNC; leave it out",
			       fc->sb_flags & SB_SYNCHRONOUS ? "sync" :
							       "dirsync");
	if (fc->sb_flags & SB_MANDLOCK)
		return invalfc(fc, "mand: there are no mandatory locks; leave it out");
	if (!*opt->cache && (opt->limit.has_quota || opt->limit.has_pin ||
			     opt->device))
		return invalfc(fc, "cache_*: there is no cache; give its devices by cache=");
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
