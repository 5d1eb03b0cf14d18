/*
 * unread.c - reporting failures that nobody has looked at.
 *
 * An executor with the option unread_error has a counted block that says whom to
 * tell.  A future of it that failed holds the block, since it may outlive the
 * executor; where it hung its waiters there is room for the pointer, so that a
 * failure needs no memory to be reported.
 */
#include "job.h"
#include "os.h"
#include "tell.h"
#include "thread.h"

#include <stdlib.h>

struct sooni_unread {
	_Atomic uint64_t holders; /* the executor, and futures */
	void (*call)(soon_future *f, void *ctx);
	void *ctx;
};

struct sooni_unread *sooni_unread_new(void (*call)(soon_future *f, void *ctx),
				      void *ctx)
{
	struct sooni_unread *u = malloc(sizeof(*u));

	if (u == NULL)
		return NULL;
	atomic_init(&u->holders, 1);
	u->call = call;
	u->ctx = ctx;
	return u;
}

void sooni_unread_drop(struct sooni_unread *u)
{
	/* acq_rel: what the others did with the block comes before its end.
	 * Pairs with itself. */
	if (u != NULL && atomic_fetch_sub_explicit(&u->holders, 1,
						   memory_order_acq_rel) == 1)
		free(u);
}

void sooni_unread_hold(struct soon_future *f)
{
	struct sooni_unread *u = f->home != NULL ? f->home->unread : NULL;

	if (u == NULL)
		return;
	/* relaxed: the executor, which exists, holds it too. */
	atomic_fetch_add_explicit(&u->holders, 1, memory_order_relaxed);
	f->unread = u;
}

void sooni_future_read(struct soon_future *f)
{
	/* relaxed, both: the reader holds f, and what it did comes before the
	 * end of f by the reference that it drops. */
	if (!(atomic_load_explicit(&f->marks, memory_order_relaxed) &
	      SOONI_READ))
		atomic_fetch_or_explicit(&f->marks, SOONI_READ,
					 memory_order_relaxed);
}

static void call(struct soon_future *f, struct sooni_unread *u)
{
	int old = sooni_uncancellable_begin();
	bool paused = sooni_relay_pause();

	sooni_before_user();
	u->call(f, u->ctx);
	sooni_relay_resume(paused);
	sooni_uncancellable_end(old);
}

/*
 * The hook may do to f what it likes, so that f gets a reference for the call,
 * if there is none left that the caller has not yet dropped.
 */
static void report(struct soon_future *f, struct sooni_unread *u)
{
	/* relaxed, both: nobody else has f. */
	if (sooni_refs(atomic_load_explicit(&f->state, memory_order_relaxed)) ==
	    0)
		atomic_fetch_add_explicit(&f->state, SOONI_REF,
					  memory_order_relaxed);
	call(f, u);
	sooni_unread_drop(u);
	soon_future_unref(f);
}

bool sooni_unread_report(struct soon_future *f)
{
	struct sooni_unread *u = f->unread;
	uint32_t marks = atomic_load_explicit(&f->marks, memory_order_relaxed);

	if (u == NULL)
		return false;
	f->unread = NULL;
	if (marks & SOONI_READ) {
		sooni_unread_drop(u);
		return false;
	}
	report(f, u);
	return true;
}

/*
 * A job that was written off has a reference until it returns, which may be never:
 * so its failure is reported before the last other one goes.  f still holds the
 * block, and gives it back when it ends.
 */
void sooni_unread_report_held(struct soon_future *f)
{
	struct sooni_unread *u = f->unread;

	/* relaxed: of several, one gets the mark. */
	if (u != NULL && !(atomic_fetch_or_explicit(&f->marks, SOONI_READ,
						    memory_order_relaxed) &
			   SOONI_READ))
		call(f, u);
}
