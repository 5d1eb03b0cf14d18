/*
 * default.c - the process's own pool.
 */
#include "crew.h"
#include "pool.h"

#include <stdlib.h>

static _Atomic(soon_executor *) the_default;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static soon_executor *load_default(void)
{
	/* acquire: pairs with the release in soon_default_executor(). */
	return atomic_load_explicit(&the_default, memory_order_acquire);
}

/* What is queued or runs is finished, as Python does. */
static void finish(void)
{
	soon_executor *e = load_default();

	sooni_pool_drain(e);
	sooni_monitor_forget(e);
	sooni_timer_forget();
}

soon_executor *soon_default_executor(void)
{
	soon_executor *e = load_default();

	if (e != NULL)
		return e;
	pthread_mutex_lock(&lock);
	e = load_default();
	if (e == NULL) {
		e = soon_executor_open(NULL);
		if (e != NULL)
			atexit(finish);
		/* release: *e. */
		atomic_store_explicit(&the_default, e, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return e;
}

bool sooni_is_default(const struct soon_executor *e)
{
	return e == load_default();
}

void sooni_default_lock(void)
{
	pthread_mutex_lock(&lock);
}

void sooni_default_unlock(void)
{
	pthread_mutex_unlock(&lock);
}
