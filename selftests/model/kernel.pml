/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel.pml - steps of one satellite: reads, leases, its own changes
 *
 * The helper has no steps of its own: it decides nothing about freshness, and
 * whatever it delays, repeats, reorders or loses the network here does too.
 */

#if NSLOT > 1
#define anyopen(s)	(sopen[SL(s, 0)] || sopen[SL(s, 1)])
#define openmask(s)	(sopen[SL(s, 0)] | (sopen[SL(s, 1)] << 1))
#else
#define anyopen(s)	(sopen[SL(s, 0)])
#define openmask(s)	(sopen[SL(s, 0)])
#endif

/* A new epoch: no fill sent so far may be joined or kept. */
inline k_epoch(s)
{
	slive[SL(s, 0)] = 0;
#if NSLOT > 1
	slive[SL(s, 1)] = 0;
#endif
}

inline k_lease_off(s)
{
	klease[s] = 0;
	kgr[s] = 0;
	k_epoch(s)
}

/* With no lease and nothing in flight the inode may be evicted, its version with it. */
inline k_forget(s)
{
	if
	:: !klease[s] && !kw[s] && !anyopen(s) -> kver[s] = 0
	:: else
	fi
}

/* I1, the cached read. */
inline k_read_cached(s)
{
	d_step {
		usable(s) ->
		assert(kver[s] >= acked)	/* I1 cached read */
	}
}

/*
 * A read that needs the origin: a pass-through, or a fill under the lease.  A
 * fenced kernel keeps readers waiting, which is the same read begun later.
 */
inline k_read(s, i)
{
	d_step {
		kup[s] && !sopen[SL(s, i)] && (i == 0 || sopen[SL(s, 0)]) ->
		sopen[SL(s, i)] = 1;
		sneed[SL(s, i)] = acked;
		slive[SL(s, i)] = usable(s)
	}
}

/*
 * A second reader takes what the first one asked for.  Under the rule this step
 * changes nothing: no change is acknowledged while such a lease lives.
 */
#ifdef PASSTHROUGH_JOINED
#define may_join(s, i)	(sopen[SL(s, i)])
#elif defined(JOIN_OTHER_EPOCH)
#define may_join(s, i)	(sopen[SL(s, i)] && usable(s))
#else
#define may_join(s, i)	(sopen[SL(s, i)] && usable(s) && slive[SL(s, i)])
#endif
inline k_read_join(s, i)
{
	d_step {
		may_join(s, i) ->
		sneed[SL(s, i)] = acked
	}
}

inline k_slot_free(s, i)
{
	sopen[SL(s, i)] = 0;
	slive[SL(s, i)] = 0;
	sneed[SL(s, i)] = 0;
	sans[SL(s, i)] = 0;
	sver[SL(s, i)] = 0;
	sgr[SL(s, i)] = 0;
	ssess[SL(s, i)] = 0;
	kmask[s] = kmask[s] & ~(1 << (i))
}

#ifdef REVOKE_FORGOTTEN_EARLY
#define revoke_done(s)	(1)
#else
#define revoke_done(s)	(kmask[s] == 0)
#endif
/*
 * The read has ended.  Reads have no order among themselves, so the open one,
 * if it is the only one, is always read 0: half the states for no behaviour lost.
 */
inline k_close(s, i)
{
	k_slot_free(s, i);
#if NSLOT > 1
	if
	:: !sopen[SL(s, 0)] && sopen[SL(s, 1)] ->
		sopen[SL(s, 0)] = 1;
		slive[SL(s, 0)] = slive[SL(s, 1)];
		sneed[SL(s, 0)] = sneed[SL(s, 1)];
		sans[SL(s, 0)] = sans[SL(s, 1)];
		sver[SL(s, 0)] = sver[SL(s, 1)];
		sgr[SL(s, 0)] = sgr[SL(s, 1)];
		ssess[SL(s, 0)] = ssess[SL(s, 1)];
		kmask[s] = kmask[s] >> 1;
		k_slot_free(s, 1)
	:: else
	fi;
#endif
	if
	:: revoke_done(s) -> krev[s] = 0
	:: else
	fi;
	k_forget(s)
}

/* May the grant in this answer become a lease? */
#ifdef REGRANT_OLD_SESSION
#define grant_session(s, i)	(kup[s])
#else
#define grant_session(s, i)	(kup[s] && ssess[SL(s, i)] == klast[s])
#endif
#ifdef GRANT_NUMBER_IGNORED
#define grant_number(s, i)	(1)
#else
#define grant_number(s, i)	(sgr[SL(s, i)] > krev[s])
#endif
#ifdef VERSION_BACKWARD
#define grant_version(s, i)	(1)
#else
#define grant_version(s, i)	(sver[SL(s, i)] >= kver[s])
#endif

inline k_answer(s, i)
{
	d_step {
		sopen[SL(s, i)] && sans[SL(s, i)] ->
		assert(sver[SL(s, i)] >= sneed[SL(s, i)]);	/* I1 read from the origin */
		/*
		 * A fill is never older than its lease.  It can be newer: a
		 * restart gives a marked object a new version while leases on
		 * the old one live on.  Then the lease goes, for it must not
		 * mix two versions.
		 */
		assert(!(slive[SL(s, i)] && usable(s)) || sver[SL(s, i)] >= kver[s]);
		if
		:: slive[SL(s, i)] && sver[SL(s, i)] != kver[s] -> k_lease_off(s)
		:: else
		fi;
		if
		:: sgr[SL(s, i)] == 0
		:: sgr[SL(s, i)] != 0 && grant_session(s, i) && grant_number(s, i) && grant_version(s, i) ->
			/*
			 * Extents kept unverified over an expiry add nothing:
			 * they are re-opened if they are of this version, and
			 * dropped if not; either way this version is held.
			 */
			klease[s] = 1;
			kver[s] = sver[SL(s, i)];
			if
			:: sgr[SL(s, i)] > kgr[s] -> kgr[s] = sgr[SL(s, i)]
			:: else
			fi
		:: else			/* refused: its bytes served the reader, uncached */
		fi;
		k_close(s, i)
	}
}

/* Killed, timed out, or the answer was lost; later answers find no request. */
inline k_give_up(s, i)
{
	d_step {
		sopen[SL(s, i)] ->
		k_close(s, i)
	}
}

/*
 * REVOKE.  The fence takes time between lease off and RELEASED; that is the
 * time which RELEASED may spend on its way.  Only the newest REVOKE is kept: an
 * older one arriving later takes nothing away that the newer does not, and its
 * RELEASED, which matters, stays in orel.  A repeated one changes nothing, and one
 * of a session that the origin has given up could only take a lease away.
 */
inline k_revoke(s)
{
	d_step {
		kup[s] && oup[s] && klast[s] == olast[s] && orev[s] != 0 &&
		!(orel[s] & (1 << orev[s])) ->
		if
		:: klease[s] && kgr[s] <= orev[s] -> k_lease_off(s)
		:: else
		fi;
#ifndef REVOKE_NOT_REMEMBERED
		kmask[s] = openmask(s);
		if
		:: kmask[s] != 0 -> krev[s] = orev[s]
		:: else -> krev[s] = 0
		fi;
#endif
		orel[s] = orel[s] | (1 << orev[s]);
		k_forget(s)
	}
}

/* Memory pressure: the lease is forgotten without a word to the origin. */
inline k_evict(s)
{
	d_step {
		klease[s] && !kw[s] && !anyopen(s) ->
		k_lease_off(s);
		k_forget(s)
	}
}

/* An own change: lease suspended, epoch up, from before the send. */
inline k_write(s)
{
	d_step {
		s < WRITERS && kup[s] && !kw[s] && wst[s] != W_RUN && ver < MAXV ->
#ifndef NO_SUSPEND
		kw[s] = 1;
#endif
#ifndef WRITE_KEEPS_EPOCH
		k_epoch(s);
#endif
		wst[s] = W_REQ;
		wsess[s] = klast[s];
		wbef[s] = 0;
		waft[s] = 0
	}
}

inline k_write_answer(s)
{
	d_step {
		kup[s] && wst[s] == W_ANS && wsess[s] == klast[s] ->
		if
		:: klease[s] && kver[s] == wbef[s] -> kver[s] = waft[s]
		:: klease[s] && kver[s] != wbef[s] -> k_lease_off(s)
		:: else
		fi;
		if
		:: kver[s] < waft[s] -> kver[s] = waft[s]
		:: else
		fi;
		kw[s] = 0;
#ifdef WRITE_RUN_TWICE
		wst[s] = W_REQ;		/* a late copy of the same change */
#else
		wst[s] = W_NONE;
		wsess[s] = 0;
#endif
		wbef[s] = 0;
		waft[s] = 0;
		k_forget(s)
	}
}

#ifdef KILLED_WRITER_RESUMES
/* The writing process is killed, and the lease resumed with the change in flight. */
inline k_write_killed(s)
{
	d_step {
		kw[s] ->
		kw[s] = 0
	}
}
#endif
