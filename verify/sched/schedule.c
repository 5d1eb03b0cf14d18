/*
 * schedule.c - a run's choices in words, so that it can be had again: see scene.h.
 *
 * What was chosen that is not 0, and where, each thread's places counted on their
 * own: so a change of the source moves only what the same thread does after it.
 */
#include "scene.h"

#include <stdio.h>
#include <string.h>

enum { MOST_STRAYS = 4096 };

struct stray {
	unsigned thread;
	unsigned point; /* of the thread's */
	unsigned taken;
};

static struct schedule {
	struct stray strays[MOST_STRAYS];
	unsigned n;
} made, given;
static unsigned points[SCHED_THREADS];

void sched_schedule_reset(void)
{
	made.n = 0;
	memset(points, 0, sizeof(points));
}

void sched_point(void)
{
	points[sched_self()]++;
}

void sched_note_choice(unsigned taken)
{
	unsigned self = sched_self();

	if (made.n < MOST_STRAYS)
		made.strays[made.n++] =
			(struct stray){ self, points[self], taken };
}

unsigned sched_choose_again(unsigned n)
{
	unsigned i;

	for (i = 0; i < given.n; i++) {
		const struct stray *s = &given.strays[i];

		if (s->thread == sched_self() &&
		    s->point == points[s->thread] && s->taken < n)
			return s->taken;
	}
	return 0;
}

void sched_schedule_print(const char *scene)
{
	unsigned i;

	printf("again: -k '");
	for (i = 0; i < made.n; i++)
		printf("%s%u.%u=%u", i > 0 ? "," : "", made.strays[i].thread,
		       made.strays[i].point, made.strays[i].taken);
	printf("' '%s'\n", scene);
}

bool sched_schedule_read(const char *text)
{
	struct stray s;
	int length;

	while (given.n < MOST_STRAYS &&
	       sscanf(text, "%u.%u=%u%n", &s.thread, &s.point, &s.taken,
		      &length) == 3) {
		given.strays[given.n++] = s;
		text += length + (text[length] == ',');
	}
	return *text == '\0';
}
