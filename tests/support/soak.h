/*
 * soak.h - what the parts of the soak share.
 *
 * Threads and jobs do deeds, which are chosen by chance among all that the
 * library offers.  Each job is a task, which outlives it and counts what becomes
 * of it.  When all is over the audit holds that against the rules and against
 * what the pools have counted.
 */
#ifndef SOON_TEST_SOAK_H
#define SOON_TEST_SOAK_H

#include "many.h"

#include <stdatomic.h>

/* A pool with few workers and little room, a plain one, one without threads. */
enum { SOAK_POOLS = 3, SOAK_BATCH = 8, SOAK_DEPTH = 3 };

/* What the round does them to; written before it begins, or atomic. */
struct soak_round {
	soon_executor *pool[SOAK_POOLS];
	soon_executor_options options[SOAK_POOLS];
	atomic_bool closed[SOAK_POOLS]; /* a shutdown has begun, or is about to */
	atomic_uint rejected[SOAK_POOLS];
	bool may_close;		  /* before all threads are through */
	unsigned most_tasks;	  /* and then no more */
	atomic_int forks_left;	  /* so many processes more */
	atomic_uint inits, finis; /* of workers */
};
extern struct soak_round soak;

/* How a job's function ended. */
enum soak_end { SOAK_NOT_RUN, SOAK_RETURNED, SOAK_FAILED_ITSELF, SOAK_EXITED };

/* What became of a job. */
enum soak_fate {
	SOAK_UNKNOWN,
	SOAK_SUCCEEDED,
	SOAK_FAILED,
	SOAK_CANCELLED,
	SOAK_EXPIRED,
	SOAK_FATES
};

struct soak_task {
	/* Before the submit. */
	soon_job job;
	unsigned pool;
	unsigned depth; /* of the jobs that it may submit */
	uint64_t seed;
	bool is_plain;	 /* submitted without attributes */
	bool has_future; /* and with it a callback */
	bool is_mapped;	 /* soon_map() has read its error */
	bool is_unwound; /* its submit did not return: it, or another of those
			    submitted with it, ended the thread that ran them */
	/* After it. */
	atomic_bool is_accepted, is_owned;
	/* A continuation, accepted once it gets into a queue; and it is done. */
	atomic_bool is_hung, is_over;
	/* How often. */
	atomic_uint ran, told, arg_freed, result_freed, unread, returned, taken;
	atomic_int end;		 /* enum soak_end */
	atomic_int fate;	 /* enum soak_fate */
	atomic_bool may_be_read; /* its error: somebody has looked */
	atomic_bool is_read;	 /* and has seen it */
};

/*
 * The ledger: all tasks of a round.
 */

/* Note that something does not hold; the first is kept.  On any thread. */
#define SOAK_CLAIM(holds) soak_claim((holds), __FILE__, __LINE__, #holds)
void soak_claim(bool holds, const char *file, int line, const char *what);
/* What did not hold; NULL: all did. */
const char *soak_wrong(void);

void soak_ledger_clear(void);
/* A job for this pool that nobody has submitted; NULL if the round has had
 * enough. */
struct soak_task *soak_task_new(struct rng *r, unsigned pool, unsigned depth);
/* The job itself, its destructors, and what is called when it is done. */
void *soak_run(void *task);
void soak_free_arg(void *task);
void soak_free_result(void *task);
void soak_settled(soon_future *f, void *task);
void soak_unread(soon_future *f, void *unused);
/* Wait until all jobs have returned and all callbacks have. */
void soak_await_settled(void);
/* Wait until nobody needs the tasks, all futures and pools being gone; then see
 * that each had one fate, and was freed once. */
void soak_audit(void);
/* Say how many there were of each kind, in all rounds. */
void soak_print_totals(void);
/* How many were accepted in all rounds that have been audited. */
uint64_t soak_jobs_so_far(void);
/* Compare a pool that does nothing with the ledger. */
void soak_audit_stats(unsigned pool);

/*
 * Batches: some tasks that were submitted together.
 */
struct soak_batch {
	soon_future *f[SOAK_BATCH];
	size_t n;
};

/* Submit up to SOAK_BATCH jobs to some pool, by some call. */
void soak_batch_submit(struct soak_batch *b, struct rng *r, unsigned depth);
/* Wait for them, or not; read, take, cancel. */
void soak_batch_collect(struct soak_batch *b, struct rng *r);
/* Before anybody may read an error. */
void soak_batch_note_reading(struct soak_batch *b);
/* Drop all, some for others to find. */
void soak_batch_drop(void *batch);
/* The same, in one; may end the thread. */
void soak_batch(struct rng *r, unsigned depth);
/* Submit one that does not wait, end its thread, or submit; drop it. */
void soak_submit_leaf(struct rng *r);
/* Jobs by soon_map(). */
void soak_map(struct rng *r, unsigned depth);
/* Jobs in a group that ends with the call. */
void soak_group(struct rng *r, unsigned depth);
/* Futures made of those of a batch. */
void soak_compose(struct rng *r, unsigned depth);
/* A job that follows on another, or on a promise. */
void soak_then(struct rng *r, unsigned depth);
/* Jobs by soon_imap_new(), some of them left to its end. */
void soak_imap(struct rng *r, unsigned depth);
/* A batch, as a set's descriptor says that they are done. */
void soak_poll(struct rng *r, unsigned depth);
/* What no callback tells of has no limits. */
void soak_without_limits(soon_job *job);
/* Whether a refusal is right; n jobs were refused. */
void soak_refused(unsigned pool, int code, unsigned n);

/*
 * What threads share.
 */

/* The calling thread is a worker, and nothing on its stack forbids its end: a
 * callback, a hook, or a call of which the account would not know what it did. */
bool soak_may_exit(void);
void soak_forbid_exit(void);
void soak_allow_exit(void);
int soak_worker_init(void *unused);
void soak_worker_fini(void *unused);

/* The board: futures of jobs, for anybody.  Put takes over a reference, get
 * gives one; NULL if there was none. */
void soak_board_put(soon_future *f, unsigned where);
soon_future *soak_board_get(unsigned where);
void soak_board_clear(void);

/* The keeper keeps promises.  soak_promise() makes one that it will keep. */
void soak_keeper_start(uint64_t seed);
void soak_keeper_stop(void);
soon_future *soak_promise(void);
/* Results of promises are freed or taken, each once. */
void soak_audit_promises(void);

/*
 * Figures, in a soak of so many seconds: a line every `interval` of them.
 */
void soak_figures_start(unsigned seconds, unsigned interval);
/* What one of the pools says just now. */
void soak_figures_note(const soon_stats *s);
/* So many rounds have ended. */
void soak_figures_round(unsigned rounds);
/* So much was resident at the end of a round, so long after the start. */
void soak_figures_memory(soon_nsec after, uint64_t kib);
/* Memory in the last third of the time is about what it was in the first: no more
 * than by the slack. */
enum { SOAK_SLACK_KIB = 8 << 10 };
bool soak_is_flat(void);

/*
 * Deeds
 */

/* Do something.  A thread that is no job passes SOAK_DEPTH, a job its own depth:
 * at 0 it does nothing that takes long. */
void soak_do(struct rng *r, unsigned depth);
/* A time between 1 ns and so many microseconds. */
soon_nsec soak_time(struct rng *r, unsigned microseconds);

#endif
