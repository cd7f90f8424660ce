/* SPDX-License-Identifier: GPL-2.0 */
/*
 * witness.pml - states the search must come by, or it has shown nothing
 *
 * A process that only looks.  The runner fails if pan lists one of its options
 * as unreached.  It runs with small bounds; what they reach, larger ones do too.
 */

#define W(cond)	:: atomic { (cond) -> printf(#cond) }
#define late(i)	(sopen[i] && sans[i] && sgr[i] != 0 && kup[0])

active proctype witness()
{
end:	do
#if NSAT == 1
	/* a cached read: of a changed object; in a second session; while the origin is in grace */
	W(usable(0) && acked > 0)
	W(usable(0) && klast[0] == 2)
	W(usable(0) && ograce)
	/* a grant overtaken: by its REVOKE; by a new session; by the kernel's own change */
	W(late(0) && ssess[0] == klast[0] && sgr[0] <= krev[0])
	W(late(0) && ssess[0] < klast[0] && sgr[0] > krev[0] && sver[0] < acked)
	W(late(0) && ssess[0] == klast[0] && sgr[0] > krev[0] && sver[0] < kver[0])
	/* a read answered with the old state while the change waits */
	W(och && owait[0] && sans[0] && sgr[0] == 0 && sver[0] == acked)
	/* the change goes on because the holder died */
	W(och && !oup[0] && olast[0] != 0 && !ograce)
	/* the holder's own keepalive comes too late to be extended */
	W(onoext[0] && cst[0] == C_REQ && !chello[0] && csess[0] == olast[0])
	/* kernel expired, session alive, an answer that revives it on the way */
	W(kup[0] && !kfresh[0] && klease[0] && cst[0] == C_ANS && cfresh[0] && csess[0] == klast[0])
	/* restart: grant in grace; a change waits for its end; a fill newer than its lease */
	W(ograce && oup[0] && olease[0])
	W(ograce && och && usable(0))
	W(sopen[0] && sans[0] && slive[0] && usable(0) && sver[0] > kver[0])
	/* a version made by a crash, acknowledged to nobody, is leased */
	W(usable(0) && kver[0] > acked)
	/* the writer keeps its lease over its own change, or has lost it */
	W(wst[0] == W_ANS && klease[0] && kver[0] == wbef[0])
	W(wst[0] == W_ANS && !klease[0])
	/* a change from a dead session arrives; the writer's session dies under way */
	W(wst[0] == W_REQ && oup[0] && wsess[0] < olast[0])
	W(wst[0] == W_RUN && !oup[0])
#if MAXV > 1
	/* a stale RELEASED meets a newer lease, with a change waiting */
	W(owait[0] && orel[0] != 0 && !(orel[0] & (1 << ognum[0])))
#endif
#if NSLOT > 1
	/* a second read goes out while a REVOKE is remembered for the first */
	W(krev[0] != 0 && sopen[1] && !(kmask[0] & 2))
#endif
#if NKA > 1
	/* a HELLO: repeated; without the fence word for the session that lives; late WELCOME */
	W(oup[0] && cst[0] == C_REQ && chello[0] && oby[0] == csess[0])
	W(oup[0] && cst[0] == C_REQ && chello[0] && oby[0] != csess[0] && csess[0] < olast[0])
	W(!kup[0] && cst[0] == C_ANS && chello[0] && csess[0] == klast[0])
#endif
#else
	/* one satellite writes and keeps its lease, the other holds it up */
	W(och && ow == 0 && olease[0] && owait[1])
	/* a change waits for two, of whom one has released */
	W(och && ow == LOCAL && !olease[0] && orel[0] != 0 && owait[1])
#endif
	od
}
