/* SPDX-License-Identifier: GPL-2.0 */
/*
 * state.pml - bounds and state of the lease model
 *
 * One object is enough: the protocol never decides anything about one object
 * from the lease of another.  What objects share is the session, and the
 * session is modelled in full.  For the same reason grant numbers, which the
 * origin counts per session, are counted here for the one object: gaps in the
 * numbers carry no meaning.
 *
 * Every variable is global and each process is a loop of indivisible steps, so
 * that a process has no program counter worth a state.  A step (d_step) stands
 * for work done under one lock or for the arrival of one message; steps of
 * different processes interleave freely.
 */

#ifndef NSAT
#define NSAT	1	/* satellites */
#endif
#ifndef NSLOT
#define NSLOT	2	/* reads in flight per satellite, 1 or 2 */
#endif
#ifndef NKA
#define NKA	2	/* renewing messages in flight per satellite, 1 or 2 */
#endif
#ifndef MAXSESS
#define MAXSESS	2	/* sessions per satellite */
#endif
#ifndef MAXG
#define MAXG	2	/* grants per session */
#endif
#ifndef MAXV
#define MAXV	2	/* changes of the object */
#endif
#ifndef MAXRST
#define MAXRST	1	/* restarts of the origin */
#endif
#ifndef WRITERS
#define WRITERS	1	/* satellites 0..WRITERS-1 write as well as read */
#endif

#define SL(s, i)	((s) * NSLOT + (i))
#define KA(s, c)	((s) * NKA + (c))
#define LOCAL		NSAT	/* writer: a client without a lease */

/* The truth.  A version is the content: equal means identical. */
byte ver;		/* current version at the origin, durable */
byte acked;		/* newest version whose change was acknowledged */

/* Kernel of satellite s. */
bit  kup[NSAT];		/* in session klast[s]; else fenced, all caches shut */
byte klast[NSAT];	/* newest session it ever joined */
bit  kfresh[NSAT];	/* its clock is before (stamp it lives on) + TTL */
bit  kcov[NSAT];	/* that stamp was taken before the origin's last extension */
bit  klease[NSAT];	/* holds a read lease ... */
byte kgr[NSAT];		/* ... of this grant number */
byte kver[NSAT];	/* version it holds; while requests are open: newest seen */
byte krev[NSAT];	/* remembered REVOKE number, 0 = none */
byte kmask[NSAT];	/* requests still to end before krev is forgotten */
bit  kw[NSAT];		/* own change in flight: lease suspended */

/*
 * Reads in flight.  While a read is open its request may reach the origin at
 * any time and any number of times (retransmission); of several answers the
 * cell keeps whichever the network will deliver first, for the kernel drops
 * the others by request id.  A lost message is one that is never picked up.
 */
bit  sopen[NSAT * NSLOT];
bit  slive[NSAT * NSLOT];	/* lease live and unmoved (same epoch) since it was sent */
byte sneed[NSAT * NSLOT];	/* acked when its latest reader began */
bit  sans[NSAT * NSLOT];	/* an answer is on its way: */
byte sver[NSAT * NSLOT];	/*   version of its bytes and attributes */
byte sgr[NSAT * NSLOT];		/*   grant number, 0 = no lease */
byte ssess[NSAT * NSLOT];	/*   session of that grant */

/*
 * Renewing messages in flight, each transmission with its own stamp.  Sending
 * overwrites a cell, and that is the loss of what was in it.
 */
#define C_NONE	0
#define C_REQ	1
#define C_ANS	2
byte cst[NSAT * NKA];
bit  chello[NSAT * NKA];	/* HELLO, else keepalive */
byte csess[NSAT * NKA];		/* HELLO: session whose fence is done; answer: session given */
bit  cfresh[NSAT * NKA];	/* stamp + TTL has not passed */
bit  ccov[NSAT * NKA];		/* stamp taken before the origin's last extension */

/* The change a satellite asked for. */
#define W_NONE	0
#define W_REQ	1	/* on its way to the origin */
#define W_RUN	2	/* the origin works on it */
#define W_ANS	3	/* the answer is on its way */
byte wst[NSAT];
byte wsess[NSAT];
byte wbef[NSAT];	/* version before and after, in the answer */
byte waft[NSAT];

/* Origin.  olast is durable (session ids are never used twice), the rest is not. */
bit  oup[NSAT];		/* session olast[s] is alive */
byte olast[NSAT];
byte oby[NSAT];		/* HELLO that began it (its csess), to know a retransmission */
bit  onoext[NSAT];	/* REVOKE unanswered for TTL/2: not extended any more */
bit  olease[NSAT];	/* holds a lease, as far as the origin knows */
byte ognum[NSAT];	/* newest grant number of the session */
bit  owait[NSAT];	/* the running change waits for its RELEASED */
byte orev[NSAT];	/* newest REVOKE sent in this session; may arrive late or never */
byte orel[NSAT];	/* RELEASED sent so far: bit N; each may arrive at any time, repeatedly */
bit  och;		/* a change is running, no new lease */
byte ow;		/* its writer */
bit  ograce;		/* restarted, grace not over */
byte obase[NSAT];	/* during grace: newest session of before the restart */
byte orst;		/* restarts so far */

/*
 * Time.  No clock is modelled, only the one order that the deadline rules
 * promise: the origin gives a session up after the kernel's clock has passed
 * stamp + TTL for each stamp taken before the last extension was processed.
 * clock.pml derives that order from ticks, drift and margin.  Beyond it
 * anything may happen at any time, so every real schedule is among those
 * explored.  Stamps an extension does not cover occur in mutants only.
 */
#define held(s, lo, hi)	(kup[s] && kfresh[s] && kcov[s] && klast[s] >= lo && klast[s] <= hi)
#define flying(s, c, lo, hi) \
	(cst[KA(s, c)] == C_ANS && cfresh[KA(s, c)] && ccov[KA(s, c)] && \
	 csess[KA(s, c)] >= lo && csess[KA(s, c)] <= hi)
#if NKA > 1
#define covered(s, lo, hi) \
	(held(s, lo, hi) || flying(s, 0, lo, hi) || flying(s, 1, lo, hi))
#else
#define covered(s, lo, hi) \
	(held(s, lo, hi) || flying(s, 0, lo, hi))
#endif

/*
 * What a read may be served from without asking anybody.  A read checks this
 * once; what it then copies is of that instant (a copy during which the epoch
 * moved starts over), and I1 at that instant implies I1 at its earlier begin.
 */
#define usable(s)	(kup[s] && kfresh[s] && klease[s] && !kw[s])
