/*
 * exact_future.c - calls on one future, and promises; see exact.c.
 */
#include "exact.h"

#include <errno.h>
#include <string.h>

void exact_promise(void)
{
	struct task *t = task_new();
	struct mfuture *f = t != NULL ? model_new(PROMISE) : NULL;
	bool owned = pick(now.in, 2) == 1;

	if (f == NULL)
		return;
	atomic_store(&t->owned, owned);
	f->task = t;
	exact_keep(f, soon_future_new(owned ? task_free_result : NULL));
}

/* What completing returns, if it may not be done. */
static int completable(const struct mfuture *f)
{
	if (f->kind != PROMISE)
		return EINVAL;
	if (f->state == SOON_CANCELLED)
		return ECANCELED;
	return model_done(f) ? EALREADY : 0;
}

static void set_running(struct mfuture *f)
{
	int code = completable(f);

	if (code == 0 && f->state == SOON_RUNNING)
		code = EALREADY;
	if (code == 0)
		f->state = SOON_RUNNING;
	CLAIM(soon_future_set_running(f->real) == code);
}

/* The account of a result begins here. */
static void set_result(struct mfuture *f)
{
	int code = completable(f);
	void *result = task_result(f->task);

	if (code == 0) {
		atomic_store(&f->task->promised, true);
		model_settle(f, SOON_SUCCEEDED, 0, result);
	}
	CLAIM(soon_future_set_result(f->real, result) == code);
}

static void set_error(struct mfuture *f)
{
	int code = completable(f);

	if (code == 0)
		model_settle(f, SOON_FAILED, EPROTO, NULL);
	CLAIM(soon_future_set_error(f->real, EPROTO, "%s", "odd") == code);
}

/* The model settles before the call, whose callbacks look at it. */
void exact_complete(void)
{
	struct mfuture *f = exact_slot();

	if (f == NULL)
		return;
	switch (pick(now.in, 4)) {
	case 0:
		set_running(f);
		break;
	case 1:
		if (f->task != NULL)
			set_result(f);
		break;
	case 2:
		set_error(f);
		break;
	default:
		CLAIM(soon_future_set_error(f->real, 0, NULL) == EINVAL);
		break;
	}
}

void exact_cancel(void)
{
	struct mfuture *f = exact_slot();
	int code;

	if (f == NULL)
		return;
	code = model_cancel(f);
	CLAIM(soon_future_cancel(f->real) == code);
	CLAIM(code != 0 || soon_future_state(f->real) == SOON_CANCELLED);
}

static void read_error(const struct mfuture *f)
{
	CLAIM(soon_future_error(f->real) == model_error(f));
}

static void read_message(const struct mfuture *f)
{
	const char *message = soon_future_message(f->real);

	if (f->state == SOON_FAILED && f->code == TASK_CODE)
		CLAIM(strcmp(message, "no 4711") == 0);
	else if (f->state == SOON_FAILED && f->code == EPROTO)
		CLAIM(strcmp(message, "odd") == 0);
	else
		CLAIM((message[0] == '\0') ==
		      (model_error(f) == 0 || !model_done(f)));
}

static void read_result(struct mfuture *f)
{
	bool ends = model_await(f);
	void *result = &now;
	int code;

	code = soon_future_result(f->real,
				  ends && f->task != NULL ? SOON_FOREVER
							  : exact_timeout(ends),
				  &result);
	CLAIM(code == (ends ? model_error(f) : ETIMEDOUT));
	CLAIM(result == f->result);
}

static void read_wait(struct mfuture *f)
{
	bool ends = model_done(f);

	CLAIM(soon_future_wait(f->real, exact_timeout(ends)) ==
	      (ends ? 0 : ETIMEDOUT));
}

void exact_read(void)
{
	struct mfuture *f = exact_slot();

	if (f == NULL)
		return;
	switch (pick(now.in, 4)) {
	case 0:
		read_error(f);
		break;
	case 1:
		read_message(f);
		break;
	case 2:
		read_result(f);
		break;
	default:
		read_wait(f);
		break;
	}
}

/* A borrowed future, what when_any() succeeds with, is not in the account. */
static bool is_in_account(const struct mfuture *root)
{
	return root->kind == JOB || root->kind == PROMISE || root->kind == THEN;
}

static void take(struct mfuture *f)
{
	struct mfuture *root = model_root(f);
	bool some = f->state == SOON_SUCCEEDED && !root->taken;
	void *result = soon_future_take(f->real);

	CLAIM(result == (some ? f->result : NULL));
	if (result != NULL && is_in_account(root))
		task_took(result);
	root->taken = root->taken || f->state == SOON_SUCCEEDED;
}

/* Once; a destructor may come after the result. */
static void own(struct mfuture *f)
{
	struct mfuture *root = model_root(f);
	bool owned = is_in_account(root) && atomic_load(&root->task->owned);

	if (!is_in_account(root))
		return;
	CLAIM(soon_future_own(f->real, task_free_result) ==
	      (owned ? EALREADY : 0));
	atomic_store(&root->task->owned, true);
}

void exact_take(void)
{
	struct mfuture *f = exact_slot();

	if (f == NULL)
		return;
	if (pick(now.in, 2) == 0)
		take(f);
	else
		own(f);
}

/* In order, but for those that are late: they run at once. */
void exact_call_back(void)
{
	unsigned slot = pick(now.in, SLOTS);
	struct mfuture *f = now.slot[slot];
	struct call *c;

	if (f == NULL)
		return;
	c = call_on_done(f->real, now.last_call[slot]);
	if (c == NULL)
		return;
	now.last_call[slot] = c;
	CLAIM(atomic_load(&c->count) == model_done(f));
}

void exact_unref(void)
{
	unsigned slot = pick(now.in, SLOTS);
	struct mfuture *f = now.slot[slot];

	if (f == NULL)
		return;
	CLAIM(soon_future_ref(f->real) == f->real);
	soon_future_unref(f->real);
	CLAIM(soon_future_arg(f->real) ==
	      (f->kind == JOB || f->kind == THEN ? f->task : NULL));
	if (pick(now.in, 2) == 1)
		exact_drop(slot);
}
