/*
 * fuzz.h - what the parts of the fuzzer share.
 *
 * An input's bytes are a program of calls: the first few say which executor and
 * how many threads, each following one or more an action.  With one thread a model
 * (model.h) says exactly what each call returns and what becomes of each future
 * (exact*.c); with more, what is possible (race.c).  The ledger here keeps account
 * of every job, argument, result and callback in both.
 */
#ifndef SOON_FUZZ_H
#define SOON_FUZZ_H

#include <soon.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the process: libFuzzer then keeps the input. */
#define CLAIM(holds) fuzz_claim(holds, __FILE__, __LINE__, #holds)

void fuzz_claim(bool holds, const char *file, int line, const char *what);

/* What to say then as well, or NULL. */
extern const char *fuzz_failed;

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* A short sleep between two looks at what another thread will have done soon; so
 * often, some tens of seconds in all, before it is taken for stuck. */
void fuzz_nap(void);
enum { PATIENCE = 200000 };

/* A soon_nsec that never passes within a test, and is not SOON_FOREVER. */
#define AGES (3600 * SOON_SEC)

/* The bytes that are left; where there are none all choices are 0. */
struct input {
	const uint8_t *at;
	size_t left;
};

/* One of 0..n-1, from one byte. */
unsigned pick(struct input *in, unsigned n);
/* Once in n times; never without bytes, and then nothing is left to do. */
bool rarely(struct input *in, unsigned n);

/* How a job ends. */
enum ending { RETURNS, RETURNS_NULL, FAILS, FAILS_IF_ASKED };

/* What a job does before that, where several threads race. */
enum deed { NO_DEED, SLEEPS, POLLS, HAS_CHILD, AWAITS_CHILD, DEEDS };

/* A job, for the account.  What is no atomic is written by its submitter alone. */
struct task {
	enum ending ending;
	enum deed deed;
	bool held; /* a worker that runs it stays there until it is let go */
	bool hooked;
	bool owns_arg;	/* has a free_arg */
	bool may_child; /* deeds of children have no children */
	bool then;	/* a continuation: counts from when its input is done */
	atomic_bool accepted;
	atomic_bool promised; /* its result went to a promise; no job */
	atomic_bool let_go;
	atomic_bool owned; /* has a free_result */
	atomic_bool taken;
	atomic_uint started;
	atomic_uint ended;
	atomic_bool returned; /* a result, as a job */
	atomic_uint asked;    /* times that its hook has run */
	atomic_uint arg_freed;
	atomic_uint result_freed;
	char result;
};

enum { MOST_TASKS = 200, MOST_CALLS = 64 };

/* The code that FAILS fails with. */
enum { TASK_CODE = 4711 };

/* NULL when all are used up. */
struct task *task_new(void);
void *task_run(void *task);
void *task_then(soon_future *done, void *task);
void task_free_arg(void *task);
void task_free_result(void *result);
/* The job that makes a task run; free_arg and free_result as the task says. */
soon_job task_job(struct task *t);
void task_let_go(struct task *t);
/* Nothing is held from now on. */
void task_let_all_go(void);
/* Threads that may not be held. */
void task_never_hold_me(void);
void *task_result(struct task *t);
/* The result was taken, if it is a task's. */
void task_took(void *result);

/* A callback, for the account. */
struct call {
	atomic_uint count;
	const struct call *after; /* which has to run before */
};

/* Have a call made when f is done; NULL where none is left. */
struct call *call_on_done(soon_future *f, const struct call *after);

/* unread_error of each executor here. */
void fuzz_unread(soon_future *f, void *unused);

/* Where jobs have children. */
extern soon_executor *_Atomic fuzz_pool;

/* What executors counted. */
struct counts {
	uint64_t submitted, succeeded, failed, cancelled, expired, rejected;
};

/* Look at what an executor that is shut down has counted, then free it. */
void fuzz_end_pool(soon_executor *e);

void ledger_open(void);
/* Every job, argument, result and callback came to its end, once. */
void ledger_close(void);

/* Options from bytes; what cannot be told exactly only if it need not be. */
soon_executor_options fuzz_options(struct input *in, bool exact);

/* Calls with bad arguments, which change nothing. */
void fuzz_bad(struct input *in, soon_executor *e);
/* Calls that look on and may be made at any time. */
void fuzz_look(struct input *in, soon_executor *e);

/* Programs of one thread, and of several. */
void fuzz_exact(struct input *in);
void fuzz_race(struct input *in, unsigned threads);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
