/*
 * race.c - programs of several threads, which share futures and executor.
 *
 * What a future was before a call and is after it says what the call may have
 * returned.  Nothing is held for long, so every job ends by itself.
 */
#include "race.h"

#include <errno.h>
#include <string.h>

struct race race;

/* What is shared */

soon_future *race_slot(struct input *in)
{
	unsigned i = pick(in, SHARED);
	soon_future *f;

	pthread_mutex_lock(&race.lock);
	f = soon_future_ref(race.slot[i]);
	pthread_mutex_unlock(&race.lock);
	return f;
}

void race_keep(struct input *in, soon_future *f)
{
	unsigned i = pick(in, SHARED);
	soon_future *old;

	CLAIM(f != NULL);
	pthread_mutex_lock(&race.lock);
	old = race.slot[i];
	race.slot[i] = f;
	pthread_mutex_unlock(&race.lock);
	soon_future_unref(old);
}

soon_nsec race_time(struct input *in)
{
	return (soon_nsec)pick(in, 8) * 20 * SOON_USEC;
}

/* Jobs */

struct task *race_task(struct input *in)
{
	struct task *t = task_new();
	unsigned how = pick(in, 256);

	if (t == NULL)
		return NULL;
	t->ending = (enum ending)(how % 4);
	t->owns_arg = (how & 4) != 0;
	t->owned = true;
	t->hooked = (how & 8) != 0;
	t->may_child = true;
	t->deed = (enum deed)(how / 16 % (2 * DEEDS));
	return t;
}

/* A job with limits, some of them too narrow.  One that is written off may outlive
 * its executor, so it has no child; and it owns its argument, since nothing else
 * tells that it has returned. */
static soon_job limited(struct input *in, struct task *t)
{
	bool narrow = rarely(in, 4) && t->deed < HAS_CHILD;
	soon_job job;

	t->owns_arg = t->owns_arg || narrow;
	job = task_job(t);
	if (narrow)
		job.run_within = 1 + race_time(in);
	job.priority = (int)pick(in, 3) - 1;
	if (rarely(in, 4))
		job.delay = race_time(in);
	if (rarely(in, 4))
		job.start_within = job.delay + 1 + race_time(in);
	return job;
}

static bool refused(int code)
{
	return code == ESHUTDOWN || code == EAGAIN || code == EINVAL;
}

/* The account is open before anybody can see the job. */
static void submit(struct input *in)
{
	struct task *t = race_task(in);
	soon_future *f;
	soon_job job;

	if (t == NULL)
		return;
	job = limited(in, t);
	atomic_store(&t->accepted, true);
	f = soon_submit_job(race.executor, &job);
	if (f != NULL) {
		race_keep(in, f);
		return;
	}
	CLAIM(refused(errno) && errno != EINVAL);
	atomic_store(&t->accepted, false);
}

static void execute(struct input *in)
{
	struct task *t = race_task(in);
	int code;

	if (t == NULL)
		return;
	t->owned = t->owns_arg = false;
	atomic_store(&t->accepted, true);
	code = soon_execute(race.executor, task_run, t);
	CLAIM(code == 0 || refused(code));
	atomic_store(&t->accepted, code == 0);
}

/* One future */

static void cancel(struct input *in)
{
	soon_future *f = race_slot(in);
	enum soon_state before = soon_future_state(f), after;
	int code = soon_future_cancel(f);

	after = soon_future_state(f);
	if (f == NULL)
		CLAIM(code == EINVAL);
	else if (code == 0)
		CLAIM(after == SOON_CANCELLED &&
		      (before == SOON_PENDING || before == after));
	else if (code == EBUSY)
		CLAIM(before <= SOON_RUNNING && after != SOON_PENDING &&
		      after != SOON_CANCELLED &&
		      soon_future_cancel_requested(f));
	else
		CLAIM(code == EALREADY &&
		      (after == SOON_SUCCEEDED || after == SOON_FAILED));
	soon_future_unref(f);
}

static void read(struct input *in)
{
	soon_future *f = race_slot(in);
	bool was_done = soon_future_done(f);
	void *result = &race;
	int code;

	code = soon_future_result(f, race_time(in), &result);
	if (f == NULL)
		CLAIM(code == EINVAL);
	else if (code == ETIMEDOUT && !soon_future_done(f))
		CLAIM(!was_done && result == NULL);
	else if (soon_future_done(f) && (code != ETIMEDOUT || was_done))
		CLAIM(code == soon_future_error(f));
	CLAIM(code == 0 || result == NULL);
	CLAIM(soon_future_message(f) != NULL);
	if (rarely(in, 4))
		task_took(soon_future_take(f));
	soon_future_unref(f);
}

static void call_back(struct input *in)
{
	soon_future *f = race_slot(in);

	if (f != NULL)
		call_on_done(f, NULL);
	soon_future_unref(f);
}

static void promise(struct input *in)
{
	soon_future *f;
	unsigned i = atomic_fetch_add(&race.promised, 1);

	if (i >= PROMISES)
		return;
	f = soon_future_new(task_free_result);
	race.promise[i] = soon_future_ref(f);
	race_keep(in, f);
}

static void complete(struct input *in)
{
	soon_future *f = race_slot(in);
	struct task *t = task_new();
	int code = EINVAL;

	if (f != NULL && t != NULL) {
		atomic_store(&t->owned, true);
		atomic_store(&t->promised, true);
		code = soon_future_set_result(f, task_result(t));
		CLAIM(code == 0 || code == EINVAL || code == EALREADY ||
		      code == ECANCELED);
		CLAIM(code == EINVAL || soon_future_done(f));
	}
	if (t != NULL && code != 0)
		atomic_store(&t->promised, false);
	if (rarely(in, 2))
		soon_future_set_running(f);
	soon_future_unref(f);
}

static void shut_down(struct input *in)
{
	unsigned flags = pick(in, 16);
	int code = flags < 4 ? soon_executor_shutdown(race.executor, flags, 0)
			     : 0;

	CLAIM(code == 0 || code == EINPROGRESS);
}

static void look(struct input *in)
{
	soon_stats s = SOON_STATS_INIT;

	CLAIM(soon_executor_stats(race.executor, &s) == 0);
	CLAIM(s.submitted >= s.succeeded + s.failed + s.cancelled);
	CLAIM(s.expired <= s.failed);
	CLAIM(s.threads == s.running + s.blocked + s.idle);
	fuzz_look(in, race.executor);
}

static void bad(struct input *in)
{
	fuzz_bad(in, race.executor);
}

/* The program */

static void *drive(void *input)
{
	static void (*const actions[])(struct input *) = {
		submit,	    submit,	  submit,	execute,   cancel,
		cancel,	    read,	  read,		call_back, promise,
		complete,   shut_down,	  look,		bad,	   race_many,
		race_map,   race_imap,	  race_wait,	race_wait, race_gather,
		race_set,   race_combine, race_combine, race_then, race_within,
		race_group,
	};
	struct input *in = input;

	while (in->left > 0)
		actions[pick(in, COUNT_OF(actions))](in);
	return NULL;
}

static void complete_promises(void)
{
	for (unsigned i = 0; i < PROMISES; i++) {
		soon_future *f = race.promise[i];

		race.promise[i] = NULL;
		/* A limit of time may come first. */
		if (f != NULL && soon_future_set_error(f, EPROTO, NULL) != 0)
			CLAIM(soon_future_done(f));
		soon_future_unref(f);
	}
}

static void end_pool(void)
{
	fuzz_end_pool(race.executor);
	atomic_store(&fuzz_pool, NULL);
}

static void open_race(struct input *in)
{
	soon_executor_options o = fuzz_options(in, false);

	memset(&race, 0, sizeof(race));
	pthread_mutex_init(&race.lock, NULL);
	race.executor = soon_executor_open(&o);
	CLAIM(race.executor != NULL);
	race.bounded = o.max_pending > 0;
	atomic_store(&fuzz_pool, race.executor);
}

void fuzz_race(struct input *in, unsigned threads)
{
	pthread_t thread[MOST_DRIVERS];
	struct input part[MOST_DRIVERS];
	bool late = rarely(in, 2);

	open_race(in);
	for (unsigned i = 0; i < threads; i++) {
		part[i].left = in->left / (threads - i);
		part[i].at = in->at;
		in->at += part[i].left;
		in->left -= part[i].left;
		CLAIM(pthread_create(&thread[i], NULL, drive, &part[i]) == 0);
	}
	for (unsigned i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	if (late)
		end_pool();
	complete_promises();
	if (!late)
		end_pool();
	for (unsigned i = 0; i < SHARED; i++)
		soon_future_unref(race.slot[i]);
	pthread_mutex_destroy(&race.lock);
}
