/*
 * sched.c - threads as coroutines: see scene.h.
 *
 * A coroutine gets its stack from makecontext() once and serves for one thread
 * of each run.  They change places by _longjmp(), which unlike swapcontext()
 * makes no system call.
 */

/* Its longjmp() takes another stack for a mistake. */
#undef _FORTIFY_SOURCE

#include "scene.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

enum { NAME = 16, MOST_STEPS = 20000 };

enum state { NEW, READY, ASLEEP, ENDED, VANISHED };

static struct thread {
	enum state state;
	bool timed;	/* asleep, but not for ever */
	bool timed_out; /* and that is why it was woken */
	bool joined;
	unsigned since;
	const volatile void *on;
	const char *what; /* what it sleeps for */
	char name[NAME];
	void *(*main)(void *);
	void *arg;
	alignas(64) char local[SCHED_LOCAL];
	jmp_buf here; /* where it goes on */
	alignas(64) char stack[SCHED_STACK];
} threads[SCHED_THREADS];

static unsigned thread_count;
static unsigned self;
static unsigned timeouts_left;
static unsigned failed_starts_left;
static bool time_passes;
static unsigned steps;
static jmp_buf host;  /* who runs the scenes */
static jmp_buf maker; /* who makes a stack */

void *sched_local(void)
{
	return threads[self].local;
}

unsigned sched_self(void)
{
	return self;
}

const char *sched_name(unsigned thread)
{
	return threads[thread].name;
}

void sched_rename(const char *name)
{
	snprintf(threads[self].name, NAME, "%s", name);
}

static void switch_to(unsigned next)
{
	unsigned from = self;

	if (next == from)
		return;
	self = next;
	if (_setjmp(threads[from].here) == 0)
		_longjmp(threads[next].here, 1);
}

static _Noreturn void deadlock(void)
{
	char text[SCHED_THREADS * 80] = "";
	unsigned i;

	for (i = 0; i < thread_count; i++) {
		struct thread *t = &threads[i];
		size_t used = strlen(text);

		if (t->state == ASLEEP)
			snprintf(text + used, sizeof(text) - used, ", %s in %s",
				 t->name, t->what);
	}
	sched_fail("nobody will ever wake%s", text + 1);
}

/* When all sleep: whose time is over next, so that nobody is left out for ever. */
static unsigned longest_asleep(unsigned *list)
{
	struct thread *first = NULL;
	unsigned i;

	for (i = 0; i < thread_count; i++) {
		struct thread *t = &threads[i];

		if (t->state == ASLEEP && t->timed &&
		    (first == NULL || t->since < first->since))
			first = t;
	}
	if (first == NULL)
		return 0;
	list[0] = (unsigned)(first - threads);
	return 1;
}

/* Those who can go on, the calling thread first if it is among them. */
static unsigned candidates(unsigned *list)
{
	unsigned n = 0;
	unsigned i;

	if (threads[self].state == READY)
		list[n++] = self;
	for (i = 0; i < thread_count; i++)
		if (i != self && threads[i].state == READY)
			list[n++] = i;
	if (timeouts_left == 0)
		return n == 0 && time_passes ? longest_asleep(list) : n;
	for (i = 0; i < thread_count; i++)
		if (threads[i].state == ASLEEP && threads[i].timed)
			list[n++] = i;
	return n;
}

/* Who goes on. */
static unsigned pick(void)
{
	unsigned list[SCHED_THREADS];
	unsigned n = candidates(list);
	bool can_stay = threads[self].state == READY;
	struct thread *next;

	if (n == 0)
		deadlock();
	next = &threads[list[n > 1 ? sched_choose(n, can_stay) : 0]];
	if (next->state == ASLEEP) {
		timeouts_left -= timeouts_left > 0;
		next->timed_out = true;
		next->state = READY;
	}
	return (unsigned)(next - threads);
}

void sched_before(const struct sched_site *site, const volatile void *p,
		  bool writes)
{
	if (++steps > MOST_STEPS)
		sched_fail("no end after %d steps", MOST_STEPS);
	sched_point();
	if (sched_touch(p, writes))
		switch_to(pick());
	/* Only now is it this thread's turn to do what it announced. */
	sched_trace(site);
}

void sched_after(const volatile void *p)
{
	sched_point();
	if (sched_touch(p, true))
		switch_to(pick());
}

bool sched_sleep(const char *what, const volatile void *on, bool timed)
{
	struct thread *t = &threads[self];

	t->state = ASLEEP;
	t->what = what;
	t->on = on;
	t->timed = timed;
	t->timed_out = false;
	t->since = steps;
	sched_point();
	switch_to(pick());
	return !t->timed_out;
}

void sched_wake(const volatile void *on)
{
	unsigned i;

	for (i = 0; i < thread_count; i++)
		if (threads[i].state == ASLEEP && threads[i].on == on)
			threads[i].state = READY;
}

static unsigned unended(void)
{
	unsigned n = 0;
	unsigned i;

	for (i = 0; i < thread_count; i++)
		n += threads[i].state != ENDED && threads[i].state != VANISHED;
	return n;
}

bool sched_is_alone(void)
{
	return unended() == 1;
}

/* The stack's first thread has not begun, or its latest has ended. */
static _Noreturn void leave_stack(struct thread *t)
{
	if (t->state == NEW)
		_longjmp(maker, 1);
	if (unended() == 0)
		_longjmp(host, 1);
	sched_point();
	self = pick();
	_longjmp(threads[self].here, 1);
}

/* A stack serves one thread of each run. */
static void coroutine(void)
{
	struct thread *t = &threads[thread_count];

	for (;;) {
		if (_setjmp(t->here) == 0)
			leave_stack(t);
		t->main(t->arg);
		t->state = ENDED;
		sched_wake(t);
	}
}

static void make_coroutine(struct thread *t)
{
	ucontext_t context;

	getcontext(&context);
	context.uc_stack.ss_sp = t->stack;
	context.uc_stack.ss_size = sizeof(t->stack);
	makecontext(&context, coroutine, 0);
	if (_setjmp(maker) == 0)
		setcontext(&context);
}

unsigned sched_spawn(const char *name, void *(*main)(void *), void *arg)
{
	struct thread *t = &threads[thread_count];

	if (thread_count == SCHED_THREADS)
		sched_fail("more than %d threads", SCHED_THREADS);
	if (t->state == VANISHED)
		t->state = NEW;
	if (t->state == NEW)
		make_coroutine(t);
	t->state = READY;
	t->joined = false;
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->main = main;
	t->arg = arg;
	memset(t->local, 0, sizeof(t->local));
	return thread_count++;
}

bool sched_start_fails(void)
{
	if (failed_starts_left == 0)
		return false;
	sched_point();
	if (sched_choose(2, false) == 0)
		return false;
	failed_starts_left--;
	return true;
}

void sched_join(unsigned thread)
{
	static const struct sched_site site = { "join", "", "", "", 0 };

	sched_before(&site, NULL, true);
	if (threads[thread].joined)
		sched_fail("%s is joined twice", threads[thread].name);
	threads[thread].joined = true;
	while (threads[thread].state != ENDED)
		sched_sleep("join", &threads[thread], false);
}

void sched_detach(unsigned thread)
{
	if (threads[thread].joined)
		sched_fail("%s is joined already", threads[thread].name);
	threads[thread].joined = true;
}

void sched_let_time_pass(void)
{
	time_passes = true;
}

/* Their stacks are made anew for others; who had to join any is not there. */
void sched_vanish_others(void)
{
	unsigned i;

	for (i = 0; i < thread_count; i++) {
		threads[i].joined = true;
		if (i != self && threads[i].state != ENDED)
			threads[i].state = VANISHED;
	}
}

static void *first_main(void *scene)
{
	((const struct sched_scene *)scene)->run();
	return NULL;
}

static void expect_joined(void)
{
	unsigned i;

	for (i = 1; i < thread_count; i++)
		if (!threads[i].joined)
			sched_fail("%s is never joined", threads[i].name);
}

void sched_run(const struct sched_scene *scene)
{
	thread_count = 0;
	self = 0;
	steps = 0;
	time_passes = false;
	timeouts_left = scene->timeouts;
	failed_starts_left = scene->failed_starts;
	sched_clock_reset();
	sched_locks_reset();
	sched_spawn("main", first_main, (void *)(size_t)scene);
	if (_setjmp(host) == 0)
		_longjmp(threads[0].here, 1);
	expect_joined();
	if (sched_memory_used() > 0 && !scene->leaks)
		sched_fail("%u blocks of memory are left", sched_memory_used());
}
