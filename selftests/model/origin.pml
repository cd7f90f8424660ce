/* SPDX-License-Identifier: GPL-2.0 */
/*
 * origin.pml - steps of the origin, of time, and of its crashes
 */

/* Nothing of a session is left: dead, replaced, or forgotten in a crash. */
inline o_session_clear(s)
{
	oby[s] = 0;
	onoext[s] = 0;
	olease[s] = 0;
	ognum[s] = 0;
	owait[s] = 0;
	orev[s] = 0;
#ifndef RELEASED_OLD_SESSION
	orel[s] = 0
#endif
}

/*
 * The origin extends the session and answers.  Whatever stamp exists by now
 * was taken before, so the new deadline covers it.
 */
inline o_extend(s, c)
{
	cst[KA(s, c)] = C_ANS;
	csess[KA(s, c)] = olast[s];
	kcov[s] = kfresh[s];
	ccov[KA(s, 0)] = cfresh[KA(s, 0)];
#if NKA > 1
	ccov[KA(s, 1)] = cfresh[KA(s, 1)];
#endif
}

#ifdef EXTEND_DEAD_SESSION
#define may_extend(s)	(1)	/* decided before the deadline, done after it */
#else
#define may_extend(s)	(oup[s])
#endif
inline o_keepalive(s, c)
{
	d_step {
		cst[KA(s, c)] == C_REQ && !chello[KA(s, c)] ->
		if
		:: may_extend(s) && csess[KA(s, c)] == olast[s] && !onoext[s] -> o_extend(s, c)
		:: else -> k_cell_free(s, c)
		fi
	}
}

/*
 * HELLO.  Known: the retransmission of the one that began this session.  Fenced:
 * it carries the fence word for this very session.  Others wait in the network
 * until the session has died.
 */
#define hello_known(s, c)	(oup[s] && oby[s] == csess[KA(s, c)] && !onoext[s])
#ifdef FENCE_WORD_UNBOUND
#define hello_fenced(s, c)	(1)
#else
#define hello_fenced(s, c)	(olast[s] <= csess[KA(s, c)])
#endif
inline o_hello(s, c)
{
	d_step {
		cst[KA(s, c)] == C_REQ && chello[KA(s, c)] &&
		(hello_known(s, c) || ((!oup[s] || hello_fenced(s, c)) && olast[s] < MAXSESS)) ->
		if
		:: hello_known(s, c)
		:: else ->
			o_session_clear(s);
			oup[s] = 1;
			olast[s] = olast[s] + 1;
			oby[s] = csess[KA(s, c)]
		fi;
		o_extend(s, c)
	}
}

/* A read request arrives: served the current state, without a lease ... */
inline o_serve(s, i)
{
	d_step {
		sopen[SL(s, i)] ->
		sans[SL(s, i)] = 1;
		sver[SL(s, i)] = ver;
		sgr[SL(s, i)] = 0;
		ssess[SL(s, i)] = 0
	}
}

/*
 * ... or with one.  All open requests have been sent under session klast, since
 * a new session sends them again; copies of older ones get no lease.
 */
#ifdef GRANT_DURING_CHANGE
#define may_grant	(1)
#else
#define may_grant	(!och)
#endif
inline o_grant(s, i)
{
	d_step {
		sopen[SL(s, i)] && oup[s] && klast[s] == olast[s] && may_grant && ognum[s] < MAXG ->
		ognum[s] = ognum[s] + 1;
		olease[s] = 1;
		sans[SL(s, i)] = 1;
		sver[SL(s, i)] = ver;
		sgr[SL(s, i)] = ognum[s];
		ssess[SL(s, i)] = olast[s]
	}
}

/*
 * Steps 1 and 2 of a change: no new lease from now on, REVOKE to every holder
 * but the writer.  One step, since the origin does both under the object's lock.
 */
inline o_revoke(s)
{
	if
	:: olease[s] && ow != s ->
		owait[s] = 1;
		orev[s] = ognum[s]
	:: else
	fi
}

inline o_begin()
{
	och = 1;
	o_revoke(0);
#if NSAT > 1
	o_revoke(1);
#endif
}

/* A client that holds no lease changes the object. */
inline o_change_local()
{
	d_step {
		!och && ver < MAXV ->
		ow = LOCAL;
		o_begin()
	}
}

#ifdef WRITE_OLD_SESSION
#define write_current(s)	(1)
#else
#define write_current(s)	(oup[s] && wsess[s] == olast[s])
#endif
inline o_change(s)
{
	d_step {
		wst[s] == W_REQ && (!write_current(s) || (!och && ver < MAXV)) ->
		if
		:: write_current(s) ->
			wst[s] = W_RUN;
			ow = s;
			o_begin()
		:: else ->			/* from a dead session: dropped */
			wst[s] = W_NONE;
			wsess[s] = 0
		fi
	}
}

/* Step 3: RELEASED arrives. */
#ifdef RELEASED_NUMBER_IGNORED
#define released(s)	(orel[s] != 0)
#else
#define released(s)	(orel[s] & (1 << ognum[s]))
#endif
inline o_released(s)
{
	d_step {
		olease[s] && released(s) ->
		olease[s] = 0;
#ifdef WAIT_FOR_ONE
		owait[0] = 0;
		owait[1] = 0;
#endif
		owait[s] = 0
	}
}

/* From TTL/2 after an unanswered REVOKE the session is not extended any more. */
inline o_noext(s)
{
	d_step {
		owait[s] && !onoext[s] ->
		onoext[s] = 1
	}
}

/* Step 3, the other way: the session's deadline. */
inline o_dead(s)
{
	d_step {
		oup[s] && !covered(s, olast[s], olast[s]) ->
		oup[s] = 0;
		o_session_clear(s)
	}
}

/*
 * Steps 4 and 5, as one: a grant or read between the two would carry the new
 * version already, and the crash between them is in o_restart().  The
 * acknowledgement counts from when the origin sends it, which is earlier, and
 * so demands more, than when the writer has it.
 */
#if NSAT > 1
#define waiting		(owait[0] || owait[1])
#define holders		((ow != 0 && olease[0]) || (ow != 1 && olease[1]))
#else
#define waiting		(owait[0])
#define holders		(ow != 0 && olease[0])
#endif
#ifdef ACK_BEFORE_RELEASED
#define may_apply	(och && !ograce)
#elif defined(NO_GRACE)
#define may_apply	(och && !waiting)
#else
#define may_apply	(och && !ograce && !waiting)
#endif
inline o_apply()
{
	d_step {
		may_apply ->
#ifndef NO_HOLDERS_CHECK
		assert(!holders);	/* nobody holds a lease, none was granted during the change */
#endif
		if
		:: ow == LOCAL
		:: ow != LOCAL && oup[ow] && wsess[ow] == olast[ow] ->
			wst[ow] = W_ANS;
			wbef[ow] = ver;
			waft[ow] = ver + 1
		:: ow != LOCAL && !(oup[ow] && wsess[ow] == olast[ow]) ->
			wst[ow] = W_NONE;	/* the writer's session died meanwhile */
			wsess[ow] = 0
		fi;
		ver = ver + 1;
		acked = ver;
		och = 0;
		ow = 0
	}
}

/*
 * The origin crashes and starts again.  The version of an object that was marked
 * "may change" grows, applied or not.
 */
inline o_forget(s)
{
	oup[s] = 0;
	o_session_clear(s);
	obase[s] = olast[s];
	if
	:: wst[s] == W_RUN ->
		wst[s] = W_NONE;
		wsess[s] = 0
	:: else
	fi
}

inline o_restart()
{
	d_step {
		orst < MAXRST ->
		orst = orst + 1;
		if
		:: och && ver < MAXV -> ver = ver + 1
		:: else
		fi;
		och = 0;
		ow = 0;
		ograce = 1;
		o_forget(0);
#if NSAT > 1
		o_forget(1);
#endif
	}
}

#if NSAT > 1
#define old_live	(covered(0, 1, obase[0]) || covered(1, 1, obase[1]))
#else
#define old_live	(covered(0, 1, obase[0]))
#endif
inline o_grace_end()
{
	d_step {
		ograce && !old_live ->
		ograce = 0;
		obase[0] = 0;
#if NSAT > 1
		obase[1] = 0;
#endif
	}
}

/* A kernel's clock passes stamp + TTL: of the stamp it lives on, of one in flight. */
inline t_kernel(s)
{
	d_step {
		kfresh[s] ->
		kfresh[s] = 0;
		kcov[s] = 0
	}
}

/* A keepalive whose stamp has passed gives nothing any more; a HELLO still gives a session. */
inline t_cell(s, c)
{
	d_step {
		cfresh[KA(s, c)] ->
		if
		:: chello[KA(s, c)] ->
			cfresh[KA(s, c)] = 0;
			ccov[KA(s, c)] = 0
		:: else -> k_cell_free(s, c)
		fi
	}
}
