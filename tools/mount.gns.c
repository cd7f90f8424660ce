// SPDX-License-Identifier: GPL-2.0
/*
 * mount.gns: what mount(8) calls for `mount -t gns`, or a person by hand.
 *
 *	mount.gns SPEC DIR [-sfnv] [-N namespace] [-t gns] [-o options]
 *
 * It writes no table of mounts: the kernel has the only one.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "mount_fs.h"
#include "mount_info.h"
#include "mount_source.h"

/* As mount(8) has them. */
enum {
	EX_OK = 0,
	EX_USAGE_ERR = 1, /* or not permitted */
	EX_SYSTEM = 2,
	EX_MOUNT = 32,
};

#define BACKOFF_MAX_S 30u

static const char usage_text[] =
	"Usage: mount.gns " MOUNT_SOURCE_FORM " DIR [-sfnv] [-N NAMESPACE] [-o OPTIONS]\n"
	"Mount an export of a gns origin; mount -t gns calls it.\n"
	"\n"
	"  -o OPTIONS  with commas between them; bg, fg and retry=MINUTES say what\n"
	"              happens while the origin can not be reached\n"
	"  -f          check everything that can be checked without mounting\n"
	"  -s          leave options out that the filesystem does not know\n"
	"  -n          nothing: no table of mounts is written anyway\n"
	"  -v          say what is done\n"
	"  -N NS       mount in this mount namespace: a path, or a process id\n"
	"  -h, -V      this text, the version\n"
	"\n"
	"See mount.gns(8) and gns(5).\n";

struct args {
	struct mount_job job;
	struct mount_opts opts;
	const char *ns;
	bool fake;
};

static int complain(int status, const char *what, const char *why)
{
	fprintf(stderr, "mount.gns: %s: %s\n", what, why);
	return status;
}

/* The filesystem's module, once; modprobe says itself what it misses. */
static bool load_module(void)
{
	int status = -1;
	pid_t pid;

	if (geteuid())
		return false;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		execlp("modprobe", "modprobe", "-q", "gns", (char *)NULL);
		execl("/sbin/modprobe", "modprobe", "-q", "gns", (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}

static int one_try(const struct args *a, struct mount_result *r)
{
	static bool asked;

	if (a->opts.remount)
		return mount_fs_remount(&a->job, r);
	if (mount_fs_new(&a->job, r) == ENODEV && r->step == MOUNT_OPEN &&
	    !asked) {
		asked = true;
		if (load_module())
			mount_fs_new(&a->job, r);
	}
	return r->err;
}

/* Worth another try: whoever has to answer may come back. */
static bool temporary(const struct mount_result *r)
{
	return r->step == MOUNT_CREATE && r->err != ENOENT &&
	       r->err != EACCES && r->err != EINVAL && r->err != EPERM;
}

/* What to do about it. */
static const struct hint {
	enum mount_step step;
	int err;
	const char *text;
} hints[] = {
	{ MOUNT_OPEN, ENODEV,
	  "gns.ko is not loaded: insmod gns.ko or modprobe gns" },
	{ MOUNT_OPEN, EPERM, "mounting needs root" },
	{ MOUNT_OPEN, ENOSYS,
	  "this kernel is too old: gns needs 6.1 or newer" },
	{ MOUNT_CREATE, ENOTCONN,
	  "no gns-helperd runs here: start it: systemctl start gns-helperd, or gns-helperd" },
	{ MOUNT_CREATE, ECONNREFUSED,
	  "nobody listens there: look at gns-helperd on the origin, and at listen = in its file" },
	{ MOUNT_CREATE, EHOSTUNREACH,
	  "the origin is not reached: look at its name, the network, firewalls; or mount with bg" },
	{ MOUNT_CREATE, ENETUNREACH,
	  "the origin is not reached: look at its name, the network, firewalls; or mount with bg" },
	{ MOUNT_CREATE, ETIMEDOUT,
	  "the origin is silent: look at its name, the network, firewalls; or mount with bg" },
	{ MOUNT_CREATE, ENOENT,
	  "the origin has no such export: see [export NAME] in its gns-helperd.conf" },
	{ MOUNT_CREATE, EACCES,
	  "the origin refuses this host: see its gns-helperd.conf" },
};

static const char *advice(const struct mount_result *r)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hints); i++) {
		if (hints[i].step == r->step && hints[i].err == r->err)
			return hints[i].text;
	}
	return NULL;
}

static void print_lines(const char *text)
{
	size_t n;

	for (; *text; text += n + !!text[n]) {
		n = strcspn(text, "\n");
		fprintf(stderr, "mount.gns: %.*s\n", (int)n, text);
	}
}

static void explain(const struct args *a, const struct mount_result *r)
{
	const char *todo = advice(r), *what = r->what;

	print_lines(r->log);
	if (r->step == MOUNT_OPEN || r->step == MOUNT_CREATE)
		what = a->job.source;
	if (todo)
		complain(0, what, todo);
	else if (!*r->log || r->step == MOUNT_DIR || r->step == MOUNT_ATTACH)
		complain(0, what, strerror(r->err));
}

static int exit_status(const struct mount_result *r)
{
	if (!r->err)
		return EX_OK;
	if (r->step == MOUNT_OPEN && r->err == EPERM)
		return EX_USAGE_ERR;
	if (r->step == MOUNT_OPEN && r->err != ENODEV)
		return EX_SYSTEM;
	if (r->err == ENOMEM || r->err == EMFILE || r->err == ENFILE)
		return EX_SYSTEM;
	return EX_MOUNT;
}

static u64 now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec;
}

/* After a try that failed in a way that may pass; until it does, or time is up. */
static void try_on(const struct args *a, struct mount_result *r)
{
	u64 until = now_s() + a->opts.retry * 60ull, now;
	unsigned int pause = 1;

	while (temporary(r) && (now = now_s()) < until) {
		sleep(min_u64(pause, until - now));
		pause = min_u64(pause * 2, BACKOFF_MAX_S);
		/* Somebody may have been quicker, by hand. */
		if (!a->opts.remount &&
		    mount_info_has(a->job.source, a->job.dir)) {
			r->err = 0;
			return;
		}
		one_try(a, r);
	}
}

/* The caller goes on; this process tries on its own. */
static int try_behind(const struct args *a, struct mount_result *r)
{
	const char *why;
	pid_t pid;

	fprintf(stderr, "mount.gns: %s on %s: trying again in the background for %u minutes\n",
		a->job.source, a->job.dir, a->opts.retry);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return complain(EX_SYSTEM, "fork", strerror(errno));
	if (pid)
		return EX_OK;

	setsid();
	if (chdir("/") || !freopen("/dev/null", "r", stdin) ||
	    !freopen("/dev/null", "w", stdout) ||
	    !freopen("/dev/null", "w", stderr))
		return EX_SYSTEM;
	openlog("mount.gns", LOG_PID, LOG_DAEMON);
	try_on(a, r);
	if (!r->err) {
		syslog(LOG_INFO, "mounted %s on %s", a->job.source, a->job.dir);
		return EX_OK;
	}
	why = advice(r);
	syslog(LOG_ERR, "gave up on %s on %s: %s%s%s", a->job.source,
	       a->job.dir, strerror(r->err), why ? ": " : "", why ? why : "");
	return exit_status(r);
}

static int run(const struct args *a)
{
	struct mount_result r;

	if (a->opts.remount && !mount_info_has(NULL, a->job.dir))
		return complain(EX_MOUNT, a->job.dir,
				"there is no gns mount to change");
	one_try(a, &r);
	if (temporary(&r) && a->opts.retry && !a->opts.remount) {
		explain(a, &r);
		if (a->opts.bg)
			return try_behind(a, &r);
		try_on(a, &r);
	}
	if (r.err) {
		explain(a, &r);
	} else if (a->job.verbose) {
		print_lines(r.log);
		printf("mount.gns: %s mounted on %s\n", a->job.source,
		       a->job.dir);
	}
	return exit_status(&r);
}

/* A path of a namespace, or the id of a process in it. */
static int enter_namespace(const char *ns)
{
	char path[64];
	int fd;

	if (ns[strspn(ns, "0123456789")] == '\0') {
		snprintf(path, sizeof(path), "/proc/%.20s/ns/mnt", ns);
		ns = path;
	}
	fd = open(ns, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNS)) {
		if (fd >= 0)
			close(fd);
		return complain(EX_MOUNT, ns, strerror(errno));
	}
	close(fd);
	return 0;
}

/*
 * A slash at the end would make the lookup set off an automount that is there,
 * which waits for this mount.
 */
static char *absolute(char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		dir[--len] = '\0';
	return realpath(dir, NULL);
}

static int parse(struct args *a, int argc, char **argv, char **dir)
{
	char all[8192] = "", err[256];
	size_t used = 0;
	int c, n;

	while ((c = getopt(argc, argv, "sfnvN:o:t:hV")) != -1) {
		switch (c) {
		case 's':
			a->job.sloppy = true;
			break;
		case 'f':
			a->fake = true;
			break;
		case 'n':
			break;
		case 'v':
			a->job.verbose = true;
			break;
		case 'N':
			a->ns = optarg;
			break;
		case 't':
			if (strcmp(optarg, "gns"))
				return complain(EX_USAGE_ERR, optarg,
						"there is no such kind of gns");
			break;
		case 'o':
			n = snprintf(all + used, sizeof(all) - used, "%s%s",
				     used ? "," : "", optarg);
			if (n < 0 || (size_t)n >= sizeof(all) - used)
				return complain(EX_USAGE_ERR, "-o",
						"too many options");
			used += n;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(EX_OK);
		case 'V':
			puts("mount.gns " GNS_VERSION);
			exit(EX_OK);
		default:
			fputs(usage_text, stderr);
			return EX_USAGE_ERR;
		}
	}
	if (argc - optind != 2) {
		fputs(usage_text, stderr);
		return EX_USAGE_ERR;
	}
	a->job.source = argv[optind];
	*dir = argv[optind + 1];
	if (mount_opts_parse(&a->opts, all, err, sizeof(err)))
		return complain(EX_USAGE_ERR, "-o", err);
	return 0;
}

int main(int argc, char **argv)
{
	struct args a = { .fake = false };
	const char *wrong;
	char *dir, *path;
	int ret;

	a.job.opts = &a.opts;
	ret = parse(&a, argc, argv, &dir);
	if (ret)
		goto out;
	wrong = mount_source_check(a.job.source);
	if (wrong) {
		complain(0, a.job.source, wrong);
		ret = complain(EX_USAGE_ERR, "write " MOUNT_SOURCE_FORM,
			       "origin.example:/datasets, [::1]:7117:/datasets");
		goto out;
	}
	if (a.ns)
		ret = enter_namespace(a.ns);
	if (ret)
		goto out;
	path = absolute(dir);
	if (!path) {
		ret = complain(EX_MOUNT, dir, strerror(errno));
		goto out;
	}
	a.job.dir = path;
	if (a.job.verbose)
		printf("mount.gns: %s on %s%s\n", a.job.source, path,
		       a.fake ? ", not done" : "");
	if (!a.fake)
		ret = run(&a);
	free(path);
out:
	mount_opts_free(&a.opts);
	return ret;
}
