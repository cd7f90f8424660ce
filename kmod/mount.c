// SPDX-License-Identifier: GPL-2.0
/*
 * Mounting: what is to be mounted, from whom, and every way in which that does
 * not work, in words for the one who typed it.
 *
 * The origin is asked before a superblock is looked for: nobody waits for it
 * with a lock held, and a second mount is refused where the first one would
 * be now.
 */
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/slab.h>
#include "cache/cache.h"
#include "options.h"
#include "session.h"
#include "sets.h"
#include "super.h"

/* How often a mount looks whether the helper has given up on the origin. */
#define LOOK_MS 100

#define ORIGIN_MAX 255u

/** struct source - what is mounted: "<origin>:/<export>" */
struct source {
	char *origin;
	char *export;
};

static void source_free(struct source *src)
{
	kfree(src->origin);
	kfree(src->export);
}

/* The last ":/" parts them: an origin may have colons of its own. */
static const char *find_export(const char *s)
{
	const char *at = NULL, *p = s;

	while ((p = strstr(p, ":/")))
		at = p++;
	return at;
}

static int source_parse(struct fs_context *fc, struct source *src)
{
	const char *s = fc->source, *at, *p;

	if (!s)
		return invalfc(fc, "no source: give host[:port]:/export");
	at = find_export(s);
	if (!at || at == s || !at[2])
		return invalfc(fc, "source %s: give host[:port]:/export", s);
	if (at - s > ORIGIN_MAX)
		return invalfc(fc, "source: the name of the origin is longer than %u bytes",
			       ORIGIN_MAX);
	if (strlen(at + 2) >= GNS_UPATH_MAX)
		return invalfc(fc, "source: the name of the export is longer than %u bytes",
			       GNS_UPATH_MAX - 1);
	for (p = s; p < at; p++)
		if (*p <= ' ' || *p == 0x7f)
			return invalfc(fc, "source: the name of an origin has no blanks");
	src->origin = kmemdup_nul(s, at - s, GFP_KERNEL);
	src->export = kstrdup(at + 2, GFP_KERNEL);
	return src->origin && src->export ? 0 : -ENOMEM;
}

static bool has_helper(struct gns_instance *inst)
{
	return READ_ONCE(inst->portid);
}

static int no_helper(struct fs_context *fc)
{
	errorfc(fc, "no helper is running in this network namespace: start gns-helperd");
	return -ENOTCONN;
}

static u64 trouble_count(struct gns_session *s)
{
	u64 gen;

	spin_lock(&s->lock);
	gen = s->trouble_gen;
	spin_unlock(&s->lock);
	return gen;
}

/* 0: nothing was reported since @gen. */
static int trouble_since(struct fs_context *fc, struct gns_session *s, u64 gen)
{
	char text[GNS_UTEXT_MAX + 1] = "";
	int err = 0;

	spin_lock(&s->lock);
	if (s->trouble_gen != gen && s->trouble_err) {
		err = -abs(s->trouble_err);
		strscpy(text, s->trouble, sizeof(text));
	}
	spin_unlock(&s->lock);
	if (!err)
		return 0;
	if (!IS_ERR_VALUE((unsigned long)err))
		err = -EHOSTUNREACH;
	errorfc(fc, "origin %s can not be reached: %s", s->origin,
		*text ? text : "no reason was given");
	return err;
}

static int too_long(struct fs_context *fc, struct gns_session *s)
{
	if (!has_helper(s->inst))
		return no_helper(fc);
	errorfc(fc, "origin %s does not answer", s->origin);
	return -ETIMEDOUT;
}

/* Why it was given up on has been said; @answered: it was not. */
static int wait_for(struct fs_context *fc, struct gns_call *c, u64 gen,
		    bool *answered)
{
	unsigned long end = jiffies + msecs_to_jiffies(GNS_MOUNT_TIMEO_MS);
	struct gns_session *s = c->s;
	long left;
	int err;

	do {
		left = wait_for_completion_killable_timeout(&c->done,
							    msecs_to_jiffies(LOOK_MS));
		if (left > 0)
			break;
		err = left < 0 ? -EINTR : trouble_since(fc, s, gen);
		if (!err && time_after(jiffies, end))
			err = too_long(fc, s);
	} while (!err);
	if (left <= 0) {
		if (gns_call_abort(c, err))
			return err;
		/* Somebody was faster: it ends in this moment. */
		wait_for_completion(&c->done);
	}
	*answered = true;
	return c->ans.err;
}

static void refused(struct fs_context *fc, const struct gns_session *s,
		    const char *export, int err)
{
	switch (err) {
	case -ENOENT:
		errorfc(fc, "origin %s has no export %s", s->origin, export);
		break;
	case -EACCES:
		errorfc(fc, "origin %s does not let this host use export %s",
			s->origin, export);
		break;
	default:
		errorfc(fc, "origin %s can not serve export %s: error %d",
			s->origin, export, err);
	}
}

static int ask(struct fs_context *fc, struct gns_session *s,
	       const char *export, struct gns_answer *ans)
{
	u64 gen = trouble_count(s);
	struct gns_bufcall *c;
	bool answered = false;
	int err;

	c = gns_bufcall_new(s, NULL, GNS_CALL_MOUNT, fc->cred, 0);
	if (!c)
		return -ENOMEM;
	c->c.req.name = export;
	c->c.req.namelen = strlen(export);
	c->c.req.want = GNS_UWANT_LEASE;
	err = gns_call_submit(&c->c);
	if (!err) {
		err = wait_for(fc, &c->c, gen, &answered);
		*ans = c->c.ans;
	}
	if (err && answered)
		refused(fc, s, export, err);
	else if (err == -EDEADLK)
		errorfc(fc, "the helper can not mount what it carries itself");
	gns_call_put(&c->c);
	return err;
}

/* What may be the same mount is one: its cache is worth more shared. */
static int same_mount(struct super_block *sb, struct fs_context *fc)
{
	const struct gns_sb *a, *b = fc->s_fs_info;
	bool same;

	spin_lock(&gns_mounts_lock);
	a = sb->s_fs_info; /* NULL: it has just gone */
	same = a && !READ_ONCE(a->dead) && a->s == b->s &&
	       gns_fh_eq(&a->root_fh, &b->root_fh) &&
	       !strcmp(a->export, b->export) &&
	       !((sb->s_flags ^ fc->sb_flags) & SB_RDONLY) &&
	       gns_options_eq(&a->opt, &b->opt);
	spin_unlock(&gns_mounts_lock);
	return same;
}

static int find_or_make(struct fs_context *fc, const struct gns_answer *ans)
{
	struct super_block *sb = sget_fc(fc, same_mount, set_anon_super_fc);
	int err;

	if (IS_ERR(sb))
		return PTR_ERR(sb);
	if (!sb->s_root) {
		err = gns_super_fill(sb, fc, ans);
		if (err) {
			deactivate_locked_super(sb);
			return err;
		}
	}
	fc->root = dget(sb->s_root);
	return 0;
}

static int set_limit(struct fs_context *fc, struct gns_sb *gsb,
		     const struct gns_climit *limit)
{
	int err = gns_set_of_mount(gsb, limit);

	if (err == -EINVAL)
		errorfc(fc, "cache_quota=%llu: less than a region of the cache",
			limit->quota);
	if (err == -ENOSPC)
		errorfc(fc, "cache_quota, cache_pin: the cache has too many sets already");
	return err;
}

static int mount_export(struct fs_context *fc, struct gns_session *s,
			const char *export)
{
	const struct gns_options *opt = fc->fs_private;
	struct gns_answer ans = {};
	struct gns_sb *gsb;
	int err;

	err = ask(fc, s, export, &ans);
	if (err)
		return err;
	if (!ans.fh.len || !S_ISDIR(ans.attr.mode)) {
		errorfc(fc, "origin %s answered for export %s what is no directory",
			s->origin, export);
		return -EUCLEAN;
	}
	gsb = gns_sb_new(s, export, &ans.fh, opt);
	if (!gsb)
		return -ENOMEM;
	if (*opt->cache) {
		gsb->cache = gns_cache_get(s->inst, opt->cache,
					   opt->verify, fc);
		if (IS_ERR(gsb->cache)) {
			err = PTR_ERR(gsb->cache);
			gsb->cache = NULL;
		} else {
			err = set_limit(fc, gsb, &opt->limit);
		}
		if (err) {
			gns_sb_free(gsb);
			return err;
		}
	}
	gns_super_learn(gsb);
	/* sget_fc() takes it over, or it is freed with the context. */
	fc->s_fs_info = gsb;
	return find_or_make(fc, &ans);
}

static int gns_get_tree(struct fs_context *fc)
{
	struct gns_instance *inst = gns_instance_of(fc->net_ns);
	struct source src = {};
	struct gns_session *s;
	int err = gns_options_check(fc);

	if (!err)
		err = source_parse(fc, &src);
	if (!err && !has_helper(inst))
		err = no_helper(fc);
	if (err)
		goto out;
	s = gns_session_get_origin(inst, src.origin);
	if (IS_ERR(s)) {
		err = PTR_ERR(s);
		goto out;
	}
	err = mount_export(fc, s, src.export);
	gns_session_put(s);
out:
	source_free(&src);
	return err;
}

static int gns_reconfigure(struct fs_context *fc)
{
	struct super_block *sb = fc->root->d_sb;
	const struct gns_options *opt = fc->fs_private;
	struct gns_sb *gsb = gns_sb(sb);
	int err = gns_options_check(fc);

	if (err)
		return err;
	/* Inodes and those who wait have ids by the maps that there are. */
	if (!gns_idmap_eq(&gsb->opt.uidmap, &opt->uidmap) ||
	    !gns_idmap_eq(&gsb->opt.gidmap, &opt->gidmap))
		return invalfc(fc, "uidmap and gidmap stay as they are: unmount first");
	if (strcmp(gsb->opt.cache, opt->cache) ||
	    gsb->opt.verify != opt->verify)
		return invalfc(fc, "cache and verify stay as they are: unmount first");
	if (opt->device)
		err = gns_cache_change(gsb->cache, opt->change, opt->device,
				       fc);
	if (!err && gsb->cache)
		err = set_limit(fc, gsb, &opt->limit);
	if (err)
		return err;
	WRITE_ONCE(gsb->opt.soft, opt->soft);
	WRITE_ONCE(gsb->opt.timeo_ms, opt->timeo_ms);
	WRITE_ONCE(gsb->opt.rasize, opt->rasize);
	gns_super_set_rasize(sb, opt->rasize);
	return 0;
}

static int parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	return gns_options_parse(fc, fc->fs_private, param);
}

static void context_free(struct fs_context *fc)
{
	struct gns_options *opt = fc->fs_private;

	gns_sb_free(fc->s_fs_info);
	kfree(opt->device);
	kfree(opt);
}

static const struct fs_context_operations context_ops = {
	.free = context_free,
	.parse_param = parse_param,
	.get_tree = gns_get_tree,
	.reconfigure = gns_reconfigure,
};

int gns_init_fs_context(struct fs_context *fc)
{
	struct gns_options *opt = kmalloc(sizeof(*opt), GFP_KERNEL);

	if (!opt)
		return -ENOMEM;
	gns_options_default(opt);
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		*opt = gns_sb(fc->root->d_sb)->opt;
	/* Of the set, which may have others by now. */
	opt->limit = (struct gns_climit){};
	fc->fs_private = opt;
	fc->ops = &context_ops;
	return 0;
}
