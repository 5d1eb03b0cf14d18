/*
 * scene.h - running a scene's threads one step at a time, in every order.
 *
 * The threads are coroutines of one process.  They change places only at the
 * points that stdatomic.h puts before each atomic operation, and where they
 * block.  A scene is run over and over, each time with other choices at these
 * points, until it goes wrong or nothing is left to try.
 */
#ifndef SCHED_SCENE_H
#define SCHED_SCENE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* A small program with a few threads; it ends when all of them have ended. */
struct sched_scene {
	const char *name;
	void (*run)(void);
	unsigned bound;		/* pre-emptions, in a small exploration */
	unsigned timeouts;	/* how many timed sleeps may time out */
	unsigned failed_starts; /* how many threads may fail to start */
	bool leaks;		/* it leaves memory behind on purpose, and what
				   static variables say of it */
};

/* The main of a program of scenes, which end with a NULL name. */
int sched_main(int argc, char **argv, const struct sched_scene *scenes);

/* sched.c: threads */

enum { SCHED_THREADS = 10, SCHED_LOCAL = 256, SCHED_STACK = 64 << 10 };

/* Start a thread of the scene; returns its number. */
unsigned sched_spawn(const char *name, void *(*main)(void *), void *arg);
void sched_join(unsigned thread);
/* Nobody will join it. */
void sched_detach(unsigned thread);

/* Zeroed memory of the calling thread's own, SCHED_LOCAL bytes. */
void *sched_local(void);
const char *sched_name(unsigned thread);
/* Name the calling thread, for the trace. */
void sched_rename(const char *name);
unsigned sched_self(void);
/* Whether all others have ended. */
bool sched_is_alone(void);

/*
 * Sleep until somebody wakes this address.  False: it timed out instead, which
 * only a timed sleep does, at any moment.
 */
bool sched_sleep(const char *what, const volatile void *on, bool timed);
void sched_wake(const volatile void *on);

/* machine.c: sleep until the one descriptor there is is readable; ask. */
void sched_poll(void);
bool sched_is_readable(void);

/* From now on in this run, timed sleeps time out also when nobody else can go on,
 * however often that is. */
void sched_let_time_pass(void);

/* As the library sees it, the calling thread forks; it returns in the parent, or in
 * the child, where all other threads are no more. */
enum sched_side { SCHED_PARENT, SCHED_CHILD };
void sched_fork(enum sched_side side);
void sched_vanish_others(void);

/* Whether a thread cannot be started just now. */
bool sched_start_fails(void);

/* Run a scene once. */
void sched_run(const struct sched_scene *scene);

/* machine.c: before a run */
void sched_clock_reset(void);
void sched_locks_reset(void);

/* explore.c: choices */

/*
 * Choose one of n, where 0 is what happens if nothing special does.  rare: the
 * others count against the bound.
 */
unsigned sched_choose(unsigned n, bool rare);

/* Whether a given schedule is repeated: then each place is a choice. */
bool sched_replays(void);

/* What goes into the trace of the current run. */
void sched_trace(const struct sched_site *site);

/* The scene has gone wrong: says how, with the trace, and ends the program. */
_Noreturn void sched_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#define sched_check(condition)                                              \
	do {                                                                \
		if (!(condition))                                           \
			sched_fail("%s:%d: not so: %s", __FILE__, __LINE__, \
				   #condition);                             \
	} while (0)

/* schedule.c: what was chosen in a run, and choosing that again */

void sched_schedule_reset(void);
/* Before each choice that the calling thread may come to: so places have numbers
 * that do not depend on what was found to be in common. */
void sched_point(void);
/* Not 0 was chosen. */
void sched_note_choice(unsigned taken);
/* What the schedule that was read says of this place. */
unsigned sched_choose_again(unsigned n);
bool sched_schedule_read(const char *text);
/* How to have this run again. */
void sched_schedule_print(const char *scene);

/* touch.c: which memory threads have in common */

/*
 * The calling thread is about to read or write *p.  Whether others touch it too,
 * and anyone writes it: only then it matters who runs first.  NULL always is.
 */
bool sched_touch(const volatile void *p, bool writes);

/* Forget all. */
void sched_touch_reset(void);

/* Whether something was found to be in common since the last call: then runs
 * before it have passed by choices. */
bool sched_touch_news(void);

/* statics.c: the library's static variables as they are now; as they were then; as
 * they were when the program began, whatever scenes came before */

void sched_statics_open(void);
void sched_statics_keep(void);
void sched_statics_restore(void);
void sched_statics_forget(void);

/* memory.c: each block has pages of its own, which fault once it is freed */

void sched_memory_reset(void);
void sched_memory_open(void);
/* How many blocks are not freed. */
unsigned sched_memory_used(void);
/* What lies at an address, for a message. */
const char *sched_memory_at(const void *address);

#endif
