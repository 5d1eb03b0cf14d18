/*
 * timer.h - having something done at a given time.
 *
 * One thread for the process, the clock, serves all timers.  It is started on
 * demand and ends when it has had nothing to do for a while.
 *
 * The clock is never held up by the user's code: a fire() that comes to run
 * some calls sooni_before_user() (thread.h) first, and that passes the clock on
 * to another thread.  If no thread can be started, timers are late; none is
 * lost.
 */
#ifndef SOONI_TIMER_H
#define SOONI_TIMER_H

#include "compiler.h"
#include "os.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded in what it belongs to; all zero but for the first two at first. */
struct sooni_timer {
	int64_t when; /* on sooni_now()'s clock; copied by the start */
	/* Called once a start, on the clock's thread, without locks; *t may be
	 * gone or started again when it returns. */
	void (*fire)(struct sooni_timer *t);
	size_t place; /* the clock's: where it stands; 0: it is not started */
};

/*
 * Have t fire at t->when, or presently if that is past; of several for the same
 * time the first that was started comes first.  0, ENOMEM, EAGAIN (no thread
 * could be started).  In t's own fire(), before that runs the user's code, it
 * cannot fail.
 */
int sooni_timer_start(struct sooni_timer *t);

/*
 * True: t will not fire for its latest start.  False: it has fired, or was never
 * started.  Waits while fire() is under way, until that has returned or come to
 * run the user's code, and so touches t no more; but not in fire() itself.
 * Hold no lock that fire() takes.
 */
bool sooni_timer_stop(struct sooni_timer *t);

/* If t has yet to fire, and later than then, let it fire then.  Never waits. */
void sooni_timer_hasten(struct sooni_timer *t, int64_t when);

/*
 * An executor has gone: if no timer is left, the clock's threads end, but for
 * those that run the user's code, and are waited for.
 */
void sooni_timer_forget(void);

/*
 * In a fire() that has run the user's code: it is through with it.  To be
 * called before it lets go of what keeps an executor from its end, so that the
 * sooni_timer_forget() that follows that end waits for this thread too.
 */
void sooni_timer_back(void);

/*
 * In a child of fork: no timer is started, and no thread keeps the clock, nor does
 * the caller if it did.
 */
void sooni_timer_after_fork(void);

/*
 * What the calling thread does before it runs the user's code; NULL: nothing.
 * It stands here, at the bottom, because the clock's threads need it.
 */
extern sooni_tls void (*sooni_user_hook)(void);

#endif
