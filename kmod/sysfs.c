// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/fs/gns: features, and a directory for each mount. One value a file;
 * uapi/ABI/testing/sysfs-fs-gns describes them. A mount can not go while one
 * of its files is read: removing the directory waits for that.
 */
#include <linux/fs_parser.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>
#include "cache/cache.h"
#include "mounts.h"
#include "options.h"
#include "session.h"
#include "super.h"

DEFINE_MUTEX(gns_mounts_mutex); /* who is in the table below */
static DEFINE_XARRAY(mounts); /* struct gns_sb by number; gns_mounts_mutex */
static struct kobject *root;

struct kobject *gns_sysfs_root(void)
{
	return root;
}

struct gns_sb *gns_mounts_next(struct gns_instance *inst, u32 after)
{
	unsigned long nr = after;
	struct gns_sb *gsb;

	lockdep_assert_held(&gns_mounts_mutex);
	xa_for_each_start(&mounts, nr, gsb, nr + 1)
		if (gsb->s->inst == inst)
			return gsb;
	return NULL;
}

struct super_block *gns_mounts_get(struct gns_instance *inst, u32 nr)
{
	struct super_block *sb = NULL;
	struct gns_sb *gsb;

	mutex_lock(&gns_mounts_mutex);
	gsb = xa_load(&mounts, nr);
	if (gsb && gsb->s->inst == inst &&
	    atomic_inc_not_zero(&gsb->sb->s_active))
		sb = gsb->sb;
	mutex_unlock(&gns_mounts_mutex);
	return sb;
}

/** struct mount_attr - one file; @counter for those in counters/ */
struct mount_attr {
	struct attribute attr;
	ssize_t (*show)(struct gns_sb *gsb, char *buf);
	ssize_t (*store)(struct gns_sb *gsb, u32 v);
	int counter;
};

static ssize_t origin_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "%s\n", gsb->s->origin);
}

static ssize_t export_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "/%s\n", gsb->export);
}

static ssize_t session_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "%016llx\n", READ_ONCE(gsb->s->sid));
}

static ssize_t left_ms_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  gns_stats_left(gsb->s) / NSEC_PER_MSEC);
}

static ssize_t ttl_ms_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  READ_ONCE(gsb->s->ttl) / NSEC_PER_MSEC);
}

static ssize_t leases_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "%llu\n", gns_stats_leases(gsb->s));
}

static ssize_t cached_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "%llu\n", READ_ONCE(gsb->s->ncached));
}

static ssize_t pending_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&gsb->ncalls));
}

static ssize_t soft_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(gsb->opt.soft));
}

static ssize_t timeo_ms_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(gsb->opt.timeo_ms));
}

static ssize_t timeo_ms_store(struct gns_sb *gsb, u32 v)
{
	if (v < GNS_TIMEO_MIN_MS || v > GNS_TIMEO_MAX_MS)
		return -EINVAL;
	WRITE_ONCE(gsb->opt.timeo_ms, v);
	return 0;
}

static ssize_t rasize_show(struct gns_sb *gsb, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(gsb->opt.rasize));
}

static ssize_t rasize_store(struct gns_sb *gsb, u32 v)
{
	if (v < PAGE_SIZE || v > GNS_RASIZE_MAX)
		return -EINVAL;
	v = round_down(v, PAGE_SIZE);
	WRITE_ONCE(gsb->opt.rasize, v);
	gns_super_set_rasize(gsb->sb, v);
	return 0;
}

#define RO(file) \
	static struct mount_attr attr_##file = { \
		.attr = { .name = #file, .mode = 0444 }, \
		.show = file##_show, \
	}
#define RW(file) \
	static struct mount_attr attr_##file = { \
		.attr = { .name = #file, .mode = 0644 }, \
		.show = file##_show, \
		.store = file##_store, \
	}
#define COUNTER(file, c) \
	static struct mount_attr counter_##file = { \
		.attr = { .name = #file, .mode = 0444 }, \
		.counter = c, \
	}

RO(origin);
RO(export);
RO(session);
RO(left_ms);
RO(ttl_ms);
RO(leases);
RO(cached);
RO(pending);
RO(soft);
RW(timeo_ms);
RW(rasize);

static struct attribute *mount_attrs[] = {
	&attr_origin.attr, &attr_export.attr, &attr_session.attr,
	&attr_left_ms.attr, &attr_ttl_ms.attr, &attr_leases.attr,
	&attr_cached.attr, &attr_pending.attr, &attr_soft.attr,
	&attr_timeo_ms.attr, &attr_rasize.attr, NULL
};

COUNTER(read_bytes, GNS_C_READ_BYTES);
COUNTER(fill_bytes, GNS_C_FILL_BYTES);
COUNTER(pass_bytes, GNS_C_PASS_BYTES);
COUNTER(reads, GNS_C_READS);
COUNTER(fills, GNS_C_FILLS);
COUNTER(fills_stale, GNS_C_FILLS_STALE);
COUNTER(restarts, GNS_C_RESTARTS);
COUNTER(calls, GNS_C_CALLS);
COUNTER(lookups, GNS_C_LOOKUPS);
COUNTER(getattrs, GNS_C_GETATTRS);
COUNTER(readdirs, GNS_C_READDIRS);
COUNTER(revalidated, GNS_C_REVALIDATED);
COUNTER(kept, GNS_C_KEPT);
COUNTER(grants, GNS_C_GRANTS);
COUNTER(revokes, GNS_C_REVOKES);
COUNTER(faults, GNS_C_FAULTS);
COUNTER(dentry_hits, GNS_C_DENTRY_HITS);
COUNTER(writes, GNS_C_WRITES);
COUNTER(write_bytes, GNS_C_WRITE_BYTES);
COUNTER(changes, GNS_C_CHANGES);
COUNTER(cache_bytes, GNS_C_CACHE_BYTES);
COUNTER(cache_bad, GNS_C_CACHE_BAD);
COUNTER(direct_bytes, GNS_C_DIRECT_BYTES);
COUNTER(direct_copied, GNS_C_DIRECT_COPIED);
COUNTER(direct_buffered, GNS_C_DIRECT_BUFFERED);
COUNTER(files_ahead, GNS_C_FILES_AHEAD);

static struct attribute *counter_attrs[] = {
	&counter_read_bytes.attr, &counter_fill_bytes.attr,
	&counter_pass_bytes.attr, &counter_reads.attr, &counter_fills.attr,
	&counter_fills_stale.attr, &counter_restarts.attr,
	&counter_calls.attr, &counter_lookups.attr, &counter_getattrs.attr,
	&counter_readdirs.attr, &counter_revalidated.attr, &counter_kept.attr,
	&counter_grants.attr, &counter_revokes.attr, &counter_faults.attr,
	&counter_dentry_hits.attr, &counter_writes.attr,
	&counter_write_bytes.attr, &counter_changes.attr,
	&counter_cache_bytes.attr, &counter_cache_bad.attr,
	&counter_direct_bytes.attr, &counter_direct_copied.attr,
	&counter_direct_buffered.attr, &counter_files_ahead.attr, NULL
};

static_assert(ARRAY_SIZE(counter_attrs) == GNS_C_MAX + 1);

static const struct attribute_group mount_group = {
	.attrs = mount_attrs,
};

static const struct attribute_group counter_group = {
	.name = "counters",
	.attrs = counter_attrs,
};

static const struct attribute_group *mount_groups[] = {
	&mount_group,
	&counter_group,
	NULL,
};

static ssize_t mount_show(struct kobject *kobj, struct attribute *attr,
			  char *buf)
{
	struct mount_attr *a = container_of(attr, struct mount_attr, attr);
	struct gns_sb *gsb = container_of(kobj, struct gns_sb, kobj);
	u64 counters[GNS_C_MAX];

	if (a->show)
		return a->show(gsb, buf);
	gns_stats_read(gsb, counters);
	return sysfs_emit(buf, "%llu\n", counters[a->counter]);
}

static ssize_t mount_store(struct kobject *kobj, struct attribute *attr,
			   const char *buf, size_t len)
{
	struct mount_attr *a = container_of(attr, struct mount_attr, attr);
	struct gns_sb *gsb = container_of(kobj, struct gns_sb, kobj);
	ssize_t err;
	u32 v;

	if (!a->store)
		return -EIO;
	err = kstrtou32(buf, 0, &v);
	if (!err)
		err = a->store(gsb, v);
	return err ? err : len;
}

static const struct sysfs_ops mount_sysfs_ops = {
	.show = mount_show,
	.store = mount_store,
};

static void mount_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct gns_sb, kobj)->kobj_gone);
}

static const struct kobj_type mount_type = {
	.sysfs_ops = &mount_sysfs_ops,
	.release = mount_release,
	.default_groups = mount_groups,
};

static void put_kobj(struct gns_sb *gsb)
{
	kobject_put(&gsb->kobj);
	wait_for_completion(&gsb->kobj_gone);
	/* As if there had never been one. */
	memset(&gsb->kobj, 0, sizeof(gsb->kobj));
}

int gns_sysfs_add(struct gns_sb *gsb)
{
	int err = kobject_init_and_add(&gsb->kobj, &mount_type, root, "%u",
				       gsb->nr);

	if (!err && gsb->cache)
		err = sysfs_create_link(&gsb->kobj, gns_cache_kobj(gsb->cache),
					"cache");
	if (!err) {
		mutex_lock(&gns_mounts_mutex);
		err = xa_insert(&mounts, gsb->nr, gsb, GFP_KERNEL);
		mutex_unlock(&gns_mounts_mutex);
	}
	if (err)
		put_kobj(gsb);
	return err;
}

void gns_sysfs_del(struct gns_sb *gsb)
{
	mutex_lock(&gns_mounts_mutex);
	xa_erase(&mounts, gsb->nr);
	mutex_unlock(&gns_mounts_mutex);
	kobject_del(&gsb->kobj);
	put_kobj(gsb);
}

static ssize_t features_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	static const struct {
		u64 bit;
		const char *word;
	} words[] = {
		{ GNS_F_SEEK, "seek" },
		{ GNS_F_CHANGE, "change" },
		{ GNS_F_ACL, "acl" },
	};
	int n = 0, i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (GNS_F_ALL & words[i].bit)
			n += sysfs_emit_at(buf, n, "%s%s", n ? " " : "",
					   words[i].word);
	return n + sysfs_emit_at(buf, n, "\n");
}

static struct kobj_attribute features_attr = __ATTR_RO(features);

int __init gns_sysfs_init(void)
{
	int err;

	root = kobject_create_and_add("gns", fs_kobj);
	if (!root)
		return -ENOMEM;
	err = sysfs_create_file(root, &features_attr.attr);
	if (err)
		kobject_put(root);
	return err;
}

void gns_sysfs_exit(void)
{
	kobject_put(root);
}
