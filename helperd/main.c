// SPDX-License-Identifier: GPL-2.0
/*
 * gns-helperd: what has to be right in the process before anything runs.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "daemon.h"
#include "lib/log.h"

#define EXIT_USAGE 2

/*
 * File operations block in the loop's worker threads, so there are more of
 * them than libuv's 4; it reads this at its first use.
 */
#define WORKERS "32"

static void prepare_process(void)
{
	struct rlimit rl;

	umask(077);
	/* splice(2) to a connection that is gone has no other way to say so. */
	signal(SIGPIPE, SIG_IGN);
	setenv("UV_THREADPOOL_SIZE", WORKERS, 0);
	if (getrlimit(RLIMIT_NOFILE, &rl))
		return;
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
}

int main(int argc, char **argv)
{
	char err[512] = "";
	struct gns_conf *conf;
	enum gns_conf_todo todo;

	prepare_process();
	conf = gns_conf_load(argc, argv, err, sizeof(err));
	if (!conf) {
		fprintf(stderr, "gns-helperd: %s\n", err);
		return EXIT_USAGE;
	}
	todo = conf->todo;
	if (todo == GNS_CONF_HELP || todo == GNS_CONF_VERSION) {
		fputs(todo == GNS_CONF_HELP ? gns_conf_usage :
					      "gns-helperd " GNS_VERSION "\n",
		      stdout);
		gns_conf_free(conf);
		return 0;
	}
	if (gns_daemon_check(conf, err, sizeof(err))) {
		fprintf(stderr, "gns-helperd: %s\n", err);
		gns_conf_free(conf);
		return EXIT_USAGE;
	}
	if (todo == GNS_CONF_CHECK) {
		puts("gns-helperd: the configuration is right");
		gns_conf_free(conf);
		return 0;
	}
	gns_log_level = conf->log_level;
	return gns_daemon_run(conf, argc, argv);
}
