// SPDX-License-Identifier: GPL-2.0
/* The file form, see README.md: one operation per line. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lin_int.h"

static const struct {
	const char	*name;
	int		err;
} errors[] = {
	{ "EEXIST", EEXIST },
	{ "ENOENT", ENOENT },
	{ "EISDIR", EISDIR },
	{ "ENOTDIR", ENOTDIR },
	{ "EAGAIN", EAGAIN },
	{ "ENOSPC", ENOSPC },
	{ "EDQUOT", EDQUOT },
	{ "EROFS", EROFS },
	{ "EACCES", EACCES },
	{ "EPERM", EPERM },
	{ "EFBIG", EFBIG },
	{ "EIO", EIO },
	{ "ETIMEDOUT", ETIMEDOUT },
	{ "ESTALE", ESTALE },
};

static const char *error_name(int32_t err, char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].err == -err)
			return errors[i].name;
	snprintf(buf, len, "E%d", -err);
	return buf;
}

static int error_value(const char *word)
{
	char *end;
	size_t i;
	long v;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (!strcmp(errors[i].name, word))
			return -errors[i].err;
	if (word[0] != 'E' || !isdigit((unsigned char)word[1]))
		return 0;
	v = strtol(word + 1, &end, 10);
	return *end || v <= 0 || v > 4095 ? 0 : -(int)v;
}

/* One line being taken apart. */
struct line {
	char		*pos;
	const char	*why;
	uint32_t	list[LIN_LIST_MAX];
};

static char *next_word(struct line *l)
{
	char *w;

	while (isspace((unsigned char)*l->pos))
		l->pos++;
	if (!*l->pos || *l->pos == '#')
		return NULL;
	w = l->pos;
	while (*l->pos && !isspace((unsigned char)*l->pos))
		l->pos++;
	if (*l->pos)
		*l->pos++ = '\0';
	return w;
}

static int number(const char *w, uint64_t max, uint64_t *v)
{
	char *end;

	if (!w || !isdigit((unsigned char)*w))
		return -1;
	errno = 0;
	*v = strtoull(w, &end, 10);
	return errno || *end || *v > max ? -1 : 0;
}

static int prefixed(struct line *l, char prefix, uint64_t max, uint64_t *v)
{
	char *w = next_word(l);

	return !w || *w != prefix || number(w + 1, max, v) ? -1 : 0;
}

/* "[1 2 3]": @l->pos is behind the bracket. */
static int list(struct line *l, struct lin_op *op)
{
	char *end = strchr(l->pos, ']');
	uint64_t v;
	char *w;

	if (!end)
		return -1;
	*end = '\0';
	op->list = l->list;
	for (w = next_word(l); w; w = next_word(l)) {
		if (op->nlist == LIN_LIST_MAX || number(w, UINT32_MAX, &v))
			return -1;
		l->list[op->nlist++] = (uint32_t)v;
	}
	l->pos = end + 1;
	return 0;
}

/* Is the next thing a list?  Then step over its bracket. */
static bool bracket(struct line *l)
{
	while (isspace((unsigned char)*l->pos))
		l->pos++;
	if (*l->pos != '[')
		return false;
	l->pos++;
	return true;
}

static const char *parse_args(struct line *l, const struct lin_kind *k,
			      struct lin_op *op)
{
	unsigned int n = 0;
	char *w;

	if (k->flags & LIN_K_LIST_ARG) {
		if (!bracket(l) || list(l, op))
			return "argument is a list [..]";
	}
	while ((w = next_word(l)) && strcmp(w, "->")) {
		if (n == k->narg || number(w, UINT64_MAX, &op->arg[n]))
			return "wrong argument";
		n++;
	}
	if (!w)
		return "no -> and result";
	if (n < k->nreq)
		return "too few arguments";
	return NULL;
}

static const char *parse_result(struct line *l, const struct lin_kind *k,
				struct lin_op *op)
{
	unsigned int n = 0;
	char *w;

	if (k->flags & LIN_K_LIST_RES && bracket(l)) {
		if (list(l, op))
			return "wrong list";
		return next_word(l) ? "something behind the result" : NULL;
	}
	w = next_word(l);
	if (!w)
		return "no result";
	if (!strcmp(w, "?")) {
		op->err = LIN_UNKNOWN;
	} else if (*w == 'E') {
		op->err = error_value(w);
		if (!op->err)
			return "no such error";
	} else if (!strcmp(w, "ok")) {
		if (k->flags & LIN_K_LIST_RES ||
		    (k->nres && !(k->flags & LIN_K_OPT_RES)))
			return "result missing";
		if (k->nres)
			op->res[0] = LIN_ANY;
	} else {
		for (; w; w = next_word(l))
			if (n == k->nres || number(w, UINT64_MAX, &op->res[n++]))
				return "wrong result";
		if (n < k->nres)
			return "too few results";
		return NULL;
	}
	return next_word(l) ? "something behind the result" : NULL;
}

/* <call> <ret|-> c<client> o<object> <operation> [arg]... -> <result> */
static const char *parse_op(struct line *l, const struct lin_model *m,
			    struct lin_op *op)
{
	uint64_t client, obj;
	const char *why;
	char *w;

	memset(op, 0, sizeof(*op));
	if (number(next_word(l), LIN_PENDING - 1, &op->call))
		return "wrong call time";
	w = next_word(l);
	if (w && !strcmp(w, "-"))
		op->ret = LIN_PENDING;
	else if (number(w, LIN_PENDING - 1, &op->ret))
		return "wrong return time";
	if (prefixed(l, 'c', UINT32_MAX, &client))
		return "wrong client";
	if (prefixed(l, 'o', UINT16_MAX, &obj))
		return "wrong object";
	op->client = (uint32_t)client;
	op->obj = (uint16_t)obj;
	w = next_word(l);
	for (op->kind = 0; w && op->kind < m->nkinds; op->kind++)
		if (!strcmp(m->kinds[op->kind].name, w))
			break;
	if (!w || op->kind == m->nkinds)
		return "no such operation";
	why = parse_args(l, &m->kinds[op->kind], op);
	if (!why)
		why = parse_result(l, &m->kinds[op->kind], op);
	if (why)
		return why;
	/* one way only to say it, so that printing gives back the same */
	if (op->ret == LIN_PENDING)
		op->err = 0;
	return lin_op_invalid(m, op);
}

static const char *parse_line(char *text, struct lin_hist *h)
{
	struct line l = { .pos = text };
	struct lin_op op;
	const char *why;
	char *w;

	text[strcspn(text, "\r\n")] = '\0';
	while (isspace((unsigned char)*l.pos))
		l.pos++;
	if (!*l.pos || *l.pos == '#')
		return NULL;
	if (!strncmp(l.pos, "model", 5) && isspace((unsigned char)l.pos[5])) {
		next_word(&l);
		w = next_word(&l);
		if (h->n)
			return "model comes first";
		h->m = w ? lin_model_find(w) : NULL;
		return h->m ? NULL : "no such model";
	}
	if (!h->m)
		return "no model line before the first operation";
	why = parse_op(&l, h->m, &op);
	if (why)
		return why;
	return lin_hist_add(h, &op) ? "out of memory" : NULL;
}

/**
 * lin_parse - read a history
 * @in:		file
 * @h:		history, empty; .m may be set to do without a model line
 * @msg:	receives what is wrong, with the line number
 * @msglen:	its size
 *
 * Return: 0, or -1 with @msg set.  To be freed with lin_hist_free() either way.
 */
int lin_parse(FILE *in, struct lin_hist *h, char *msg, size_t msglen)
{
	const char *why = NULL;
	char *text = NULL;
	size_t cap = 0, no = 0;

	while (!why && getline(&text, &cap, in) >= 0) {
		no++;
		why = parse_line(text, h);
	}
	free(text);
	if (!why && ferror(in))
		why = "can not be read";
	if (!why && !h->m)
		why = "no model line";
	if (why)
		snprintf(msg, msglen, "line %zu: %s", no, why);
	return why ? -1 : 0;
}

static void print_list(FILE *out, const struct lin_op *op)
{
	uint32_t i;

	fputs(" [", out);
	for (i = 0; i < op->nlist; i++)
		fprintf(out, "%s%" PRIu32, i ? " " : "", op->list[i]);
	fputc(']', out);
}

static void print_result(FILE *out, const struct lin_kind *k,
			 const struct lin_op *op)
{
	char buf[16];
	unsigned int i;

	if (lin_op_unknown(op)) {
		fputs(" ?", out);
	} else if (op->err) {
		fprintf(out, " %s", error_name(op->err, buf, sizeof(buf)));
	} else if (k->flags & LIN_K_LIST_RES) {
		print_list(out, op);
	} else if (!k->nres || (k->flags & LIN_K_OPT_RES &&
				op->res[0] == LIN_ANY)) {
		fputs(" ok", out);
	} else {
		for (i = 0; i < k->nres; i++)
			fprintf(out, " %" PRIu64, op->res[i]);
	}
}

/**
 * lin_print_op - write one operation in the file form, with a newline
 * @out:	file
 * @m:		model
 * @op:		well-formed operation
 */
void lin_print_op(FILE *out, const struct lin_model *m, const struct lin_op *op)
{
	const struct lin_kind *k = &m->kinds[op->kind];
	unsigned int i;

	fprintf(out, "%" PRIu64, op->call);
	if (op->ret == LIN_PENDING)
		fputs(" -", out);
	else
		fprintf(out, " %" PRIu64, op->ret);
	fprintf(out, " c%" PRIu32 " o%u %s", op->client, op->obj, k->name);
	if (k->flags & LIN_K_LIST_ARG)
		print_list(out, op);
	for (i = 0; i < k->narg; i++)
		fprintf(out, " %" PRIu64, op->arg[i]);
	fputs(" ->", out);
	print_result(out, k, op);
	fputc('\n', out);
}

/**
 * lin_print - write a history in the file form
 * @out:	file
 * @m:		model
 * @ops:	operations
 * @n:		number of operations
 */
void lin_print(FILE *out, const struct lin_model *m, const struct lin_op *ops,
	       size_t n)
{
	size_t i;

	fprintf(out, "model %s\n", m->name);
	for (i = 0; i < n; i++)
		lin_print_op(out, m, &ops[i]);
}
