/*
 * door.c - see door.h.
 */
#include "door.h"

#include "pool.h"

#include <pthread.h>
#include <stdlib.h>

struct sooni_door {
	_Atomic size_t holders;
	pthread_mutex_t lock;
	struct soon_executor *executor; /* under lock; NULL: closed */
	int reason;			/* under lock; why */
};

struct sooni_door *sooni_door_new(struct soon_executor *e)
{
	struct sooni_door *d = malloc(sizeof(*d));

	if (d == NULL)
		return NULL;
	atomic_init(&d->holders, 1);
	pthread_mutex_init(&d->lock, NULL);
	d->executor = e;
	d->reason = 0;
	return d;
}

void sooni_door_hold(struct sooni_door *d)
{
	/* relaxed: the caller reaches it by who holds it already. */
	atomic_fetch_add_explicit(&d->holders, 1, memory_order_relaxed);
}

void sooni_door_drop(struct sooni_door *d)
{
	/* acq_rel: what the others did with it comes before its end.  Pairs
	 * with itself. */
	if (atomic_fetch_sub_explicit(&d->holders, 1, memory_order_acq_rel) > 1)
		return;
	pthread_mutex_destroy(&d->lock);
	free(d);
}

int sooni_door_enter(struct sooni_door *d, struct soon_executor **e)
{
	int rc;

	pthread_mutex_lock(&d->lock);
	*e = d->executor;
	rc = d->reason;
	/* relaxed: under the lock, which comes before the pool's end. */
	if (*e != NULL)
		atomic_fetch_add_explicit(&(*e)->home.guests, 2,
					  memory_order_relaxed);
	pthread_mutex_unlock(&d->lock);
	return rc;
}

void sooni_door_close(struct sooni_door *d, int reason)
{
	pthread_mutex_lock(&d->lock);
	if (d->executor != NULL) {
		d->executor = NULL;
		d->reason = reason;
	}
	pthread_mutex_unlock(&d->lock);
}

void sooni_door_after_fork(struct sooni_door *d)
{
	pthread_mutex_init(&d->lock, NULL);
}
