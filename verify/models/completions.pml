/*
 * completions.pml - a set of futures that gives them back as they are done: the
 * ready stack, the events that are raised for it, and the set's end.
 *
 * Completers make their futures done and push these' nodes, unless free() has
 * taken the node off its future before.  Takers take from the set until none is
 * left, or as many as they like; then the set is freed, while completers may be
 * in the middle of a push.
 *
 * scene ONE_TAKER: three futures, one taker that stops when it likes
 * scene TWO_TAKERS: two futures, two takers that take all
 * large FOUR_FUTURES: four futures, one taker that stops when it likes
 * large TWO_TAKERS_OF_THREE: three futures, two takers that take all
 *
 * mutation RAISE_NOTHING in ONE_TAKER: whoever pushes the first node raises no
 *	event
 * mutation RAISE_FIRST in ONE_TAKER: ... or raises it before the push
 * mutation TOUCH_LATE in ONE_TAKER: who did not push the first node touches the
 *	set after the push
 * mutation FREE_EXPECTS_NOTHING in ONE_TAKER: free() does not wait for the raise
 *	that belongs to a push
 * mutation FREE_FORGETS_HUNG in ONE_TAKER: free() does not wait for nodes that
 *	are being pushed
 * mutation COLLECT_EXPECTS_NOTHING in ONE_TAKER: what is collected is not counted
 *	as an event to come
 * mutation SEEN_TOO_LATE in ONE_TAKER: a taker notes the events after its look
 * mutation SLEEP_ANYHOW in TWO_TAKERS: a taker sleeps although there was an event
 *	since it looked
 */
#if defined(FOUR_FUTURES)
#define FUTURES 4
#elif defined(ONE_TAKER) || defined(TWO_TAKERS_OF_THREE)
#define FUTURES 3
#else
#define FUTURES 2
#endif
#if defined(TWO_TAKERS) || defined(TWO_TAKERS_OF_THREE)
#define TAKERS 2
#else
#define TAKERS 1
#endif
#define NONE 255

byte ready = NONE;
byte below[FUTURES];
byte events;	/* each raise is 1 */
bool sleepers;	/* the word's bit 0 */
bool asleep[TAKERS];
byte expected;
byte left = FUTURES;
byte hung = FUTURES;	/* nodes not yet collected or removed */
byte listed;		/* done, and not yet taken */
bool firing[FUTURES];
bool removed[FUTURES];
bool locked;
bool freed;
byte returned;
byte takers_left = TAKERS;

#define touch assert(!freed)

inline wake_sleepers()
{
	if
	:: sleepers ->
		asleep[0] = false;
#if TAKERS > 1
		asleep[1] = false
#endif
	:: else
	fi
}

/* fetch_add and futex: the second needs the address only. */
inline raise()
{
	atomic {
		touch;
		events++
	};
	d_step {
		wake_sleepers()
	}
}

proctype Completer(byte me)
{
	byte top;

	/* The future is done; its list of waiters is the completer's. */
	atomic {
		if
		:: removed[me] ->
			goto over
		:: else ->
			firing[me] = true
		fi
	};
	atomic {
		touch;
		top = ready
	};
#ifdef RAISE_FIRST
	if
	:: top == NONE ->
		raise()
	:: else
	fi;
#endif
	do
	:: below[me] = top;
	   if
	   :: atomic {
		ready == top ->
			touch;
			ready = me;
			break
	      }
	   :: atomic {
		ready != top ->
			touch;
			top = ready
	      }
	   fi
	od;
	if
#if defined(TOUCH_LATE)
	:: true ->
#elif defined(RAISE_NOTHING) || defined(RAISE_FIRST)
	:: false ->
#else
	:: top == NONE ->
#endif
		raise()
	:: else
	fi;
over:
	top = 0
}

/* Under lock; what was ready becomes listed. */
inline collect()
{
	atomic {
		node = ready;
		ready = NONE;
#ifndef COLLECT_EXPECTS_NOTHING
		if
		:: node != NONE ->
			expected++
		:: else
		fi;
#endif
		do
		:: node != NONE ->
			node = below[node];
			hung--;
			listed++
		:: else ->
			break
		od
	}
}

inline sleep_for_event()
{
	sleepers = true;
#ifdef SLEEP_ANYHOW
	asleep[me] = true;
#else
	asleep[me] = events == seen;
#endif
	!asleep[me]
}

inline take_lock()
{
	atomic {
		!locked ->
			locked = true
	}
}

/* 0 in got: none is left. */
inline next_one()
{
	got = false;
	take_lock();
	do
	:: true ->
#ifndef SEEN_TOO_LATE
		seen = events;
#endif
		if
		:: listed == 0 ->
			collect()
		:: else
		fi;
#ifdef SEEN_TOO_LATE
		seen = events;
#endif
		if
		:: atomic {
			listed > 0 ->
				listed--;
				left--;
				returned++;
				got = true
		   };
		   if
		   :: left == 0 ->
			expected++;
			raise()
		   :: else
		   fi;
		   break
		:: listed == 0 && left == 0 ->
			break
		:: listed == 0 && left > 0 ->
			locked = false;
			sleep_for_event();
			take_lock()
		fi
	od;
	locked = false
}

inline free_set()
{
	/* Take nodes off their futures; some are being fired. */
	do
	:: atomic {
		node < FUTURES ->
			if
			:: !firing[node] ->
				removed[node] = true;
				hung--
			:: else
			fi;
			node++
	   }
	:: else ->
		break
	od;
	do
	:: true ->
		seen = events;
		collect();
		if
#if defined(FREE_EXPECTS_NOTHING)
		:: hung == 0 ->
#elif defined(FREE_FORGETS_HUNG)
		:: seen == expected ->
#else
		:: hung == 0 && seen == expected ->
#endif
			break
		:: else ->
			sleep_for_event()
		fi
	od;
	freed = true
}

proctype Taker(byte me)
{
	byte seen, node;
	bool got;

	do
	:: next_one();
	   if
	   :: got
	   :: !got ->
		break
	   fi
#if TAKERS == 1
	:: true ->
		break
#endif
	od;
	/* The last to go frees it. */
	atomic {
		takers_left--;
		node = 0;
		got = false;
		if
		:: takers_left > 0 ->
			goto over
		:: else
		fi
	};
#if TAKERS > 1
	assert(returned == FUTURES);
#endif
	free_set();
over:
	skip
}

init
{
	atomic {
		byte n = 0;
		do
		:: n < FUTURES ->
			run Completer(n);
			n++
		:: else ->
			break
		od;
		n = 0;
		do
		:: n < TAKERS ->
			run Taker(n);
			n++
		:: else ->
			break
		od
	};
	_nr_pr == 1;
	assert(freed)
}
