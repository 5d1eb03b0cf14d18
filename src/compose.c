/*
 * compose.c - futures that are done when others are.
 *
 * Such a future has no job.  It hangs on each input by a waiter; what these tell
 * decides its outcome, and from then on it needs none of them.  So it takes off
 * those that are left, and is free of even the longest-lived of its inputs.
 */
#include "many.h"
#include "tell.h"
#include "timer.h"
#include "waiter.h"

#include <soon/compose.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum kind { ALL, ANY, SUCCESS, WITHIN, SHIELD };

/* In seen: nothing is decided yet, as not all waiters hang. */
#define OPENING (~(SIZE_MAX / 2))

struct combined;

struct node {
	union {
		struct sooni_waiter waiter;
		struct sooni_told room; /* once that was fired or removed */
	};
	struct combined *combined;
	struct soon_future *input; /* counted */
};

struct combined {
	struct sooni_composed composed; /* first */
	struct soon_future *future;
	enum kind kind;
	/* Waiters that hang, the timer, and who is opening it: as long as there
	 * are any, they hold a reference to the future. */
	_Atomic size_t left;
	_Atomic size_t seen;		     /* inputs that are done; OPENING */
	_Atomic(struct soon_future *) first; /* that decided it */
	struct sooni_timer timer;	     /* of WITHIN */
	bool timed;			     /* r/o; it was started */
	size_t hung; /* r/o after opening: so many nodes */
	size_t n;
	struct node nodes[];
};

static struct combined *combined_of(const struct soon_future *f)
{
	return (struct combined *)(void *)sooni_composed(f);
}

static void count_down(struct combined *c, size_t n)
{
	/* acq_rel: what each did with c comes before its end. */
	if (n > 0 &&
	    atomic_fetch_sub_explicit(&c->left, n, memory_order_acq_rel) == n)
		soon_future_unref(c->future);
}

/* Deciding */

static bool decides(enum kind kind, struct soon_future *input)
{
	bool failed = sooni_state(input) & (SOONI_FAILED | SOONI_CANCELLED);

	switch (kind) {
	case ALL:
		return failed;
	case SUCCESS:
		return !failed;
	default:
		return true;
	}
}

static void succeed(struct soon_future *f, void *result)
{
	f->result = result;
	/* BUSY, here and below: done() is to be called. */
	sooni_future_settle(f, SOONI_DONE | SOONI_BUSY);
}

static void end_like(struct soon_future *f, struct soon_future *input)
{
	uint32_t s = sooni_state(input);

	if (s & SOONI_CANCELLED)
		sooni_future_settle(f, SOONI_DONE | SOONI_CANCELLED |
					       SOONI_ASKED | SOONI_BUSY);
	else if (s & SOONI_FAILED)
		sooni_future_fail_like(f, input);
	else
		succeed(f, input->result);
}

/* last: an input that is done; it counts if none of them decided it before. */
static void decide(struct combined *c, struct soon_future *last)
{
	struct soon_future *f = c->future;
	/* acquire, both: pairs with note(); if all were seen, first stays. */
	size_t seen = atomic_load_explicit(&c->seen, memory_order_acquire);
	struct soon_future *first =
		atomic_load_explicit(&c->first, memory_order_acquire);

	/* A cancelled one is left alone, as is one in a child of fork. */
	if ((first == NULL && seen < c->n) || sooni_state(f) & SOONI_DONE ||
	    !sooni_future_begin_settling(f))
		return;
	switch (c->kind) {
	case ALL:
		if (first != NULL)
			sooni_future_fail_like(f, first);
		else
			succeed(f, NULL);
		break;
	case ANY:
	case SUCCESS:
		if (first != NULL)
			succeed(f, first);
		else
			sooni_future_fail_like(f, last);
		break;
	default:
		assert(first != NULL); /* all one of them */
		end_like(f, first);
	}
}

/* An input is done.  Whether that decides anything while c is opening. */
static void note(struct combined *c, struct soon_future *input)
{
	struct soon_future *none = NULL;

	if (c->kind == SUCCESS)
		sooni_error(input); /* a success makes up for it */
	/* release: the input is done, for who settles c by it. */
	if (decides(c->kind, input))
		atomic_compare_exchange_strong_explicit(&c->first, &none, input,
							memory_order_acq_rel,
							memory_order_relaxed);
	/* acq_rel: either who opens c sees this, or this sees it open. */
	if (!(atomic_fetch_add_explicit(&c->seen, 1, memory_order_acq_rel) &
	      OPENING))
		decide(c, input);
}

static void fire(struct sooni_waiter *w, struct soon_future *input)
{
	struct combined *c =
		sooni_container_of(w, struct node, waiter)->combined;

	note(c, input);
	count_down(c, 1);
}

/* When it is done */

static bool cancels_inputs(const struct combined *c)
{
	return c->kind == ALL || c->kind == WITHIN;
}

/* Nothing of its own is to be done with it any more. */
static void done(struct soon_future *f)
{
	struct combined *c = combined_of(f);
	size_t gone = 0;
	size_t i;

	if (c->timed) {
		sooni_timer_stop(&c->timer);
		gone++;
	}
	for (i = 0; i < c->hung; i++)
		if (sooni_waiter_remove(c->nodes[i].input, &c->nodes[i].waiter))
			gone++;
	if (cancels_inputs(c) && sooni_state(f) & SOONI_CANCELLED)
		for (i = 0; i < c->n; i++)
			sooni_relay_cancel(c->nodes[i].input,
					   &c->nodes[i].room);
	count_down(c, gone);
}

static void release(struct soon_future *f)
{
	struct combined *c = combined_of(f);
	size_t i;

	for (i = 0; i < c->n; i++)
		soon_future_unref(c->nodes[i].input);
}

/* The time is over.  The reference is for the room, if somebody else cancels c. */
static void give_up(struct combined *c)
{
	struct soon_future *f = c->future;
	struct sooni_relay relay;

	soon_future_ref(f);
	sooni_relay_open(&relay);
	sooni_relay_cancel(c->nodes[0].input, &c->nodes[0].room);
	sooni_future_fail(f, ETIMEDOUT, NULL);
	sooni_relay_close(&relay);
	soon_future_unref(f);
}

/* On the clock's thread, or on that of a caller who gives no time. */
static void time_out(struct combined *c)
{
	unsigned generation = sooni_generation;
	struct sooni_telling telling;
	struct sooni_home *home;

	if (sooni_state(c->future) & SOONI_DONE ||
	    !sooni_future_begin_settling(c->future))
		return;
	/* As for who cancels the input, so also for who tells of the time. */
	home = sooni_future_visit(c->nodes[0].input);
	sooni_telling_push(&telling, home);
	give_up(c);
	sooni_telling_pop(&telling);
	/* In a child that a callback forked nothing of this is left. */
	if (home == NULL || generation != sooni_generation)
		return;
	sooni_timer_back();
	sooni_home_leave(home);
}

static void fire_timer(struct sooni_timer *timer)
{
	time_out(sooni_container_of(timer, struct combined, timer));
}

/* Making one */

/* The result of some is a future that is theirs to keep. */
static void keep(void *future)
{
	(void)future;
}

static struct combined *new_combined(enum kind kind, size_t n)
{
	struct combined *c;
	const size_t most = (SIZE_MAX / 2 - sizeof(*c)) / sizeof(c->nodes[0]);

	/* Nobody has an array of so many futures, and all were looked at before. */
	if (n > most)	     /* LCOV_EXCL_BR_LINE */
		return NULL; /* LCOV_EXCL_LINE */
	c = calloc(1, sizeof(*c) + n * sizeof(c->nodes[0]));
	if (c == NULL)
		return NULL;
	c->future = sooni_future_new(2 * SOONI_REF, SOONI_COMPOSED);
	if (c->future == NULL) {
		free(c);
		return NULL;
	}
	c->future->fn = NULL;
	c->future->arg = NULL;
	c->future->home = NULL;
	atomic_init(&c->future->side, &c->composed.side);
	if (kind == ANY || kind == SUCCESS)
		atomic_init(&c->composed.side.free_result, keep);
	c->composed.done = done;
	c->kind = kind;
	c->n = n;
	atomic_init(&c->left, n + 1);
	atomic_init(&c->seen, OPENING);
	atomic_init(&c->first, NULL);
	return c;
}

/* For never, so that all that can fail has not. */
static int start_timer(struct combined *c)
{
	int rc;

	c->timer.when = INT64_MAX;
	c->timer.fire = fire_timer;
	rc = sooni_timer_start(&c->timer);
	if (rc != 0)
		return rc;
	c->timed = true;
	atomic_fetch_add_explicit(&c->left, 1, memory_order_relaxed);
	return 0;
}

static void hold_inputs(struct combined *c, soon_future *const *inputs)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		struct node *node = &c->nodes[i];

		node->waiter.fire = fire;
		node->waiter.composed = true;
		node->combined = c;
		node->input = soon_future_ref(inputs[i]);
	}
	c->composed.release = release;
}

/* Until it is decided; those that do not hang then count as gone. */
static void hang(struct combined *c)
{
	size_t gone = 0;
	size_t i;

	for (i = 0; i < c->n; i++) {
		/* acquire: pairs with note(). */
		if (atomic_load_explicit(&c->first, memory_order_acquire) !=
		    NULL)
			break;
		if (!sooni_waiter_add(c->nodes[i].input, &c->nodes[i].waiter)) {
			gone++;
			note(c, c->nodes[i].input);
		}
	}
	c->hung = i;
	/* A success makes up for those behind it as well. */
	for (; c->kind == SUCCESS && i < c->n; i++)
		sooni_error(c->nodes[i].input);
	/* acq_rel: see note(). */
	atomic_fetch_and_explicit(&c->seen, ~OPENING, memory_order_acq_rel);
	decide(c, c->n > 0 ? c->nodes[c->n - 1].input : NULL);
	count_down(c, gone + (c->n - c->hung) + 1);
}

/* timeout: SOON_FOREVER but for some of WITHIN. */
static soon_future *combine(enum kind kind, soon_future *const *inputs,
			    size_t n, soon_nsec timeout)
{
	struct combined *c;
	struct soon_future *f;
	int rc = sooni_check_futures(inputs, n);

	if (rc != 0)
		goto failed;
	rc = ENOMEM;
	c = new_combined(kind, n);
	if (c == NULL)
		goto failed;
	f = c->future;
	if (timeout > 0 && timeout != SOON_FOREVER) {
		rc = start_timer(c);
		if (rc != 0)
			goto undo;
	}
	hold_inputs(c, inputs);
	if (kind == WITHIN || kind == SHIELD)
		c->composed.original = inputs[0];
	hang(c);
	if (c->timed)
		sooni_timer_hasten(&c->timer, sooni_deadline(timeout));
	else if (timeout <= 0)
		time_out(c);
	return f;
undo:
	sooni_future_discard(f);
failed:
	errno = rc;
	return NULL;
}

soon_future *soon_when_all(soon_future *const *inputs, size_t n)
{
	return combine(ALL, inputs, n, SOON_FOREVER);
}

static soon_future *combine_some(enum kind kind, soon_future *const *inputs,
				 size_t n)
{
	if (n > 0)
		return combine(kind, inputs, n, SOON_FOREVER);
	errno = EINVAL;
	return NULL;
}

soon_future *soon_when_any(soon_future *const *inputs, size_t n)
{
	return combine_some(ANY, inputs, n);
}

soon_future *soon_first_success(soon_future *const *inputs, size_t n)
{
	return combine_some(SUCCESS, inputs, n);
}

soon_future *soon_within(soon_future *f, soon_nsec timeout)
{
	return combine(WITHIN, &f, 1, timeout);
}

soon_future *soon_shield(soon_future *f)
{
	return combine(SHIELD, &f, 1, SOON_FOREVER);
}
