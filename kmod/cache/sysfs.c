// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/fs/gns/cache<N>: its devices and its data sets. One value a file;
 * uapi/ABI/testing/sysfs-fs-gns describes them. What a file is about can not go
 * while it is read: removing the directory waits for that.
 */
#include <linux/sysfs.h>
#include "../super.h"
#include "int.h"

/** struct cattr - a file of a device (@dev) or of a set (@set) */
struct cattr {
	struct attribute attr;
	ssize_t (*dev)(struct gns_cdev *d, char *buf);
	ssize_t (*set)(struct gns_cset *s, char *buf);
	int (*store)(struct gns_cset *s, const char *buf);
};

static ssize_t path_show(struct gns_cdev *d, char *buf)
{
	return sysfs_emit(buf, "%s\n", d->path);
}

static ssize_t state_show(struct gns_cdev *d, char *buf)
{
	const char *word = "active";

	spin_lock(&d->cache->lock);
	if (d->out)
		word = "failed";
	else if (d->drain)
		word = !d->nheld && list_empty(&d->ready) ? "drained" : "draining";
	else if (d->joining)
		word = "joining";
	spin_unlock(&d->cache->lock);
	return sysfs_emit(buf, "%s\n", word);
}

static ssize_t size_show(struct gns_cdev *d, char *buf)
{
	return sysfs_emit(buf, "%llu\n", d->geo.regions * d->geo.region_size);
}

static ssize_t used_show(struct gns_cdev *d, char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  READ_ONCE(d->nheld) * d->geo.region_size);
}

static ssize_t errors_show(struct gns_cdev *d, char *buf)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&d->errors));
}

/* Whether memory of other devices can be read into, where a way leads there. */
static ssize_t p2p_show(struct gns_cdev *d, char *buf)
{
	struct request_queue *q = bdev_get_queue(d->bdev);

	return sysfs_emit(buf, "%d\n", IS_ENABLED(CONFIG_PCI_P2PDMA) && blk_queue_pci_p2pdma(q));
}

static ssize_t name_show(struct gns_cset *s, char *buf)
{
	return sysfs_emit(buf, "%s\n", s->name ?: "?");
}

static ssize_t quota_show(struct gns_cset *s, char *buf)
{
	return sysfs_emit(buf, "%llu\n", s->quota);
}

static int quota_store(struct gns_cset *s, const char *buf)
{
	struct gns_climit limit = { .has_quota = true };
	int err = kstrtou64(buf, 0, &limit.quota);

	return err ?: gns_cset_limit(s, &limit);
}

static ssize_t pin_show(struct gns_cset *s, char *buf)
{
	return sysfs_emit(buf, "%d\n", s->pin);
}

static int pin_store(struct gns_cset *s, const char *buf)
{
	struct gns_climit limit = { .has_pin = true };
	int err = kstrtobool(buf, &limit.pin);

	return err ?: gns_cset_limit(s, &limit);
}

static ssize_t share_show(struct gns_cset *s, char *buf)
{
	return sysfs_emit(buf, "%llu\n", s->share);
}

static ssize_t held_show(struct gns_cset *s, char *buf)
{
	return sysfs_emit(buf, "%llu\n", s->held);
}

static ssize_t policy_show(struct gns_cset *s, char *buf)
{
	const struct gns_pset *p = s->policy;

	return sysfs_emit(buf, "%s\n", !p || !p->now ? "unread" : s->pin ? "pin" :
							  p->fits	 ? "fits" :
							  p->moves	 ? "move" :
									   "hold");
}

#define DEV(file) \
	static struct cattr dev_##file = { \
		.attr = { .name = #file, .mode = 0444 }, \
		.dev = file##_show, \
	}
#define SET(file, m, s) \
	static struct cattr set_##file = { \
		.attr = { .name = #file, .mode = m }, \
		.set = file##_show, \
		.store = s, \
	}

DEV(path);
DEV(state);
DEV(size);
DEV(used);
DEV(errors);
DEV(p2p);
SET(name, 0444, NULL);
SET(quota, 0644, quota_store);
SET(pin, 0644, pin_store);
SET(share, 0444, NULL);
SET(held, 0444, NULL);
SET(policy, 0444, NULL);

static struct attribute *cdev_attrs[] = {
	&dev_path.attr, &dev_state.attr, &dev_size.attr, &dev_used.attr,
	&dev_errors.attr, &dev_p2p.attr, NULL
};
ATTRIBUTE_GROUPS(cdev);

static struct attribute *cset_attrs[] = {
	&set_name.attr, &set_quota.attr, &set_pin.attr, &set_share.attr,
	&set_held.attr, &set_policy.attr, NULL
};
ATTRIBUTE_GROUPS(cset);

static ssize_t dev_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	return container_of(attr, struct cattr, attr)
		->dev(container_of(kobj, struct gns_cdev, kobj), buf);
}

static ssize_t set_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	struct gns_cset *s = container_of(kobj, struct gns_cset, kobj);
	ssize_t n;

	spin_lock(&s->cache->lock);
	n = container_of(attr, struct cattr, attr)->set(s, buf);
	spin_unlock(&s->cache->lock);
	return n;
}

static ssize_t set_store(struct kobject *kobj, struct attribute *attr,
			 const char *buf, size_t len)
{
	struct cattr *a = container_of(attr, struct cattr, attr);
	int err;

	if (!a->store)
		return -EIO;
	err = a->store(container_of(kobj, struct gns_cset, kobj), buf);
	return err ?: len;
}

static void dev_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct gns_cdev, kobj)->kobj_gone);
}

static void set_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct gns_cset, kobj)->kobj_gone);
}

static void cache_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct gns_cache, kobj)->kobj_gone);
}

static const struct sysfs_ops dev_ops = {
	.show = dev_show,
};

static const struct sysfs_ops set_ops = {
	.show = set_show,
	.store = set_store,
};

static const struct kobj_type dev_type = {
	.sysfs_ops = &dev_ops,
	.release = dev_release,
	.default_groups = cdev_groups,
};

static const struct kobj_type set_type = {
	.sysfs_ops = &set_ops,
	.release = set_release,
	.default_groups = cset_groups,
};

static const struct kobj_type cache_type = {
	.sysfs_ops = &kobj_sysfs_ops,
	.release = cache_release,
};

/* As if there had never been one; nothing happens if there was none. */
static void del(struct kobject *kobj, struct completion *gone)
{
	if (!kobj->state_initialized)
		return;
	kobject_del(kobj);
	kobject_put(kobj);
	wait_for_completion(gone);
	memset(kobj, 0, sizeof(*kobj));
}

int gns_csysfs_add(struct gns_cache *c)
{
	int err;

	init_completion(&c->kobj_gone);
	err = kobject_init_and_add(&c->kobj, &cache_type, gns_sysfs_root(),
				   "cache%u", c->nr);
	if (err)
		del(&c->kobj, &c->kobj_gone);
	return err;
}

void gns_csysfs_del(struct gns_cache *c)
{
	del(&c->kobj, &c->kobj_gone);
}

int gns_csysfs_add_dev(struct gns_cdev *d)
{
	int err;

	init_completion(&d->kobj_gone);
	err = kobject_init_and_add(&d->kobj, &dev_type, &d->cache->kobj,
				   "dev%u", d->index);
	if (err)
		gns_csysfs_del_dev(d);
	return err;
}

void gns_csysfs_del_dev(struct gns_cdev *d)
{
	del(&d->kobj, &d->kobj_gone);
}

int gns_csysfs_add_set(struct gns_cset *s)
{
	int err;

	init_completion(&s->kobj_gone);
	err = kobject_init_and_add(&s->kobj, &set_type, &s->cache->kobj,
				   "set%u", s->index);
	if (err)
		gns_csysfs_del_set(s);
	return err;
}

void gns_csysfs_del_set(struct gns_cset *s)
{
	del(&s->kobj, &s->kobj_gone);
}

struct kobject *gns_cache_kobj(struct gns_cache *c)
{
	return &c->kobj;
}
