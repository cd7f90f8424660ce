// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading: one registration per line, undone in reverse order.
 * The module stays while anything is mounted, and while /dev/gns is open.
 */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include "cache/cache.h"
#include "watch.h"

static int __init gns_mod_init(void)
{
	int err;

	err = gns_instance_init();
	if (err)
		return err;
	err = gns_watch_init();
	if (err)
		goto out_instance;
	err = gns_sysfs_init();
	if (err)
		goto out_watch;
	err = gns_chardev_init();
	if (err)
		goto out_sysfs;
	err = gns_netlink_init();
	if (err)
		goto out_chardev;
	err = gns_cache_init();
	if (err)
		goto out_netlink;
	err = gns_super_init();
	if (err)
		goto out_cache;
	pr_info("gns: version %s loaded\n", GNS_VERSION);
	return 0;

out_cache:
	gns_cache_exit();
out_netlink:
	gns_netlink_exit();
out_chardev:
	gns_chardev_exit();
out_sysfs:
	gns_sysfs_exit();
out_watch:
	gns_watch_exit();
out_instance:
	gns_instance_exit();
	return err;
}

static void __exit gns_mod_exit(void)
{
	/* Inodes are freed behind RCU: before their cache goes. */
	rcu_barrier();
	gns_super_exit();
	gns_cache_exit();
	gns_netlink_exit();
	gns_chardev_exit();
	gns_sysfs_exit();
	gns_watch_exit();
	gns_instance_exit();
	pr_info("gns: version %s unloaded\n", GNS_VERSION);
}

module_init(gns_mod_init);
module_exit(gns_mod_exit);

MODULE_DESCRIPTION("Global namespace for GPU hosts: leased files, cached on NVMe");
MODULE_LICENSE("GPL");
MODULE_VERSION(GNS_VERSION);
