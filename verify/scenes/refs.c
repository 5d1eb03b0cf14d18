/*
 * refs.c - references to one future that so many are held to that it is kept for
 * ever: refs.c.
 */
#include "scene.h"

#include "job.h"

static struct soon_future *future;

static void *ref(void *unused)
{
	(void)unused;
	soon_future_ref(future);
	return NULL;
}

static void *unref(void *unused)
{
	(void)unused;
	soon_future_unref(future);
	return NULL;
}

/* Two take one and others drop one, where one more is one too many. */
static void crossing(unsigned drops)
{
	unsigned threads[4];
	unsigned n = 0;
	uint32_t refs;

	future = sooni_future_new(
		SOONI_DONE | SOONI_REF * (uint32_t)(SOONI_MOST_REFS - 1), 0);
	future->fn = unref;
	threads[n++] = sched_spawn("A", ref, NULL);
	threads[n++] = sched_spawn("B", ref, NULL);
	while (drops-- > 0)
		threads[n++] = sched_spawn("drop", unref, NULL);
	while (n > 0)
		sched_join(threads[--n]);
	/* None of these is the last, and it does not get so. */
	refs = sooni_refs(sooni_state(future));
	sched_check(refs >= SOONI_MOST_REFS - 1);
	atomic_store_explicit(&future->state, SOONI_DONE | SOONI_REF,
			      memory_order_relaxed);
	soon_future_unref(future);
}

static void one_drops(void)
{
	crossing(1);
}

static void two_drop(void)
{
	crossing(2);
}

int main(int argc, char **argv)
{
	static const struct sched_scene scenes[] = {
		{ "refs: one drops", one_drops, 2, 0, 0, false },
		{ "refs: two drop", two_drop, 2, 0, 0, false },
		{ NULL, NULL, 0, 0, 0, false },
	};

	return sched_main(argc, argv, scenes);
}
