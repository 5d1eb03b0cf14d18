/*
 * waiter.pml - the list of waiters of one future and its bit lock.
 *
 * Each waiter hangs itself on the future, and then either takes itself off or
 * waits until it is fired.  Meanwhile two threads want to make the future done;
 * one of them does, and fires the list.  The list itself is a flag for each
 * waiter; `editing' says that somebody is in the middle of changing it.
 *
 * scene TWO_WAITERS: two waiters
 * large THREE_WAITERS: three waiters
 *
 * mutation SETTLE_IGNORES_LOCK in TWO_WAITERS: the future is made done while its
 *	list is locked
 * mutation LOCK_WHEN_DONE in TWO_WAITERS: the list of a future that is done is
 *	locked
 * mutation UNLOCK_SILENT in TWO_WAITERS: unlocking wakes nobody
 * mutation UNMARKED in TWO_WAITERS: a list that is not empty is not marked
 * mutation MARK_STAYS in TWO_WAITERS: the mark is turned over by whoever unlocks,
 *	and not set to what the list is
 * mutation STAYS_LINKED in TWO_WAITERS: a waiter that is removed stays on the list
 */
#ifdef THREE_WAITERS
#define WAITERS 3
#else
#define WAITERS 2
#endif
#define SETTLERS 2
#define THREADS (WAITERS + SETTLERS)

/* The bits of the word, as in job.h. */
#define SLEEPERS 1
#define DONE 4
#define BUSY 64
#define WAITED 128
#define LOCKED 256

int word;
bool editing;
bool hangs[WAITERS];
byte in_list;
byte fired[WAITERS];
bool removed[WAITERS];
byte settled;
bool asleep[THREADS];

inline wake(old)
{
	if
	:: (old) & SLEEPERS ->
		d_step {
			i = 0;
			do
			:: i < THREADS ->
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

/* As sooni_sleep() does it. */
inline wait_until_unlocked()
{
	s = word;
	do
	:: !(s & LOCKED) ->
		break
	:: (s & LOCKED) && !(s & SLEEPERS) ->
		if
		:: atomic {
			word == s ->
				word = s | SLEEPERS;
				s = word
		   }
		:: atomic {
			word != s ->
				s = word
		   }
		fi
	:: (s & LOCKED) && (s & SLEEPERS) ->
		asleep[me] = word == s;
		atomic {
			!asleep[me];
			s = word
		}
	od
}

/* s is what it has replaced, or a word that is done. */
inline lock()
{
	s = word;
	do
#ifndef LOCK_WHEN_DONE
	:: s & DONE ->
		break
	:: !(s & DONE) && (s & LOCKED) ->
		wait_until_unlocked()
	:: !(s & (DONE | LOCKED)) ->
#else
	:: s & LOCKED ->
		wait_until_unlocked()
	:: else ->
#endif
		if
		:: atomic {
			word == s ->
				word = s | LOCKED;
				break
		   }
		:: atomic {
			word != s ->
				s = word
		   }
		fi
	od
}

#if defined(UNMARKED)
#define FLIP (s & WAITED)
#elif defined(MARK_STAYS)
#define FLIP WAITED
#else
#define FLIP ((s & WAITED) ^ ((in_list > 0) * WAITED))
#endif

/* s: what lock() has replaced. */
inline unlock()
{
	atomic {
		s = FLIP;
		word = word ^ (LOCKED | s);
		s = word
	};
#ifndef UNLOCK_SILENT
	wake(s);
#endif
	s = 0
}

/* In two steps, so that others could see the list in between. */
inline edit(hang)
{
	atomic {
		assert(!editing);
		editing = true
	};
	atomic {
		assert(editing && fired[me] == 0);
		hangs[me] = hang;
		in_list = in_list + 2 * hang - 1;
		editing = false
	}
}

proctype Waiter(byte me)
{
	int s;
	byte i;

	lock();
	if
	:: s & DONE ->
		goto over	/* neither added nor fired */
	:: else
	fi;
	edit(1);
	unlock();
	if
	:: skip		/* it stays */
	:: lock();
	   if
	   :: s & DONE ->
		s = 0	/* it was fired, or is being fired */
	   :: else ->
#ifndef STAYS_LINKED
		edit(0);
#endif
		unlock();
		removed[me] = true;
		goto over
	   fi
	fi;
	fired[me] == 1;
over:
	s = 0
}

/* become_done() and what follows it, in future.c. */
proctype Settler(byte me)
{
	int s;
	byte i;

	s = word;
	do
	:: s & DONE ->
		goto over
#ifndef SETTLE_IGNORES_LOCK
	:: !(s & DONE) && (s & LOCKED) ->
		wait_until_unlocked()
	:: !(s & (DONE | LOCKED)) ->
#else
	:: else ->
#endif
		if
		:: atomic {
			word == s ->
				word = (s & ~SLEEPERS) | DONE |
				       (((s & WAITED) != 0) * BUSY);
				settled++;
				break
		   }
		:: atomic {
			word != s ->
				s = word
		   }
		fi
	od;
	wake(s);
	if
	:: s & WAITED ->
		atomic {
			assert(!editing);
			editing = true
		};
		do
		:: atomic {
			i < WAITERS ->
				if
				:: hangs[i] ->
					hangs[i] = false;
					in_list--;
					fired[i]++;
					assert(fired[i] == 1 && !removed[i])
				:: else
				fi;
				i++
		   }
		:: else ->
			break
		od;
		editing = false
	:: else
	fi;
over:
	s = 0
}

init
{
	atomic {
		byte n = 0;
		do
		:: n < WAITERS ->
			run Waiter(n);
			n++
		:: n >= WAITERS && n < THREADS ->
			run Settler(n);
			n++
		:: else ->
			break
		od
	};
	_nr_pr == 1;
	assert(settled == 1 && in_list == 0)
}
