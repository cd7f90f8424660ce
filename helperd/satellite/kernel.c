// SPDX-License-Identifier: GPL-2.0
/*
 * The satellite role: /dev/gns, the line of words, and beginning again; see
 * kernel.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/process.h"
#include "satellite/kernel_int.h"

#define DEVICE "/dev/" GNS_DEV_NAME
#define RETRY_NS NSEC_PER_SEC
/* A call that found no room is tried again after, unless an answer came. */
#define AGAIN_NS (20 * NSEC_PER_MSEC)
/* Words are worked off in portions, so that connections get their turn. */
#define PULLS_MAX 16u

/* What makes the host's id another one than that of other programs. */
#define HOST_ID_KEY \
	SD_ID128_MAKE(5f, 2c, 9d, 4e, 11, b7, 4a, 0c, 8e, 63, d0, 57, a9, 3b, \
		      c4, 72)

static void arm_in(struct gns_timer *t, u64 ns)
{
	gns_timer_arm(t, gns_boottime(t->env) + ns);
}

static void changed(struct gns_kernel *k)
{
	if (k->cfg.changed)
		k->cfg.changed(k->cfg.arg);
}

/*
 * Something that should not happen: from here on the kernel is told nothing,
 * and soon all begins again. Not at once, for who calls is in the middle of
 * something.
 */
void kernel_broke(struct gns_kernel *k, const char *what, const char *why)
{
	if (k->broken)
		return;
	gns_err("%s: %s; %s is opened anew", what, why, DEVICE);
	k->broken = true;
	arm_in(&k->retry, 0);
}

void kernel_go_on(struct gns_kernel *k)
{
	if (k->at < k->len && !k->broken)
		arm_in(&k->again, 0);
}

/* Returns 0: done with; -EAGAIN: later, and everything behind it. */
static int word_run(struct gns_kernel *k, struct nlattr *nest)
{
	struct kern_origin *o;
	struct gns_word w;
	const char *why;

	if (gns_word_parse(nest, &w, &why)) {
		gns_err("a word of the kernel makes no sense: %s", why);
		if (w.kind == GNS_WORD_CALL && w.id &&
		    answer_failed(k, w.id, w.msg.type))
			kernel_broke(k, "call", gns_genl_why(k->nl));
		return 0;
	}
	if (w.kind == GNS_WORD_CANCEL) {
		LIST_FOREACH(o, &k->origins, link)
			origin_cancel(o, w.id);
		return 0;
	}
	if (w.kind == GNS_WORD_ORIGIN) {
		if (origin_begin(k, &w))
			return -EAGAIN;
		changed(k);
		return 0;
	}
	o = origin_find(k, w.origin);
	if (!o) {
		gns_debug("a word for origin %u, which is gone", w.origin);
		return 0;
	}
	switch (w.kind) {
	case GNS_WORD_ORIGIN_GONE:
		origin_leave(o);
		changed(k);
		break;
	case GNS_WORD_CALL:
		return origin_call(o, &w);
	case GNS_WORD_RELEASED:
		gns_sat_released(o->sat, w.sid, &w.fh, w.upto, w.open);
		break;
	case GNS_WORD_UNLOCK:
		gns_sat_unlock(o->sat, w.sid, &w.msg);
		break;
	case GNS_WORD_FENCED:
		gns_sat_fenced(o->sat, w.sid);
		break;
	}
	return 0;
}

/* Work off what was pulled; false: there is no room for the next one. */
static bool words_run(struct gns_kernel *k)
{
	while (k->at < k->len && !k->broken) {
		struct nlattr *nla = (struct nlattr *)(k->words + k->at);

		if (!nla_ok(nla, (int)(k->len - k->at)))
			break;
		if (nla_type(nla) == GNS_A_WORD && word_run(k, nla))
			return false;
		k->at += (u32)NLA_ALIGN(nla->nla_len);
	}
	k->at = 0;
	k->len = 0;
	return true;
}

/* Words can be run only when the socket is free again. */
static int on_words(void *arg, u8 cmd, struct nlattr **attrs)
{
	struct gns_kernel *k = arg;
	struct genlmsghdr *gh = nlmsg_data(gns_genl_message(k->nl));
	u32 n = (u32)genlmsg_attrlen(gh, 0);
	u8 *p;

	if (!n)
		return 0;
	if (k->len + n > k->cap) {
		p = realloc(k->words, k->len + n);
		/* ENOMEM would say that they are in line still. */
		if (!p)
			return -EIO;
		k->words = p;
		k->cap = k->len + n;
	}
	memcpy(k->words + k->len, genlmsg_attrdata(gh, 0), n);
	k->len += n;
	return 0;
}

/*
 * Pull until there is nothing: only then the kernel rings again. A doorbell
 * that comes while the last PULL is answered sets @rung again.
 */
static void pull_some(struct gns_kernel *k)
{
	u32 n;
	int err;

	for (n = 0; n < PULLS_MAX && !k->broken; n++) {
		if (!words_run(k)) {
			arm_in(&k->again, AGAIN_NS);
			return;
		}
		if (!k->rung || k->broken)
			return;
		k->rung = false;
		err = gns_genl_call(k->nl, gns_genl_msg(k->nl, GNS_CMD_PULL, 0),
				    on_words, k);
		/* The kernel had no memory: it has taken nothing out of the line. */
		if (err == -ENOMEM && !k->len) {
			k->rung = true;
			arm_in(&k->again, AGAIN_NS);
			return;
		}
		if (err)
			kernel_broke(k, "pull", gns_genl_why(k->nl));
		if (k->len)
			k->rung = true;
		else if (!err)
			k->drained = true;
	}
	if (!k->broken)
		arm_in(&k->again, 0);
}

static void pull(struct gns_kernel *k)
{
	k->pulling = true;
	pull_some(k);
	k->pulling = false;
}

static void on_again(void *arg)
{
	pull(arg);
}

/*
 * Heard while the answer to something else was read, perhaps: nothing is left
 * on the socket then that would lead to a pull.
 */
static void rung(struct gns_kernel *k)
{
	k->rung = true;
	if (!k->pulling)
		arm_in(&k->again, 0);
}

static int on_note(void *arg, u8 cmd, struct nlattr **attrs)
{
	if (cmd == GNS_CMD_DOORBELL)
		rung(arg);
	return 0;
}

/* It may have been a doorbell. */
static void on_lost(void *arg)
{
	rung(arg);
}

/* Words about a session or origin that is no more are late, not wrong. */
static void on_refused(void *arg, int err, const char *why)
{
	if (err == -ESTALE || err == -ENOENT)
		gns_debug("the kernel refused a message: %s", why);
	else
		gns_warn("the kernel refused a message: %s", why);
}

static const struct gns_genl_ops genl_ops = {
	.note = on_note,
	.failed = on_refused,
	.lost = on_lost,
};

static void on_netlink(uv_poll_t *poll, int status, int events)
{
	struct gns_kernel *k = poll->data;
	int err;

	if (k->broken)
		return;
	k->pulling = true;
	err = gns_genl_receive(k->nl);
	k->pulling = false;
	if (err && err != -ENOBUFS) {
		kernel_broke(k, "netlink", gns_genl_why(k->nl));
		return;
	}
	/* An overrun shows as an error, at which libuv stops. */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_netlink);
	pull(k);
}

static void poll_closed(uv_handle_t *h)
{
	free(h);
}

/* Let go of everything; the kernel keeps what matters. */
static void kernel_down(struct gns_kernel *k)
{
	struct kern_origin *o;
	bool was = k->poll;

	k->broken = true;
	while ((o = LIST_FIRST(&k->origins)))
		origin_destroy(o);
	if (k->poll)
		uv_close((uv_handle_t *)k->poll, poll_closed);
	k->poll = NULL;
	gns_genl_close(k->nl);
	k->nl = NULL;
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	k->at = 0;
	k->len = 0;
	k->drained = false;
	gns_timer_cancel(&k->again);
	if (was)
		changed(k);
}

static int on_bound(void *arg, u8 cmd, struct nlattr **attrs)
{
	struct gns_kernel *k = arg;

	if (!attrs[GNS_A_INSTANCE])
		return -EBADMSG;
	memcpy(&k->instance, nla_data(attrs[GNS_A_INSTANCE]), GNS_ID_LEN);
	k->features = 0;
	if (attrs[GNS_A_FEATURES])
		k->features = nla_get_u64(attrs[GNS_A_FEATURES]);
	return 0;
}

static int bind_socket(struct gns_kernel *k)
{
	struct nl_msg *m = gns_genl_msg(k->nl, GNS_CMD_BIND, 0);

	if (m && (nla_put_u32(m, GNS_A_FD, (u32)k->fd) ||
		  nla_put_u64(m, GNS_A_FEATURES, GNS_F_ALL))) {
		nlmsg_free(m);
		m = NULL;
	}
	return gns_genl_call(k->nl, m, on_bound, k);
}

static int watch(struct gns_kernel *k)
{
	uv_poll_t *poll = malloc(sizeof(*poll));
	int err;

	if (!poll)
		return -ENOMEM;
	err = uv_poll_init(k->uv, poll, gns_genl_fd(k->nl));
	if (err) {
		free(poll);
		return err;
	}
	poll->data = k;
	uv_poll_start(poll, UV_READABLE, on_netlink);
	k->poll = poll;
	return 0;
}

/*
 * In the order in which the kernel would load the module for it. *what is the
 * step that failed.
 */
static int kernel_open(struct gns_kernel *k, const char **what)
{
	int err;

	*what = "netlink family " GNS_GENL_NAME;
	k->nl = gns_genl_open(&genl_ops, k);
	if (!k->nl)
		return -errno;
	*what = DEVICE;
	k->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (k->fd < 0)
		return -errno;
	*what = DEVICE ": memory for answers";
	err = gns_bulk_register(k->bulk, k->fd);
	if (err)
		return err;
	*what = "netlink: BIND";
	err = bind_socket(k);
	return err ? err : watch(k);
}

static const char *explain(int err)
{
	switch (err) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return "the kernel module is not loaded: modprobe gns";
	case -EBUSY:
		return "another helper serves this network namespace";
	case -EPERM:
	case -EACCES:
		return "not allowed: root or CAP_NET_ADMIN is needed";
	case -ENOMEM:
		return "no memory, or less may be pinned: see LimitMEMLOCK=, satellite buffer";
	}
	return strerrordesc_np(-err);
}

static int kernel_up(struct gns_kernel *k, const char **what)
{
	int err = kernel_open(k, what);

	if (err) {
		kernel_down(k);
		return err;
	}
	if (!k->hardened)
		gns_process_harden();
	k->hardened = true;
	k->broken = false;
	k->said = 0;
	k->rung = true;
	gns_log(GNS_LOG_INFO, NULL, "serving mounts of this network namespace");
	changed(k);
	pull(k);
	return 0;
}

static void on_retry(void *arg)
{
	struct gns_kernel *k = arg;
	const char *what = DEVICE;
	int err;

	if (k->poll) {
		kernel_down(k);
		arm_in(&k->retry, RETRY_NS);
		return;
	}
	/* As long as nobody loads the module this is all that is done. */
	err = access(DEVICE, F_OK) ? -ENOENT : kernel_up(k, &what);
	if (!err)
		return;
	if (err != k->said)
		gns_log(GNS_LOG_INFO, NULL, "satellite role waits: %s: %s",
			what, explain(err));
	k->said = err;
	arm_in(&k->retry, RETRY_NS);
}

static void host_id(struct gns_id *id)
{
	sd_id128_t host;

	/* It proves nothing and is for people: one of this process does. */
	if (sd_id128_get_machine_app_specific(HOST_ID_KEY, &host) < 0)
		gns_random_bytes(&host, sizeof(host));
	memcpy(id, &host, sizeof(*id));
}

static struct gns_kernel *kernel_new(uv_loop_t *uv, struct gns_env *env,
				     const struct gns_kernel_config *cfg)
{
	u32 buffer = cfg->buffer ? cfg->buffer : GNS_BULK_DEFAULT;
	struct gns_kernel *k = calloc(1, sizeof(*k));
	struct gns_tcp_config tcp = { 0 };

	if (!k)
		return NULL;
	k->uv = uv;
	k->env = env;
	k->cfg = *cfg;
	k->fd = -1;
	LIST_INIT(&k->origins);
	gns_timer_init(&k->retry, env, on_retry, k);
	gns_timer_init(&k->again, env, on_again, k);
	host_id(&k->host);
	k->bulk = gns_bulk_create(buffer);
	if (k->bulk) {
		tcp.mem = gns_bulk_mem(k->bulk);
		k->tcp = gns_tcp_create(uv, &tcp);
		if (!k->tcp)
			tcp.mem->done(tcp.mem);
	}
	if (k->tcp)
		return k;
	gns_kernel_destroy(k);
	return NULL;
}

struct gns_kernel *gns_kernel_create(uv_loop_t *uv, struct gns_env *env,
				     const struct gns_kernel_config *cfg,
				     char *err, size_t size)
{
	struct gns_kernel *k = kernel_new(uv, env, cfg);
	const char *what;
	int rc;

	if (!k) {
		snprintf(err, size, "satellite role: no memory");
		errno = ENOMEM;
		return NULL;
	}
	if (!cfg->must) {
		arm_in(&k->retry, 0);
		return k;
	}
	rc = kernel_up(k, &what);
	if (!rc)
		return k;
	snprintf(err, size, "satellite role: %s: %s", what, explain(rc));
	gns_kernel_destroy(k);
	errno = -rc;
	return NULL;
}

void gns_kernel_destroy(struct gns_kernel *k)
{
	if (!k)
		return;
	k->cfg.changed = NULL;
	kernel_down(k);
	gns_timer_cancel(&k->retry);
	gns_tcp_destroy(k->tcp);
	gns_bulk_destroy(k->bulk);
	free(k->words);
	free(k);
}

void gns_kernel_status(const struct gns_kernel *k, struct gns_kernel_status *st)
{
	st->open = k && k->poll;
	st->origins = k ? k->norigins : 0;
}
