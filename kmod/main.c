// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading: one registration per line, undone in reverse order.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>

static int __init gns_mod_init(void)
{
	pr_info("version %s loaded\n", GNS_VERSION);
	return 0;
}

static void __exit gns_mod_exit(void)
{
	pr_info("version %s unloaded\n", GNS_VERSION);
}

module_init(gns_mod_init);
module_exit(gns_mod_exit);

MODULE_DESCRIPTION("Global namespace for GPU hosts: leased files, cached on NVMe");
MODULE_LICENSE("GPL");
MODULE_VERSION(GNS_VERSION);
