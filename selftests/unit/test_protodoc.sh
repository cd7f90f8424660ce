#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PROTOCOL.md names every message, every field on the wire, every status, flag
# and limit, and the limits as they are. TAP.

cd "$(dirname "$0")/../../helperd/proto" || exit 2
doc=PROTOCOL.md
n=0
failed=0

# result <0 or not> <what>
result()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		failed=1
		echo "not ok $n - $2"
	fi
}

# look <what> <words> <quote>: is each word there, quoted, and is there one?
look()
{
	bad=0
	count=0
	for word in $2; do
		count=$((count + 1))
		grep -qF "$3$word$3" $doc && continue
		echo "# $doc does not have $word"
		bad=1
	done
	if [ $count -eq 0 ]; then
		echo "# none found in the source"
		bad=1
	fi
	result $bad "$1 ($count)"
}

members()
{
	sed -n "/^struct $1 {/,/^}/p" msg.h |
		sed -n 's/^\t[a-z].*[ *]\([a-z_]*\)\(\[.*\]\)\{0,1\};.*/\1/p'
}

# value <name in wire.h> <its value there> <a piece of the document>
value()
{
	grep -qF "#define $1 $2" wire.h && grep -qF -- "$3" $doc && return
	echo "# $1 is not $2, or $doc does not say: $3"
	values=1
}

echo 1..7

look "every message" "$(sed -n '/^enum gns_msg_type/,/^}/s/^\tGNS_\([A-Z]*\)[ ,].*/\1/p' \
	wire.h)" "**"

look "every field" "$(sed -n 's/^.*[{\t ]M([A-Z0-9]*, \([a-z_.]*\), .*/\1/p
	s/^\tM([A-Z0-9]*, \([a-z_.]*\), .*/\1/p
	s/^\tF([A-Z0-9]*, gns_[a-z]*, \([a-z_]*\), .*/x.\1/p' layout.c |
	sed 's/^[a-z_]*\.//' | sort -u)" '`'

look "every status" "$(sed -n '/^enum gns_status/,/^}/s/^\t\(GNS_[A-Z_]*\)[ ,].*/\1/p' \
	wire.h | grep -v _END)" '`'

look "every flag" "$(sed -n 's/^#define \(GNS_\(AM\|FEAT\|HF\|WANT\|WR\|CR\|TF\|UN\|RN\|XA\|CP\|FS\|SA\|SK\|LK\|LC\|LH\)_[A-Z_]*\) .*/\1/p' \
	wire.h | grep -v '_\(AM\|HF\|WANT\|WR\|CR\|TF\|UN\|RN\|XA\|CP\|SA\)_ALL')" '`'

look "every limit" "$(sed -n 's/^#define \(GNS_[A-Z]*_MAX\) .*/\1/p' wire.h |
	grep -v 'PROTO\|PAYLOAD')" '`'

look "every member of composed fields" "$(for s in gns_attr gns_grant gns_cred \
	gns_change gns_changed; do
	members $s
done | sort -u | grep -vx attr)" '`'

values=0
value GNS_PROTO_MAX 1 'version 1'
value GNS_HDR_LEN 32u 'A frame is a header of 32'
value GNS_BODY_MAX 16384u '| body | 16384 bytes |'
value GNS_READ_MAX "(2u << 20)" "answer | 2 MiB | \`GNS_READ_MAX\`"
value GNS_WRITE_MAX "(1u << 20)" 'WRITE | 1 MiB |'
value GNS_COPY_MAX "(1u << 30)" 'COPY | 1 GiB |'
value GNS_TARGET_MAX 4095u 'SYMLINK | 4095 bytes |'
value GNS_DIR_MAX "(1u << 20)" "READDIR's answer | 1 MiB |"
value GNS_XATTR_MAX 65536u 'answer | 64 KiB |'
value GNS_PATH_MAX 4096u "export's name | 4096 bytes |"
value GNS_FH_MAX 63u 'handle | 63 bytes |'
value GNS_NAME_MAX 255u 'name | 255 bytes |'
value GNS_REVAL_MAX 2048u 'REVALIDATE | 2048 |'
value GNS_GROUPS_MAX 64u 'groups | 64 |'
value GNS_SLOTS_MAX 256u 'instance | 256;'
value GNS_CHANGED_MAX 4u 'change | 4 |'
value GNS_FEAT_SEEK 1ull "\`GNS_FEAT_SEEK\` (1)"
value GNS_FEAT_MORE 2ull "\`GNS_FEAT_MORE\` (2)"
value GNS_FEAT_HOLD 4ull "\`GNS_FEAT_HOLD\` (4)"
value GNS_FEAT_LOCK 8ull "\`GNS_FEAT_LOCK\` (8)"
value GNS_FEAT_ACL 16ull "\`GNS_FEAT_ACL\` (16)"
value GNS_FEAT_TMPFILE 32ull "\`GNS_FEAT_TMPFILE\` (32)"
value GNS_AM_ACL 0x10000u '(0x10000)'
value GNS_AM_DEFACL 0x20000u '(0x20000)'
value GNS_UMASK_ALL 0777u 'at most 0777;'
# Each bit once, whatever they are.
sum=$(($(sed -n 's/^#define GNS_FEAT_[A-Z]* \([0-9]*\)ull$/\1/p' wire.h |
	paste -sd+ -)))
grep -qF "\`GNS_FEATURES\` is $sum" $doc || {
	echo "# $doc does not say that GNS_FEATURES is $sum"
	values=1
}
value GNS_MK_ALL 0177777u 'at most 0177777'
value GNS_TTL_DEFAULT_NS "(10 * NSEC" 'TTL is 10 s by default'
value GNS_DRIFT_NS "(250 * NSEC" 'x 5/4 + 250 ms'
result $values "values"

exit $failed
