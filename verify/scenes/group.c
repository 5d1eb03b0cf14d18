/*
 * group.c - members that join a group, are submitted and end, while others stop the
 * group and wait for it: member.c and group.c.
 *
 * Promises are the members, and a count is the pool: it says which were accepted.
 */
#include "scene.h"

#include "job.h"
#include "member.h"

#include "count.h"

#include <errno.h>
#include <soon/future.h>

enum { MEMBERS = 2 };

static soon_group *group;
static soon_future *futures[MEMBERS];
static struct sooni_member *members[MEMBERS];
static count accepted[MEMBERS];

static void open_group(void)
{
	size_t i;

	group = soon_group_new(NULL);
	sched_check(group != NULL);
	for (i = 0; i < MEMBERS; i++) {
		futures[i] = NULL;
		atomic_init(&accepted[i], 0);
	}
}

/* A reference is the group's, another the scene's. */
static bool join(size_t i)
{
	futures[i] = soon_future_new(NULL);
	if (sooni_member_join(group, futures[i], true, &members[i]) == 0) {
		soon_future_ref(futures[i]);
		return true;
	}
	soon_future_cancel(futures[i]);
	return false;
}

/* As a submit does, to a pool that accepts it. */
static void *submit(void *i)
{
	if (join((size_t)i)) {
		count_up(&accepted[(size_t)i]);
		sooni_member_show(members[(size_t)i]);
	}
	return NULL;
}

/* The same, to one that refuses it: until then nobody may cancel it. */
static void *submit_in_vain(void *i)
{
	struct sooni_member *m;
	soon_future *f;

	if (join((size_t)i)) {
		f = futures[(size_t)i];
		m = members[(size_t)i];
		sched_check(sooni_waiter_remove(f, &m->waiter));
		sooni_member_withdraw(m);
		soon_future_cancel(f);
		soon_future_unref(f);
	}
	return NULL;
}

static void *succeed(void *i)
{
	count_await(&accepted[(size_t)i], 1);
	sched_check(soon_future_set_result(futures[(size_t)i], NULL) == 0);
	return NULL;
}

static void *fail(void *i)
{
	int rc;

	count_await(&accepted[(size_t)i], 1);
	rc = soon_future_set_error(futures[(size_t)i], EIO, NULL);
	sched_check(rc == 0 || rc == ECANCELED);
	return NULL;
}

static void *cancel(void *unused)
{
	soon_group_cancel(group);
	return unused;
}

/* Whoever waits finds that all have ended, and so may free the group. */
static void close_group(void)
{
	size_t i;

	sched_check(soon_group_wait(group, SOON_FOREVER) == 0);
	for (i = 0; i < MEMBERS; i++)
		sched_check(futures[i] == NULL || soon_future_done(futures[i]));
	soon_group_free(group);
}

static void close_futures(void)
{
	size_t i;

	for (i = 0; i < MEMBERS; i++)
		soon_future_unref(futures[i]);
}

/* Each may end before its submit is through, and the other one after. */
static void ending(void)
{
	unsigned a, b;

	open_group();
	a = sched_spawn("A", succeed, (void *)0);
	b = sched_spawn("B", succeed, (void *)1);
	submit((void *)0);
	submit((void *)1);
	close_group();
	sched_join(a);
	sched_join(b);
	close_futures();
}

/* Nobody but the one that fails or cancels ends the other member. */
static void stopped_by(void *(*how)(void *))
{
	unsigned a, b;

	open_group();
	a = sched_spawn("A", how, (void *)0);
	b = sched_spawn("B", submit, (void *)1);
	submit((void *)0);
	sched_join(b);
	if (how == cancel)
		sched_join(a);
	close_group();
	if (how != cancel)
		sched_join(a);
	close_futures();
}

static void failing(void)
{
	stopped_by(fail);
}

static void cancelling(void)
{
	stopped_by(cancel);
}

static void refused(void)
{
	unsigned a, b;

	open_group();
	a = sched_spawn("A", cancel, NULL);
	b = sched_spawn("B", submit_in_vain, (void *)0);
	sched_join(b);
	sched_join(a);
	close_group();
	close_futures();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "group: ending", ending, 2, 0, 0, false },
		{ "group: failing", failing, 2, 0, 0, false },
		{ "group: cancelling", cancelling, 2, 0, 0, false },
		{ "group: refused", refused, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
