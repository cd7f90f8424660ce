# SPDX-License-Identifier: GPL-2.0
#
# Compares a kernel's configuration with the fragments it was made from:
#
#	awk -f config.awk .config base.config debug.config
#
# A later fragment overrules an earlier one. Prints what did not take effect.

function name(line)
{
	return substr(line, 1, index(line, "=") - 1)
}

FILENAME == ARGV[1] && /^CONFIG_/ { have[name($0)] = $0 }
FILENAME == ARGV[1] { next }

/^CONFIG_/ { want[name($0)] = $0 }
/^# CONFIG_.* is not set$/ { want[$2] = "" }

END {
	for (key in want) {
		if (have[key] == want[key])
			continue
		bad = 1
		print (want[key] == "" ? key "=n" : want[key]) " is " \
			(have[key] == "" ? "not set" : have[key])
	}
	exit bad
}
