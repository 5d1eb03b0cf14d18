/*
 * watch.c - see watch.h.
 */
#include "watch.h"

#include "thread.h"
#include "waiter.h"

#include <stdlib.h>

/* The bits of word, beside SOONI_SLEEPERS. */
enum {
	CAME = 2, /* the first has come */
	ALL = 4,  /* all are done or removed; nobody else looks any more */
	AGAIN = 8 /* look again whether this can ever end */
};

/* In left: each that is done sets AGAIN. */
#define EACH (~(SIZE_MAX / 2))

struct node {
	struct sooni_waiter waiter;
	struct sooni_watch *watch;
	bool hung;
};

struct sooni_watch {
	_Atomic uint32_t word;
	_Atomic size_t left; /* neither done nor removed; 1 more while opening */
	_Atomic(soon_future *) first;
	enum soon_when when;
	soon_future *const *futures;
	size_t n;
	struct sooni_awaited awaited;
	struct node nodes[];
};

bool sooni_watch_ends(const soon_future *f, enum soon_when when)
{
	uint32_t s = sooni_state(f);

	return s & SOONI_DONE && (when == SOON_FIRST_COMPLETED ||
				  s & (SOONI_FAILED | SOONI_CANCELLED));
}

/* acq_rel, here and below: the future is done, for the thread that wakes. */
static void set(struct sooni_watch *w, uint32_t bit)
{
	sooni_wake(&w->word, atomic_fetch_or_explicit(&w->word, bit,
						      memory_order_acq_rel));
}

/* n are done or removed.  The last to say so frees w for its owner, and does
 * not touch it afterwards. */
static void count_down(struct sooni_watch *w, size_t n)
{
	/* relaxed: the compare-and-swap judges it. */
	size_t left = atomic_load_explicit(&w->left, memory_order_relaxed);

	do {
		if (sooni_unlikely(left & EACH))
			set(w, AGAIN);
	} while (!atomic_compare_exchange_weak_explicit(
		&w->left, &left, left - n, memory_order_acq_rel,
		memory_order_relaxed));
	if ((left & ~EACH) == n)
		set(w, ALL);
}

/* acq_rel: whoever counted down without seeing this had a future that is seen to
 * be done from now on. */
static void alert(struct sooni_awaited *a)
{
	struct sooni_watch *w =
		sooni_container_of(a, struct sooni_watch, awaited);

	atomic_fetch_or_explicit(&w->left, EACH, memory_order_acq_rel);
}

static void note(struct sooni_watch *w, soon_future *f)
{
	soon_future *none = NULL;

	if (sooni_watch_ends(f, w->when) &&
	    atomic_compare_exchange_strong_explicit(&w->first, &none, f,
						    memory_order_acq_rel,
						    memory_order_relaxed))
		set(w, CAME);
	count_down(w, 1);
}

static void fire(struct sooni_waiter *waiter, soon_future *f)
{
	note(sooni_container_of(waiter, struct node, waiter)->watch, f);
}

struct sooni_watch *sooni_watch_open(soon_future *const *futures, size_t n,
				     enum soon_when when)
{
	struct sooni_watch *w;
	const size_t most = (SIZE_MAX - sizeof(*w)) / sizeof(w->nodes[0]);
	size_t i;

	/* Nobody has an array of so many futures, and all were looked at before. */
	if (n > most)	     /* LCOV_EXCL_BR_LINE */
		return NULL; /* LCOV_EXCL_LINE */
	w = malloc(sizeof(*w) + n * sizeof(w->nodes[0]));
	if (w == NULL)
		return NULL;
	atomic_init(&w->word, 0);
	atomic_init(&w->left, n + 1);
	atomic_init(&w->first, NULL);
	w->when = when;
	w->futures = futures;
	w->n = n;
	for (i = 0; i < n; i++) {
		struct node *node = &w->nodes[i];

		node->watch = w;
		node->waiter.fire = fire;
		node->waiter.user = false;
		node->waiter.composed = false;
		node->hung = sooni_waiter_add(futures[i], &node->waiter);
		if (!node->hung)
			note(w, futures[i]);
	}
	count_down(w, 1);
	return w;
}

int sooni_watch_wait(struct sooni_watch *w, int64_t deadline)
{
	uint32_t news = CAME | ALL | AGAIN;
	int rc;

	w->awaited =
		(struct sooni_awaited){ .need = w->when == SOON_FIRST_COMPLETED
							? SOONI_NEED_ONE
							: SOONI_NEED_ERROR,
					.timed = deadline != SOON_FOREVER,
					.futures = w->futures,
					.n = w->n,
					.alert = alert };
	for (;;) {
		if (sooni_spin(&w->word, news, 0))
			rc = 0;
		else
			rc = sooni_wait_for(&w->awaited, &w->word, news, 0,
					    deadline);
		/* acquire: as in sooni_spin(). */
		if (rc != 0 ||
		    atomic_load_explicit(&w->word, memory_order_acquire) &
			    (CAME | ALL))
			return rc;
		/* acq_rel: who sets it from now on does so after the look that
		 * follows, or is seen by that. */
		atomic_fetch_and_explicit(&w->word, ~(uint32_t)AGAIN,
					  memory_order_acq_rel);
	}
}

soon_future *sooni_watch_first(struct sooni_watch *w)
{
	return atomic_load_explicit(&w->first, memory_order_acquire);
}

void sooni_watch_close(struct sooni_watch *w)
{
	size_t removed = 0;
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->nodes[i].hung &&
		    sooni_waiter_remove(w->futures[i], &w->nodes[i].waiter))
			removed++;
	if (removed > 0)
		count_down(w, removed);
	/* Those that could not be removed are being fired at this moment. */
	if (!sooni_spin(&w->word, ALL, 0))
		sooni_sleep(&w->word, ALL, 0, INT64_MAX);
	free(w);
}
