/*
 * tell.h - telling those who wait for a future that it is done; and futures
 * that are made of others.
 *
 * What becomes done because something else did, and what is freed with it, may
 * be a long chain.  So none of that happens on the stack: the thread that comes
 * first opens a relay, others further up leave their future there, and it goes on
 * until nothing is left.  First the library's own are told, of all futures there
 * are; so whatever depends on them is done as well when the user's code runs, and
 * that may wait for any of it.
 */
#ifndef SOONI_TELL_H
#define SOONI_TELL_H

#include "job.h"
#include "thread.h"

#include <stdbool.h>

/* Where a future stands in a relay. */
struct sooni_told {
	struct sooni_told *next;
	struct soon_future *future;
};

struct sooni_queue {
	struct sooni_told *first;
	struct sooni_told *last;
};

/* On the stack of the thread that opened it. */
struct sooni_relay {
	struct sooni_queue fresh;   /* done; nobody has been told */
	struct sooni_queue later;   /* the user's part is left */
	struct sooni_queue dead;    /* to be freed */
	struct sooni_cancel *asked; /* running jobs whose hooks are to run */
	struct sooni_told *room;    /* for the one that is just cancelled */
	unsigned generation;
	bool paused; /* the user's code runs, which comes back */
	struct sooni_relay *below;
};

/* The side block of a future with the mark COMPOSED begins with this. */
struct sooni_composed {
	struct sooni_side side; /* first: they are freed as one */
	struct sooni_told told;
	struct sooni_link *users;     /* who are to be told later */
	void (*free_arg)(void *);     /* the same; or NULL */
	void *arg;		      /* what the user gave */
	struct soon_future *original; /* r/o; whose result it has, or NULL */
	/* NULL, or called once it is done, before anybody is told; and before
	 * it is freed. */
	void (*done)(struct soon_future *f);
	void (*release)(struct soon_future *f);
};

/* f has the mark. */
static inline struct sooni_composed *sooni_composed(const struct soon_future *f)
{
	return (struct sooni_composed *)(void *)sooni_side(f);
}

/* The future that the result of f belongs to: f, or what it shows. */
static inline struct soon_future *sooni_original(struct soon_future *f)
{
	while (sooni_is_marked(f, SOONI_COMPOSED) &&
	       sooni_composed(f)->original != NULL)
		f = sooni_composed(f)->original;
	return f;
}

/*
 * For whoever made f done and BUSY: do the rest.  Those who wait in the library
 * come first: they may not be held up by the user's code.  free_arg: to be called
 * before that, or NULL.
 */
void sooni_tell(struct soon_future *f, void (*free_arg)(void *));

/* Around what makes several futures done. */
void sooni_relay_open(struct sooni_relay *r);
void sooni_relay_close(struct sooni_relay *r);

/*
 * In between, also where the library's own are told: cancel f, or ask it to
 * stop, without running the user's code before all that is done.  room: for f,
 * as long as that takes.
 */
void sooni_relay_cancel(struct soon_future *f, struct sooni_told *room);

/* Around a call of the user's code: what gets done there is told there.  False:
 * nothing is to be resumed. */
static inline bool sooni_relay_pause(void)
{
	struct sooni_relay *r = sooni_me.relay;

	if (sooni_likely(r == NULL || r->paused))
		return false;
	r->paused = true;
	return true;
}

static inline void sooni_relay_resume(bool paused)
{
	if (sooni_unlikely(paused))
		sooni_me.relay->paused = false;
}

/* In a child of fork: mark what stands in the relays of the calling thread, and
 * will be told by it. */
void sooni_relay_mark(void);

/* f, which is COMPOSED, is garbage: free it, now or in a relay. */
void sooni_relay_bury(struct soon_future *f);

/* refs.c: free it now. */
void sooni_future_end(struct soon_future *f);

/* future.c */

/*
 * A job that began in no queue is about to be put in one; the caller keeps its
 * executor until it is.  False: it is done.
 */
bool sooni_future_enqueue(struct soon_future *f, struct sooni_home *home);

/* Fail it unless it runs or is done. */
void sooni_future_fail_idle(struct soon_future *f, int code);

/* As the other did, which failed or was cancelled, and counts as read. */
void sooni_future_fail_like(struct soon_future *f, struct soon_future *other);

/*
 * If f is a job that is not done, or shows the result of one, be a guest of its
 * executor, to be given back with sooni_home_leave(); NULL: it is not.
 */
struct sooni_home *sooni_future_visit(struct soon_future *f);

#endif
