/*
 * set_fd.c - a set's descriptor, readable while next() would not block: see
 * set.h and doc/protocols.md.
 */
#include "set.h"

#include <errno.h>

/* Make it readable, or not; under fd_lock. */
static void show(struct soon_completions *set, bool readable)
{
	if (readable == set->fd_readable)
		return;
	set->fd_readable = readable;
	if (readable)
		sooni_event_raise(set->fds);
	else
		sooni_event_clear(set->fds);
}

void sooni_set_fd_raise(struct soon_completions *set)
{
	pthread_mutex_lock(&set->fd_lock);
	/* relaxed: the caller's own push, or what came after; whoever took it
	 * comes to this lock, too, and has the last word. */
	if (atomic_load_explicit(&set->ready, memory_order_relaxed) != NULL)
		show(set, true);
	pthread_mutex_unlock(&set->fd_lock);
}

static bool next_would_block(struct soon_completions *set)
{
	return !set->lost && soon_completions_left(set) > 0 &&
	       set->given_next == set->given_end && set->first == NULL &&
	       /* seq_cst: see open_fd(). */
	       atomic_load_explicit(&set->ready, memory_order_seq_cst) == NULL;
}

void sooni_set_fd_update(struct soon_completions *set)
{
	pthread_mutex_lock(&set->fd_lock);
	show(set, !next_would_block(set));
	pthread_mutex_unlock(&set->fd_lock);
}

/* 0 or errno's code; under lock. */
static int open_fd(struct soon_completions *set)
{
	int rc = sooni_event_open(set->fds);

	if (rc != 0)
		return rc;
	/* seq_cst, and so is the look at `ready` that follows: whoever pushed
	 * on an empty stack and did not see this has its push seen there.
	 * Pairs with fire(), which learns of *fds by it, too. */
	atomic_exchange_explicit(&set->has_fd, true, memory_order_seq_cst);
	return 0;
}

int soon_completions_fd(soon_completions *set)
{
	int rc;
	int fd;

	errno = EINVAL;
	if (set == NULL)
		return -1;
	rc = sooni_set_enter(set);
	if (rc == 0) {
		if (!sooni_set_has_fd(set))
			rc = open_fd(set);
		sooni_set_unlock(set);
		fd = set->fds[0];
	}
	if (rc == 0)
		return fd;
	errno = rc;
	return -1;
}

void sooni_set_fd_close(struct soon_completions *set)
{
	if (sooni_set_has_fd(set))
		sooni_event_close(set->fds);
	pthread_mutex_destroy(&set->fd_lock);
}

/*
 * What the descriptor refers to is the parent's too, so the child gives its own
 * to the same number.  If it cannot, the number is closed.
 */
void sooni_set_fd_after_fork(struct soon_completions *set)
{
	pthread_mutex_init(&set->fd_lock, NULL);
	if (!sooni_set_has_fd(set))
		return;
	set->fd_readable = false;
	if (sooni_event_renew(set->fds) != 0)
		/* relaxed: nobody else is there. */
		atomic_exchange_explicit(&set->has_fd, false,
					 memory_order_relaxed);
}
