/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The satellite library: a session with one origin, and requests over it.
 *
 * It decides nothing about freshness. The kernel holds the session's secret,
 * takes every stamp, knows every lease and fences itself; this library says
 * HELLO, keeps the session alive, carries requests and answers, forwards
 * REVOKE and RELEASED, and says them again when a connection breaks. It keeps
 * no state that its own death would lose: a new one asks the kernel.
 *
 * Lifetime: the caller owns environment, kernel side and connector and keeps
 * them longer. Requests belong to the library from submit to reply; each is
 * answered exactly once, unless the library is destroyed first: then they are
 * still in the kernel's table, and the next helper pulls them again.
 * Locks: none; everything on the environment's thread. No call sleeps.
 */
#ifndef GNS_SATELLITE_SATELLITE_H
#define GNS_SATELLITE_SATELLITE_H

#include "lib/env.h"
#include "transport/transport.h"

struct gns_sat;

/** struct gns_kern_session - what the kernel holds of its session */
struct gns_kern_session {
	struct gns_id host;
	struct gns_id instance;
	u64 sid; /* 0: none yet */
	struct gns_id secret;
	u64 features; /* as @up said for @sid; 0: not known */
	bool had_slots; /* changes were sent in this instance's life */
};

struct gns_kern;

/**
 * struct gns_kern_ops - the kernel as the library sees it
 * @get:     what it holds
 * @stamp:   its BOOTTIME now, ns; taken anew for every transmission
 * @secret:  a new random secret, for a session to be asked for; the kernel
 *           keeps it and takes it over with @up
 * @up:      a session is there: lives until stamp + ttl; its features are
 *           kept for the next helper. With slots_known 0, changes that were
 *           sent before have been answered GNS_ST_UNKNOWN already. 0: the
 *           kernel counts by it now, and answers given in it may follow; a
 *           negative errno: it does not, and HELLO is said again
 * @renewed: it lives until stamp + ttl now
 * @lost:    the origin knows it no more: fence everything, then say
 *           gns_sat_fenced()
 * @revoke:  end every grant of the object up to @upto, then say
 *           gns_sat_released()
 * @unlocked: optional: a lock of the object, which was asked for with GNS_LH_WAIT, may be
 *           free now
 * @reply:   the answer of request @id; rep->sid is the session it was given
 *           in, 0: the library's own; the payload is valid during the call
 * @trouble: optional: why there is no session, an errno and words for people;
 *           0 and NULL: nothing is in the way any more
 */
struct gns_kern_ops {
	void (*get)(struct gns_kern *k, struct gns_kern_session *ks);
	u64 (*stamp)(struct gns_kern *k);
	void (*secret)(struct gns_kern *k, struct gns_id *secret);
	int (*up)(struct gns_kern *k, const struct gns_r_hello *h);
	void (*renewed)(struct gns_kern *k, u64 sid, u64 stamp, u64 ttl);
	void (*lost)(struct gns_kern *k, u64 sid);
	void (*revoke)(struct gns_kern *k, u64 sid, const struct gns_fh *fh,
		       u64 upto);
	void (*unlocked)(struct gns_kern *k, const struct gns_fh *fh);
	void (*reply)(struct gns_kern *k, u64 id, const struct gns_msg *rep);
	void (*trouble)(struct gns_kern *k, int err, const char *why);
};

struct gns_kern {
	const struct gns_kern_ops *ops;
};

struct gns_connector;

/**
 * struct gns_connector_ops - how a connection to the origin is made
 * @connect: begin; exactly one done() follows, with the connection or NULL
 *           and the reason, which errno has too
 * @cancel:  no done() will follow for @arg
 */
struct gns_connector_ops {
	void (*connect)(struct gns_connector *c,
			void (*done)(void *arg, struct gns_conn *conn,
				     const char *why),
			void *arg);
	void (*cancel)(struct gns_connector *c, void *arg);
};

struct gns_connector {
	const struct gns_connector_ops *ops;
};

/**
 * struct gns_sat_config - knobs; zeros are right
 * @conns:       connections, the first one for control; 0: 4; at most 16
 * @max_pending: requests the library takes at once; 0: 4096
 * @window:      bytes of READ answers asked for at once; 0: 64 MiB
 * @payload:     bytes of payloads that changes own at once; 0: 64 MiB, which is
 *               a WRITE in every slot
 * @resend:      a request without an answer is sent again after, ns; 0: 10 s
 * @lacks:       GNS_FEAT_* that the kernel knows nothing of: not asked for
 * @backoff_max: longest pause between connection attempts, ns; 0: 5 s
 */
struct gns_sat_config {
	u32 conns;
	u32 max_pending;
	u64 window;
	u64 payload;
	u64 resend;
	u64 lacks;
	u64 backoff_max;
};

struct gns_sat_stats {
	u64 requests;
	u64 replies;
	u64 resent;
	u64 joined; /* READs answered by another one in flight */
	u64 connects;
	u64 sessions;
	u64 renewals;
	u64 read_bytes;
	u64 inflight; /* level: READ bytes asked for */
	u64 payload; /* level: bytes of changes not answered */
	u64 pending; /* level: requests */
};

/**
 * gns_sat_create() - start; connects at once
 * @env:       clock, timers, randomness
 * @kern:      the kernel's side
 * @connector: makes connections to the origin
 * @cfg:       copied; NULL: all zeros
 *
 * Return: the satellite; NULL without memory.
 */
struct gns_sat *gns_sat_create(struct gns_env *env, struct gns_kern *kern,
			       struct gns_connector *connector,
			       const struct gns_sat_config *cfg);

/**
 * gns_sat_destroy() - forget everything, say nothing to anyone
 * @s: gone after the call; no request is answered
 */
void gns_sat_destroy(struct gns_sat *s);

/**
 * gns_sat_submit() - carry out a request
 * @s:   the satellite
 * @id:  the kernel's name for it; the answer carries it
 * @epoch: READ under a live lease: that life of the lease, never 0 and never
 *       used again, not for the object after a change of one's own either.
 *       Equal reads of one epoch share one answer. 0: shares with nobody.
 * @msg: any request from GNS_MOUNT on; copied, payload included. A change
 *       carries the kernel's slot and sequence.
 *
 * It is sent as soon as there is a session, again when a connection or a
 * session is lost, and is answered by the kern's reply(). A change that may
 * have been sent, by this helper or the one before, is not sent again in a
 * session whose origin knows nothing of the instance's slots: it could run
 * twice, and is answered GNS_ST_UNKNOWN. What the origin's features do not have
 * is answered EOPNOTSUPP.
 *
 * Return: 0; -EAGAIN: too many or too much is pending, submit again after an
 * answer; -ENOMEM; -EOPNOTSUPP; -EINVAL: not such a request.
 */
int gns_sat_submit(struct gns_sat *s, u64 id, u64 epoch,
		   const struct gns_msg *msg);

/**
 * gns_sat_cancel() - no answer is wanted any more
 * @s:  the satellite
 * @id: as submitted; unknown ones are ignored
 *
 * It is not sent again. A change that was sent may run all the same: only a
 * later one in its slot, once it is answered, says that it will not any more.
 */
void gns_sat_cancel(struct gns_sat *s, u64 id);

/** gns_sat_fenced() - the kernel has fenced what it held under @sid */
void gns_sat_fenced(struct gns_sat *s, u64 sid);

/**
 * gns_sat_released() - the kernel holds no grant of an object
 * @s:    the satellite
 * @sid:  of the session
 * @fh:   the object
 * @upto: up to this number
 * @open: a program has the file open: it is to live on without a name
 */
void gns_sat_released(struct gns_sat *s, u64 sid, const struct gns_fh *fh,
		      u64 upto, bool open);

/**
 * gns_sat_unlock() - what nobody can unlock any more
 * @s:   the satellite
 * @sid: locked in this session; in another one there is nothing to be done
 * @msg: GNS_LOCK, to unlock
 *
 * Best effort; there is no answer.
 */
void gns_sat_unlock(struct gns_sat *s, u64 sid, const struct gns_msg *msg);

/** gns_sat_bye() - clean end: the kernel has fenced and will ask no more */
void gns_sat_bye(struct gns_sat *s);

/** gns_sat_stats() - copy the counters */
void gns_sat_stats(const struct gns_sat *s, struct gns_sat_stats *st);

#endif
