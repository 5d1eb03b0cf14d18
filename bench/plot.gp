# plot.gp - draws bench.svg from what report.py defines before it loads this:
#
#	n, titles[], place[]	the peers, their titles, and where in the
#				list of all peers each stands
#	basis			whose cost is 1 in the upper picture
#	rows, $labels		its workloads, each with the basis's figure
#	swept			whether there is anything for the lower ones
#	$ratio1, $ratio2, ...	for each peer: multiple of the basis, row
#	$jobs1, $threads1, ...	for each peer: number, median, min, max

set terminal svg size 1000,(swept ? 1180 : 760) dynamic font "sans-serif,12" \
	background "white"

# Place 1 is the library.  Every peer has a shape and a colour of its own.
array colour = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", \
	"#777777", "#b8a800", "#56b4e9", "#7a5195", "#5d4037", "#000000"]
array shape = [7, 5, 9, 13, 11, 4, 6, 8, 10, 12, 3]
ours(i) = place[i] == 1
look(i) = place[i] <= |colour| ? place[i] : |colour|
thickness(i) = ours(i) ? 2.5 : 1.2
points(i) = sprintf("lc rgb '%s' pt %d ps %g lw %g", colour[look(i)], \
	shape[look(i)], ours(i) ? 1.0 : 0.7, thickness(i))

# Datablocks have no index, so a plot of all peers is put together as text.
add(command, part) = command eq "" ? "plot ".part : command.", ".part

line(name, i) = sprintf("$%s%d using 1:2:3:4 with yerrorlines %s notitle", \
	name, i, points(i))
dots(i) = sprintf("$ratio%d using 1:2 with points %s title titles[%d]", \
	i, points(i), i)

set multiplot
set tics nomirror
set grid lc rgb "#dddddd" lt 1 lw 0.5
set errorbars small
set border 3 lc rgb "#666666"
set logscale x
set format x "%gx"

# Above: every workload, every peer, as a multiple of the basis.
set origin 0, (swept ? 0.38 : 0)
set size 1, (swept ? 0.62 : 1)
set lmargin at screen 0.18
set rmargin at screen 0.79
set title "Cost as a multiple of ".basis."'s, which is on the left\n" . \
	"(medians of one run; to the right: dearer)"
set xlabel "times the figure of ".basis." (logarithmic)"
set key at screen 0.99, 0.93 top right Left reverse invert noenhanced \
	samplen 1 spacing 1.3
set yrange [rows + 0.7 : 0.3]
set ytics scale 0 noenhanced
set ytics ()
do for [i = 1 : |$labels|] {
	quote = strstrt($labels[i], '"')
	eval sprintf("set ytics add (%s %s)", $labels[i][quote : *], \
		word($labels[i], 1))
}
set label 1 "* jobs also run on\nthe submitting thread" \
	at screen 0.81, (swept ? 0.70 : 0.53)
set arrow 1 from 1, graph 0 to 1, graph 1 nohead lc rgb colour[1] lw 1.5
command = ""
do for [i = n : 1 : -1] {
	eval sprintf("filled = |$ratio%d|", i)
	if (filled) { command = add(command, dots(i)) }
}
if (command ne "") { eval command }
set format x "%g"
unset arrow 1
unset label 1
unset key
unset lmargin
unset rmargin

# Below: what a job costs as there are more of them, or more who submit.
set logscale y
set yrange [*:*]
set ytics autofreq scale 1
set format y "%g"
set ylabel "ns per job"

do for [name in (swept ? "jobs threads" : "")] {
	set size 0.5, 0.37
	if (name eq "jobs") {
		set origin 0, 0
		set title "Cost by the number of jobs"
		set xlabel "jobs submitted, then waited for (workload submit)"
		set logscale x 10
		set format x "10^{%T}"
		set xtics autofreq
		set xrange [700 : 1.4e7]
	} else {
		set origin 0.5, 0
		set title "Cost by the number of submitting threads"
		set xlabel "threads that submit (workload producers)"
		set logscale x 2
		set format x "%g"
		set xtics (1, 2, 4, 8, 16)
		set xrange [0.9 : 18]
	}
	command = ""
	do for [i = n : 1 : -1] {
		eval sprintf("filled = |$%s%d|", name, i)
		if (filled) { command = add(command, line(name, i)) }
	}
	if (command ne "") { eval command }
}
unset multiplot
