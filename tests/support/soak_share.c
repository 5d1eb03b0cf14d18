/*
 * soak_share.c - what the threads of the soak share; see soak.h.
 */
#include "soak.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

/* Who may end its thread: a job of a worker that nothing of the library's but the
 * job itself and waits stand below. */
static _Thread_local bool is_worker;
static _Thread_local unsigned forbidden;

bool soak_may_exit(void)
{
	return is_worker && forbidden == 0;
}

void soak_forbid_exit(void)
{
	forbidden++;
}

void soak_allow_exit(void)
{
	forbidden--;
}

int soak_worker_init(void *unused)
{
	(void)unused;
	SOAK_CLAIM(!is_worker);
	is_worker = true;
	atomic_fetch_add(&soak.inits, 1);
	return 0;
}

void soak_worker_fini(void *unused)
{
	(void)unused;
	SOAK_CLAIM(is_worker);
	is_worker = false;
	atomic_fetch_add(&soak.finis, 1);
}

/* The board */

enum { PLACES = 64 };

static pthread_mutex_t board_lock = PTHREAD_MUTEX_INITIALIZER;
static soon_future *board[PLACES];

void soak_board_put(soon_future *f, unsigned where)
{
	soon_future *old;

	pthread_mutex_lock(&board_lock);
	old = board[where % PLACES];
	board[where % PLACES] = f;
	pthread_mutex_unlock(&board_lock);
	soon_future_unref(old);
}

soon_future *soak_board_get(unsigned where)
{
	soon_future *f;

	pthread_mutex_lock(&board_lock);
	f = soon_future_ref(board[where % PLACES]);
	pthread_mutex_unlock(&board_lock);
	return f;
}

void soak_board_clear(void)
{
	for (unsigned i = 0; i < PLACES; i++)
		soak_board_put(NULL, i);
}

/* The keeper */

enum { ROOM = 16 };

static struct {
	struct actor actor;
	struct rng rng;
	pthread_mutex_t lock;
	pthread_cond_t came;
	soon_future *box[ROOM];
	size_t n;
	bool over;
} keeper = { .lock = PTHREAD_MUTEX_INITIALIZER,
	     .came = PTHREAD_COND_INITIALIZER };

static atomic_uint results_given, results_freed;

static void free_promised(void *result)
{
	SOAK_CLAIM(result == &results_given);
	atomic_fetch_add(&results_freed, 1);
}

/* In one of the ways there are. */
static void keep(soon_future *f, struct rng *r)
{
	int rc;

	if (rng_below(r, 3) == 0) {
		rc = soon_future_set_running(f);
		SOAK_CLAIM(rc == 0 || rc == ECANCELED);
	}
	if (rng_below(r, 4) == 0) {
		rc = soon_future_set_error(f, EPROTO, "%s", "not kept");
	} else {
		rc = soon_future_set_result(f, &results_given);
		atomic_fetch_add(&results_given, rc == 0);
	}
	SOAK_CLAIM(rc == 0 || rc == ECANCELED);
	SOAK_CLAIM(soon_future_set_result(f, NULL) ==
		   (rc == 0 ? EALREADY : ECANCELED));
	soon_future_unref(f);
}

/* The next promise; NULL at the end. */
static soon_future *next_promise(void)
{
	soon_future *f = NULL;

	pthread_mutex_lock(&keeper.lock);
	while (keeper.n == 0 && !keeper.over)
		pthread_cond_wait(&keeper.came, &keeper.lock);
	if (keeper.n > 0)
		f = keeper.box[--keeper.n];
	pthread_mutex_unlock(&keeper.lock);
	return f;
}

static void *keep_all(void *unused)
{
	soon_future *f;

	while ((f = next_promise()) != NULL)
		keep(f, &keeper.rng);
	return unused;
}

/* Hand it over; false if there are many already. */
static bool mail(soon_future *f)
{
	bool has_room;

	pthread_mutex_lock(&keeper.lock);
	has_room = keeper.n < ROOM;
	if (has_room)
		keeper.box[keeper.n++] = f;
	pthread_cond_signal(&keeper.came);
	pthread_mutex_unlock(&keeper.lock);
	return has_room;
}

void soak_keeper_start(uint64_t seed)
{
	keeper.rng = (struct rng){ .state = seed };
	keeper.over = false;
	actor_start(&keeper.actor, keep_all, NULL);
}

void soak_keeper_stop(void)
{
	pthread_mutex_lock(&keeper.lock);
	keeper.over = true;
	pthread_cond_signal(&keeper.came);
	pthread_mutex_unlock(&keeper.lock);
	actor_join(&keeper.actor);
}

soon_future *soak_promise(void)
{
	soon_future *f = soon_future_new(free_promised);
	struct rng r = rng_seed(0);

	SOAK_CLAIM(f != NULL);
	if (!mail(soon_future_ref(f)))
		keep(f, &r);
	return f;
}

void soak_audit_promises(void)
{
	while (atomic_load(&results_freed) < atomic_load(&results_given))
		sched_yield();
	SOAK_CLAIM(atomic_load(&results_freed) == atomic_load(&results_given));
}
