/*
 * naive - the pool that people write themselves: a list under one mutex, a
 * condition variable, a fixed number of threads.
 */
#include "../future.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t nonempty;
	struct future *first;
	struct future **end;
	pthread_t *threads;
	int workers;
	int closing;
} pool;

/* NULL once the pool closes and nothing is left. */
static struct future *next_job(void)
{
	struct future *f;

	pthread_mutex_lock(&pool.lock);
	while (pool.first == NULL && !pool.closing)
		pthread_cond_wait(&pool.nonempty, &pool.lock);
	f = pool.first;
	if (f != NULL) {
		pool.first = f->next;
		if (pool.first == NULL)
			pool.end = &pool.first;
	}
	pthread_mutex_unlock(&pool.lock);
	return f;
}

static void *worker(void *unused)
{
	struct future *f;

	(void)unused;
	while ((f = next_job()) != NULL)
		future_run(f);
	return NULL;
}

static void pool_open(int workers)
{
	pthread_mutex_init(&pool.lock, NULL);
	pthread_cond_init(&pool.nonempty, NULL);
	pool.first = NULL;
	pool.end = &pool.first;
	pool.closing = 0;
	pool.workers = workers;
	pool.threads = NEW_ARRAY(pthread_t, workers);
	for (int i = 0; i < workers; i++)
		if (pthread_create(&pool.threads[i], NULL, worker, NULL) != 0)
			abort();
}

static void pool_close(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.closing = 1;
	pthread_cond_broadcast(&pool.nonempty);
	pthread_mutex_unlock(&pool.lock);
	for (int i = 0; i < pool.workers; i++)
		pthread_join(pool.threads[i], NULL);
	FREE_ARRAY(pool.threads);
}

static void spawn(group *g, handle *h, job_fn *fn, void *arg)
{
	struct future *f = future_new(fn, arg);

	(void)g;
	*h = f;
	pthread_mutex_lock(&pool.lock);
	*pool.end = f;
	pool.end = &f->next;
	pthread_cond_signal(&pool.nonempty);
	pthread_mutex_unlock(&pool.lock);
}

#include "../workloads.h"
