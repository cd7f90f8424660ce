// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the VM lab's guest: mounts the host's root under a writable layer,
 * runs the tests of the job file, looks at the kernel's log after each, and
 * writes the verdicts to a virtio-serial port. guest.h has the format.
 *
 * The job file is named by gns.job= on the kernel's command line:
 *
 *	env<TAB>NAME=value			for all tests
 *	address<TAB>interface address		IPv4, /24
 *	shell					a shell instead of tests
 *	keep-going				do not stop at a report
 *	test<TAB>name<TAB>timeout<TAB>flags<TAB>command
 */
#include "guest.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_TESTS 256

static int port = -1;
static struct test tests[MAX_TESTS];
static size_t n_tests;
static bool want_shell;
static bool keep_going;

double uptime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void power_off(void)
{
	sync();
	/* With -no-reboot the machine ends, whatever it thinks of ACPI. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

void die(const char *what)
{
	fprintf(stderr, "gns-vm: can not go on: %s: %s\n", what,
		strerror(errno));
	power_off();
	abort();
}

void say(const char *fmt, ...)
{
	char line[4608];
	size_t done = 0;
	va_list ap;
	ssize_t n;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	while (done < (size_t)len) {
		n = write(port, line + done, len - done);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			die("the verdict port");
		if (n > 0)
			done += n;
	}
}

bool write_file(const char *path, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = write(fd, text, len);
	close(fd);
	return n == (ssize_t)len;
}

/* A line in the kernel's log, by which the host cuts it into tests. */
static void mark(const char *word, const char *name)
{
	char line[300];

	snprintf(line, sizeof(line), "<5>gns-vm: %s %s\n", word, name);
	write_file("/dev/kmsg", line);
}

static void must_mount(const char *src, const char *dir, const char *type,
		       unsigned long flags, const char *opts)
{
	mkdir(dir, 0755);
	if (mount(src, dir, type, flags, opts))
		die(dir);
}

static void may_mount(const char *src, const char *dir, const char *type)
{
	mkdir(dir, 0755);
	if (mount(src, dir, type, 0, NULL) && errno != ENODEV &&
	    errno != ENOENT && errno != EBUSY)
		die(dir);
}

/* For the root and the machine's devices; modprobe there is much slower. */
static void load_boot_modules(void)
{
	char path[256];
	FILE *list;
	int fd;

	list = fopen("/modules.list", "re");
	if (!list)
		return;
	while (fgets(path, sizeof(path), list)) {
		path[strcspn(path, "\n")] = '\0';
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			die(path);
		if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
			die(path);
		close(fd);
	}
	fclose(list);
}

/* The host's root, read only, below a layer in memory; becomes ours. */
static void enter_root(void)
{
	must_mount("host", "/host", "9p", MS_RDONLY,
		   "trans=virtio,version=9p2000.L,msize=524288,cache=loose");
	must_mount("tmpfs", "/layer", "tmpfs", 0, "size=75%");
	mkdir("/layer/upper", 0755);
	mkdir("/layer/work", 0755);
	must_mount("root", "/newroot", "overlay", 0,
		   "lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work");
	if (mount("/dev", "/newroot/dev", NULL, MS_MOVE, NULL) ||
	    chdir("/newroot") || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/"))
		die("the new root");
}

static void mount_rest(void)
{
	must_mount("proc", "/proc", "proc", 0, NULL);
	must_mount("sysfs", "/sys", "sysfs", 0, NULL);
	must_mount("devpts", "/dev/pts", "devpts", 0, NULL);
	must_mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL);
	must_mount("tmpfs", "/run", "tmpfs", 0, NULL);
	mkdir("/run/test", 0755);
	mkdir("/run/netns", 0755);
	mkdir("/run/lock", 0755);
	may_mount("cgroup2", "/sys/fs/cgroup", "cgroup2");
	may_mount("debugfs", "/sys/kernel/debug", "debugfs");
	may_mount("tracefs", "/sys/kernel/tracing", "tracefs");
	may_mount("configfs", "/sys/kernel/config", "configfs");
	if (symlink("/proc/self/fd", "/dev/fd") && errno != EEXIST)
		die("/dev/fd");
	sethostname("gns-vm", 6);
}

/* The port is known by its name; its number depends on the machine. */
static void open_port(void)
{
	const char *dir = "/sys/class/virtio-ports";
	struct dirent *de;
	char path[300], name[64];
	FILE *f;
	DIR *d;

	d = opendir(dir);
	while (d && port < 0 && (de = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s/name", dir, de->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) &&
		    !strcmp(name, "gns.verdict\n")) {
			snprintf(path, sizeof(path), "/dev/%s", de->d_name);
			port = open(path, O_WRONLY | O_CLOEXEC);
		}
		fclose(f);
	}
	if (d)
		closedir(d);
	if (port < 0 && !want_shell)
		die("no port gns.verdict");
}

/*
 * A crash ends the guest at once. On the command line as well, for the time
 * before this; here because a distribution's kernel does not know them all.
 */
static void set_panics(void)
{
	static const char *const on[] = {
		"panic_on_oops",
		"panic_on_warn",
		"softlockup_panic",
		"hung_task_panic",
		"hung_task_all_cpu_backtrace",
	};
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(on); i++) {
		snprintf(path, sizeof(path), "/proc/sys/kernel/%s", on[i]);
		write_file(path, "1");
	}
	write_file("/proc/sys/kernel/hung_task_timeout_secs", "60");
	write_file("/proc/sys/kernel/printk_ratelimit", "0");
	/* All messages to the console. */
	klogctl(8, NULL, 8);
}

static void set_address(const char *iface, const char *address,
			const char *mask)
{
	struct ifreq ifr = { 0 };
	struct sockaddr_in *sin = (struct sockaddr_in *)&ifr.ifr_addr;
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", iface);
	if (address) {
		sin->sin_family = AF_INET;
		if (inet_pton(AF_INET, address, &sin->sin_addr) != 1 ||
		    ioctl(fd, SIOCSIFADDR, &ifr))
			die("the address of an interface");
		if (inet_pton(AF_INET, mask, &sin->sin_addr) != 1 ||
		    ioctl(fd, SIOCSIFNETMASK, &ifr))
			die("the mask of an interface");
	}
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		die("an interface can not be switched on");
	close(fd);
}

static void add_address(char *spec)
{
	const char *iface = strsep(&spec, " ");

	set_address(iface, spec ? spec : "", "255.255.255.0");
}

static void add_test(char *spec)
{
	struct test *t = &tests[n_tests];
	char *timeout, *flags, *arg;
	size_t n = 0;

	if (n_tests == MAX_TESTS)
		die("too many tests");
	t->name = strsep(&spec, "\t");
	timeout = strsep(&spec, "\t");
	flags = strsep(&spec, "\t");
	if (!spec)
		die("a test in the job file");
	t->timeout = atoi(timeout);
	t->may_skip = strstr(flags, "may-skip");
	while ((arg = strsep(&spec, " ")) && n < ARRAY_SIZE(t->argv) - 1)
		if (*arg)
			t->argv[n++] = arg;
	n_tests++;
}

static void job_line(char *line)
{
	char *rest = line;
	char *word = strsep(&rest, "\t");

	if (!strcmp(word, "shell"))
		want_shell = true;
	else if (!strcmp(word, "keep-going"))
		keep_going = write_file("/proc/sys/kernel/panic_on_warn", "0");
	else if (!rest)
		return;
	else if (!strcmp(word, "env"))
		putenv(rest);
	else if (!strcmp(word, "test"))
		add_test(rest);
	else if (!strcmp(word, "address"))
		add_address(rest);
}

/* The lines stay allocated: tests and environment point into them. */
static void read_job(void)
{
	static char job[256 * 1024], cmdline[4096];
	char *path, *line, *rest = job;
	size_t n;
	FILE *f;

	f = fopen("/proc/cmdline", "re");
	if (!f || !fgets(cmdline, sizeof(cmdline), f))
		die("/proc/cmdline");
	fclose(f);
	path = strstr(cmdline, "gns.job=");
	if (!path)
		die("no gns.job= on the command line");
	path += strlen("gns.job=");
	path[strcspn(path, "\n ")] = '\0';
	f = fopen(path, "re");
	if (!f)
		die(path);
	n = fread(job, 1, sizeof(job) - 1, f);
	job[n] = '\0';
	fclose(f);
	while ((line = strsep(&rest, "\n")))
		job_line(line);
}

static void shell(void)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		setsid();
		ioctl(0, TIOCSCTTY, 1);
		execl("/bin/bash", "bash", "-i", NULL);
		_exit(127);
	}
	while (waitpid(-1, &status, 0) != pid)
		;
}

/* What the kernel complained about before the first test counts as one. */
static bool boot_was_clean(void)
{
	klog_read();
	if (!klog_report())
		return true;
	say("T boot");
	say("V boot fail %.1f kernel: %s", uptime(), klog_report());
	say("E stop");
	return false;
}

static void run_all(bool leaks)
{
	struct verdict v;
	double began;
	size_t i;

	for (i = 0; i < n_tests; i++) {
		v = (struct verdict){ .word = "pass", .reason = "" };
		klog_forget();
		mark("begin", tests[i].name);
		say("T %s", tests[i].name);
		began = uptime();
		tests[i].begin = jiffies_now();
		run_test(&tests[i], &v);
		say("V %s %s %.1f %s", tests[i].name, v.word,
		    uptime() - began, v.reason);
		if (v.spoiled && !keep_going) {
			say("E stop");
			return;
		}
	}
	if (leaks && n_tests)
		leaks_scan(tests, n_tests);
	say("E done");
}

int main(void)
{
	char lo[] = "lo";
	bool leaks;

	setvbuf(stderr, NULL, _IONBF, 0);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", "linux", 0);
	setenv("TMPDIR", "/run/test", 1);
	umask(022);
	may_mount("dev", "/dev", "devtmpfs");
	load_boot_modules();
	enter_root();
	mount_rest();
	set_panics();
	klog_open();
	set_address(lo, NULL, NULL);
	leaks = leaks_start();
	read_job();
	open_port();
	if (want_shell) {
		shell();
		power_off();
	}
	say("B %.1f %d", uptime(), leaks);
	if (boot_was_clean())
		run_all(leaks);
	/* The host has to have read all of it before the machine is gone. */
	close(port);
	power_off();
}
