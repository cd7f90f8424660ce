/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The environment: clock, timers and randomness, injected into all protocol
 * code.
 *
 * The daemon runs on an environment made of the host's clocks and an event
 * loop; the simulator runs the very same origin and satellite code on one of
 * virtual time. No file below proto/, origin/ or satellite/ that decides
 * anything about leases asks the operating system for the time.
 *
 * Lifetime: an environment outlives everything created on it. A timer is
 * embedded in its owner, who cancels it before it goes.
 * Locks: none. One environment belongs to one thread.
 */
#ifndef GNS_LIB_ENV_H
#define GNS_LIB_ENV_H

#include "lib/types.h"

struct gns_env;

/**
 * struct gns_timer - one deadline
 * @fn:    called once, on the environment's thread, when the deadline passed
 * @arg:   handed to @fn
 * @at:    deadline in ns of gns_boottime(); 0: not armed
 * @slot:  the environment's own use
 * @env:   the environment it is armed on
 */
struct gns_timer {
	void (*fn)(void *arg);
	void *arg;
	u64 at;
	u64 slot;
	struct gns_env *env;
};

/**
 * struct gns_env_ops - what an environment offers
 * @boottime: ns since boot, counting suspend (CLOCK_BOOTTIME); never goes back
 * @realtime: ns since 1970 (CLOCK_REALTIME); may jump either way
 * @random:   64 random bits; of a cryptographic source in the daemon
 * @arm:      arms or moves the timer to @at (ns of boottime)
 * @cancel:   disarms; harmless on an idle timer
 *
 * Context: all of them never sleep.
 */
struct gns_env_ops {
	u64 (*boottime)(struct gns_env *env);
	u64 (*realtime)(struct gns_env *env);
	u64 (*random)(struct gns_env *env);
	void (*arm)(struct gns_env *env, struct gns_timer *t, u64 at);
	void (*cancel)(struct gns_env *env, struct gns_timer *t);
};

struct gns_env {
	const struct gns_env_ops *ops;
};

static inline u64 gns_boottime(struct gns_env *env)
{
	return env->ops->boottime(env);
}

static inline u64 gns_realtime(struct gns_env *env)
{
	return env->ops->realtime(env);
}

static inline u64 gns_random(struct gns_env *env)
{
	return env->ops->random(env);
}

/**
 * gns_timer_init() - prepare a timer
 * @t:   the timer, owned by the caller
 * @env: its environment
 * @fn:  called when the deadline passed; the timer is idle again by then
 * @arg: handed to @fn
 */
static inline void gns_timer_init(struct gns_timer *t, struct gns_env *env,
				  void (*fn)(void *arg), void *arg)
{
	*t = (struct gns_timer){ .fn = fn, .arg = arg, .env = env };
}

/**
 * gns_timer_arm() - arm a timer, or move its deadline
 * @t:  the timer
 * @at: deadline, ns of gns_boottime(); a past one fires soon
 */
static inline void gns_timer_arm(struct gns_timer *t, u64 at)
{
	t->env->ops->arm(t->env, t, at ? at : 1);
}

/**
 * gns_timer_cancel() - disarm a timer; harmless when idle
 * @t: the timer
 */
static inline void gns_timer_cancel(struct gns_timer *t)
{
	if (t->at)
		t->env->ops->cancel(t->env, t);
}

#endif
