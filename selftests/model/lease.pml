/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lease.pml - the lease protocol: sessions, grants, revokes, changes, restarts
 *
 * Safety: the assertions in kernel.pml (I1), and the one in o_apply() that no
 * lease was granted during a change.  Progress: a change that has begun ends.
 * See README.md for bounds, mutants and figures.
 */
#include "state.pml"
#include "kernel.pml"
#include "session.pml"
#include "origin.pml"

/* With witnesses (spin -o3), pan's list of unreached states names each step never taken. */
#if defined(WITNESS) && NSAT == 1
#define T(step)	atomic { step; printf(#step) }
#else
#define T(step)	step
#endif

#define READ_STEPS(s, i) \
	:: T(k_read(s, i)) \
	:: T(k_read_join(s, i)) \
	:: T(k_answer(s, i)) \
	:: T(k_give_up(s, i))

#define SERVE_STEPS(s, i) \
	:: T(o_serve(s, i)) \
	:: T(o_grant(s, i))

#define RENEW_STEPS(s, c) \
	:: T(k_keepalive(s, c)) \
	:: T(k_hello(s, c)) \
	:: T(k_renewed(s, c))

#define EXTEND_STEPS(s, c) \
	:: T(o_keepalive(s, c)) \
	:: T(o_hello(s, c))

/* Read or message number 1, where the bounds have one. */
#if NSLOT > 1
#define READ_STEPS_1(s)		READ_STEPS(s, 1)
#define SERVE_STEPS_1(s)	SERVE_STEPS(s, 1)
#else
#define READ_STEPS_1(s)
#define SERVE_STEPS_1(s)
#endif
#if NKA > 1
#define RENEW_STEPS_1(s)	RENEW_STEPS(s, 1)
#define EXTEND_STEPS_1(s)	EXTEND_STEPS(s, 1)
#define CELL_CLOCK_1(s)		:: T(t_cell(s, 1))
#else
#define RENEW_STEPS_1(s)
#define EXTEND_STEPS_1(s)
#define CELL_CLOCK_1(s)
#endif

#ifdef ONE_STAMP_TWO_SENDS
#define MUTANT_STEPS(s)		:: T(k_resend(s, 0))
#elif defined(KILLED_WRITER_RESUMES)
#define MUTANT_STEPS(s)		:: T(k_write_killed(s))
#else
#define MUTANT_STEPS(s)
#endif

/* What a satellite does; a cut-off one is one that does none of it. */
#define SATELLITE(s) \
	:: T(k_read_cached(s)) \
	READ_STEPS(s, 0) \
	READ_STEPS_1(s) \
	:: T(k_revoke(s)) \
	:: T(k_evict(s)) \
	:: T(k_fence(s)) \
	RENEW_STEPS(s, 0) \
	RENEW_STEPS_1(s) \
	:: T(k_write(s)) \
	:: T(k_write_answer(s)) \
	MUTANT_STEPS(s)

/* What the origin does when a message of satellite s comes. */
#define ORIGIN(s) \
	EXTEND_STEPS(s, 0) \
	EXTEND_STEPS_1(s) \
	SERVE_STEPS(s, 0) \
	SERVE_STEPS_1(s) \
	:: T(o_released(s)) \
	:: T(o_change(s))

#ifndef PROGRESS
/*
 * For safety one process takes every step: which process takes it makes no
 * difference, and fewer processes are smaller states.
 */
#define ALL(s) \
	SATELLITE(s) \
	ORIGIN(s) \
	:: T(t_kernel(s)) \
	:: T(t_cell(s, 0)) \
	CELL_CLOCK_1(s) \
	:: T(o_noext(s)) \
	:: T(o_dead(s))

active proctype lease()
{
end:	do
	ALL(0)
#if NSAT > 1
	ALL(1)
#endif
	:: T(o_change_local())
	:: T(o_apply())
	:: T(o_restart())
	:: T(o_grace_end())
	od
}

#ifdef WITNESS
#include "witness.pml"
#endif

#else /* PROGRESS */
/*
 * What happens by itself in the end has a process of its own, so that weak
 * fairness (pan -f) says no more than: time passes, timers fire, the origin
 * goes on with what it can do.  Satellites and clients owe nothing.
 */
proctype satellite(byte s)
{
	do
	SATELLITE(s)
	od
}

proctype origin(byte s)
{
	do
	ORIGIN(s)
	od
}

proctype others()
{
	do
	:: T(o_change_local())
	:: T(o_restart())
	od
}

proctype kernel_clock(byte s)
{
	do
	:: T(t_kernel(s))
	od
}

proctype cell_clock(byte s; byte c)
{
	do
	:: T(t_cell(s, c))
	od
}

proctype revoke_timer(byte s)
{
	do
	:: T(o_noext(s))
	od
}

proctype deadline(byte s)
{
	do
	:: T(o_dead(s))
	od
}

proctype grace_timer()
{
	do
	:: T(o_grace_end())
	od
}

proctype change()
{
	do
	:: T(o_apply())
	od
}

inline start(s)
{
	run satellite(s);
	run origin(s);
	run kernel_clock(s);
	run cell_clock(s, 0);
#if NKA > 1
	run cell_clock(s, 1);
#endif
#ifndef RENEW_DEFEATS_REVOKE
	run revoke_timer(s);
#endif
#ifndef NO_DEADLINE
	run deadline(s)
#endif
}

init {
	atomic {
		start(0);
#if NSAT > 1
		start(1);
#endif
		run others();
		run grace_timer();
		run change()
	}
}

ltl progress { [] (och -> <> !och) }
#endif
