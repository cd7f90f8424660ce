# SPDX-License-Identifier: GPL-2.0
#
# What was taken, as a table or as a picture.
#
#	awk -v as=text|svg -f report.awk figures.list output.tap...
#
# A line "# took WORKLOAD SIDE UNIT VALUE..." has the rounds of one side.

BEGIN {
	FS = " *[|] *"
	if (as == "")
		as = "text"
}

# The list of what to print.
FNR == NR && /^== / {
	heading[rows + 1] = substr($0, 4)
	next
}
FNR == NR {
	if ($0 !~ /^#/ && NF >= 4)
		add_row()
	next
}
/^# took / {
	take($0)
}

function add_row(	words, n)
{
	rows++
	name[rows] = $1
	text[rows] = $2
	n = split($3, words, " / ")
	ours[rows] = words[1]
	other[rows] = n > 1 ? words[2] : ""
	goal[rows] = $4 == "-" ? "" : $4
}

# Several runs of a script are not mixed: the last one counts.
function take(line,	words, n, i, key)
{
	n = split(line, words, " ")
	key = words[3] SUBSEP words[4]
	if (!(key in count))
		sides[words[3]] = sides[words[3]] " " words[4]
	unit[words[3]] = words[5]
	count[key] = n - 5
	for (i = 6; i <= n; i++)
		value[key, i - 5] = words[i] + 0
}

# Of v[1..n], which are sorted: sets lo, mid and hi.
function spread(v, n,	i, k, t)
{
	for (i = 2; i <= n; i++) {
		t = v[i]
		for (k = i - 1; k > 0 && v[k] > t; k--)
			v[k + 1] = v[k]
		v[k + 1] = t
	}
	lo = v[1]
	hi = v[n]
	mid = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function spread_of(w, side,	v, i)
{
	for (i = 1; i <= count[w, side]; i++)
		v[i] = value[w, side, i]
	spread(v, count[w, side])
}

# Round by round: a noisy machine is noisy for both. False: there are none.
function ratio_of(w, a, b,	v, i, n)
{
	n = count[w, a] < count[w, b] ? count[w, a] : count[w, b]
	for (i = 1; i <= n; i++)
		v[i] = value[w, b, i] ? value[w, a, i] / value[w, b, i] : 0
	if (n)
		spread(v, n)
	return n
}

function number(x)
{
	return sprintf(x >= 100 ? "%.0f" : x >= 10 ? "%.1f" : "%.3f", x)
}

function reached(r,	words)
{
	split(goal[r], words, " ")
	return words[1] == "<=" ? mid <= words[2] : mid >= words[2]
}

# Which workload's figures a row shows: one may be shown by several.
function shown(r,	w)
{
	w = name[r]
	if (!(w in sides))
		sub(/-two$/, "", w)
	return w
}

function verdict(r)
{
	return sprintf("%s: %s", goal[r], reached(r) ? "reached" : "missed")
}

function text_side(r, w, side, first,	line, what)
{
	spread_of(w, side)
	line = sprintf("%-44s %-10s %-8s %7s  %-17s", first ? text[r] : "",
		       first ? unit[w] : "", side, number(mid),
		       number(lo) " .. " number(hi))
	if (side == ours[r] && other[r] == "" && goal[r] != "")
		line = line sprintf("  %-21s  %s", "", verdict(r))
	if (side != ours[r] && ratio_of(w, ours[r], side)) {
		what = sprintf("%.2f (%.2f .. %.2f)", mid, lo, hi)
		line = line sprintf("  %-21s", what)
		if (side == other[r] && goal[r] != "")
			line = line "  " verdict(r)
	}
	sub(/ +$/, "", line)
	print line
}

function text_row(r,	w, list, n, i)
{
	w = shown(r)
	if (r in heading)
		printf "\n%s\n%-44s %-10s %-8s %7s  %-17s  %-21s  %s\n",
			heading[r], "", "", "", "median", "min .. max",
			"against this one", "goal"
	if (!(w in sides)) {
		printf "%-44s not taken\n", text[r]
		return
	}
	n = split(sides[w], list, " ")
	print ""
	text_side(r, w, ours[r], 1)
	for (i = 1; i <= n; i++)
		if (list[i] != ours[r] && (w == name[r] || list[i] == other[r]))
			text_side(r, w, list[i], 0)
}

function text_all(	r)
{
	print "Medians, and the spread of all rounds. The sides take turns within each round;"
	print "\"against this one\" is the median of the rounds' ratios, and their spread."
	for (r = 1; r <= rows; r++)
		text_row(r)
}

function escape(s)
{
	gsub(/&/, "\\&amp;", s)
	gsub(/</, "\\&lt;", s)
	return s
}

function label(x, y, class, s)
{
	body = body sprintf("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">%s</text>\n",
		x, y, class, escape(s))
}

# All bars of a row are to one scale, its longest being WIDTH.
function svg_side(r, w, side, scale,	class)
{
	spread_of(w, side)
	class = side == ours[r] ? "us" : "they"
	label(LEFT - 8, top + 9, "side", side)
	body = body sprintf("<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"10\" class=\"%s\"/>\n",
		LEFT, top, mid * scale, class)
	body = body sprintf("<path d=\"M%.1f %.1fH%.1f\" class=\"range\"/>\n",
		LEFT + lo * scale, top + 5, LEFT + hi * scale)
	label(LEFT + hi * scale + 6, top + 9, "value",
	      number(mid) " " unit[w])
	top += 14
}

function svg_goal(r, w, scale, from,	words, at)
{
	split(goal[r], words, " ")
	at = words[2]
	if (other[r] != "") {
		spread_of(w, other[r])
		at *= mid
	}
	at = LEFT + at * scale
	if (at <= LEFT + WIDTH + 60)
		body = body sprintf("<path d=\"M%.1f %.1fV%.1f\" class=\"goal\"/>\n",
			at, from - 2, top - 2)
	if (other[r] != "")
		ratio_of(w, ours[r], other[r])
	else
		spread_of(w, ours[r])
	label(LEFT + WIDTH + 190, from + 9, reached(r) ? "good" : "bad",
	      (other[r] != "" ? sprintf("%.2f, ", mid) : "") verdict(r))
}

function svg_row(r,	w, list, n, i, most, from)
{
	w = shown(r)
	if (!(w in sides))
		return
	if (r in heading) {
		label(16, top + 18, "head", heading[r])
		top += 32
	}
	n = split(sides[w], list, " ")
	for (i = 1; i <= n; i++) {
		if (w != name[r] && list[i] != ours[r] && list[i] != other[r])
			continue
		spread_of(w, list[i])
		most = hi > most ? hi : most
	}
	label(16, top + 9, "what", text[r])
	from = top
	svg_side(r, w, ours[r], WIDTH / most)
	for (i = 1; i <= n; i++)
		if (list[i] != ours[r] && (w == name[r] || list[i] == other[r]))
			svg_side(r, w, list[i], WIDTH / most)
	if (goal[r] != "")
		svg_goal(r, w, WIDTH / most, from)
	top += 8
}

function svg_all(	r)
{
	LEFT = 400
	WIDTH = 360
	label(16, 20, "value", "Bars: medians, each workload to its own scale. Thin lines: least to most. Dashed: the goal.")
	top = 32
	for (r = 1; r <= rows; r++)
		svg_row(r)
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1130\" height=\"%d\">\n", top + 8
	print "<style>text{font:11px sans-serif;fill:#222}.head{font-weight:bold;font-size:13px}" \
		".side{text-anchor:end}.us{fill:#2a6fb0}.they{fill:#b9c2cb}" \
		".range{stroke:#222}.goal{stroke:#c03020;stroke-dasharray:3 2}" \
		".good{fill:#20702c}.bad{fill:#c03020}</style>"
	print "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>"
	printf "%s</svg>\n", body
}

END {
	if (as == "svg")
		svg_all()
	else
		text_all()
}
