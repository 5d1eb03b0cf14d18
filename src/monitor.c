/*
 * monitor.c - finding jobs that are blocked without having said so.
 *
 * A timer, started while there are such pools, looks at those in which jobs are
 * queued while as many run as may.  At each look it asks for every worker that
 * holds a place whether it has finished a job or used the CPU since the last
 * look, and if neither, whether its thread is asleep.  Then the job is blocked:
 * the worker's place is taken from it and given to another.
 *
 * A worker that went through several jobs, used hardly any CPU and was asleep at two
 * looks is as good as blocked, though it keeps its place; at one look it may have been
 * waiting for a lock.
 *
 * The limit on running workers is raised so that, where hardly any job computes,
 * three times as many jobs as are blocked may be under way: so their number triples
 * until jobs are no longer found blocked, and hundreds of blocking jobs have their
 * threads after six looks.  It stays up until a worker finds no job, or more workers
 * are found computing than should.  Threads that compute are never taken for blocked.
 */
#include "pool.h"
#include "timer.h"

enum {
	SHORTEST_NSEC = 100 * 1000, /* between looks that find something */
	LONGEST_NSEC = 10 * 1000 * 1000,
	COST = 20,     /* between looks, in lengths of the last one */
	GROWTH = 3,    /* jobs under way, for each that is blocked */
	CPU_SHARE = 4, /* a blocked one used less than 1/4 of the time */
	AT_A_TIME_NSEC = 1000 * 1000 /* before other timers have their turn */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock. */
static struct soon_executor *watched;
static bool armed; /* the timer is started, or about to look */
static int64_t interval;
static bool is_half_way; /* through a round of looks */
static int64_t began;	 /* that round, or the last one */
static int64_t spent;	 /* with looking, in this round */
static bool has_grown;	 /* a pool, in this round */

/* What a worker was seen to do since the last look. */
enum sight {
	UNKNOWN,
	COMPUTING,
	BLOCKING, /* in one job after the other */
	BLOCKED	  /* in one job all the time */
};

static uint32_t place_of(struct sooni_worker *w)
{
	/* relaxed: take() makes sure. */
	return atomic_load_explicit(&w->place, memory_order_relaxed);
}

/* relaxed: guesses, which harm nobody if they are wrong. */
static uint32_t jobs_of(struct sooni_worker *w)
{
	return atomic_load_explicit(&w->jobs, memory_order_relaxed);
}

static enum sight judge(struct sooni_worker *w, int64_t elapsed)
{
	uint32_t jobs = jobs_of(w);
	int32_t id = atomic_load_explicit(&w->thread_id, memory_order_relaxed);
	int64_t cpu = sooni_thread_cpu_time(id);
	int64_t used = cpu - w->cpu_seen;
	bool is_new = w->cpu_seen < 0;
	bool same_job = is_new || jobs == w->jobs_seen;
	bool slept = w->slept;

	w->jobs_seen = jobs;
	w->cpu_seen = cpu;
	w->slept = false;
	if (!is_new && used > elapsed / 2)
		return COMPUTING;
	/* One of many that share the CPUs uses little, but is not asleep. */
	if (!sooni_thread_asleep(id))
		return is_new ? UNKNOWN : COMPUTING;
	if (!is_new && used > elapsed / CPU_SHARE)
		return UNKNOWN;
	/* It may have ended its job, and gone idle, just before that. */
	if (place_of(w) != SOONI_PLACE_HELD || jobs_of(w) != jobs)
		return UNKNOWN;
	w->slept = true;
	if (same_job)
		return BLOCKED;
	return slept ? BLOCKING : UNKNOWN;
}

static bool take(struct sooni_worker *w)
{
	uint32_t held = SOONI_PLACE_HELD;

	/* acq_rel: pairs with sooni_regain_place() in idle.c: one of them finds
	 * what the other did. */
	if (!atomic_compare_exchange_strong_explicit(
		    &w->place, &held, SOONI_PLACE_TAKEN, memory_order_acq_rel,
		    memory_order_relaxed))
		return false;
	sooni_park_block(&w->executor->park, true);
	return true;
}

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* What a look at all workers of a pool came to. */
struct view {
	uint32_t taken;	   /* blocked, and their places given away */
	uint32_t blocking; /* blocked, but with a place */
	uint32_t computing;
};

/* A look at each costs ten microseconds, so it ends when as many as `enough` are
 * found blocked. */
static struct view view_workers(struct soon_executor *e, int64_t elapsed,
				uint32_t enough)
{
	struct view v = { 0, 0, 0 };
	uint32_t n = sooni_park_count(&e->park);
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct sooni_worker *w = sooni_worker_at(e, i);
		enum sight sight = UNKNOWN;

		if (v.taken + v.blocking >= enough)
			w->cpu_seen = -1; /* next time: not known */
		else if (place_of(w) == SOONI_PLACE_HELD)
			sight = judge(w, elapsed);
		v.computing += sight == COMPUTING;
		/* Not if its job ends just now. */
		if (sight == BLOCKED && !take(w)) /* LCOV_EXCL_BR_LINE */
			sight = UNKNOWN;	  /* LCOV_EXCL_LINE */
		v.blocking += sight == BLOCKING;
		v.taken += place_of(w) == SOONI_PLACE_TAKEN;
	}
	return v;
}

/* Whether blocking is what the jobs do.  One that computes may be asleep for a
 * moment, too, and then is given one thread in its stead, no more. */
static bool is_blocking(const struct view *v)
{
	uint32_t blocked = v->taken + v->blocking;

	return blocked > 1 && 4 * v->computing <= blocked;
}

/* How many more than `workers` may run, of `most` such, after this view. */
static uint32_t extra_after(struct soon_executor *e, const struct view *v,
			    uint32_t extra, uint32_t most)
{
	uint32_t workers = e->options.workers;
	uint32_t wanted = is_blocking(v) ? GROWTH * (v->taken + v->blocking)
					 : v->taken + 2 * v->blocking;

	if (extra < wanted)
		extra = min(wanted, most);
	if (v->computing > workers)
		extra -= min(extra, v->computing - workers);
	return extra;
}

/* Whether notably more may run than ever since the watch began. */
static bool has_grown_to(struct soon_executor *e, uint32_t extra)
{
	bool grown = extra > e->peak + e->peak / 4;

	if (grown)
		e->peak = extra;
	return grown;
}

/* Whether e grows. */
static bool look(struct soon_executor *e)
{
	int64_t now = sooni_now();
	uint32_t workers = e->options.workers;
	uint32_t most = e->options.max_workers - workers;
	uint32_t extra = sooni_park_limit(&e->park) - workers;
	struct view v =
		view_workers(e, now - e->looked,
			     extra < most ? most / GROWTH + 1 : UINT32_MAX);
	uint32_t more =
		(v.taken + v.blocking) * (is_blocking(&v) ? GROWTH - 1 : 1);
	uint32_t i;

	e->looked = now;
	spent += sooni_now() - now;
	extra = extra_after(e, &v, extra, most);
	sooni_park_set_limit(&e->park, workers + extra);
	for (i = 0; i < more && sooni_pool_has_work(e); i++)
		sooni_pool_call(e, SOONI_ONE_MORE);
	/* relaxed: a call that fails sets it again. */
	if (atomic_exchange_explicit(&e->is_short, false,
				     memory_order_relaxed) &&
	    sooni_pool_has_work(e))
		sooni_pool_call(e, SOONI_ANYBODY);
	return has_grown_to(e, extra);
}

/* relaxed: a hint, which is given before the watch begins. */
static bool is_short(struct soon_executor *e)
{
	return atomic_load_explicit(&e->is_short, memory_order_relaxed);
}

/* Whether e has jobs that wait for a place, and could have more, or too many. */
static bool needs_watch(struct soon_executor *e)
{
	return (sooni_park_limit(&e->park) > e->options.workers ||
		sooni_park_could_grow(&e->park) || is_short(e)) &&
	       sooni_pool_has_work(e);
}

/* e is looked at no more.  False: it must be, after all. */
static bool let_go(struct soon_executor *e)
{
	if (needs_watch(e))
		return false;
	/* seq_cst: pairs with the one in sooni_monitor_watch(): a call that
	 * comes too early is made up for here. */
	atomic_store_explicit(&e->watched, false, memory_order_seq_cst);
	/* Otherwise a job has come just in between.  LCOV_EXCL_START */
	return !needs_watch(e) ||
	       atomic_exchange_explicit(&e->watched, true,
					memory_order_seq_cst);
	/* LCOV_EXCL_STOP */
}

/* Look at all that this round has not looked at yet; those that need no more
 * looks are let go.  False: it takes long, and the rest comes presently. */
static bool look_at_all(void)
{
	struct soon_executor **link = &watched;
	int64_t end = spent + AT_A_TIME_NSEC;

	while (*link != NULL) {
		struct soon_executor *e = *link;

		if (e->looked >= began) {
			link = &e->next_watched;
			continue;
		}
		if (spent > end)
			return false;
		has_grown |= look(e);
		if (let_go(e)) {
			*link = e->next_watched;
			sooni_park_set_limit(&e->park, e->options.workers);
		} else {
			link = &e->next_watched;
		}
	}
	return true;
}

/* Until the next look: short while pools grow, which ends soon; else ever longer,
 * and in proportion to what a look costs. */
static int64_t next_interval(int64_t last, bool grown)
{
	int64_t next = last == 0 ? SHORTEST_NSEC : 2 * last;
	int64_t least = COST * spent;

	if (grown)
		return SHORTEST_NSEC;
	if (next > LONGEST_NSEC)
		next = LONGEST_NSEC;
	return next > least ? next : least;
}

static void fire(struct sooni_timer *t)
{
	pthread_mutex_lock(&lock);
	if (!is_half_way) {
		began = sooni_now();
		spent = 0;
		has_grown = false;
	}
	is_half_way = !look_at_all();
	if (!is_half_way)
		interval = next_interval(interval, has_grown);
	armed = watched != NULL;
	t->when = is_half_way ? sooni_now() : sooni_deadline(interval);
	if (armed)
		sooni_timer_start(t); /* in its fire(), so it cannot fail */
	pthread_mutex_unlock(&lock);
}

static struct sooni_timer timer = { .fire = fire };

/* Under lock: have a look at all presently.  Without a thread, pools grow by
 * hints only, until the next call tries again. */
static void arm(void)
{
	interval = 0;
	if (armed) {
		sooni_timer_hasten(&timer, 0);
		return;
	}
	timer.when = 0;
	armed = watched != NULL && sooni_timer_start(&timer) == 0;
	for (; !armed && watched != NULL; watched = watched->next_watched)
		/* seq_cst: see let_go(). */
		atomic_store_explicit(&watched->watched, false,
				      memory_order_seq_cst);
}

void sooni_monitor_watch(struct soon_executor *e)
{
	/* seq_cst, both: pairs with let_go(). */
	if (sooni_likely(!sooni_park_could_grow(&e->park) && !is_short(e)) ||
	    atomic_load_explicit(&e->watched, memory_order_seq_cst) ||
	    atomic_exchange_explicit(&e->watched, true, memory_order_seq_cst))
		return;
	pthread_mutex_lock(&lock);
	e->looked = sooni_now();
	e->peak = 0;
	e->next_watched = watched;
	watched = e;
	arm();
	pthread_mutex_unlock(&lock);
}

void sooni_monitor_forget(struct soon_executor *e)
{
	struct soon_executor **link = &watched;

	pthread_mutex_lock(&lock);
	while (*link != NULL && *link != e)
		link = &(*link)->next_watched;
	if (*link != NULL)
		*link = e->next_watched;
	if (watched == NULL && armed) {
		bool stopped;

		pthread_mutex_unlock(&lock); /* for fire() */
		stopped = sooni_timer_stop(&timer);
		pthread_mutex_lock(&lock);
		if (stopped) {
			armed = false;
			arm(); /* for those that came meanwhile */
		}
	}
	pthread_mutex_unlock(&lock);
}

void sooni_monitor_after_fork(void)
{
	pthread_mutex_init(&lock, NULL);
	watched = NULL;
	armed = false;
	is_half_way = false;
}
