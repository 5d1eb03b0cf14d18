/*
 * cancel.c - asking a running job to stop, and the hooks by which it hears of
 * it: see doc/protocols.md.
 */
#include "job.h"
#include "os.h"
#include "tell.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>

/* A call to be made when the job is asked to stop; under the job's lock. */
struct hook {
	void (*call)(void *ctx);
	void *ctx;
	struct hook *older;
	const struct sooni_me *runner; /* the thread that is in the call */
	bool orphan; /* popped from inside the call: its runner frees it */
};

/* Of a job that has had hooks. */
struct sooni_cancel {
	pthread_mutex_t lock;
	struct hook *newest;
	struct hook *unasked;	/* the newest that nobody has called yet */
	_Atomic uint32_t ended; /* calls, by 2: bit 0 is SOONI_SLEEPERS */

	/* the job's thread's: what soon_cancel_fd() returns */
	int fds[2]; /* -1: not opened */
	struct hook fd_hook;

	/* theirs who has asked first: see sooni_future_ask_later() */
	struct soon_future *job;
	struct sooni_cancel *next;
};

/* f's, NULL: it has none; whoever asks has to look after it has asked. */
static struct sooni_cancel *cancel_of(const struct soon_future *f)
{
	struct sooni_side *side = sooni_side(f);

	/* acquire: pairs with the release in make_cancel(). */
	return side != NULL ? atomic_load_explicit(&side->cancel,
						   memory_order_acquire)
			    : NULL;
}

/* Only the thread that runs f comes here.  NULL without memory. */
static struct sooni_cancel *make_cancel(struct soon_future *f)
{
	struct sooni_side *side = sooni_future_side(f);
	struct sooni_cancel *c = cancel_of(f);

	if (side == NULL || c != NULL)
		return c;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	c->fds[0] = -1;
	/* release: *c.  Pairs with cancel_of(). */
	atomic_store_explicit(&side->cancel, c, memory_order_release);
	return c;
}

void sooni_cancel_free(struct sooni_cancel *c)
{
	if (c == NULL)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/*
 * Make the call, without the lock that is held before and after.  False: the hook
 * forked, and in this child all of it is left alone, and not locked.
 */
static bool run(struct sooni_cancel *c, struct hook *h)
{
	int old = sooni_uncancellable_begin();
	unsigned generation = sooni_generation;
	bool paused = sooni_relay_pause();

	h->runner = &sooni_me;
	pthread_mutex_unlock(&c->lock);
	h->call(h->ctx);
	sooni_relay_resume(paused);
	if (sooni_unlikely(generation != sooni_generation)) {
		sooni_uncancellable_end(old);
		return false;
	}
	pthread_mutex_lock(&c->lock);
	h->runner = NULL;
	if (h->orphan)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): no fd_hook. */
		free(h);
	/* relaxed: read and changed under the lock; wakes await_end(). */
	sooni_wake(&c->ended, atomic_fetch_add_explicit(&c->ended, 2,
							memory_order_relaxed));
	sooni_uncancellable_end(old);
	return true;
}

/* The caller was the first to ask. */
static void deliver(struct soon_future *f)
{
	struct sooni_cancel *c = cancel_of(f);
	struct sooni_telling telling;
	bool is_here = true;

	if (sooni_likely(c == NULL))
		return;
	/* A hook may give back what the caller holds f by. */
	soon_future_ref(f);
	sooni_before_user();
	sooni_telling_push(&telling, f->home);
	pthread_mutex_lock(&c->lock);
	while (c->unasked != NULL && is_here) {
		struct hook *h = c->unasked;

		c->unasked = h->older;
		is_here = run(c, h);
	}
	if (is_here)
		pthread_mutex_unlock(&c->lock);
	sooni_telling_pop(&telling);
	soon_future_unref(f);
}

static uint32_t ask(struct soon_future *f)
{
	/* acq_rel: what the canceller did before is visible to the job that
	 * sees the request; and pairs with push(). */
	uint32_t old = atomic_fetch_or_explicit(&f->state, SOONI_ASKED,
						memory_order_acq_rel);

	if (!(old & SOONI_DONE))
		sooni_wake(&f->state, old); /* it may be in soon_sleep() */
	return old;
}

uint32_t sooni_future_ask(struct soon_future *f)
{
	uint32_t old = ask(f);

	if (!(old & SOONI_ASKED))
		deliver(f);
	return old;
}

void sooni_future_ask_later(struct soon_future *f, struct sooni_cancel **later)
{
	struct sooni_cancel *c;

	if (ask(f) & SOONI_ASKED)
		return;
	c = cancel_of(f);
	if (c == NULL)
		return;
	c->job = soon_future_ref(f);
	c->next = *later;
	*later = c;
}

void sooni_cancel_deliver(struct sooni_cancel *later)
{
	unsigned generation = sooni_generation;

	/* In a child that a hook forked the jobs are no jobs any more. */
	while (later != NULL && generation == sooni_generation) {
		struct soon_future *f = later->job;

		later = later->next;
		deliver(f);
		soon_future_unref(f);
	}
}

/* On the thread that runs f. */
static void push(struct soon_future *f, struct sooni_cancel *c, struct hook *h)
{
	unsigned generation = sooni_generation;
	uint32_t s;

	h->runner = NULL;
	h->orphan = false;
	sooni_context_show();
	sooni_is_asked(f);
	if (generation != sooni_generation) /* an older hook forked */
		return;
	pthread_mutex_lock(&c->lock);
	/*
	 * Changes nothing, but comes before or after the request, which is a
	 * change of the same word.  acq_rel: pairs with ask(): if before, who
	 * asks finds *c.
	 */
	s = atomic_fetch_or_explicit(&f->state, 0, memory_order_acq_rel);
	h->older = c->newest;
	c->newest = h;
	if (!(s & SOONI_ASKED))
		c->unasked = h;
	else if (!run(c, h))
		return;
	pthread_mutex_unlock(&c->lock);
}

/* Wait, without the lock, until nobody is in the call. */
static void await_end(struct sooni_cancel *c, const struct hook *h)
{
	uint32_t by_two = ~SOONI_SLEEPERS;
	uint32_t now;

	while (h->runner != NULL) {
		/* relaxed: see run(). */
		now = atomic_load_explicit(&c->ended, memory_order_relaxed) &
		      by_two;
		pthread_mutex_unlock(&c->lock);
		sooni_wait(&c->ended, by_two, now, INT64_MAX);
		pthread_mutex_lock(&c->lock);
	}
}

/* Take *link off: under the lock, which is let go of while it waits. */
static void pop(struct sooni_cancel *c, struct hook **link)
{
	struct hook *h = *link;

	*link = h->older;
	if (c->unasked == h)
		c->unasked = h->older;
	if (h->runner == &sooni_me) {
		h->orphan = true;
		return;
	}
	await_end(c, h);
	if (h != &c->fd_hook)
		free(h);
}

void sooni_cancel_end(struct sooni_cancel *c)
{
	pthread_mutex_lock(&c->lock);
	while (c->newest != NULL)
		pop(c, &c->newest);
	pthread_mutex_unlock(&c->lock);
	if (c->fds[0] >= 0)
		sooni_event_close(c->fds);
	c->fds[0] = -1;
}

int soon_on_cancel(void (*hook)(void *ctx), void *ctx)
{
	struct soon_future *f = soon_self();
	struct sooni_cancel *c;
	struct hook *h;

	if (hook == NULL || f == NULL)
		return EINVAL;
	c = make_cancel(f);
	h = malloc(sizeof(*h));
	if (c == NULL || h == NULL) {
		free(h);
		return ENOMEM;
	}
	h->call = hook;
	h->ctx = ctx;
	push(f, c, h);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it is in the list. */
	return 0;
}

void soon_off_cancel(void)
{
	struct soon_future *f = soon_self();
	struct sooni_cancel *c = f != NULL ? cancel_of(f) : NULL;
	struct hook **link;

	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	link = &c->newest;
	if (*link == &c->fd_hook)
		link = &(*link)->older;
	if (*link != NULL)
		pop(c, link);
	pthread_mutex_unlock(&c->lock);
}

static void raise_event(void *fds)
{
	sooni_event_raise(fds);
}

int soon_cancel_fd(void)
{
	struct soon_future *f = soon_self();
	struct sooni_cancel *c = f != NULL ? make_cancel(f) : NULL;
	int rc;

	if (c == NULL) {
		errno = f != NULL ? ENOMEM : EINVAL;
		return -1;
	}
	if (c->fds[0] < 0) {
		rc = sooni_event_open(c->fds);
		if (rc != 0) {
			errno = rc;
			return -1;
		}
		c->fd_hook.call = raise_event;
		c->fd_hook.ctx = c->fds;
		push(f, c, &c->fd_hook);
	}
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): c is the future's. */
	return c->fds[0];
}
