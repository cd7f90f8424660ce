/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session.pml - steps of one satellite: fence, HELLO, keepalive
 */

/*
 * The whole session fenced: by expiry, by the origin's word that it is gone, by
 * a restarted helper, or for no reason at all.  A change in flight ends with an
 * error or is sent again later; it may still run at the origin.
 */
inline k_fence(s)
{
	d_step {
		kup[s] ->
		kup[s] = 0;
		kfresh[s] = 0;
		kcov[s] = 0;
		kw[s] = 0;
		if
		:: wst[s] == W_ANS ->		/* of a session that is over: nobody waits for it */
			wst[s] = W_NONE;
			wsess[s] = 0;
			wbef[s] = 0;
			waft[s] = 0
		:: else
		fi;
		krev[s] = 0;
		kmask[s] = 0;
#ifndef LEASE_OUTLIVES_SESSION
		k_lease_off(s);
#endif
		k_forget(s)
	}
}

inline k_send(s, c, hello)
{
	cst[KA(s, c)] = C_REQ;
	chello[KA(s, c)] = hello;
	csess[KA(s, c)] = klast[s];
	cfresh[KA(s, c)] = 1;
	ccov[KA(s, c)] = 0
}

inline k_cell_zero(s, c)
{
	cst[KA(s, c)] = C_NONE;
	chello[KA(s, c)] = 0;
	csess[KA(s, c)] = 0;
	cfresh[KA(s, c)] = 0;
	ccov[KA(s, c)] = 0
}

/* Nor have renewing messages an order: the only one is always message 0. */
inline k_cell_free(s, c)
{
	k_cell_zero(s, c);
#if NKA > 1
	if
	:: cst[KA(s, 0)] == C_NONE && cst[KA(s, 1)] != C_NONE ->
		cst[KA(s, 0)] = cst[KA(s, 1)];
		chello[KA(s, 0)] = chello[KA(s, 1)];
		csess[KA(s, 0)] = csess[KA(s, 1)];
		cfresh[KA(s, 0)] = cfresh[KA(s, 1)];
		ccov[KA(s, 0)] = ccov[KA(s, 1)];
		k_cell_zero(s, 1)
	:: else
	fi
#endif
}

#define may_send(s, c)	(c == 0 || cst[KA(s, 0)] != C_NONE)

inline k_keepalive(s, c)
{
	d_step {
		kup[s] && may_send(s, c) ->
		k_send(s, c, 0)
	}
}

/*
 * HELLO with the secret of session klast and the word that its fence is done.
 * A HELLO without them (a rebooted or cloned host) makes the origin wait for
 * the deadline, and what follows is what follows o_dead() here.  When no session is
 * left within the bounds, none is asked for.
 */
inline k_hello(s, c)
{
	d_step {
		!kup[s] && klast[s] < MAXSESS && may_send(s, c) ->
		k_send(s, c, 1)
	}
}

/* Live until the stamp of the transmission that was answered, + TTL. */
inline k_live(s, c)
{
#ifdef TIMER_FROM_RECEIPT
	kfresh[s] = 1;
	kcov[s] = 0
#else
	if
	:: cfresh[KA(s, c)] ->
		kfresh[s] = 1;
		kcov[s] = ccov[KA(s, c)]
	:: else
	fi
#endif
}

#ifdef WELCOME_OLD_SESSION
#define newer(s, c)	(1)
#else
#define newer(s, c)	(csess[KA(s, c)] > klast[s])
#endif
inline k_renewed(s, c)
{
	d_step {
		cst[KA(s, c)] == C_ANS ->
		if
		:: chello[KA(s, c)] && !kup[s] && newer(s, c) ->
			kup[s] = 1;
			klast[s] = csess[KA(s, c)];
			k_live(s, c)
		:: !chello[KA(s, c)] && kup[s] && csess[KA(s, c)] == klast[s] ->
			k_live(s, c)
		:: else
		fi;
		k_cell_free(s, c)
	}
}

#ifdef ONE_STAMP_TWO_SENDS
/*
 * Retransmission: the one stamp of the request is taken anew, while the
 * answer to the first send is on its way.  The second send is lost.
 */
inline k_resend(s, c)
{
	d_step {
		kup[s] && cst[KA(s, c)] == C_ANS && csess[KA(s, c)] == klast[s] ->
		cfresh[KA(s, c)] = 1;
		ccov[KA(s, c)] = 0
	}
}
#endif
