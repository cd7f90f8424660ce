// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration: keys and flags are the same settings under two names.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/log.h"

/* inih's buffer for a line is 200 bytes, with "\r\n" and the end mark. */
#define LINE_LEN 197
#define MAX_CONNECTIONS 65536u
/* MiB, of what the kernel takes as one buffer */
#define MIN_BUFFER 8u
#define MAX_BUFFER 1024u

const char gns_conf_usage[] =
	"Usage: gns-helperd [flags]\n"
	"Serve directories over the gns protocol, and the mounts of such.\n"
	"\n"
	"  --config FILE        read FILE (" GNS_CONF_FILE ", if it is there)\n"
	"  --listen HOST[:PORT] serve there, may be given again (127.0.0.1:7117)\n"
	"  --export NAME=PATH[,ro][,squash=none|root|all]\n"
	"                       serve PATH under NAME, may be given again\n"
	"  --state DIR          durable state (" GNS_CONF_STATE ")\n"
	"  --insecure           listen on addresses that other hosts can reach,\n"
	"                       though nothing is encrypted or authenticated\n"
	"  --ttl SECONDS        how long an unreachable satellite holds up changes (10)\n"
	"  --satellite auto|yes|no\n"
	"                       serve what is mounted here (auto: once the kernel\n"
	"                       module is loaded)\n"
	"  --log-level LEVEL    error, warning, info or debug (info)\n"
	"  --foreground         stay in the foreground, which it always does\n"
	"  --check-config       say whether the configuration is right, and end\n"
	"  --help, --version\n"
	"\n"
	"See gns-helperd(8) and gns-helperd.conf(5).\n";

struct parser {
	struct gns_conf *conf;
	const char *file;
	FILE *in;
	int line;
	struct gns_posix_export *ex; /* [export ...] being read */
	bool origin, daemon, satellite; /* section being read */
	bool bad;
	char *err;
	size_t size;
};

static int fail(struct parser *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Only the first thing that is wrong is said: others may follow from it. */
static int fail(struct parser *p, const char *fmt, ...)
{
	va_list ap;
	int n = 0;

	if (p->bad)
		return -EINVAL;
	p->bad = true;
	if (p->line)
		n = snprintf(p->err, p->size, "%s:%d: ", p->file, p->line);
	if ((size_t)n >= p->size)
		return -EINVAL;
	va_start(ap, fmt);
	vsnprintf(p->err + n, p->size - (size_t)n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int set_str(struct parser *p, char **to, const char *v)
{
	char *s = strdup(v);

	if (!s)
		return fail(p, "no memory");
	free(*to);
	*to = s;
	return 0;
}

static int set_bool(struct parser *p, const char *key, const char *v, bool *to)
{
	if (!strcmp(v, "yes") || !strcmp(v, "true"))
		*to = true;
	else if (!strcmp(v, "no") || !strcmp(v, "false"))
		*to = false;
	else
		return fail(p, "%s: %s is neither yes nor no", key, v);
	return 0;
}

static int set_u32(struct parser *p, const char *key, const char *v, u32 min,
		   u32 max, u32 *to)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(v, &end, 10);
	if (!isdigit((unsigned char)*v) || *end || errno || n < min || n > max)
		return fail(p, "%s: %s is not a number from %u to %u", key, v,
			    min, max);
	*to = (u32)n;
	return 0;
}

static int set_ttl(struct parser *p, const char *key, const char *v, u64 *to)
{
	char *end = NULL;
	double s = 0;

	/* No hex, no exponents, no infinity. */
	if (*v && !v[strspn(v, "0123456789.")])
		s = strtod(v, &end);
	if (!end || *end || s * NSEC_PER_SEC < GNS_TTL_MIN_NS ||
	    s * NSEC_PER_SEC > GNS_TTL_MAX_NS)
		return fail(p, "%s: %s is not a number of seconds from 0.5 to %llu",
			    key, v, GNS_TTL_MAX_NS / NSEC_PER_SEC);
	*to = (u64)(s * NSEC_PER_SEC);
	return 0;
}

static int set_level(struct parser *p, const char *key, const char *v)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = {
		{ "error", GNS_LOG_ERR },
		{ "warning", GNS_LOG_WARN },
		{ "info", GNS_LOG_INFO },
		{ "debug", GNS_LOG_DEBUG },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		if (strcmp(v, levels[i].name))
			continue;
		p->conf->log_level = levels[i].level;
		return 0;
	}
	return fail(p, "%s: %s is not error, warning, info or debug", key, v);
}

static int set_squash(struct parser *p, const char *key, const char *v,
		      enum gns_squash *to)
{
	if (!strcmp(v, "none"))
		*to = GNS_SQUASH_NONE;
	else if (!strcmp(v, "root"))
		*to = GNS_SQUASH_ROOT;
	else if (!strcmp(v, "all"))
		*to = GNS_SQUASH_ALL;
	else
		return fail(p, "%s: %s is not none, root or all", key, v);
	return 0;
}

static int set_satellite(struct parser *p, const char *key, const char *v)
{
	bool yes = false;

	if (!strcmp(v, "auto")) {
		p->conf->satellite = GNS_CONF_AUTO;
		return 0;
	}
	if (strcmp(v, "yes") && strcmp(v, "no") && strcmp(v, "true") &&
	    strcmp(v, "false"))
		return fail(p, "%s: %s is not auto, yes or no", key, v);
	set_bool(p, key, v, &yes);
	p->conf->satellite = yes ? GNS_CONF_YES : GNS_CONF_NO;
	return 0;
}

static int add_listen(struct parser *p, const char *v)
{
	struct gns_conf *c = p->conf;

	if (c->nlisten == GNS_CONF_LISTEN_MAX)
		return fail(p, "listen: more than %u addresses",
			    GNS_CONF_LISTEN_MAX);
	return set_str(p, &c->listen[c->nlisten++], v);
}

static int check_name(struct parser *p, const char *name)
{
	size_t len = strlen(name);
	size_t i;

	if (!len || len > GNS_NAME_MAX)
		return fail(p, "export: a name has 1 to %u bytes",
			    GNS_NAME_MAX);
	for (i = 0; i < len; i++)
		if (!isgraph((unsigned char)name[i]) || strchr("/=,", name[i]))
			return fail(p, "export %s: a name has no blanks, slashes, '=' and ','",
				    name);
	return 0;
}

static struct gns_posix_export *add_export(struct parser *p, const char *name)
{
	struct gns_conf *c = p->conf;
	struct gns_posix_export *ex;
	u32 i;

	if (check_name(p, name))
		return NULL;
	for (i = 0; i < c->nexports; i++) {
		if (!strcmp(c->exports[i].name, name)) {
			fail(p, "export %s: there is one of that name already",
			     name);
			return NULL;
		}
	}
	if (c->nexports == GNS_CONF_EXPORTS_MAX) {
		fail(p, "more than %u exports", GNS_CONF_EXPORTS_MAX);
		return NULL;
	}
	ex = &c->exports[c->nexports];
	ex->squash = GNS_SQUASH_ROOT;
	ex->anon_uid = GNS_CONF_ANON;
	ex->anon_gid = GNS_CONF_ANON;
	ex->name = strdup(name);
	if (!ex->name) {
		fail(p, "no memory");
		return NULL;
	}
	c->nexports++;
	return ex;
}

/* The path of an export, whose struct has it as const. */
static int set_path(struct parser *p, struct gns_posix_export *ex,
		    const char *v)
{
	char *path = NULL;

	if (*v != '/')
		return fail(p, "export %s: %s is not an absolute path",
			    ex->name, v);
	if (set_str(p, &path, v))
		return -EINVAL;
	free((char *)ex->path);
	ex->path = path;
	return 0;
}

static int export_key(struct parser *p, const char *key, const char *v)
{
	struct gns_posix_export *ex = p->ex;

	if (!strcmp(key, "path"))
		return set_path(p, ex, v);
	if (!strcmp(key, "read_only"))
		return set_bool(p, key, v, &ex->read_only);
	if (!strcmp(key, "squash"))
		return set_squash(p, key, v, &ex->squash);
	if (!strcmp(key, "anon_uid"))
		return set_u32(p, key, v, 0, UINT32_MAX - 1, &ex->anon_uid);
	if (!strcmp(key, "anon_gid"))
		return set_u32(p, key, v, 0, UINT32_MAX - 1, &ex->anon_gid);
	return fail(p, "unknown key %s in [export %s]", key, ex->name);
}

static int origin_key(struct parser *p, const char *key, const char *v)
{
	struct gns_conf *c = p->conf;

	if (!strcmp(key, "listen"))
		return add_listen(p, v);
	if (!strcmp(key, "ttl"))
		return set_ttl(p, key, v, &c->ttl);
	if (!strcmp(key, "max_connections"))
		return set_u32(p, key, v, 1, MAX_CONNECTIONS,
			       &c->max_connections);
	return fail(p, "unknown key %s in [origin]", key);
}

static int satellite_key(struct parser *p, const char *key, const char *v)
{
	u32 mib;

	if (!strcmp(key, "enable"))
		return set_satellite(p, key, v);
	if (strcmp(key, "buffer"))
		return fail(p, "unknown key %s in [satellite]", key);
	if (set_u32(p, key, v, MIN_BUFFER, MAX_BUFFER, &mib))
		return -EINVAL;
	p->conf->buffer = mib << 20;
	return 0;
}

static int daemon_key(struct parser *p, const char *key, const char *v)
{
	struct gns_conf *c = p->conf;

	if (!strcmp(key, "state"))
		return set_str(p, &c->state, v);
	if (!strcmp(key, "insecure"))
		return set_bool(p, key, v, &c->insecure);
	if (!strcmp(key, "log_level"))
		return set_level(p, key, v);
	return fail(p, "unknown key %s in [daemon]", key);
}

static void end_section(struct parser *p)
{
	if (p->ex && !p->ex->path)
		fail(p, "[export %s] has no path", p->ex->name);
	p->ex = NULL;
	p->origin = false;
	p->daemon = false;
	p->satellite = false;
}

/*
 * inih would only tell of a section with its first key, and cut its name.
 */
static void begin_section(struct parser *p, char *line)
{
	char *end = strchr(line, ']');

	end_section(p);
	if (!end)
		return; /* inih will say so */
	*end = '\0';
	if (!strcmp(line + 1, "daemon"))
		p->daemon = true;
	else if (!strcmp(line + 1, "origin"))
		p->origin = true;
	else if (!strcmp(line + 1, "satellite"))
		p->satellite = true;
	else if (!strncmp(line + 1, "export ", 7))
		p->ex = add_export(p, line + 8 + strspn(line + 8, " "));
	else
		fail(p, "unknown section [%s]", line + 1);
	*end = ']';
}

/*
 * Feeds inih line by line, so that line numbers are known. Leading blanks are
 * cut: to inih they would make a line the continuation of the one before.
 */
static char *next_line(char *str, int num, void *arg)
{
	struct parser *p = arg;
	char *start = str;
	size_t len;

	if (p->bad || !fgets(str, num, p->in))
		return NULL;
	p->line++;
	len = strlen(str);
	if (len && str[len - 1] != '\n' && !feof(p->in)) {
		fail(p, "a line is longer than %d bytes", LINE_LEN);
		return NULL;
	}
	while (*start == ' ' || *start == '\t')
		start++;
	memmove(str, start, strlen(start) + 1);
	if (*str == '[')
		begin_section(p, str);
	return p->bad ? NULL : str;
}

static int on_key(void *arg, const char *section, const char *key,
		  const char *value)
{
	struct parser *p = arg;

	if (!*value)
		return !fail(p, "%s: no value", key);
	if (p->ex)
		return !export_key(p, key, value);
	if (p->origin)
		return !origin_key(p, key, value);
	if (p->satellite)
		return !satellite_key(p, key, value);
	if (p->daemon)
		return !daemon_key(p, key, value);
	return !fail(p, "%s: not in a section", key);
}

static int read_file(struct parser *p, const char *file, bool must)
{
	int line;

	p->in = fopen(file, "re");
	if (!p->in) {
		if (errno == ENOENT && !must)
			return 0;
		return fail(p, "%s: %s", file, strerror(errno));
	}
	p->file = file;
	line = ini_parse_stream(next_line, p, on_key, p);
	if (ferror(p->in)) {
		p->line = 0;
		fail(p, "%s: %s", file, strerror(EIO));
	} else if (line && !p->bad) {
		p->line = line;
		fail(p, "neither [section] nor key = value");
	} else {
		end_section(p);
	}
	fclose(p->in);
	p->line = 0;
	return p->bad ? -EINVAL : set_str(p, &p->conf->file, file);
}

/* NAME=PATH[,ro][,squash=...][,anon_uid=...][,anon_gid=...] */
static int export_flag(struct parser *p, const char *arg)
{
	char *text = strdup(arg);
	char *rest = text, *name, *path, *opt, *v;
	int err = -EINVAL;

	if (!text)
		return fail(p, "no memory");
	name = strsep(&rest, "=");
	path = strsep(&rest, ",");
	if (!path)
		fail(p, "--export %s: not NAME=PATH", arg);
	else
		p->ex = add_export(p, name);
	if (p->ex)
		err = set_path(p, p->ex, path);
	while (!err && (opt = strsep(&rest, ","))) {
		v = opt;
		strsep(&v, "=");
		if (!strcmp(opt, "ro") && !v)
			p->ex->read_only = true;
		else if (v && strcmp(opt, "path"))
			err = export_key(p, opt, v);
		else
			err = fail(p, "--export %s: unknown option %s", arg,
				   opt);
	}
	p->ex = NULL;
	free(text);
	return err;
}

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "listen", required_argument, NULL, 'l' },
	{ "export", required_argument, NULL, 'e' },
	{ "state", required_argument, NULL, 's' },
	{ "insecure", no_argument, NULL, 'i' },
	{ "ttl", required_argument, NULL, 't' },
	{ "satellite", required_argument, NULL, 'S' },
	{ "log-level", required_argument, NULL, 'L' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "check-config", no_argument, NULL, 'C' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ 0 },
};

static int flag(struct parser *p, int opt, const char *arg)
{
	switch (opt) {
	case 'l':
		return add_listen(p, arg);
	case 'e':
		return export_flag(p, arg);
	case 's':
		return set_str(p, &p->conf->state, arg);
	case 'i':
		p->conf->insecure = true;
		return 0;
	case 't':
		return set_ttl(p, "--ttl", arg, &p->conf->ttl);
	case 'S':
		return set_satellite(p, "--satellite", arg);
	case 'L':
		return set_level(p, "--log-level", arg);
	case 'C':
		p->conf->todo = GNS_CONF_CHECK;
	}
	return 0;
}

static void drop_listen(struct gns_conf *c)
{
	while (c->nlisten) {
		free(c->listen[--c->nlisten]);
		c->listen[c->nlisten] = NULL;
	}
}

/* First without effect, to find the file; then for good. */
static int read_flags(struct parser *p, int argc, char **argv,
		      const char **file)
{
	bool listens = false;
	int opt, err = 0;

	optind = 0; /* glibc: start anew */
	opterr = 0;
	while (!err && (opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (opt == '?')
			return fail(p, "%s: unknown flag, or one without its value",
				    argv[optind - 1]);
		if (file && opt == 'c')
			*file = optarg;
		if (file && (opt == 'h' || opt == 'v')) {
			p->conf->todo = opt == 'h' ? GNS_CONF_HELP :
						     GNS_CONF_VERSION;
			return 0;
		}
		if (file)
			continue;
		/* Any --listen replaces all of the file's. */
		if (opt == 'l' && !listens)
			drop_listen(p->conf);
		listens = listens || opt == 'l';
		err = flag(p, opt, optarg);
	}
	if (!err && optind < argc)
		return fail(p, "%s: only flags are understood", argv[optind]);
	return err;
}

static int load(struct parser *p, int argc, char **argv)
{
	struct gns_conf *c = p->conf;
	const char *file = NULL;
	int err;

	c->log_level = GNS_LOG_INFO;
	c->ttl = GNS_TTL_DEFAULT_NS;
	err = read_flags(p, argc, argv, &file);
	if (err || c->todo == GNS_CONF_HELP || c->todo == GNS_CONF_VERSION)
		return err;
	err = read_file(p, file ? file : GNS_CONF_FILE, file);
	if (!err)
		err = read_flags(p, argc, argv, NULL);
	if (!err && !c->state)
		err = set_str(p, &c->state, GNS_CONF_STATE);
	if (!err && !c->nlisten)
		err = add_listen(p, GNS_CONF_LISTEN);
	if (!err && !c->nexports && c->satellite == GNS_CONF_NO)
		err = fail(p, "nothing to serve: no satellite role, no export in %s or --export",
			   file ? file : GNS_CONF_FILE);
	return err;
}

struct gns_conf *gns_conf_load(int argc, char **argv, char *err, size_t size)
{
	struct parser p = { .err = err, .size = size };

	p.conf = calloc(1, sizeof(*p.conf));
	if (!p.conf) {
		fail(&p, "no memory");
		return NULL;
	}
	if (load(&p, argc, argv)) {
		gns_conf_free(p.conf);
		return NULL;
	}
	return p.conf;
}

void gns_conf_free(struct gns_conf *conf)
{
	if (!conf)
		return;
	drop_listen(conf);
	while (conf->nexports--) {
		free((char *)conf->exports[conf->nexports].name);
		free((char *)conf->exports[conf->nexports].path);
	}
	free(conf->file);
	free(conf->state);
	free(conf);
}
