/*
 * waiter.c - waiters come and go while their future is made done: waiter.c and
 * what future.c does with the list.
 */
#include "scene.h"

#include "count.h"
#include "waiter.h"

#include <soon/future.h>

struct guest {
	struct sooni_waiter waiter;
	count fired;
	bool added;
	bool removed;
};

static struct soon_future *future;
static struct guest guests[2];
static struct guest *first_user; /* the waiters that run the user's code */

static void fire(struct sooni_waiter *w, struct soon_future *f)
{
	struct guest *g = sooni_container_of(w, struct guest, waiter);

	sched_check(f == future && f->state & SOONI_DONE);
	sched_check(count_now(&g->fired) == 0);
	if (w->user && first_user == NULL)
		first_user = g;
	sched_check(w->user || first_user == NULL);
	count_up(&g->fired);
}

static void open_guest(struct guest *g, bool user)
{
	g->waiter.fire = fire;
	g->waiter.user = user;
	atomic_init(&g->fired, 0);
	g->added = false;
	g->removed = false;
}

static void open_all(void)
{
	future = soon_future_new(NULL);
	sched_check(future != NULL);
	first_user = NULL;
	open_guest(&guests[0], true);
	open_guest(&guests[1], false);
}

static void come(struct guest *g)
{
	g->added = sooni_waiter_add(future, &g->waiter);
	sched_check(g->added || future->state & SOONI_DONE);
}

/* Fired or removed, never both, and nothing afterwards. */
static void go(struct guest *g)
{
	if (!g->added)
		return;
	g->removed = sooni_waiter_remove(future, &g->waiter);
	if (!g->removed)
		count_await(&g->fired, 1);
	sched_check(count_now(&g->fired) == !g->removed);
}

static void *come_and_go(void *guest)
{
	come(guest);
	go(guest);
	return NULL;
}

static void *come_and_stay(void *guest)
{
	struct guest *g = guest;

	come(g);
	if (g->added)
		count_await(&g->fired, 1);
	return NULL;
}

static void settle(void)
{
	sched_check(soon_future_set_result(future, NULL) == 0);
}

static void close_all(void)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct guest *g = &guests[i];

		sched_check(count_now(&g->fired) == (g->added && !g->removed));
	}
	soon_future_unref(future);
}

static void against_settling(void *(*one)(void *), void *(*other)(void *))
{
	unsigned a;
	unsigned b;

	open_all();
	a = sched_spawn("A", one, &guests[0]);
	b = sched_spawn("B", other, &guests[1]);
	settle();
	sched_join(a);
	sched_join(b);
	close_all();
}

static void coming_and_going(void)
{
	against_settling(come_and_go, come_and_go);
}

static void staying(void)
{
	against_settling(come_and_stay, come_and_stay);
}

static void *cancel(void *unused)
{
	(void)unused;
	soon_future_cancel(future);
	return NULL;
}

/* Both are there before it begins; one leaves while it is cancelled. */
static void leaving(void)
{
	unsigned a;
	unsigned b;

	open_all();
	come(&guests[0]);
	come(&guests[1]);
	a = sched_spawn("A", cancel, NULL);
	b = sched_spawn("B", cancel, NULL);
	go(&guests[1]);
	sched_join(a);
	sched_join(b);
	close_all();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "waiter: coming and going", coming_and_going, 2, 0, 0,
		  false },
		{ "waiter: staying", staying, 2, 0, 0, false },
		{ "waiter: leaving", leaving, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
