/*
 * room.c - threads that wait in line for places: room.c.
 */
#include "scene.h"

#include "room.h"

static struct sooni_room room;
static uint64_t inside;

/* Places for n are had, and given back. */
static void stay(uint64_t n)
{
	inside += n;
	sched_check(inside <= room.most);
	inside -= n;
	sooni_room_leave(&room, n);
}

/* What it is told; its word is its own from then on, on its stack. */
static uint32_t wait_in_line(uint64_t n)
{
	uint32_t answer = SOONI_ADMITTED | SOONI_REFUSED;
	struct sooni_asker a;

	sooni_room_line_up(&room, &a, n);
	sched_check(sooni_sleep(&a.word, answer, 0, INT64_MAX) == 0);
	return atomic_load_explicit(&a.word, memory_order_relaxed) & answer;
}

static void *come(void *n)
{
	if (!sooni_room_take(&room, (uintptr_t)n))
		sched_check(wait_in_line((uintptr_t)n) == SOONI_ADMITTED);
	stay((uintptr_t)n);
	return NULL;
}

static void open_room(uint64_t most)
{
	sooni_room_init(&room, most);
	inside = 0;
}

static void expect_empty(void)
{
	sched_check(atomic_load_explicit(&room.taken, memory_order_relaxed) ==
		    0);
	sched_check(room.line == NULL);
	sooni_room_fini(&room);
}

/* Three come for one place. */
static void one_place(void)
{
	unsigned a;
	unsigned b;

	open_room(1);
	a = sched_spawn("first", come, (void *)1);
	b = sched_spawn("second", come, (void *)1);
	come((void *)1);
	sched_join(a);
	sched_join(b);
	expect_empty();
}

/* One wants all places, others one each. */
static void many_places(void)
{
	unsigned a;
	unsigned b;

	open_room(2);
	a = sched_spawn("all", come, (void *)2);
	b = sched_spawn("one", come, (void *)1);
	come((void *)1);
	sched_join(a);
	sched_join(b);
	expect_empty();
}

static void *come_until_closed(void *n)
{
	if (wait_in_line((uintptr_t)n) == SOONI_ADMITTED)
		sooni_room_leave(&room, (uintptr_t)n);
	return NULL;
}

/* A full room is closed, while one leaves. */
static void closing(void)
{
	unsigned a;
	unsigned b;

	open_room(1);
	sched_check(sooni_room_take(&room, 1));
	a = sched_spawn("first", come_until_closed, (void *)1);
	b = sched_spawn("second", come_until_closed, (void *)1);
	sooni_room_close(&room);
	sched_join(a);
	sched_join(b);
	sooni_room_leave(&room, 1);
	expect_empty();
}

static void *go(void *unused)
{
	sooni_room_leave(&room, 1);
	return unused;
}

/* The same, and the place that is left goes to one or to nobody. */
static void closing_and_leaving(void)
{
	unsigned a;
	unsigned b;

	open_room(1);
	sched_check(sooni_room_take(&room, 1));
	a = sched_spawn("waiting", come_until_closed, (void *)1);
	b = sched_spawn("leaving", go, NULL);
	sooni_room_close(&room);
	sched_join(a);
	sched_join(b);
	expect_empty();
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ .name = "one place", .run = one_place, .bound = 2 },
		{ .name = "many places", .run = many_places, .bound = 2 },
		{ .name = "closing", .run = closing, .bound = 2 },
		{ .name = "closing and leaving",
		  .run = closing_and_leaving,
		  .bound = 2 },
		{ .name = NULL },
	};

	return sched_main(argc, argv, scenes);
}
