/*
 * model.h - the contract in plain code, of one thread: which jobs run while some
 * are held, what each future is, and what a call on it returns.
 *
 * It knows nothing of the library but its codes.  A worker that runs a held job is
 * stuck in it; what is not held has run, if a worker was free, when model_run()
 * returns.  So the state of everything is known between two calls.  What no header
 * says, which of several continuations and jobs is next, it asks the library.
 */
#ifndef SOON_FUZZ_MODEL_H
#define SOON_FUZZ_MODEL_H

#include "fuzz.h"

enum kind { JOB, PROMISE, THEN, ALL, ANY, FIRST, WITHIN, SHIELD };

enum { MOST_FUTURES = 300, MOST_INPUTS = 4 };

/* A call would block for ever. */
enum { BLOCKS = -1 };

struct mpool {
	/* as opened */
	unsigned workers;
	size_t max_pending;
	enum soon_overflow when_full;
	bool without_threads;
	bool helped;

	bool closed;
	unsigned stuck; /* workers in held jobs */
	size_t pending, delayed;
	size_t crowd; /* of those pending, who take room: no continuations */
	struct counts counts;
};

struct mgroup {
	struct mpool *pool;
	int code; /* what has stopped it */
	unsigned members;
};

struct mfuture {
	enum kind kind;
	enum soon_state state;
	int code;	    /* of a failure */
	const void *result; /* of a success */
	bool asked;	    /* to stop */
	bool taken;

	/* a job's, and a continuation's */
	struct task *task;
	struct mpool *pool;
	struct mgroup *group;
	int priority;
	unsigned turn; /* when it was queued; 0: it is not */
	bool delayed;
	bool limited; /* has a run_within */

	/* what it is made of */
	struct mfuture *input[MOST_INPUTS];
	unsigned inputs;
	unsigned seen; /* of these, as they were done */

	unsigned refs;
	unsigned moment; /* when it was done */
	soon_future *real;
};

/* What happens in the same moment has no order. */
extern unsigned model_moment;

void model_clear(void);
/* With one reference; NULL when all are used up. */
struct mfuture *model_new(enum kind kind);
unsigned model_futures(void);
struct mfuture *model_future(unsigned i);

bool model_done(const struct mfuture *f);
/* 0, a failure's code, ECANCELED, or EBUSY. */
int model_error(const struct mfuture *f);

/* What handing n jobs over returns, or BLOCKS; then hand over what was accepted,
 * each told whether the submitter runs it. */
int model_admit(struct mpool *p, unsigned n);
bool model_here(const struct mpool *p, unsigned n);
void model_accept(struct mfuture *f, bool here);
/* Let workers run what they can. */
void model_run(void);
/* The job is let go; it runs. */
void model_let_go(struct mfuture *f);
/* The driver waits without a timeout: whether that ends. */
bool model_await(struct mfuture *f);

int model_cancel(struct mfuture *f);
void model_settle(struct mfuture *f, enum soon_state state, int code,
		  const void *result);
void model_shutdown(struct mpool *p, unsigned flags);
void model_unref(struct mfuture *f);
/* Whose result it has: for what within and shield made, that of their input. */
struct mfuture *model_root(struct mfuture *f);
void model_group_stop(struct mgroup *g, int code);

/* model_made.c: f has inputs now; one of its inputs is done. */
void model_made(struct mfuture *f);
void model_input_done(struct mfuture *f, struct mfuture *input);

#endif
