/*
 * future.pml - one job's state word: claim, settle, cancel, the queue entry,
 * references, and the count of guests that keeps the executor from ending.
 *
 * A worker has taken the job's queue entry.  Two users with a reference each do
 * any of: wait, or run the job themselves if it has not started; cancel it;
 * hang a callback on it; wait for a moment.  Then they drop their reference.
 * Meanwhile the executor ends: when the worker has left and no guest is counted.
 *
 * All step from atomic operation to atomic operation, as future.c does.  The
 * lock of the waiters' list is the subject of waiter.pml; here hanging a
 * callback on the future is one step.
 *
 * scene TWO_USERS: every pair of users
 * scene FREE_ARG: the same, where cancelling frees the argument before it tells
 * large THREE_USERS: every three users
 *
 * mutation NO_BUSY in TWO_USERS: waiters are told although the last reference
 *	may be gone
 * mutation GUEST_UNCOUNTED in TWO_USERS: an entry is dropped without counting the
 *	guest who still has the job
 * mutation GUEST_LEAVES_EARLY in TWO_USERS: a guest is counted off before it has
 *	told the waiters
 * mutation CLAIM_RUNNING in TWO_USERS: a job that runs may be claimed again
 * mutation CANCEL_RUNNING in TWO_USERS: a job that runs may be cancelled
 * mutation SETTLE_SILENT in TWO_USERS: settling wakes nobody
 * mutation ENTRY_FREES_NOTHING in TWO_USERS: the entry that goes last frees
 *	nothing
 * mutation FREE_WHILE_QUEUED in TWO_USERS: the reference that goes last looks at
 *	no entry
 * mutation FREE_WHILE_BUSY in FREE_ARG: ... nor whether waiters are being told
 * mutation SLEEP_UNSEEN in TWO_USERS: a waiter sleeps without saying so
 */
#ifdef THREE_USERS
#define USERS 3
#else
#define USERS 2
#endif

/* The bits of the word, as in job.h. */
#define SLEEPERS 1
#define RUNNING 2
#define DONE 4
#define CANCELLED 16
#define QUEUED 32
#define BUSY 64
#define WAITED 128
#define GUEST 1024
#define COUNTED 2048
#define REF 4096

int word = QUEUED + USERS * REF;
bool freed;	/* the block */
bool home_ends; /* the executor is gone */
bool worker_left;
byte guests;
byte runs;
byte cancels;
byte callbacks; /* that hang on the future */
byte hung;	/* ... and those that ever did */
byte told;
bool asleep[USERS];

#define touch assert(!freed)
#define touch_home assert(!home_ends)
#define is_garbage(s) \
	(((s) & (DONE | QUEUED | BUSY)) == DONE && (s) < REF)

inline free_block()
{
	atomic {
		assert(!freed);
		freed = true
	}
}

/* swapped, or old is the word that is there. */
inline compare_and_swap(old, new)
{
	atomic {
		touch;
		if
		:: word == old ->
			word = new;
			swapped = true
		:: else ->
			old = word;
			swapped = false
		fi
	}
}

inline load(s)
{
	atomic {
		touch;
		s = word
	}
}

/* By its address only. */
inline wake(old)
{
	if
	:: (old) & SLEEPERS ->
		atomic {
			i = 0;
			do
			:: i < USERS ->
				asleep[i] = false;
				i++
			:: else ->
				break
			od;
			i = 0
		}
	:: else
	fi
}

inline leave_home()
{
	atomic {
		touch_home;
		assert(guests > 0);
		guests--
	}
}

inline claim(entry, guest)
{
	load(s);
	do
#ifdef CLAIM_RUNNING
	:: s & DONE ->
#else
	:: s & (RUNNING | DONE) ->
#endif
		claimed = false;
		break
	:: else ->
		compare_and_swap(s, (s & ~((entry) * QUEUED)) | RUNNING |
					    ((guest) * GUEST));
		if
		:: swapped ->
			claimed = true;
			break
		:: else
		fi
	od
}

inline run_job()
{
	atomic {
		touch;
		touch_home;
		runs++;
		assert(runs == 1 && cancels == 0)
	}
}

inline drop_entry()
{
	load(s);
	do
	:: true ->
		counted = (s & BUSY) ||
			  (s & (RUNNING | GUEST)) == (RUNNING | GUEST);
#ifdef GUEST_UNCOUNTED
		counted = false;
#endif
		next = (s & ~QUEUED) | (counted * COUNTED);
		if
		:: counted ->
			atomic {
				touch_home;
				guests++
			}
		:: else
		fi;
		compare_and_swap(s, next);
		if
		:: swapped ->
			break
		:: !swapped && counted ->
			leave_home()
		:: else
		fi
	od;
	if
#ifndef ENTRY_FREES_NOTHING
	:: is_garbage(next) ->
		free_block()
#endif
	:: else
	fi
}

/* All callbacks, which are the user's and may use the executor. */
inline fire()
{
	do
	:: atomic {
		callbacks > 0 ->
			touch;
			touch_home;
			callbacks--;
			told++
	   }
	:: else ->
		break
	od
}

inline tell()
{
#ifdef GUEST_LEAVES_EARLY
	load(s);
	if
	:: s & COUNTED ->
		leave_home()
	:: else
	fi;
#endif
	fire();
#ifndef NO_BUSY
	atomic {
		touch;
		s = word;
		word = word & ~BUSY
	};
	if
	:: is_garbage(s & ~BUSY) ->
		free_block()
	:: else
	fi;
#endif
#ifndef GUEST_LEAVES_EARLY
	if
	:: s & COUNTED ->
		leave_home()
	:: else
	fi
#endif
}

#ifdef NO_BUSY
#define tells(next, old) ((old) & (WAITED | GUEST))
#define busy_if(old) 0
#else
#define tells(next, old) ((next) & BUSY)
#define busy_if(old) ((((old) & (WAITED | GUEST)) != 0) * BUSY)
#endif

inline become_done(outcome, but_not)
{
	load(s);
	do
	:: s & (DONE | (but_not)) ->
		break
	:: else ->
		next = (s & ~(RUNNING | SLEEPERS)) | (outcome) | busy_if(s);
		compare_and_swap(s, next);
		if
		:: swapped ->
			break
		:: else
		fi
	od
}

inline settle()
{
	become_done(DONE, 0);
	assert(!(s & DONE));
#ifndef SETTLE_SILENT
	wake(s);
#endif
	if
	:: tells(next, s) ->
		tell()
	:: !tells(next, s) && is_garbage(next) ->
		free_block()
	:: else
	fi
}

inline unref()
{
	load(s);
	if
#if defined(FREE_WHILE_QUEUED)
	:: (s & (DONE | BUSY)) == DONE && s / REF == 1 ->
#elif defined(FREE_WHILE_BUSY)
	:: (s & (DONE | QUEUED)) == DONE && s / REF == 1 ->
#else
	:: (s & (DONE | QUEUED | BUSY)) == DONE && s / REF == 1 ->
#endif
		free_block()
	:: else ->
		atomic {
			touch;
			word = word - REF;
			s = word
		};
		if
		:: is_garbage(s) ->
			free_block()
		:: else
		fi
	fi
}

proctype Worker()
{
	int s, next;
	byte i;
	bool swapped, claimed, counted;

	claim(1, 0);
	if
	:: claimed ->
		run_job();
		settle()
	:: else ->
		drop_entry()
	fi;
	worker_left = true
}

inline sleep_until_done()
{
	load(s);
	do
	:: s & DONE ->
		break
#ifndef SLEEP_UNSEEN
	:: !(s & (DONE | SLEEPERS)) ->
		compare_and_swap(s, s | SLEEPERS);
		if
		:: swapped ->
			s = s | SLEEPERS
		:: else
		fi
	:: (s & (DONE | SLEEPERS)) == SLEEPERS ->
#else
	:: else ->
#endif
		/* Asleep only if the word is still the same. */
		atomic {
			touch;
			asleep[me] = word == s
		};
		!asleep[me];
		load(s)
	od
}

inline wait_for_it()
{
	claim(0, 1);
	if
	:: claimed ->
		run_job();
		settle()
	:: else ->
		sleep_until_done()
	fi;
	load(s);
	assert(s & DONE)
}

/* It may also give up at any moment; the word keeps SLEEPERS. */
inline wait_a_moment()
{
	load(s);
	if
	:: s & DONE
	:: else ->
		compare_and_swap(s, s | SLEEPERS)
	fi
}

inline hang_callback()
{
	atomic {
		touch;
		hung++;
		if
		:: word & DONE ->
			told++
		:: else ->
			word = word | WAITED;
			callbacks++
		fi
	}
}

inline cancel()
{
#ifdef CANCEL_RUNNING
#define UNLESS 0
#else
#define UNLESS RUNNING
#endif
#ifdef FREE_ARG
	become_done(DONE | CANCELLED | BUSY, UNLESS);
#else
	become_done(DONE | CANCELLED, UNLESS);
#endif
	if
	:: s & (DONE | UNLESS)
	:: else ->
		cancels++;
		assert(runs == 0);
#ifdef FREE_ARG
		/* The user's destructor. */
		atomic {
			touch;
			touch_home
		};
#endif
		wake(s);
		if
		:: tells(next, s) ->
			tell()
#ifdef FREE_ARG
		:: !tells(next, s) ->
			tell()
#endif
		:: else
		fi
	fi
}

proctype User(byte me)
{
	int s, next;
	byte i;
	bool swapped, claimed, counted;

	if
	:: wait_for_it()
	:: cancel()
	:: hang_callback()
	:: wait_a_moment()
	fi;
	unref()
}

proctype Closer()
{
	worker_left && guests == 0;
	home_ends = true
}

init
{
	atomic {
		byte n = 0;
		run Worker();
		run Closer();
		do
		:: n < USERS ->
			run User(n);
			n++
		:: else ->
			break
		od
	};
	_nr_pr == 1;
	assert(freed);
	assert(runs + cancels == 1);
	assert(told == hung && guests == 0)
}
