/*
 * explore.c - which choices a scene's runs make, and what is said of them.
 *
 * First depth-first: every run repeats the choices of the one before it up to
 * the last that has an alternative left, and takes that.  What would go above
 * the bound is not tried.  Then at random, where each run draws how often it
 * strays.  Or once, with the choices of a run that is to be repeated.
 */
#include "scene.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CHOICES = 40000, MOST_TRACED = 40000 };

/* Depth-first */

static struct {
	struct choice {
		unsigned char taken;
		unsigned char of;
		bool rare;
	} path[MOST_CHOICES];
	unsigned length; /* of the path to repeat */
	unsigned depth;	 /* so far in this run */
	unsigned bound;
	unsigned spent; /* of the bound, in this run */
} search;

/* At random */

static struct {
	bool on;
	uint64_t state;
	unsigned one_in; /* a rare choice */
} chance;

static struct options {
	unsigned long runs;   /* depth-first at most, for each scene */
	unsigned long random; /* at random, for each scene */
	unsigned more;	      /* bound above the scene's own */
	uint64_t seed;
	const char *only; /* this scene */
	bool again;	  /* the given schedule, and no other */
} options = { 200000, 0, 0, 1, NULL, false };

static const char *scene_name;
static unsigned long schedule;

/* splitmix64: G. Steele et al., "Fast Splittable Pseudorandom Number
 * Generators", OOPSLA 2014. */
static uint64_t next_random(void)
{
	uint64_t z = (chance.state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned choose_at_random(unsigned n, bool rare)
{
	if (!rare)
		return (unsigned)(next_random() % n);
	if (next_random() % chance.one_in != 0)
		return 0;
	return 1 + (unsigned)(next_random() % (n - 1));
}

static unsigned choose_in_order(unsigned n, bool rare)
{
	struct choice *c;

	if (rare && search.spent == search.bound)
		return 0;
	if (search.depth == MOST_CHOICES)
		sched_fail("more than %d choices", MOST_CHOICES);
	c = &search.path[search.depth++];
	if (search.depth > search.length) {
		*c = (struct choice){ 0, (unsigned char)n, rare };
		search.length = search.depth;
	} else if (c->of != n || c->rare != rare) {
		sched_fail("a run does not repeat: the scene remembers "
			   "something of the run before");
	}
	if (rare && c->taken > 0)
		search.spent++;
	return c->taken;
}

unsigned sched_choose(unsigned n, bool rare)
{
	unsigned taken;

	if (options.again)
		return sched_choose_again(n);
	taken = chance.on ? choose_at_random(n, rare)
			  : choose_in_order(n, rare);
	if (taken > 0)
		sched_note_choice(taken);
	return taken;
}

bool sched_replays(void)
{
	return options.again;
}

bool sched_fails_weakly(const volatile void *p)
{
	sched_point();
	return sched_touch(p, true) && sched_choose(2, true) == 1;
}

/* Whether there is another path. */
static bool next_path(void)
{
	struct choice *c;

	search.length = search.depth;
	while (search.length > 0) {
		c = &search.path[search.length - 1];
		if (c->taken + 1 < c->of) {
			c->taken++;
			return true;
		}
		search.length--;
	}
	return false;
}

/* The trace */

static struct step {
	const struct sched_site *site;
	unsigned thread;
	uint64_t old;
	uint64_t now;
	bool saw;
} trace[MOST_TRACED];
static unsigned trace_length;

void sched_trace(const struct sched_site *site)
{
	if (trace_length < MOST_TRACED)
		trace[trace_length++] =
			(struct step){ site, sched_self(), 0, 0, false };
}

void sched_saw(const void *old, const void *now, size_t size)
{
	struct step *s = &trace[trace_length - 1];

	memcpy(&s->old, old, size);
	memcpy(&s->now, now, size);
	s->saw = true;
}

static void print_step(const struct step *s)
{
	const char *file = strrchr(s->site->file, '/');

	printf("  %-10s %s", sched_name(s->thread), s->site->operation);
	if (*s->site->object != '\0')
		printf(" %s", s->site->object);
	if (s->saw && s->old != s->now)
		printf(": %#llx, now %#llx", (unsigned long long)s->old,
		       (unsigned long long)s->now);
	else if (s->saw)
		printf(": %#llx", (unsigned long long)s->old);
	if (*s->site->file != '\0')
		printf("  [%s, %s:%d]", s->site->function,
		       file != NULL ? file + 1 : s->site->file, s->site->line);
	putchar('\n');
}

void sched_fail(const char *format, ...)
{
	va_list args;
	unsigned i;

	printf("FAILED %s: ", scene_name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	if (options.again)
		printf("\nschedule 1, which was given\n");
	else if (chance.on)
		printf("\nschedule %lu at random, of seed %llu\n", schedule + 1,
		       (unsigned long long)options.seed + schedule);
	else
		printf("\nschedule %lu, with %u pre-emptions\n", schedule + 1,
		       search.spent);
	if (!options.again)
		sched_schedule_print(scene_name);
	for (i = 0; i < trace_length; i++)
		print_step(&trace[i]);
	fflush(stdout);
	_exit(1);
}

/* Runs */

static void run(const struct sched_scene *scene)
{
	trace_length = 0;
	search.depth = 0;
	search.spent = 0;
	sched_schedule_reset();
	sched_memory_reset();
	sched_statics_restore();
	sched_run(scene);
}

/* Once before anything counts, for what is only done the first time. */
static void warm_up(const struct sched_scene *scene)
{
	search.bound = 0;
	search.length = 0;
	schedule = 0;
	run(scene);
	if (!scene->leaks)
		sched_statics_keep();
}

/* All schedules with up to so many pre-emptions; false: not all. */
static bool explore_bound(const struct sched_scene *scene, unsigned bound)
{
	search.bound = bound;
	search.length = 0;
	for (schedule = 0; schedule < options.runs;) {
		run(scene);
		schedule++;
		if (sched_touch_news()) {
			/* From the start, with more choices. */
			search.length = 0;
			schedule = 0;
		} else if (!next_path()) {
			return true;
		}
	}
	return false;
}

/* With few pre-emptions first: how many there were at most in what was explored
 * wholly. */
static unsigned explore(const struct sched_scene *scene)
{
	unsigned bound = scene->bound + options.more;
	unsigned done = 0;

	chance.on = false;
	sched_touch_reset();
	warm_up(scene);
	while (done <= bound && explore_bound(scene, done))
		done++;
	return done;
}

static void stray(const struct sched_scene *scene)
{
	static const unsigned one_in[] = { 2, 4, 8, 16, 32, 64, 128, 4 };

	chance.on = true;
	for (schedule = 0; schedule < options.random; schedule++) {
		chance.state = options.seed + schedule;
		chance.one_in = one_in[next_random() % 8];
		run(scene);
	}
}

static void repeat(const struct sched_scene *scene)
{
	options.again = false;
	sched_touch_reset();
	warm_up(scene);
	options.again = true;
	run(scene);
}

static void try_scene(const struct sched_scene *scene)
{
	unsigned long tried;
	unsigned done;

	scene_name = scene->name;
	sched_statics_forget();
	if (options.again) {
		repeat(scene);
		printf("%s: a given schedule\n", scene->name);
		return;
	}
	done = explore(scene);
	tried = schedule;
	stray(scene);
	printf("%s: %lu schedules, ", scene->name, tried);
	if (done > 0)
		printf("all with up to %u pre-emptions", done - 1);
	if (done <= search.bound)
		printf("%ssome with %u", done > 0 ? ", " : "", done);
	if (options.random > 0)
		printf("; %lu at random from seed %llu", schedule,
		       (unsigned long long)options.seed);
	putchar('\n');
}

static void read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "b:k:m:r:s:")) != -1) {
		switch (c) {
		case 'b':
			options.more = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'k':
			options.again = true;
			if (!sched_schedule_read(optarg))
				exit(2);
			break;
		case 'm':
			options.runs = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			options.random = strtoul(optarg, NULL, 0);
			break;
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		default:
			exit(2);
		}
	}
	options.only = argv[optind];
}

int sched_main(int argc, char **argv, const struct sched_scene *scenes)
{
	const struct sched_scene *s;
	bool found = false;

	read_options(argc, argv);
	sched_memory_open();
	sched_statics_open();
	for (s = scenes; s->name != NULL; s++)
		if (options.only == NULL ||
		    strcmp(options.only, s->name) == 0) {
			try_scene(s);
			found = true;
		}
	return found ? 0 : 2;
}
