#!/bin/sh
#
# check-floors.sh - an include goes down, never up or across.
#
# A source may include headers of strictly lower floors, and of its own module:
# the files of one line below.  Where one header of a floor stands on another
# of the same floor, the floor has steps.  The two wings of floor 4, E and W,
# know nothing of each other.  doc/architecture.md draws this table.

src=${top_srcdir:-.}/src

# The floor, then one module.
floors() {
	cat <<-EOT
	0     config.h
	0     compiler.h
	0.1   list.h
	0     sized.h
	1     os.h os_cgroup.c os_posix.c os_futex_linux.c os_futex_cond.c os_event_linux.c os_event_pipe.c
	1.1   text.h text.c
	1     error.h error.c
	1     version.c
	1     json.h json.c
	2.0   sleep.h sleep.c
	2.0   deque.h deque.c
	2.0   slab.h slab.c
	2.0   ptrset.h ptrset.c
	2.0   count.h
	2.0   moments.h moments.c
	2.0   event.h event.c
	2.1   park.h park.c
	2.1   timer.h timer.c heap.h heap.c
	2.1   room.h room.c
	3.0   job.h
	3.1   thread.h thread.c cycle.c
	3.1   waiter.h waiter.c
	3.1   trace.h
	3.2   trace.c
	3.2   limit.h limit.c lost.c
	3.2   future.c
	3.2   refs.c
	3.2   forked.c
	3.2   outcome.c
	3.2   promise.c
	3.2   callback.c
	3.2   cancel.c
	3.1   run.h
	3.2   run.c
	3.2   await.c
	3.2   unread.c
	4.0E  many.h many.c
	4.0E  watch.h watch.c
	4.1E  wait.c
	4.1E  gather.c
	4.0E  set.h
	4.1E  set.c
	4.1E  set_fd.c
	4.1E  completions.c
	4.0W  pool.h pool.c put.c find.c worker.c hooks.c idle.c crew.h crew.c admit.c delay.h delay.c monitor.c oldest.c
	5     executor.c
	5     submit.c
	5     stats.c
	5     default.c
	5     dump.c
	5     fork.c
	6     map.c
	6     imap.c
	EOT
}

cd "$src" || exit 99
floors | awk '
function wrong(text) {
	print "check-floors: " text
	bad = 1
}

function wing(name) {
	return floor[name] ~ /[EW]$/ ? substr(floor[name], length(floor[name])) : ""
}

# The table comes first, on standard input.
FILENAME == "-" {
	for (i = 2; i <= NF; i++) {
		floor[$i] = $1
		module[$i] = NR
	}
	next
}

FNR == 1 {
	sources++
	seen[FILENAME] = 1
	if (!(FILENAME in floor))
		wrong("src/" FILENAME " has no floor")
}

/^[ \t]*#[ \t]*include[ \t]*"/ && FILENAME in floor {
	name = $0
	sub(/^[^"]*"/, "", name)
	sub(/".*/, "", name)
	here = "src/" FILENAME ":" FNR ": "
	if (!(name in floor)) {
		wrong(here name " has no floor")
	} else if (name ~ /\.c$/) {
		wrong(here name " is not a header")
	} else if (wing(name) != wing(FILENAME) && wing(name) != "" &&
		   wing(FILENAME) != "") {
		wrong(here "one wing includes " name " of the other")
	} else if (module[name] != module[FILENAME] &&
		   floor[name] + 0 >= floor[FILENAME] + 0) {
		wrong(here "floor " floor[FILENAME] " includes " name \
		      " of floor " floor[name])
	}
}

END {
	for (name in floor)
		if (!(name in seen) && name != "config.h")
			wrong(name " of the table is not in src/")
	if (!bad)
		print "check-floors: " sources " files stand where they should"
	exit bad
}' - *.[ch]
