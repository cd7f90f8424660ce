# SPDX-License-Identifier: GPL-2.0
#
# Judges the output of one step: awk -v step=NAME -f tap.awk skips log
#
# Prints "passed failed skipped", then one line for each failure. The log may
# hold several TAP documents one after the other, with other output between
# them; each must keep its plan, which may come first or last. Only lines that
# start in column 0 count, so subtests are left to the program that ran them.

function fail(what)
{
	failed++
	why[failed] = what
}

# Ends the document that is open, if any.
function close_document()
{
	if (plan >= 0 && points != plan)
		fail("planned " plan " cases, ran " points)
	else if (plan < 0 && points > 0)
		fail(points " cases without a plan")
	plan = -1
	points = 0
}

function skip(name)
{
	if ((step, name) in may_skip || (step, "*") in may_skip)
		skipped++
	else
		fail("skipped, and not in selftests/skips: " name)
}

BEGIN {
	plan = -1
	points = passed = failed = skipped = plans = 0
}

FILENAME == ARGV[1] {
	if (!/^#/ && split($0, field, / *\| */) >= 2)
		may_skip[field[1], field[2]] = 1
	next
}

{ sub(/\r$/, "") }

/^TAP version / { close_document() }

/^1\.\.[0-9]+/ {
	n = substr($1, 4) + 0
	plans++
	if (plan < 0 && points > 0) {
		plan = n
		close_document()
		next
	}
	close_document()
	plan = n
	if (n == 0 && $0 ~ /# *[Ss][Kk][Ii][Pp]/)
		skip("*")
	else if (n == 0)
		fail("a plan of no cases")
	next
}

/^Bail out!/ { fail($0) }

/^(not )?ok( |$)/ {
	if (plan >= 0 && points == plan)
		close_document()
	points++
	name = $0
	sub(/^(not )?ok *[0-9]* *(- *)?/, "", name)
	directive = ""
	if (match(name, /# *([Ss][Kk][Ii][Pp]|[Tt][Oo][Dd][Oo])/)) {
		directive = substr(name, RSTART)
		name = substr(name, 1, RSTART - 1)
		sub(/ *$/, "", name)
	}
	# cmocka names a skipped test behind the directive.
	if (name == "") {
		name = directive
		sub(/^# *[A-Za-z]+:? */, "", name)
	}
	if (directive ~ /^# *[Ss]/)
		skip(name)
	else if (/^not/)
		fail("not ok: " name)
	else
		passed++
}

END {
	if (plans == 0 && points == 0)
		fail("no TAP plan in its output")
	close_document()
	print passed, failed, skipped
	for (i = 1; i <= failed; i++)
		print why[i]
}
