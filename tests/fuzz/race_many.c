/*
 * race_many.c - calls on many futures and jobs, which race; see race.c.
 */
#include "race.h"

#include <errno.h>

/* Jobs alike, in *job but for the arguments; how many. */
static unsigned alike(struct input *in, struct task **t, void **args,
		      soon_job *job)
{
	unsigned n = pick(in, MOST_ALIKE + 1);

	for (unsigned i = 0; i < n; i++) {
		t[i] = race_task(in);
		if (t[i] == NULL) {
			n = i;
			break;
		}
		t[i]->owns_arg = t[0]->owns_arg;
		args[i] = t[i];
	}
	if (n > 0)
		*job = task_job(t[0]);
	return n;
}

static void accept(struct task *const *t, unsigned n, bool accepted)
{
	for (unsigned i = 0; i < n; i++)
		atomic_store(&t[i]->accepted, accepted);
}

static bool refused(int code)
{
	return code == ESHUTDOWN || code == EAGAIN || code == EINVAL;
}

void race_many(struct input *in)
{
	struct task *t[MOST_ALIKE];
	soon_future *f[MOST_ALIKE];
	void *args[MOST_ALIKE];
	soon_job job;
	unsigned n = alike(in, t, args, &job);
	int code;

	if (n == 0)
		return;
	accept(t, n, true);
	code = soon_submit_many(race.executor, &job, args, n, f);
	CLAIM(code == 0 || refused(code));
	if (code != 0)
		accept(t, n, false);
	for (unsigned i = 0; i < n; i++)
		if (code == 0)
			race_keep(in, f[i]);
		else
			CLAIM(f[i] == NULL);
}

/* The codes of a submit that was refused, and of jobs, are not the same. */
void race_map(struct input *in)
{
	struct task *t[MOST_ALIKE];
	void *args[MOST_ALIKE], *results[MOST_ALIKE];
	int errors[MOST_ALIKE], code;
	soon_job job;
	unsigned n = alike(in, t, args, &job);
	bool fast = rarely(in, 2);

	if (n == 0)
		return;
	accept(t, n, true);
	code = soon_map(race.executor, &job, args, n, race_time(in), results,
			fast ? NULL : errors);
	if (refused(code))
		accept(t, n, false);
	CLAIM(code == 0 || code == ETIMEDOUT || refused(code) || fast);
	for (unsigned i = 0; i < n; i++)
		if (code == 0)
			task_took(results[i]);
		else
			CLAIM(results[i] == NULL);
}

struct drawn {
	struct task *t[MOST_ALIKE];
	unsigned n, next;
};

static int draw(void *drawn, void **arg)
{
	struct drawn *d = drawn;

	if (d->next == d->n)
		return ENODATA;
	*arg = d->t[d->next++];
	return 0;
}

/* Freed early, maybe.  A job that was refused is known by its code alone, so only
 * what is never refused is drawn. */
void race_imap(struct input *in)
{
	struct drawn d = { .next = 0 };
	void *args[MOST_ALIKE];
	soon_future *f;
	soon_job job;
	soon_imap *m;
	unsigned times = pick(in, MOST_ALIKE + 2);
	int code = 0;

	d.n = alike(in, d.t, args, &job);
	if (d.n == 0)
		return;
	job.free_arg = NULL;
	accept(d.t, d.n, true);
	for (unsigned i = 0; i < d.n; i++) {
		d.t[i]->owns_arg = false;
		d.t[i]->then = true; /* may not be counted */
	}
	m = soon_imap_new(race.executor, &job, draw, &d, 1 + pick(in, 3));
	CLAIM(m != NULL);
	while (times-- > 0 && code != ENODATA) {
		code = soon_imap_next(m, race_time(in), &f);
		CLAIM(f == NULL || (code == 0 && soon_future_done(f)));
	}
	soon_imap_free(m);
}

/* Waits */

static unsigned some(struct input *in, soon_future **f)
{
	unsigned n = pick(in, MOST_ALIKE + 1), got = 0;

	for (unsigned i = 0; i < n; i++) {
		f[got] = race_slot(in);
		if (f[got] != NULL)
			got++;
	}
	return got;
}

static void give_back(soon_future **f, unsigned n)
{
	while (n > 0)
		soon_future_unref(f[--n]);
}

static unsigned count_done(soon_future *const *f, unsigned n)
{
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		done += soon_future_done(f[i]);
	return done;
}

void race_wait(struct input *in)
{
	soon_future *f[MOST_ALIKE];
	unsigned n = some(in, f);
	unsigned before = count_done(f, n);
	enum soon_when when = (enum soon_when)pick(in, 3);
	size_t done = 99, index = 99;
	int code = soon_wait(f, n, when, race_time(in), &done);

	CLAIM(code == 0 || code == ETIMEDOUT);
	CLAIM(done <= n && (done > 0 || before == 0));
	if (code == 0 && when == SOON_ALL_COMPLETED)
		CLAIM(count_done(f, n) == n);
	if (code == 0 && when == SOON_FIRST_COMPLETED && n > 0)
		CLAIM(done > 0);
	if (n > 0) {
		code = soon_wait_any(f, n, race_time(in), &index);
		CLAIM(code == ETIMEDOUT || soon_future_done(f[index]));
	}
	give_back(f, n);
}

void race_gather(struct input *in)
{
	soon_future *f[MOST_ALIKE];
	void *results[MOST_ALIKE];
	int errors[MOST_ALIKE];
	unsigned n = some(in, f);
	int code = soon_gather(f, n, race_time(in), results, errors);

	CLAIM(code == 0 || code == ETIMEDOUT);
	for (unsigned i = 0; i < n; i++) {
		CLAIM(errors[i] == EBUSY
			      ? code == ETIMEDOUT
			      : errors[i] == soon_future_error(f[i]));
		CLAIM(results[i] == NULL || errors[i] == 0);
	}
	give_back(f, n);
}

void race_set(struct input *in)
{
	soon_future *f[MOST_ALIKE], *one;
	unsigned n = some(in, f), times = pick(in, MOST_ALIKE + 2), got = 0;
	soon_completions *set = soon_as_completed(f, n);
	int code = 0;

	CLAIM(set != NULL);
	if (rarely(in, 2))
		CLAIM(soon_completions_fd(set) >= 0);
	while (times-- > 0 && code != ENODATA) {
		code = soon_completions_next(set, race_time(in), &one);
		CLAIM((code == 0) == (one != NULL));
		CLAIM(code == 0 || code == ENODATA || code == ETIMEDOUT);
		CLAIM(soon_future_done(one));
		got += code == 0;
	}
	CLAIM(got + soon_completions_left(set) <= n);
	soon_completions_free(set);
	give_back(f, n);
}

/* Futures made of others */

void race_combine(struct input *in)
{
	soon_future *f[MOST_ALIKE], *made = NULL;
	unsigned n = some(in, f);

	switch (n > 0 ? pick(in, 4) : 0) {
	case 0:
		made = soon_when_all(f, n);
		break;
	case 1:
		made = soon_when_any(f, n);
		break;
	case 2:
		made = soon_first_success(f, n);
		break;
	default:
		made = soon_shield(f[0]);
		break;
	}
	race_keep(in, made);
	give_back(f, n);
}

void race_then(struct input *in)
{
	soon_future *f = race_slot(in);
	struct task *t = f != NULL ? race_task(in) : NULL;
	soon_future *made;

	if (t != NULL) {
		t->owns_arg = false;
		t->then = true;
		atomic_store(&t->accepted, true);
		made = soon_then(f, race.executor, task_then, t);
		CLAIM(soon_future_own(made, task_free_result) == 0);
		race_keep(in, made);
	}
	soon_future_unref(f);
}

void race_within(struct input *in)
{
	soon_future *f = race_slot(in);

	if (f != NULL)
		race_keep(in, soon_within(f, race_time(in)));
	soon_future_unref(f);
}

void race_group(struct input *in)
{
	struct task *t[MOST_ALIKE];
	void *args[MOST_ALIKE];
	soon_group *g = soon_group_new(race.executor);
	soon_job job;
	unsigned n = alike(in, t, args, &job), stop = pick(in, 16);
	int code;

	CLAIM(g != NULL);
	for (unsigned i = 0; i < n; i++) {
		job.arg = t[i];
		atomic_store(&t[i]->accepted, true);
		code = soon_group_submit_job(g, &job);
		CLAIM(code == 0 || code == ECANCELED || refused(code));
		atomic_store(&t[i]->accepted, code == 0);
		if (i == stop)
			soon_group_cancel(g);
	}
	code = soon_group_wait(g, race_time(in));
	CLAIM(code == 0 || code == ETIMEDOUT);
	code = stop % 2 == 0 ? soon_group_error(g) : 0;
	CLAIM(code == 0 || code == ECANCELED || code == TASK_CODE);
	soon_group_free(g);
}
