# sizes.gp - draws what bench-sizes prints: csv and svg are the names of the two
# files, given by gnuplot -e.

set datafile separator ","
set terminal svg size 900,430 dynamic font "sans-serif,12" background "white"
set output svg
array colour = ["#0072b2", "#d55e00", "#009e73", "#7a5195"]
array shape = [7, 5, 9, 13]

set logscale x 2
set logscale y
set xrange [0.9:290]
set yrange [5:400000]
set xtics 4 nomirror
set format y "10^{%T}"
set ytics nomirror
set mytics 10
set border 3 lc rgb "#666666"
set grid lc rgb "#dddddd" lt 1 lw 0.5
set key top left Left reverse samplen 2
set xlabel "max\\_workers"
set ylabel "jobs per second"

column_if(cpu, asleep, n) = \
	column(1) == cpu && column(2) == asleep ? column(n) : NaN
of_csv(cpu, asleep, n) = sprintf( \
	"csv skip 1 using 3:(column_if(%g, %g, %d))", cpu, asleep, n)
thin = "with lines lc rgb '#888888' dt 2 lw 1"
measured(cpu, asleep, i, name) = of_csv(cpu, asleep, 4).sprintf( \
	" with linespoints lc rgb '%s' pt %d ps 0.8 lw 1.5 title '%s'", \
	colour[i], shape[i], name)
limit(cpu, asleep) = of_csv(cpu, asleep, 5)." ".thin." notitle"
at_best = "NaN ".thin." title 'at best'"

set multiplot layout 1,2
set title "Jobs that only block"
eval "plot ".limit(0, 1).", ".limit(0, 10).", ".limit(0, 100).", ". \
	measured(0, 1, 1, "for 1 ms").", ".measured(0, 10, 2, "for 10 ms"). \
	", ".measured(0, 100, 3, "for 100 ms").", ".at_best
set title "Jobs of 10 ms that also compute"
eval "plot ".limit(0, 10).", ".limit(1, 9).", ".limit(5, 5).", ". \
	limit(10, 0).", ".measured(0, 10, 2, "never").", ". \
	measured(1, 9, 3, "10 % of the time").", ". \
	measured(5, 5, 1, "50 %").", ".measured(10, 0, 4, "all the time"). \
	", ".at_best
unset multiplot
