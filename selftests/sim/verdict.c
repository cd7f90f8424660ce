// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a story: what was violated, what that means, and how things
 * stood at that moment.
 */
#include <stdlib.h>
#include <string.h>

#include "kmodel.h"

static const struct {
	const char *kind;
	const char *means;
} meanings[] = {
	{ "not linearizable",
	  "What the applications were told fits no order of their calls. Below: all\n"
	  "records of this kind of object (\"call answer client ...\", see\n"
	  "selftests/lin), then the first answer that can not be. Calls and answers\n"
	  "have the same numbers in the story, behind @." },
	{ "not decided",
	  "The checker gave up: neither right nor wrong is proven." },
	{ "bad record",
	  "The simulator recorded what no application can have seen." },
	{ "torn",
	  "One read, or what is cached of one version, shows two states." },
	{ "lost",
	  "FSYNC succeeded, but a power loss now would undo changes that were\n"
	  "applied to the file before FSYNC was called (counted by changes)." },
	{ "stuck",
	  "All faults ended long ago, and a call still has no answer." },
	{ "leased",
	  "The origin began to apply a change to a name while a live session\n"
	  "other than the writer's still leases the object behind that name." },
	{ "dead",
	  "The origin applied a change of a session that it had ended." },
	{ "slot",
	  "The origin takes a satellite's newest change for an older one." },
	{ "versions",
	  "One version of an object was shown in two states: who had cached the first\n"
	  "would be told that it is the same." },
	{ "locks",
	  "Two satellites have a lock at a time, by their own clocks; or a write that\n"
	  "was made under a lock is applied while another one has it; or\n"
	  "the origin holds one that nobody has asked for." },
	{ "orphan",
	  "A file that a satellite has open is gone, in a session that lives, or\n"
	  "before it had time to come back to an origin that was restarted; or nobody\n"
	  "has it open, and it stays." },
	{ "names",
	  "A name that is never changed led to another object, or to none." },
	{ "protocol",
	  "Bytes that one side sent are no message to the other." },
	{ "encode",
	  "A message that real code made does not pass its own encoder." },
	{ "submit",
	  "The satellite library refused a request of the kernel." },
	{ "recovery",
	  "The origin did not start from its own durable state." },
};

static void tell_kernel(FILE *out, struct kmodel *k)
{
	u32 a;

	fprintf(out, "sat%u: helper %s, session %llx, lease until %.6f at %.6f of its clock%s%s\n",
		k->nr, k->sat ? "runs" : "is dead",
		(unsigned long long)k->sid & 0xffff, k->expires / 1e9,
		host_boottime(&k->host) / 1e9,
		k->host.ppm ? "" : ", stands still",
		k->deaf ? ", answers no REVOKE" : "");
	for (a = 0; a < K_APPS; a++) {
		const struct kop *op = k->ops[a];

		if (op)
			fprintf(out, "      app%u waits: %s on %u\n", a,
				kop_name(op->kind), op->ino);
	}
}

static void tell_state(struct sim *s)
{
	const char *state = "runs";
	u32 i;

	if (!s->orig->up)
		state = "is down";
	else if (!s->orig->host.ppm)
		state = "stands still";
	fprintf(s->story, "\nAt that moment, %.6f s:\norigin: %s\n",
		s->now / 1e9, state);
	for (i = 0; i < SIM_SATS; i++)
		tell_kernel(s->story, s->kern[i]);
}

/**
 * verdict_tell() - end the story
 * @s: a world whose run is over; nothing is told without a violation
 *
 * The checker looks at the record when it is complete: then how things stand
 * says nothing about the moment of the violation.
 */
void verdict_tell(struct sim *s)
{
	u32 i;

	if (s->proof)
		fclose(s->proof);
	if (s->story && s->failed) {
		fprintf(s->story, "\n*** %s: %s\n", s->failed, s->why);
		for (i = 0; i < ARRAY_SIZE(meanings); i++)
			if (!strcmp(meanings[i].kind, s->failed))
				fprintf(s->story, "%s\n", meanings[i].means);
		if (s->proof_len)
			fprintf(s->story, "\n%s", s->proof_text);
		else
			tell_state(s);
		fprintf(s->story, "\n");
	}
	free(s->proof_text);
}
