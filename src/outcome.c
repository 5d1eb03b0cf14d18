/*
 * outcome.c - reading what became of a future.
 */
#include "error.h"
#include "job.h"
#include "tell.h"

#include <errno.h>

static enum soon_state state_of(uint32_t s)
{
	if (!(s & SOONI_DONE))
		return s & SOONI_RUNNING ? SOON_RUNNING : SOON_PENDING;
	if (s & SOONI_CANCELLED)
		return SOON_CANCELLED;
	return s & SOONI_FAILED ? SOON_FAILED : SOON_SUCCEEDED;
}

enum soon_state soon_future_state(const soon_future *f)
{
	return f != NULL ? state_of(sooni_state(f)) : SOON_FAILED;
}

bool soon_future_done(const soon_future *f)
{
	return f == NULL || sooni_state(f) & SOONI_DONE;
}

bool soon_future_cancel_requested(const soon_future *f)
{
	return f != NULL && sooni_state(f) & SOONI_ASKED;
}

void *soon_future_arg(const soon_future *f)
{
	if (f == NULL)
		return NULL;
	return sooni_is_marked(f, SOONI_COMPOSED) ? sooni_composed(f)->arg
						  : f->arg;
}

int soon_future_error(soon_future *f)
{
	if (f == NULL)
		return EINVAL;
	switch (soon_future_state(f)) {
	case SOON_SUCCEEDED:
		return 0;
	case SOON_FAILED:
		sooni_future_read(f);
		return (int)(intptr_t)f->result;
	case SOON_CANCELLED:
		return ECANCELED;
	default:
		return EBUSY;
	}
}

const char *soon_future_message(soon_future *f)
{
	struct sooni_side *side;
	const char *text;

	switch (soon_future_state(f)) {
	case SOON_FAILED:
		if (f != NULL)
			sooni_future_read(f);
		side = f != NULL ? sooni_side(f) : NULL;
		if (side != NULL && side->message != NULL)
			return side->message;
		text = sooni_error_text(soon_future_error(f));
		return text != NULL ? text : "Unknown error";
	case SOON_CANCELLED:
		text = sooni_error_text(ECANCELED);
		return text != NULL ? text : "Cancelled";
	default:
		return "";
	}
}

void *soon_future_take(soon_future *f)
{
	if (f == NULL || soon_future_state(f) != SOON_SUCCEEDED)
		return NULL;
	f = sooni_original(f);
	/* acq_rel: of several takers one has the result, and what it does with
	 * it comes after what the others did. */
	if (atomic_fetch_or_explicit(&f->marks, SOONI_TAKEN,
				     memory_order_acq_rel) &
	    SOONI_TAKEN)
		return NULL;
	return f->result;
}

int soon_future_own(soon_future *f, void (*free_result)(void *))
{
	void (*none)(void *) = NULL;
	struct sooni_side *side;

	if (f == NULL || free_result == NULL)
		return EINVAL;
	side = sooni_future_side(sooni_original(f));
	if (side == NULL)
		return ENOMEM;
	/* relaxed: only the last reference's end reads it. */
	return atomic_compare_exchange_strong_explicit(&side->free_result,
						       &none, free_result,
						       memory_order_relaxed,
						       memory_order_relaxed)
		       ? 0
		       : EALREADY;
}
