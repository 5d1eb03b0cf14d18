/*
 * deque.c - one owner and two thieves at the ends of deque.c.
 *
 * Rings begin with room for two items: see code.sh.
 */
#include "scene.h"

#include "deque.h"

enum { MOST = 16 };

static struct sooni_deque deque;
static char items[MOST];
static unsigned got[MOST]; /* how often each item was got */

static void got_item(const void *item)
{
	sched_check((const char *)item >= items &&
		    (const char *)item < items + MOST);
	sched_check(++got[(const char *)item - items] == 1);
}

static void push(size_t first, size_t n)
{
	void *batch[MOST];
	size_t i;

	for (i = 0; i < n; i++)
		batch[i] = &items[first + i];
	sched_check(sooni_deque_push(&deque, batch, n) == 0);
}

static void pop_if(size_t i)
{
	if (sooni_deque_pop_if(&deque, &items[i]))
		got_item(&items[i]);
}

static void take_if(size_t i)
{
	if (sooni_deque_take_if(&deque, &items[i]))
		got_item(&items[i]);
}

/* Take until there is none or this many were got, in their order. */
static void take(unsigned n)
{
	const char *last = NULL;

	while (n > 0) {
		void *item = sooni_deque_take(&deque);

		if (item == NULL)
			return;
		if (item == SOONI_DEQUE_RETRY)
			continue;
		sched_check((char *)item > last);
		last = item;
		got_item(item);
		n--;
	}
}

static void *thief(void *n)
{
	take((unsigned)(size_t)n);
	return NULL;
}

/* The same of a deque that is never popped. */
static void *pushed_thief(void *n)
{
	unsigned left = (unsigned)(size_t)n;
	int64_t seen = 0;

	while (left > 0) {
		void *item = sooni_deque_take_pushed(&deque, &seen);

		if (item == NULL)
			break;
		if (item == SOONI_DEQUE_RETRY)
			continue;
		got_item(item);
		left--;
	}
	return NULL;
}

static void open_deque(void)
{
	size_t i;

	for (i = 0; i < MOST; i++)
		got[i] = 0;
	sched_check(sooni_deque_init(&deque) == 0);
}

/* Whatever is left is taken, and then all n were got. */
static void close_deque(size_t n)
{
	size_t i;

	take(MOST);
	sched_check(sooni_deque_is_empty(&deque));
	for (i = 0; i < MOST; i++)
		sched_check(got[i] == (i < n));
	sooni_deque_fini(&deque);
}

static void with_thieves(void *(*main)(void *), size_t a, size_t b,
			 void (*owner)(void), size_t n)
{
	unsigned thief_a;
	unsigned thief_b;

	open_deque();
	push(0, 2);
	thief_a = sched_spawn("thief A", main, (void *)a);
	thief_b = sched_spawn("thief B", main, (void *)b);
	owner();
	sched_join(thief_a);
	sched_join(thief_b);
	close_deque(n);
}

static void pops_the_last(void)
{
	pop_if(1);
	pop_if(0);
	push(2, 1);
	pop_if(2);
	take_if(2);
}

/* Thieves and owner want the same item. */
static void last_item(void)
{
	with_thieves(thief, 2, 1, pops_the_last, 3);
}

static void fills_again(void)
{
	pop_if(1);
	push(2, 1);
	push(3, 1);
}

/* Slots are written again once their items were taken. */
static void round_the_ring(void)
{
	with_thieves(thief, 2, 1, fills_again, 4);
}

static void fills_more(void)
{
	push(2, 1);
	push(3, 3);
	pop_if(5);
}

/* Rings are replaced under the thieves' hands. */
static void growth(void)
{
	with_thieves(thief, 3, 1, fills_more, 6);
}

static void only_pushes(void)
{
	push(2, 2);
	push(4, 1);
}

/* Thieves who remember how full it was. */
static void never_popped(void)
{
	with_thieves(pushed_thief, 3, 2, only_pushes, 5);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "deque: the last item", last_item, 2, 0, 0, false },
		{ "deque: round the ring", round_the_ring, 2, 0, 0, false },
		{ "deque: growth", growth, 2, 0, 0, false },
		{ "deque: never popped", never_popped, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
