/* SPDX-License-Identifier: GPL-2.0 */
/*
 * clock.pml - why the origin's deadline comes after the kernel's
 *
 * lease.pml assumes an order: the origin gives a session up only after the
 * kernel's clock has passed stamp + TTL for each stamp taken before the last
 * extension.  Here the order is derived from ticks.
 *
 * A tick is 1/12 of a TTL of true time and 12 units of a clock that is right.
 * Each clock runs 1/12 (8.3 %) slow or fast, which contains what NTP slewing
 * can do (8 %).  Real clocks change their rate; but what an interval measures
 * lies between the two extremes, and the rules only compare intervals, so the
 * extremes decide.  Only time left is kept, never a date, since clocks of two
 * hosts are never compared.
 */

#define TTL	144	/* units; 12 ticks */
#ifdef NO_MARGIN
#define WAIT	TTL
#else
#define WAIT	(TTL + TTL / 4 + 3)	/* x 1.25 + 250 ms of 10 s */
#endif

#define C_NONE	0
#define C_REQ	1	/* on its way to the origin */
#define C_ANS	2	/* extended; the answer is on its way */

byte krate, orate;	/* units per tick of kernel and origin */
byte kleft = 0;		/* kernel: time left to live */
byte oleft = WAIT;	/* origin: time left of the session */
bit  odead;		/* origin has given the session up */
bit  ocrash;		/* origin restarted: grace runs, nothing is extended */
byte cst[2];		/* renewing messages in flight, each transmission its own */
byte cleft[2];		/* stamp + TTL - kernel's now */

#define less(left, by)	(left > by -> left - by : 0)

inline send(c)
{
	d_step {
		c == 0 || cst[0] != C_NONE ->	/* messages have no order; loss is overwriting */
		cst[c] = C_REQ;
		cleft[c] = TTL
	}
}

/* Deadline and extension are one locked transition: a dead session stays dead. */
inline extend(c)
{
	d_step {
		cst[c] == C_REQ && !odead && !ocrash ->
		cst[c] = C_ANS;
		oleft = WAIT
	}
}

inline answered(c)
{
	d_step {
		cst[c] == C_ANS ->
#ifdef TIMER_FROM_RECEIPT
		kleft = TTL;
#else
		if
		:: cleft[c] > kleft -> kleft = cleft[c]
		:: else
		fi;
#endif
		cst[c] = C_NONE;
		cleft[c] = 0
	}
}

#ifdef ONE_STAMP_TWO_SENDS
/*
 * Retransmission overwrites the stamp of the request, or its own stamp is
 * echoed by an answer from a reply cache: either way the answer to an earlier
 * extension brings a later stamp.
 */
inline resend(c)
{
	d_step {
		cst[c] == C_ANS ->
		cleft[c] = TTL
	}
}
#endif

inline tick()
{
	d_step {
		!odead ->
		kleft = less(kleft, krate);
		cleft[0] = less(cleft[0], krate);
		cleft[1] = less(cleft[1], krate);
		oleft = less(oleft, orate)
	}
}

/* Restart: the longest TTL ever promised is durable, and all of it is waited out. */
inline crash()
{
	d_step {
		!ocrash && !odead ->
		ocrash = 1;
#ifdef NO_GRACE
		oleft = 0;
#else
		oleft = WAIT;
#endif
	}
}

/*
 * The session's deadline, or the end of grace: changes go on.  Timers may fire
 * late, never early.  An answer whose stamp has time left would revive the kernel.
 */
inline give_up()
{
	d_step {
		oleft == 0 && !odead ->
		odead = 1;
		assert(kleft == 0);
		assert(cst[0] != C_ANS || cleft[0] == 0);
		assert(cst[1] != C_ANS || cleft[1] == 0)
	}
}

active proctype clock()
{
	d_step {
		/* HELLO has been answered */
		cst[0] = C_ANS;
		cleft[0] = TTL
	}
	if
	:: krate = 11
	:: krate = 13
	fi;
	if
	:: orate = 11
	:: orate = 13
	fi;
end:	do
	:: send(0)
	:: send(1)
	:: extend(0)
	:: extend(1)
	:: answered(0)
	:: answered(1)
#ifdef ONE_STAMP_TWO_SENDS
	:: resend(0)
#endif
	:: tick()
	:: crash()
	:: give_up()
	od
}
