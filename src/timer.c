/*
 * timer.c - see timer.h.
 *
 * Timers stand in a binary heap.  One thread keeps the clock; it alone fires
 * timers, one at a time.  When it comes to run the user's code it passes the
 * clock on, and is `away` until fire() returns.
 */
#include "timer.h"

#include "heap.h"
#include "sleep.h"

#include <errno.h>

/* With nothing to do for so long, the clock's thread ends. */
#define LINGER_NSEC (INT64_C(5) * 1000 * 1000 * 1000)

/* A thread of the clock's; on its stack. */
struct keeper {
	bool fires; /* `firing` is its own */
	bool away;  /* it runs the user's code */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock. */
static struct sooni_heap heap;
static struct sooni_timer *firing;
static bool kept;	      /* somebody keeps the clock */
static struct keeper *keeper; /* it; NULL: its thread is just starting */
static unsigned present;      /* threads that are not away */
static bool asleep;	      /* the keeper, until the bell rings */
static bool ending;	      /* somebody waits for them in forget() */
static pthread_t last_ended;  /* to be joined, if there is one */
static bool has_last_ended;

/* BELL wakes the keeper. */
enum { BELL = 2 };
static _Atomic uint32_t bell;

/* Counts, by two: fires that have ended, and changes that forget() awaits. */
static _Atomic uint32_t fired;
static _Atomic uint32_t changed;

static sooni_tls struct keeper *me;
sooni_tls void (*sooni_user_hook)(void);

/* Under lock, these three; so that a word waited on under it is not missed. */

static void ring(void)
{
	if (!asleep)
		return;
	asleep = false;
	/* acq_rel: the heap is under lock; this only wakes. */
	sooni_wake(&bell,
		   atomic_fetch_or_explicit(&bell, BELL, memory_order_acq_rel));
}

static void count_up(_Atomic uint32_t *word)
{
	/* relaxed: it only changes under lock, but for SLEEPERS. */
	uint32_t next = atomic_load_explicit(word, memory_order_relaxed) + 2;

	/* acq_rel: as above.  SLEEPERS goes, as all who sleep are woken. */
	sooni_wake(word, atomic_exchange_explicit(word, next & ~SOONI_SLEEPERS,
						  memory_order_acq_rel));
}

/* Let go of the lock until the word is counted up. */
static void await_count(_Atomic uint32_t *word)
{
	/* relaxed: see count_up(). */
	uint32_t was = atomic_load_explicit(word, memory_order_relaxed) &
		       ~SOONI_SLEEPERS;

	pthread_mutex_unlock(&lock);
	sooni_sleep(word, ~SOONI_SLEEPERS, was, INT64_MAX);
	pthread_mutex_lock(&lock);
}

/* Keeping the clock: under lock */

static void *keep_clock(void *unused);

/* Give the clock to a new thread; 0 or EAGAIN. */
static int start_keeper(void)
{
	pthread_t thread;

	if (sooni_thread_start(&thread, 0, keep_clock, NULL) != 0)
		return EAGAIN;
	present++;
	kept = true;
	keeper = NULL;
	return 0;
}

/* A keeper that is away could not pass the clock on: try again. */
static int ensure_keeper(void)
{
	if (kept && (keeper == NULL || !keeper->away))
		return 0;
	return start_keeper() == 0 || kept ? 0 : EAGAIN;
}

static void end_fire(void)
{
	if (!me->fires)
		return;
	me->fires = false;
	firing = NULL;
	count_up(&fired);
}

static void go_away(void)
{
	pthread_mutex_lock(&lock);
	end_fire();
	if (!me->away) {
		me->away = true;
		present--;
		count_up(&changed);
	}
	if (keeper == me && heap.count > 0) {
		start_keeper();
	} else if (keeper == me) {
		kept = false;
		keeper = NULL;
	}
	pthread_mutex_unlock(&lock);
}

static void come_back(void)
{
	if (!me->away)
		return;
	me->away = false;
	present++;
}

void sooni_timer_back(void)
{
	if (me == NULL) /* in a child that the user's code forked */
		return;
	pthread_mutex_lock(&lock);
	come_back();
	pthread_mutex_unlock(&lock);
}

static void fire_first(void)
{
	struct sooni_timer *t = heap.entries[1].timer;

	sooni_heap_remove(&heap, t);
	firing = t;
	me->fires = true;
	pthread_mutex_unlock(&lock);
	t->fire(t);
	if (me == NULL) /* in a child that the user's code forked */
		return;
	pthread_mutex_lock(&lock);
	end_fire();
	come_back();
	if (!kept) {
		kept = true;
		keeper = me;
	}
}

static void sleep_until(int64_t deadline)
{
	if (ending) {
		ending = false;
		count_up(&changed);
	}
	/* relaxed: under lock.  SLEEPERS goes, as nobody else sleeps on it. */
	atomic_exchange_explicit(&bell, 0, memory_order_relaxed);
	asleep = true;
	pthread_mutex_unlock(&lock);
	sooni_sleep(&bell, BELL, 0, deadline);
	pthread_mutex_lock(&lock);
	asleep = false;
}

/* Until the clock is another thread's, or there is nothing to do. */
static void serve(void)
{
	int64_t linger = sooni_deadline(LINGER_NSEC);

	while (me != NULL && keeper == me) {
		int64_t now = sooni_now();

		if (heap.count > 0) {
			int64_t first = heap.entries[1].when;

			linger = now + LINGER_NSEC;
			if (first <= now)
				fire_first();
			else
				sleep_until(first);
		} else if (ending || now >= linger) {
			kept = false;
			keeper = NULL;
		} else {
			sleep_until(linger);
		}
	}
}

/* Each thread that ends joins the one before it, so that at most one, which
 * forget() or the next joins, keeps its stack.  Lets go of the lock. */
static void leave(void)
{
	pthread_t before = last_ended;
	bool is_first = !has_last_ended;

	last_ended = pthread_self();
	has_last_ended = true;
	present--;
	ending = false;
	count_up(&changed);
	if (!kept && heap.count == 0)
		sooni_heap_free(&heap);
	pthread_mutex_unlock(&lock);
	if (!is_first)
		sooni_thread_join(before);
}

static void *keep_clock(void *unused)
{
	struct keeper self = { false, false };

	(void)unused;
	sooni_thread_name("soon-clock");
	me = &self;
	sooni_user_hook = go_away;
	pthread_mutex_lock(&lock);
	keeper = me;
	serve();
	if (me != NULL)
		leave();
	return NULL;
}

/* The heap may be in the middle of a change, and is left alone. */
void sooni_timer_after_fork(void)
{
	pthread_mutex_init(&lock, NULL);
	heap = (struct sooni_heap){ .count = 0 };
	firing = NULL;
	kept = false;
	keeper = NULL;
	present = 0;
	asleep = false;
	ending = false;
	has_last_ended = false;
	/* relaxed, all: nobody else is there. */
	atomic_store_explicit(&bell, 0, memory_order_relaxed);
	atomic_store_explicit(&fired, 0, memory_order_relaxed);
	atomic_store_explicit(&changed, 0, memory_order_relaxed);
	me = NULL;
	sooni_user_hook = NULL;
}

/* Timers */

int sooni_timer_start(struct sooni_timer *t)
{
	int rc = 0;

	pthread_mutex_lock(&lock);
	/* In its own fire() it has its room still. */
	if (me == NULL || !me->fires || firing != t) {
		rc = sooni_heap_reserve(&heap);
		if (rc == 0)
			rc = ensure_keeper();
	}
	if (rc == 0 && sooni_heap_add(&heap, t) && t->when != INT64_MAX)
		ring();
	pthread_mutex_unlock(&lock);
	return rc;
}

bool sooni_timer_stop(struct sooni_timer *t)
{
	bool stopped = false;

	pthread_mutex_lock(&lock);
	for (;;) {
		if (sooni_heap_has(&heap, t)) {
			sooni_heap_remove(&heap, t);
			stopped = true;
		}
		if (firing != t || (me != NULL && me->fires))
			break;
		await_count(&fired); /* it may start itself again */
	}
	pthread_mutex_unlock(&lock);
	return stopped;
}

void sooni_timer_hasten(struct sooni_timer *t, int64_t when)
{
	pthread_mutex_lock(&lock);
	if (sooni_heap_has(&heap, t) && sooni_heap_hasten(&heap, t, when))
		ring();
	pthread_mutex_unlock(&lock);
}

void sooni_timer_forget(void)
{
	pthread_t thread;
	bool join;

	pthread_mutex_lock(&lock);
	while (heap.count == 0 && present > 0) {
		ending = true;
		ring();
		await_count(&changed);
	}
	thread = last_ended;
	join = has_last_ended;
	has_last_ended = false;
	/* Room for a timer whose clock could not be started. */
	if (heap.count == 0 && present == 0)
		sooni_heap_free(&heap);
	pthread_mutex_unlock(&lock);
	if (join)
		sooni_thread_join(thread);
}
