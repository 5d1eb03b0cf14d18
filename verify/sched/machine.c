/*
 * machine.c - os.h, and locks and joins, for the threads of the scheduler.
 *
 * There is one CPU, so that nobody looks for long before it sleeps.  A deadline
 * comes at any moment, as often as the scene allows; until then no time passes.
 * A fork has its parent, or its child, but not both.
 */
#include "scene.h"

#include "os.h"
#include "thread.h"

#include <errno.h>
#include <string.h>

enum { MOST_HELD = 64 };

static void point(const char *operation, const volatile void *p)
{
	/* The trace keeps the site: one for each operation. */
	static const struct sched_site sites[] = {
		{ "futex_wait", "", "", "", 0 },
		{ "futex_wake", "", "", "", 0 },
		{ "lock", "", "", "", 0 },
		{ "unlock", "", "", "", 0 },
		{ "start", "", "", "", 0 },
		{ "yield", "", "", "", 0 },
		{ "raise", "", "", "", 0 },
		{ "clear", "", "", "", 0 },
		{ "poll", "", "", "", 0 },
		{ "fork", "", "", "", 0 },
	};
	size_t i = 0;

	while (strcmp(sites[i].operation, operation) != 0)
		i++;
	sched_before(&sites[i], p, true);
}

static int64_t now;

void sched_clock_reset(void)
{
	now = 1;
}

int64_t sooni_now(void)
{
	return now;
}

int64_t sooni_now_coarse(void)
{
	return now;
}

int64_t sooni_deadline(int64_t timeout)
{
	if (timeout <= 0)
		return 0;
	return timeout == INT64_MAX ? INT64_MAX : now + 1;
}

int sooni_futex_wait(_Atomic uint32_t *word, uint32_t expected,
		     int64_t deadline)
{
	point("futex_wait", word);
	sched_point();
	/* It may return for no reason. */
	if (*word != expected || sched_choose(2, true) == 1)
		return 0;
	if (deadline <= now)
		return ETIMEDOUT;
	if (sched_sleep("futex_wait", word, deadline != INT64_MAX))
		return 0;
	if (deadline > now)
		now = deadline;
	return ETIMEDOUT;
}

void sooni_futex_wake(_Atomic uint32_t *word)
{
	point("futex_wake", word);
	sched_wake(word);
}

void sooni_yield(void)
{
	point("yield", NULL);
}

unsigned sooni_cpus(void)
{
	return 1;
}

int sooni_thread_start(pthread_t *thread, size_t stack_size,
		       void *(*main)(void *), void *arg)
{
	(void)stack_size;
	point("start", NULL);
	if (sched_start_fails())
		return EAGAIN;
	*thread = (pthread_t)sched_spawn("worker", main, arg);
	return 0;
}

void sooni_thread_name(const char *name)
{
	sched_rename(name);
}

void sooni_thread_get_name(char name[SOONI_THREAD_NAME])
{
	name[0] = '\0';
}

char *sooni_thread_stack(size_t *size)
{
	(void)size;
	return NULL;
}

int32_t sooni_thread_id(void)
{
	return (int32_t)sched_self();
}

int64_t sooni_thread_cpu_time(int32_t id)
{
	(void)id;
	return -1;
}

bool sooni_thread_asleep(int32_t id)
{
	(void)id;
	return true;
}

/* One descriptor at a time; not to be raised or cleared in vain. */

static unsigned event_open, event_raised;

int sooni_event_open(int fds[2])
{
	sched_check(!event_open);
	event_open = 1;
	event_raised = 0;
	fds[0] = 0;
	fds[1] = 0;
	return 0;
}

static void change_event(const char *what, unsigned to)
{
	point(what, &event_raised);
	sched_check(event_open && event_raised != to);
	event_raised = to;
}

void sooni_event_raise(const int fds[2])
{
	(void)fds;
	change_event("raise", 1);
	sched_wake(&event_raised);
}

void sooni_event_clear(const int fds[2])
{
	(void)fds;
	change_event("clear", 0);
}

void sooni_event_close(const int fds[2])
{
	(void)fds;
	sched_check(event_open);
	event_open = 0;
}

/* No scene with a fork has a descriptor. */
int sooni_event_renew(int fds[2])
{
	(void)fds;
	return ENOSYS;
}

void sched_poll(void)
{
	point("poll", &event_raised);
	while (!event_raised)
		sched_sleep("poll", &event_raised, false);
}

bool sched_is_readable(void)
{
	return event_raised;
}

/* first.h: a lock is 0, or 1 more than the number of the thread that has it. */

static unsigned *owner_of(pthread_mutex_t *m)
{
	return (unsigned *)(void *)m;
}

/* Those that are held, so that what a fork has left locked is not for ever. */
static pthread_mutex_t *held[MOST_HELD];
static unsigned held_count;

static void note_held(pthread_mutex_t *m)
{
	if (held_count == MOST_HELD)
		sched_fail("more than %d locks are held", MOST_HELD);
	held[held_count++] = m;
}

static void forget_held(const pthread_mutex_t *m)
{
	unsigned i;

	for (i = 0; i < held_count; i++)
		if (held[i] == m) {
			held[i] = held[--held_count];
			return;
		}
}

/* Before a run, with all memory usable again. */
void sched_locks_reset(void)
{
	while (held_count > 0)
		*owner_of(held[--held_count]) = 0;
}

void sched_mutex_init(pthread_mutex_t *m)
{
	forget_held(m);
	*owner_of(m) = 0;
}

void sched_mutex_destroy(pthread_mutex_t *m)
{
	sched_check(*owner_of(m) == 0);
}

void sched_mutex_lock(pthread_mutex_t *m)
{
	point("lock", m);
	while (*owner_of(m) != 0)
		sched_sleep("lock", m, false);
	*owner_of(m) = sched_self() + 1;
	note_held(m);
}

int sched_mutex_trylock(pthread_mutex_t *m)
{
	point("lock", m);
	if (*owner_of(m) != 0)
		return EBUSY;
	*owner_of(m) = sched_self() + 1;
	note_held(m);
	return 0;
}

void sched_mutex_unlock(pthread_mutex_t *m)
{
	point("unlock", m);
	sched_check(*owner_of(m) == sched_self() + 1);
	*owner_of(m) = 0;
	forget_held(m);
	sched_wake(m);
}

void sched_thread_join(pthread_t thread)
{
	sched_join((unsigned)thread);
}

void sched_thread_detach(pthread_t thread)
{
	sched_detach((unsigned)thread);
}

pthread_t sched_thread_self(void)
{
	return sched_self();
}

/* fork(): os.h and first.h */

static struct {
	void (*prepare)(void);
	void (*parent)(void);
	void (*child)(void);
} handlers;

int sched_atfork(void (*prepare)(void), void (*parent)(void),
		 void (*child)(void))
{
	handlers.prepare = prepare;
	handlers.parent = parent;
	handlers.child = child;
	return 0;
}

void sched_fork(enum sched_side side)
{
	point("fork", NULL); /* the others get as far as they may */
	handlers.prepare();
	if (side == SCHED_PARENT) {
		handlers.parent();
		return;
	}
	sched_vanish_others();
	handlers.child();
}

void sooni_futex_after_fork(void)
{
}

/* The library's thread-local variables. */
struct locals {
	struct sooni_me me;
	void (*user_hook)(void);
	void *keeper;
};

_Static_assert(sizeof(struct locals) <= SCHED_LOCAL, "they have room");

struct sooni_me *sched_me(void)
{
	return &((struct locals *)sched_local())->me;
}

void (**sched_user_hook(void))(void)
{
	return &((struct locals *)sched_local())->user_hook;
}

void **sched_keeper(void)
{
	return &((struct locals *)sched_local())->keeper;
}
