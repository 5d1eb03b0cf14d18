/*
 * park.pml - how work finds a worker: announcing and looking again, the throttle
 * on searchers and the chain of calls, the limit on those who run, blocking,
 * threads that cannot be started, threads that leave, and the pool's end.
 *
 * Publishers have one job each and a shard of their own.  Workers do what
 * worker.c and idle.c do, from atomic operation to atomic operation; taking from
 * a queue is one (deque.c is explored elsewhere).  A start of a thread is one as
 * well, for it happens under a lock.  Jobs:
 *
 *	QUICK	ends at once
 *	MEET	goes on when all such jobs have begun, and holds its place until then
 *	NEST	pushes a quick job to the worker's own queue and waits for it,
 *		having given its place away
 *	HINT	gives its place away until another job has begun, and still counts
 *		against the second limit
 *
 * When nothing moves any more nothing may be queued, and nobody may count as
 * running or searching.
 *
 * scene MEETING: two jobs that need a worker each
 * scene LIMITED: one may run
 * scene NESTING: one may run, and waits for another
 * scene NESTING_AND_QUICK: ... and there is a third job
 * scene BLOCKING: one may run, and blocks until another has begun
 * scene RETIRING: workers time out
 * scene UNSTARTABLE: a thread cannot be started
 * scene LAST_LEAVES: the last thread leaves, and the next cannot be started
 * scene STALLED: two workers are idle, and a caller is slow
 * scene CLOSING: the pool is closed at any moment
 * scene CLOSING_NEST: ... also while more threads are there than may be
 * large MEETING_THREE: three jobs that need a worker each
 * large NESTING_TWICE: two that wait for others, one may run
 * large RETIRING_UNSTARTABLE: workers time out, and a thread cannot be started
 * large CLOSING_TWO: two may run, and the pool is closed
 * large CLOSING_RETIRING: workers time out, and the pool is closed
 *
 * mutation NO_LOOK in MEETING: a worker that announced itself does not look again
 * mutation NO_CHAIN in MEETING: the last searcher that finds something calls
 *	nobody
 * mutation CLEARED_LATE in MEETING: a worker clears its own word after it has
 *	announced itself
 * mutation NO_TAG in STALLED: the word has no tag
 * mutation NO_LIMIT in LIMITED: a call looks at no limit
 * mutation BLOCK_BLIND in NESTING: a worker that gives its place away does not look
 *	at the queues
 * mutation SURPLUS_SEARCHES in NESTING_AND_QUICK: a surplus worker that is called does not
 *	know that it counts as searching
 * mutation LEAVE_UNLOCKED in LAST_LEAVES: a worker leaves without the locks of the
 *	shards
 * mutation LEAVE_BLIND in LAST_LEAVES: ... or without a last look
 * mutation NOBODY_ALIVE in LAST_LEAVES: a submit relies on threads that have left
 * mutation FAILED_UNSEEN in UNSTARTABLE: nobody looks after a start that failed
 * mutation CLOSE_SILENT in CLOSING: closing calls nobody
 * mutation CLOSE_UNSEEN in CLOSING: a worker that goes idle does not look whether
 *	the pool was closed
 * mutation SURPLUS_UNSEEN in CLOSING_NEST: ... nor one that is surplus
 */

#define QUICK 0
#define MEET 1
#define NEST 2
#define HINT 3

#if defined(FINE_MEETING)
#define FINE
#define MEETING
#elif defined(FINE_NESTING)
#define FINE
#define NESTING
#elif defined(FINE_RETIRING)
#define FINE
#define RETIRING
#elif defined(FINE_CLOSING)
#define FINE
#define CLOSING_NEST
#endif

#if defined(MEETING)
#define JOB MEET
#define MEETS 2
#define WORKERS 2
#elif defined(MEETING_THREE)
#define JOB MEET
#define MEETS 3
#define PUBLISHERS 3
#define WORKERS 3
#define LIMIT 3
#elif defined(LIMITED)
#define WORKERS 2
#define LIMIT 1
#define MOST 2
#elif defined(NESTING)
#define WORKERS 2
#define PUBLISHERS 1
#define NESTS
#define FIRST_JOB NEST
#define LIMIT 1
#elif defined(NESTING_AND_QUICK)
#define WORKERS 2
#define NESTS
#define FIRST_JOB NEST
#define LIMIT 1
#elif defined(NESTING_TWICE)
#define NESTS
#define JOB NEST
#define LIMIT 1
#elif defined(BLOCKING)
#define WORKERS 2
#define FIRST_JOB HINT
#define JOB MEET
#define MEETS 1
#define LIMIT 1
#define MOST 2
#elif defined(RETIRING)
#define JOB MEET
#define MEETS 2
#define TIMEOUTS 1
#elif defined(UNSTARTABLE)
#define FAILURES 2
#elif defined(LAST_LEAVES)
#define WORKERS 4
#define LIMIT 1
#define TIMEOUTS 1
#define FAILURES 1
#elif defined(STALLED)
#define IDLE_FIRST
#define FINE_POP
#define FIRST_JOB MEET
#define JOB HINT
#elif defined(RETIRING_UNSTARTABLE)
#define TIMEOUTS 2
#define FAILURES 1
#elif defined(CLOSING)
#define CLOSES
#define LIMIT 1
#define WORKERS 4
#elif defined(CLOSING_NEST)
#define CLOSES
#define NESTS
#define FIRST_JOB NEST
#define PUBLISHERS 1
#define LIMIT 1
#define WORKERS 5
#elif defined(CLOSING_TWO)
#define CLOSES
#define WORKERS 5
#elif defined(CLOSING_RETIRING)
#define CLOSES
#define LIMIT 1
#define WORKERS 4
#define TIMEOUTS 1
#endif

#ifndef PUBLISHERS
#define PUBLISHERS 2
#endif
#ifndef WORKERS
#define WORKERS 3
#endif
#ifndef LIMIT
#define LIMIT 2
#endif
#ifndef MOST
#define MOST LIMIT
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 0
#endif
#ifndef FAILURES
#define FAILURES 0
#endif
#ifndef MEETS
#define MEETS 1
#endif
#ifndef JOB
#define JOB QUICK
#endif
#ifndef FIRST_JOB
#define FIRST_JOB JOB
#endif

/* The word: a tag, the idle worker on top, how many run, how many search. */
#define SEARCHING 1
#define RUNNING 16
#define NONE 15
#ifdef NO_TAG
#define TAG 0
#else
#define TAG 4096
#endif
#define searches(w) ((w) & 15)
#define runs(w) (((w) >> 4) & 15)
#define top(w) (((w) >> 8) & 15)
#define with_top(w, i) (((w) & ~3840) | ((i) << 8))

int word = NONE << 8;
byte below[WORKERS];
bool idle[WORKERS];	/* it is on the stack; nobody looks at this */
bool called[WORKERS];	/* a worker's own word: CALLED */
bool gone[WORKERS];	/* ... and GONE */
byte blocked;

/* Shards, then the queues of the workers. */
#define QUEUES (PUBLISHERS + WORKERS)
#define own(me) (PUBLISHERS + (me))
/* Only NEST puts anything into a worker's own queue. */
#if defined(NESTS)
#define SCANNED (PUBLISHERS + count)
#else
#define SCANNED PUBLISHERS
#endif
byte queue[QUEUES];
bool locked[PUBLISHERS];

/* Threads; most of it under the lock of the crew. */
bool crew;
byte count;
bool started[WORKERS];
bool ended[WORKERS];
bool off_stack[WORKERS];
bool spare[WORKERS];
byte threads;
byte alive;
byte waiting;
byte timeouts = TIMEOUTS;
byte failures = FAILURES;

bool closed;
byte begun;
byte in_jobs;
byte child_done[WORKERS];

#ifdef NO_LIMIT
#define room(w) 1
#else
#define room(w) \
	((LIMIT < MOST - blocked -> LIMIT : MOST - blocked) - runs(w))
#endif

/*
 * FINE: every atomic operation is a step.  Otherwise a look at all queues is one,
 * and so is a loop around a compare-and-swap of the word: in the order in which
 * these succeed, each of them sees what it replaces.  FINE_POP: only calls are taken
 * apart.
 */
#ifdef FINE
#define STEP
#define END_STEP
#else
#define STEP atomic {
#define END_STEP }
#endif
#if defined(FINE) || defined(FINE_POP)
#define POP_STEP
#define END_POP_STEP
#else
#define POP_STEP atomic {
#define END_POP_STEP }
#endif

/* Whether anything is queued. */
inline look()
{
	STEP
	n = SCANNED;
	i = 0;
	do
	:: atomic {
		i < n && queue[i] == 0 ->
			i++
	   }
	:: i < n && queue[i] > 0 ->
		work = true;
		break
	:: i == n ->
		work = false;
		break
	od;
	i = 0;
	n = 0
	END_STEP
}

/* A thread on worker k or another, counted as running and searching already;
 * under the lock of the crew. */
inline start_locked()
{
	if
	:: k != NONE && ended[k]
	:: else ->
		if
		:: k != NONE ->
			off_stack[k] = true
		:: else
		fi;
		k = 0;
		do
		:: k < count && !spare[k] ->
			k++
		:: k < count && spare[k] ->
			spare[k] = false;
			break
		:: k == count ->
			assert(count < WORKERS);
			count++;
			break
		od
	fi;
	ended[k] = false;
	off_stack[k] = false;
	if
	:: failures > 0 ->
		failures--;
		spare[k] = true;
		ok = false
	:: true ->
		threads++;
		alive++;
		started[k] = true;
		ok = true
	fi;
	k = 0
}

inline exit_as(what)
{
	word = word - (what)
}

#define AGAIN 0
#define STOP 1
#define CALL 2
#define START 3

/* Pop worker k, to run and to search.  Whoever is on top then is idle. */
inline pop(what)
{
	k = below[top(w)];
	if
	:: atomic {
		word == w ->
			word = with_top(w, k) + TAG + RUNNING + SEARCHING;
			idle[top(w)] = false;
			assert(k == NONE || idle[k]);
			k = top(w);
			act = what
	   }
	:: atomic {
		word != w ->
			k = 0;
			act = AGAIN
	   }
	fi
}

/* Tell worker k, if it has a thread. */
inline tell(otherwise)
{
	atomic {
		called[k] = true;
		if
		:: gone[k] ->
			act = otherwise
		:: else ->
			act = STOP
		fi
	}
}

/* sooni_park_call(), one try */
inline try_to_call()
{
	POP_STEP
	w = word;
	if
	:: searches(w) > 0 || room(w) <= 0 ||
	   (top(w) == NONE && only_idle) ->
		act = STOP
	:: else ->
		if
		:: top(w) != NONE ->
			pop(CALL)
		:: else ->
			if
			:: atomic {
				word == w ->
					word = w + RUNNING + SEARCHING;
					k = NONE;
					act = START
			   }
			:: atomic {
				word != w ->
					act = AGAIN
			   }
			fi
		fi
	fi;
	w = 0
	END_POP_STEP
}

/* sooni_pool_call() */
inline call()
{
	only_idle = false;
	do
	:: try_to_call();
	   if
	   :: act == CALL ->
		tell(START)
	   :: else
	   fi;
	   if
	   :: act == AGAIN
	   :: act == STOP ->
		break
	   :: act == START ->
		atomic {
			!crew;
			start_locked()
		};
		if
		:: ok ->
			break
		:: else
		fi;
		exit_as(RUNNING + SEARCHING);
#ifdef FAILED_UNSEEN
		break;
#endif
		only_idle = true;
		look();
		if
		:: work
		:: else ->
			break
		fi
	   fi
	od;
	atomic {
		k = 0;
		act = 0;
		work = false;
		ok = false;
		only_idle = false
	}
}

inline call_if_work()
{
	look();
	if
	:: work ->
		call()
	:: else
	fi
}

inline call_all()
{
	do
	:: STEP
	   w = word;
	   if
	   :: top(w) == NONE ->
		act = STOP
	   :: else ->
		pop(CALL)
	   fi;
	   w = 0
	   END_STEP;
	   if
	   :: act == AGAIN
	   :: act == STOP ->
		break
	   :: act == CALL ->
		tell(START);
		if
		:: act == START ->
			exit_as(RUNNING + SEARCHING)
		:: else
		fi
	   fi
	od;
	atomic {
		k = 0;
		act = 0
	};
	/* Others may have relied on those who were gone. */
	call_if_work()
}

/* Workers */

inline find()
{
	got = NONE;
	if
	:: atomic {
		queue[own(me)] > 0 ->
			queue[own(me)]--;
			got = own(me)
	   }
	:: atomic {
		queue[own(me)] == 0 ->
			n = SCANNED;
			i = 0
	   };
	   do
	   :: atomic {
		i < n && queue[i] == 0 ->
			i++
	      }
	   :: atomic {
		i < n && queue[i] > 0 ->
			queue[i]--;
			got = i;
			break
	      }
	   :: i == n ->
		break
	   od;
	   atomic {
		i = 0;
		n = 0
	   }
	fi
}

inline found()
{
	atomic {
		last = searches(word) == 1;
		word = word - SEARCHING
	};
#ifdef NO_CHAIN
	last = false;
#endif
	if
	:: last ->
		last = false;
		call_if_work()
	:: else
	fi
}

/* Worker me goes on the stack, and is less than before. */
inline push(less)
{
	do
	:: STEP
	   w = word;
	   below[me] = top(w);
	   if
	   :: atomic {
		word == w ->
			word = with_top(w, me) - (less);
			idle[me] = true;
			act = STOP
	      }
	   :: atomic {
		word != w ->
			act = AGAIN
	      }
	   fi;
	   w = 0
	   END_STEP;
	   if
	   :: act == STOP ->
		break
	   :: else
	   fi
	od;
	act = 0
}

inline clear()
{
	d_step {
		called[me] = false;
		gone[me] = false
	}
}

#define is_over (alive - waiting > MOST)

/* left: the thread leaves, with its parker on the stack or not. */
inline leave(on_stack)
{
#ifndef LEAVE_UNLOCKED
	do
	:: atomic {
		i < PUBLISHERS && !locked[i] ->
			locked[i] = true;
			i++
	   }
	:: i == PUBLISHERS ->
		break
	od;
	i = 0;
#endif
	left = on_stack || closed || is_over;
	look();
#ifdef LEAVE_BLIND
	work = false;
#endif
	left = left && !work;
	work = false;
	if
	:: left && on_stack ->
		atomic {
			gone[me] = true;
			left = !called[me]
		}
	:: else
	fi;
	if
	:: left ->
		atomic {
			!crew;
			alive--
		}
	:: else
	fi;
#ifndef LEAVE_UNLOCKED
	d_step {
		do
		:: i < PUBLISHERS ->
			locked[i] = false;
			i++
		:: else ->
			break
		od;
		i = 0
	}
#endif
}

inline end_thread(off)
{
	atomic {
		!crew;
		ended[me] = true;
		off_stack[me] = off_stack[me] || (off);
		spare[me] = off_stack[me];
		threads--;
		left = false
	}
}

inline wait_for_call()
{
	do
	:: called[me] ->
		searching = true;
		break
	:: atomic {
		!called[me] && timeouts > 0 ->
			timeouts--
	   };
	   leave(true);
	   if
	   :: left ->
		end_thread(false);
		goto end_unborn
	   :: else ->
		call_if_work()
	   fi
	od
}

inline rest()
{
	left = closed || is_over;
	if
	:: left ->
		leave(false)
	:: else
	fi;
	if
	:: left ->
		exit_as(RUNNING + searching * SEARCHING);
		call_if_work();
		end_thread(true);
		goto end_unborn
	:: else
	fi;
#ifndef CLEARED_LATE
	clear();
#endif
	push(RUNNING + searching * SEARCHING);
#ifdef CLEARED_LATE
	clear();
#endif
	searching = false;
	if
#ifndef CLOSE_UNSEEN
	:: closed ->
		call_all()
#endif
#ifndef NO_LOOK
	:: !closed ->
		call_if_work()
#endif
	:: else
	fi
}

inline begin_job()
{
	atomic {
		in_jobs++;
		assert(in_jobs <= LIMIT || JOB != QUICK || FIRST_JOB != QUICK)
	}
}

inline do_job(kind)
{
	begin_job();
	if
	:: kind == QUICK
	:: kind == MEET ->
		begun++;
		begun >= MEETS
	:: kind == HINT ->
		blocked++;
		exit_as(RUNNING);
		call_if_work();
		begun >= 1;
		blocked--;
		word = word + RUNNING
	:: kind == NEST && !closed ->
		queue[own(me)]++;
		call_unless_busy(own(me));
		waiting++;
		exit_as(RUNNING);
#ifndef BLOCK_BLIND
		call_if_work();
#endif
		atomic {
			child_done[me] > 0 ->
				child_done[me]--
		};
		word = word + RUNNING;
		waiting--
	:: kind == NEST && closed
	fi;
	in_jobs--
}

/* After a push: nobody is called for what was taken meanwhile. */
inline call_unless_busy(at)
{
	if
	:: searches(word) > 0 || runs(word) + blocked >= MOST
	:: else ->
		if
		:: queue[at] > 0 ->
			call()
		:: else
		fi
	fi
}

/* A worker that sees nothing more to do searches before the result can be seen.
 * It looks at a few queues only: whatever it believes must do. */
inline settle()
{
	if
	:: word = word + SEARCHING;
	   searching = true
	:: true
	fi;
	if
	:: got >= PUBLISHERS ->
		child_done[got - PUBLISHERS]++
	:: else
	fi;
	got = 0
}

inline rest_if_surplus()
{
	do
	:: room(word) >= 0 ->
		break
	:: else ->
		clear();
		STEP
		w = word;
		if
		:: room(w) >= 0 ->
			act = AGAIN
		:: else ->
			below[me] = top(w);
			if
			:: atomic {
				word == w ->
					word = with_top(w, me) - RUNNING;
					idle[me] = true;
					act = STOP
			   }
			:: atomic {
				word != w ->
					act = AGAIN
			   }
			fi
		fi;
		w = 0
		END_STEP;
		if
		:: act == STOP ->
			break
		:: else
		fi
	od;
	if
	:: act == STOP ->
		act = 0;
#ifndef SURPLUS_UNSEEN
		if
		:: closed ->
			call_all()
		:: else
		fi;
#endif
		goto end_idle
	:: else
	fi
}

#define LOCALS          \
	int w;          \
	byte i, n, k, act; \
	bool work, ok, only_idle

proctype Worker(byte me)
{
	LOCALS;
	byte got;
	bool searching, last, left, surplus;

#ifdef IDLE_FIRST
	if
	:: me < 2 ->
		goto end_idle
	:: else
	fi;
#endif
end_unborn:
	atomic {
		started[me] ->
			started[me] = false;
			searching = true;
			surplus = false
	};
again:
	find();
	if
	:: got == NONE ->
		rest();
		surplus = false;
		goto end_idle
	:: else
	fi;
	if
	:: searching ->
		searching = false;
		found()
	:: else
	fi;
	if
	:: got == 0 ->
		do_job(FIRST_JOB)
	:: got > 0 && got < PUBLISHERS ->
		do_job(JOB)
	:: else ->
		do_job(QUICK)
	fi;
	settle();
	if
	:: !searching ->
		surplus = true;
		rest_if_surplus();
		surplus = false
	:: else
	fi;
	goto again;
end_idle:
	wait_for_call();
#ifdef SURPLUS_SEARCHES
	searching = !surplus;
#endif
	surplus = false;
	goto again
}

/* Submitting from outside */

proctype Publisher(byte me)
{
	LOCALS;

	atomic {
		!locked[me] ->
			locked[me] = true
	};
	if
	:: closed ->
		goto over
	:: else
	fi;
#ifndef NOBODY_ALIVE
	if
	:: alive == 0 ->
		atomic {
			!crew ->
				crew = true
		};
		if
		:: alive == 0 ->
			word = word + RUNNING + SEARCHING;
			atomic {
				k = NONE;
				start_locked()
			};
			if
			:: !ok ->
				exit_as(RUNNING + SEARCHING);
				crew = false;
				goto over
			:: else ->
				ok = false
			fi
		:: else
		fi;
		crew = false
	:: else
	fi;
#endif
	queue[me]++;
	locked[me] = false;
	call_unless_busy(me);
	goto gone_home;
over:
	locked[me] = false;
	ok = false;
gone_home:
	skip
}

#ifdef CLOSES
proctype Closer()
{
	LOCALS;

	closed = true;
	do
	:: i < PUBLISHERS ->
		!locked[i];
		i++
	:: else ->
		break
	od;
	i = 0;
#ifndef CLOSE_SILENT
	call_all();
#endif
	threads == 0
}
#endif

/* Nothing moves any more. */
active proctype Quiet()
{
	byte i;

	timeout;
	do
	:: i < QUEUES ->
		assert(queue[i] == 0);
		i++
	:: else ->
		break
	od;
	assert(runs(word) == 0 && searches(word) == 0);
	assert(in_jobs == 0 && waiting == 0 && blocked == 0)
}

init
{
	atomic {
		byte n = 0;
#ifdef IDLE_FIRST
		/* The first is on top of the second. */
		word = 0;
		below[0] = 1;
		below[1] = NONE;
		idle[0] = true;
		idle[1] = true;
		count = 2;
		threads = 2;
		alive = 2;
#endif
		do
		:: n < WORKERS ->
			run Worker(n);
			n++
		:: else ->
			break
		od;
		n = 0;
		do
		:: n < PUBLISHERS ->
			run Publisher(n);
			n++
		:: else ->
			break
		od;
#ifdef CLOSES
		run Closer()
#endif
	}
}
