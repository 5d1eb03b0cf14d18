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

inline compare_and_swap(old, new)
{
	atomic {
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

inline wake(old)
{
	if
	:: (old) & SLEEPERS ->
		atomic {
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
		compare_and_swap(s, s | SLEEPERS);
		if
		:: swapped ->
			s = s | SLEEPERS
		:: else
		fi
	:: (s & LOCKED) && (s & SLEEPERS) ->
		asleep[me] = word == s;
		!asleep[me];
		s = word
	od
}

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
		compare_and_swap(s, s | LOCKED);
		if
		:: swapped ->
			break
		:: else
		fi
	od
}

#if defined(UNMARKED)
#define MARK 0
#elif defined(MARK_STAYS)
#define MARK WAITED
#else
#define MARK ((in_list > 0) * WAITED)
#endif

/* before: what lock() has replaced. */
inline unlock(before)
{
	mark = MARK;
	atomic {
		s = word;
#ifdef MARK_STAYS
		word = word ^ (LOCKED | mark)
#else
		word = word ^ (LOCKED | ((before & WAITED) ^ mark))
#endif
	};
#ifndef UNLOCK_SILENT
	wake(s)
#else
	skip
#endif
}

inline begin_edit()
{
	atomic {
		assert(!editing);
		editing = true
	}
}

/* In two steps, so that others could see the list in between. */
inline edit(hang)
{
	begin_edit();
	atomic {
		assert(editing && fired[me] == 0);
		hangs[me] = hang;
		in_list = in_list + 2 * hang - 1;
		editing = false
	}
}

proctype Waiter(byte me)
{
	int s, before, mark;
	byte i;
	bool swapped;

	lock();
	if
	:: s & DONE ->
		goto over	/* neither added nor fired */
	:: else
	fi;
	before = s;
	edit(1);
	unlock(before);
	if
	:: skip		/* it stays */
	:: lock();
	   if
	   :: s & DONE	/* it was fired, or is being fired */
	   :: else ->
		before = s;
#ifndef STAYS_LINKED
		edit(0);
#endif
		unlock(before);
		removed[me] = true;
		goto over
	   fi
	fi;
	fired[me] == 1;
over:
	skip
}

/* become_done() and what follows it, in future.c. */
proctype Settler(byte me)
{
	int s, next;
	byte i;
	bool swapped;

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
		next = (s & ~SLEEPERS) | DONE |
			(((s & WAITED) != 0) * BUSY);
		compare_and_swap(s, next);
		if
		:: swapped ->
			break
		:: else
		fi
	od;
	settled++;
	wake(s);
	if
	:: next & BUSY ->
		begin_edit();
		i = 0;
		do
		:: i < WAITERS && hangs[i] ->
			atomic {
				hangs[i] = false;
				in_list--;
				fired[i]++;
				assert(fired[i] == 1 && !removed[i]);
				i++
			}
		:: i < WAITERS && !hangs[i] ->
			i++
		:: else ->
			break
		od;
		editing = false
	:: else
	fi;
over:
	skip
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
