// SPDX-License-Identifier: GPL-2.0
/*
 * The daemon: one loop, the roles on it, and what systemd wants to know. There
 * is an origin if there are exports, and a satellite unless it is switched off.
 *
 * It ends in three ways. Cleanly: no more connections and changes, everything
 * made durable, and the next start needs no grace time. At once, at a second
 * signal or when the clean end takes too long: the same as a crash, which
 * loses nothing that was acknowledged. Or it does not come up.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "origin/origin.h"
#include "origin/store.h"
#include "satellite/kernel.h"
#include "state.h"
#include "transport/tcp.h"

/* The unit's TimeoutStopSec= is longer. */
#define QUIESCE_MS 15000u
#define ADDRS_MAX (GNS_CONF_LISTEN_MAX * GNS_TCP_ADDRS_MAX)
#define ERR_LEN 512u

struct daemon {
	struct gns_conf *conf; /* as it is in effect */
	int argc;
	char **argv;
	uv_loop_t uv;
	uv_signal_t hup, term, intr;
	uv_timer_t patience;
	uv_timer_t watchdog;
	bool ready;
	bool stopping;
	int code; /* exit status */
	int dir; /* state */
	struct gns_env *env;
	struct gns_db *db;
	struct gns_fs *fs;
	struct gns_origin *origin; /* NULL: there are no exports */
	struct gns_kernel *kernel; /* NULL: no satellite role */
	struct gns_tcp *tcp;
	u32 nlisteners;
	struct gns_tcp_listener *listeners[ADDRS_MAX];
	char err[ERR_LEN];
};

/* One address may be said twice: localhost, and what it resolves to. */
static bool known(const struct gns_addr *v, u32 n, const struct gns_addr *a)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (v[i].len == a->len && !memcmp(&v[i].ss, &a->ss, a->len))
			return true;
	return false;
}

static int resolve(const struct gns_conf *conf, struct gns_addr *v, u32 *n,
		   char *err, size_t size)
{
	struct gns_addr found[GNS_TCP_ADDRS_MAX];
	char why[256], name[64];
	u32 i;
	int k, have;

	*n = 0;
	for (i = 0; i < conf->nlisten; i++) {
		have = gns_addr_resolve(conf->listen[i], found,
					GNS_TCP_ADDRS_MAX, why, sizeof(why));
		if (have < 0) {
			snprintf(err, size, "listen: %s", why);
			return have;
		}
		for (k = 0; k < have; k++) {
			if (!conf->insecure &&
			    !gns_addr_is_loopback(&found[k])) {
				gns_addr_str(&found[k], name, sizeof(name));
				snprintf(err, size,
					 "listen: %s is not a loopback address; there is no encryption yet: say insecure = yes if the network is trusted",
					 name);
				return -EPERM;
			}
			if (!known(v, *n, &found[k]))
				v[(*n)++] = found[k];
		}
	}
	return 0;
}

int gns_daemon_check(const struct gns_conf *conf, char *err, size_t size)
{
	const struct gns_posix_export *ex;
	struct gns_addr v[ADDRS_MAX];
	struct stat st;
	u32 i;

	for (i = 0; i < conf->nexports; i++) {
		ex = &conf->exports[i];
		errno = ENOTDIR;
		if (stat(ex->path, &st) || !S_ISDIR(st.st_mode)) {
			snprintf(err, size, "export %s: %s: %s", ex->name,
				 ex->path, strerror(errno));
			return -ENOTDIR;
		}
	}
	return conf->nexports ? resolve(conf, v, &i, err, size) : 0;
}

static int on_accept(void *arg, struct gns_conn *conn)
{
	struct daemon *d = arg;
	int err = gns_origin_accept(d->origin, conn);

	if (!err)
		gns_debug("%s: connected", conn->peer);
	return err;
}

static int start_listening(struct daemon *d)
{
	struct gns_addr v[ADDRS_MAX], at;
	struct gns_tcp_listener *l;
	char name[64];
	u32 i, n;
	int err = resolve(d->conf, v, &n, d->err, sizeof(d->err));

	if (err)
		return err;
	for (i = 0; i < n; i++) {
		l = gns_tcp_listen(d->tcp, &v[i], on_accept, d);
		if (!l) {
			err = -errno;
			gns_addr_str(&v[i], name, sizeof(name));
			snprintf(d->err, sizeof(d->err), "listen: %s: %s",
				 name, strerror(-err));
			return err;
		}
		d->listeners[d->nlisteners++] = l;
		gns_tcp_listener_addr(l, &at);
		gns_addr_str(&at, name, sizeof(name));
		gns_log(GNS_LOG_INFO, NULL, "listening on %s", name);
	}
	return 0;
}

static void stop_listening(struct daemon *d)
{
	while (d->nlisteners)
		gns_tcp_listener_close(d->listeners[--d->nlisteners]);
}

static const char *plural(u32 n)
{
	return n == 1 ? "" : "s";
}

/* What it is doing, in a line. */
static void describe(const struct daemon *d, char *buf, size_t size)
{
	u32 exports = d->origin ? d->conf->nexports : 0;
	struct gns_kernel_status st;
	int n = 0;

	gns_kernel_status(d->kernel, &st);
	if (exports)
		n = snprintf(buf, size, "Serving %u export%s", exports,
			     plural(exports));
	if (st.open)
		snprintf(buf + n, size - (size_t)n,
			 "%s of %u origin%s", n ? ", satellite" : "Satellite",
			 st.origins, plural(st.origins));
	else if (!n)
		snprintf(buf, size, "Waiting for the kernel module");
}

static void notify_ready(struct daemon *d)
{
	char text[128] = "";

	describe(d, text, sizeof(text));
	d->ready = true;
	sd_notifyf(0, "READY=1\nSTATUS=%s", text);
}

static void on_satellite(void *arg)
{
	struct daemon *d = arg;
	char text[128] = "";

	if (!d->ready || d->stopping)
		return;
	describe(d, text, sizeof(text));
	sd_notifyf(0, "STATUS=%s", text);
}

static void on_watchdog(uv_timer_t *timer)
{
	sd_notify(0, "WATCHDOG=1");
}

static void on_quiesced(void *arg, int err)
{
	struct daemon *d = arg;

	if (err) {
		gns_err("shutdown: not everything could be made durable: %s",
			strerror(-err));
		d->code = 1;
	}
	uv_stop(&d->uv);
}

/* What is waited for may never come: not even its memory is safe to free. */
static void on_patience_end(uv_timer_t *timer)
{
	gns_err("shutdown: not done after %u s; ended as by a crash",
		QUIESCE_MS / 1000);
	_exit(1);
}

static void on_stop(uv_signal_t *sig, int nr)
{
	struct daemon *d = sig->data;

	if (d->stopping) {
		gns_warn("%s again: ended at once", strsignal(nr));
		_exit(1);
	}
	d->stopping = true;
	gns_info("%s: shutting down", strsignal(nr));
	sd_notify(0, "STOPPING=1\nSTATUS=Making everything durable");
	stop_listening(d);
	/* What is mounted waits for the next helper, and loses nothing. */
	gns_kernel_destroy(d->kernel);
	d->kernel = NULL;
	uv_timer_start(&d->patience, on_patience_end, QUIESCE_MS, 0);
	if (d->origin)
		gns_origin_quiesce(d->origin, on_quiesced, d);
	else
		uv_stop(&d->uv);
}

static bool same_export(const struct gns_posix_export *a,
			const struct gns_posix_export *b)
{
	return !strcmp(a->path, b->path) && a->read_only == b->read_only &&
	       a->squash == b->squash && a->anon_uid == b->anon_uid &&
	       a->anon_gid == b->anon_gid;
}

static struct gns_posix_export *find_export(struct gns_conf *conf,
					    const char *name)
{
	u32 i;

	for (i = 0; i < conf->nexports; i++)
		if (!strcmp(conf->exports[i].name, name))
			return &conf->exports[i];
	return NULL;
}

/* A line that is not rate-limited: the operator is waiting for it. */
#define say(level, ...) gns_log(GNS_LOG_##level, NULL, __VA_ARGS__)

static void reload_exports(struct daemon *d, struct gns_conf *now)
{
	struct gns_posix_export *ex, *old;
	struct gns_conf *conf = d->conf;
	u32 i;

	if (!d->origin) {
		if (now->nexports)
			say(WARN, "reload: the first export needs a restart");
		return;
	}
	for (i = 0; i < conf->nexports; i++)
		if (!find_export(now, conf->exports[i].name))
			say(WARN, "reload: export %s can not be taken back without a restart",
			    conf->exports[i].name);
	for (i = 0; i < now->nexports; i++) {
		ex = &now->exports[i];
		old = find_export(conf, ex->name);
		if (old && !same_export(old, ex))
			say(WARN, "reload: export %s can not be changed without a restart",
			    ex->name);
		if (old)
			continue;
		if (conf->nexports == GNS_CONF_EXPORTS_MAX) {
			say(ERR, "reload: more than %u exports",
			    GNS_CONF_EXPORTS_MAX);
			return;
		}
		if (gns_posix_export(d->fs, ex, d->err, sizeof(d->err))) {
			say(ERR, "reload: %s", d->err);
			continue;
		}
		gns_origin_views_changed(d->origin);
		say(INFO, "reload: export %s added", ex->name);
		/* Its strings move over. */
		conf->exports[conf->nexports++] = *ex;
		ex->name = NULL;
		ex->path = NULL;
	}
}

static bool same_listen(const struct gns_conf *a, const struct gns_conf *b)
{
	u32 i;

	if (a->nlisten != b->nlisten)
		return false;
	for (i = 0; i < a->nlisten; i++)
		if (strcmp(a->listen[i], b->listen[i]))
			return false;
	return true;
}

static void reload_rest(struct daemon *d, const struct gns_conf *now)
{
	struct gns_conf *conf = d->conf;
	const char *key = NULL;

	gns_log_level = now->log_level;
	if (now->ttl != conf->ttl) {
		if (d->origin)
			gns_origin_set_ttl(d->origin, now->ttl);
		say(INFO, "reload: ttl is %g s", (double)now->ttl / NSEC_PER_SEC);
	}
	conf->log_level = now->log_level;
	conf->ttl = now->ttl;
	if (strcmp(now->state, conf->state))
		key = "state";
	else if (!same_listen(now, conf))
		key = "listen";
	else if (now->insecure != conf->insecure)
		key = "insecure";
	else if (now->max_connections != conf->max_connections)
		key = "max_connections";
	else if (now->satellite != conf->satellite)
		key = "satellite";
	else if (now->buffer != conf->buffer)
		key = "buffer";
	if (key)
		say(WARN, "reload: %s can not be changed without a restart",
		    key);
}

static void on_reload(uv_signal_t *sig, int nr)
{
	struct daemon *d = sig->data;
	struct gns_conf *now;

	if (d->stopping)
		return;
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)(uv_hrtime() / 1000));
	now = gns_conf_load(d->argc, d->argv, d->err, sizeof(d->err));
	if (now) {
		reload_exports(d, now);
		reload_rest(d, now);
		gns_conf_free(now);
		say(INFO, "reload: done");
	} else {
		say(ERR, "reload: %s; nothing was changed", d->err);
	}
	notify_ready(d);
}

static void watch_signal(struct daemon *d, uv_signal_t *sig, uv_signal_cb fn,
			 int nr)
{
	sig->data = d;
	uv_signal_start(sig, fn, nr);
}

static void start_handles(struct daemon *d)
{
	uint64_t us = 0;

	watch_signal(d, &d->hup, on_reload, SIGHUP);
	watch_signal(d, &d->term, on_stop, SIGTERM);
	watch_signal(d, &d->intr, on_stop, SIGINT);
	if (sd_watchdog_enabled(0, &us) > 0)
		uv_timer_start(&d->watchdog, on_watchdog, 0, us / 2000 + 1);
}

static int start_exports(struct daemon *d)
{
	struct gns_posix_config cfg = { 0 };
	u32 i;
	int err = gns_state_key(d->dir, cfg.key, d->err, sizeof(d->err));

	if (err)
		return err;
	d->fs = gns_posix_create(&d->uv, &cfg);
	explicit_bzero(cfg.key, sizeof(cfg.key));
	if (!d->fs) {
		snprintf(d->err, sizeof(d->err), "exports: %s",
			 strerror(errno));
		return -ENOMEM;
	}
	for (i = 0; i < d->conf->nexports && !err; i++)
		err = gns_posix_export(d->fs, &d->conf->exports[i], d->err,
				       sizeof(d->err));
	return err;
}

static int start_origin(struct daemon *d)
{
	struct gns_origin_config cfg = { .ttl = d->conf->ttl };
	char path[4096];
	int err;

	d->dir = gns_state_open(d->conf->state, d->err, sizeof(d->err));
	if (d->dir < 0)
		return d->dir;
	err = gns_boot_id(&cfg.boot_id, d->err, sizeof(d->err));
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/origin.db", d->conf->state);
	d->db = gns_store_open(&d->uv, path, d->err, sizeof(d->err));
	if (!d->db)
		return -EIO;
	err = start_exports(d);
	if (err)
		return err;
	d->origin = gns_origin_create(d->env, d->fs, d->db, &cfg);
	if (!d->origin) {
		err = -errno;
		snprintf(d->err, sizeof(d->err),
			 "the state of the origin can not be read: %s",
			 strerror(-err));
	}
	return err;
}

static int start_satellite(struct daemon *d)
{
	struct gns_kernel_config cfg = {
		.must = d->conf->satellite == GNS_CONF_YES,
		.buffer = d->conf->buffer,
		.changed = on_satellite,
		.arg = d,
	};

	d->kernel = gns_kernel_create(&d->uv, d->env, &cfg, d->err,
				      sizeof(d->err));
	return d->kernel ? 0 : -errno;
}

static int start(struct daemon *d)
{
	struct gns_tcp_config cfg = {
		.accepted_max = d->conf->max_connections,
	};
	int err;

	uv_signal_init(&d->uv, &d->hup);
	uv_signal_init(&d->uv, &d->term);
	uv_signal_init(&d->uv, &d->intr);
	uv_timer_init(&d->uv, &d->patience);
	uv_timer_init(&d->uv, &d->watchdog);
	d->env = gns_loop_create(&d->uv);
	d->tcp = gns_tcp_create(&d->uv, &cfg);
	if (!d->env || !d->tcp) {
		snprintf(d->err, sizeof(d->err), "no memory");
		return -ENOMEM;
	}
	err = d->conf->nexports ? start_origin(d) : 0;
	if (err)
		return err;
	/* Whoever reads in the log that it serves may send signals. */
	start_handles(d);
	if (d->origin)
		err = start_listening(d);
	if (!err && d->conf->satellite != GNS_CONF_NO)
		err = start_satellite(d);
	return err;
}

/* Those who call back go before the one they call; connections after it. */
static void tear_down(struct daemon *d)
{
	stop_listening(d);
	gns_kernel_destroy(d->kernel);
	gns_posix_destroy(d->fs);
	gns_store_close(d->db);
	if (d->origin)
		gns_origin_destroy(d->origin);
	gns_tcp_destroy(d->tcp);
	gns_loop_destroy(d->env);
	uv_close((uv_handle_t *)&d->hup, NULL);
	uv_close((uv_handle_t *)&d->term, NULL);
	uv_close((uv_handle_t *)&d->intr, NULL);
	uv_close((uv_handle_t *)&d->patience, NULL);
	uv_close((uv_handle_t *)&d->watchdog, NULL);
	uv_run(&d->uv, UV_RUN_DEFAULT);
	if (uv_loop_close(&d->uv))
		gns_warn("shutdown: something is left on the loop");
	if (d->dir >= 0)
		close(d->dir);
}

int gns_daemon_run(struct gns_conf *conf, int argc, char **argv)
{
	struct daemon d = {
		.conf = conf,
		.argc = argc,
		.argv = argv,
		.dir = -1,
	};

	if (uv_loop_init(&d.uv)) {
		say(ERR, "no event loop: %s", strerror(errno));
		gns_conf_free(conf);
		return 1;
	}
	if (start(&d)) {
		say(ERR, "%s", d.err);
		d.code = 1;
	} else {
		notify_ready(&d);
		uv_run(&d.uv, UV_RUN_DEFAULT);
		if (!d.code)
			gns_info("ended cleanly");
	}
	tear_down(&d);
	gns_conf_free(d.conf);
	return d.code;
}
