// SPDX-License-Identifier: GPL-2.0
/*
 * Seeded bugs, one of each kind that the VM lab must turn into a failed test:
 *
 *	insmod bugs.ko bug=<name>
 *
 * Most strike when the module is loaded, "slab" when it is unloaded.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *bug = "none";
module_param(bug, charp, 0);
MODULE_PARM_DESC(bug, "which bug to run into");

static DEFINE_MUTEX(lock_a);
static DEFINE_MUTEX(lock_b);
static DEFINE_SPINLOCK(lock_s);
static struct kmem_cache *cache;
static void *kept;

/* Neither the compiler nor its sanitizers must see through the bugs. */
static volatile int beyond = 4;

static void use_after_free(void)
{
	volatile char *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return;
	kfree((void *)p);
	p[8] = 1;
}

static void sleep_in_atomic(void)
{
	spin_lock(&lock_s);
	msleep(20);
	spin_unlock(&lock_s);
}

static void lock_order(void)
{
	mutex_lock(&lock_a);
	mutex_lock(&lock_b);
	mutex_unlock(&lock_b);
	mutex_unlock(&lock_a);

	mutex_lock(&lock_b);
	mutex_lock(&lock_a);
	mutex_unlock(&lock_a);
	mutex_unlock(&lock_b);
}

static void array_bound(void)
{
	struct {
		int in[4];
		int after[4];
	} a = {};
	volatile int sink;

	sink = a.in[beyond];
	(void)sink;
}

/* Several, as one pointer may survive in a register or on a stack. */
static void leak(void)
{
	volatile void *p;
	int i;

	for (i = 0; i < 16; i++)
		p = kmalloc(96, GFP_KERNEL);
	p = NULL;
	(void)p;
}

static void warn(void)
{
	WARN(1, "seeded\n");
}

static void oops(void)
{
	volatile int *nowhere = (int *)8;

	*nowhere = 1;
}

static void stop_now(void)
{
	panic("seeded\n");
}

static void hang(void)
{
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		schedule();
	}
}

static void spin(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

static void slab(void)
{
	cache = kmem_cache_create("gns_bugs", 128, 0, 0, NULL);
	if (cache)
		kept = kmem_cache_alloc(cache, GFP_KERNEL);
}

static const struct {
	const char *name;
	void (*run)(void);
} all[] = {
	{ "use-after-free", use_after_free },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "lock-order", lock_order },
	{ "array-bound", array_bound },
	{ "leak", leak },
	{ "warn", warn },
	{ "oops", oops },
	{ "panic", stop_now },
	{ "hang", hang },
	{ "spin", spin },
	{ "slab", slab },
};

static int __init bugs_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		if (!strcmp(bug, all[i].name)) {
			all[i].run();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit bugs_exit(void)
{
	kmem_cache_destroy(cache);
}

module_init(bugs_init);
module_exit(bugs_exit);
MODULE_DESCRIPTION("Seeded bugs for the lab's own test");
MODULE_LICENSE("GPL");
