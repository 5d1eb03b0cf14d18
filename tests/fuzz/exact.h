/*
 * exact.h - what programs of one thread are made of; see exact.c.
 */
#ifndef SOON_FUZZ_EXACT_H
#define SOON_FUZZ_EXACT_H

#include "model.h"

enum { SLOTS = 8, POOLS = 3 };

/* The driver's futures, each with one reference, and what else it has open. */
struct exact {
	struct input *in;
	struct mfuture *slot[SLOTS];
	struct call *last_call[SLOTS]; /* on the slot's future */
	soon_executor *executor;       /* NULL after its end */
	struct mpool *pool;
	struct mpool pools[POOLS];
	unsigned opened;
	soon_group *group;
	struct mgroup *mgroup;
	struct mgroup groups[POOLS];
	unsigned grouped;
};

extern struct exact now;

/* A future of the driver's, or NULL; one that is there, by preference. */
struct mfuture *exact_slot(void);
/* Put a new one into a slot, dropping what was there. */
void exact_keep(struct mfuture *f, soon_future *real);
void exact_drop(unsigned slot);
/* Some of the driver's futures; how many. */
unsigned exact_some(struct mfuture **some, soon_future **real, unsigned most);
/* A timeout under which a wait that would end, ends, and another does not wait
 * for ever. */
soon_nsec exact_timeout(bool ends);
/* A job as bytes say, in *job and as a future of the model; NULL: no more. */
struct mfuture *exact_job(soon_job *job, bool plain);
/* Hand it to the group as well; what the submit returns, or BLOCKS. */
int exact_admit_member(struct mfuture *f);
/* Let go what runs, one of all of them that the test chooses. */
void exact_let_go(struct mfuture *f);

/* Actions: each makes a call, and the model says what it returns. */
void exact_submit(void);
void exact_submit_many(void);
void exact_execute(void);
void exact_map(void);
void exact_imap(void);
void exact_shutdown(void);
void exact_reopen(void);
void exact_release(void);

void exact_promise(void);
void exact_complete(void);
void exact_cancel(void);
void exact_read(void);
void exact_take(void);
void exact_call_back(void);
void exact_unref(void);

void exact_wait(void);
void exact_wait_any(void);
void exact_gather(void);
/* Whether the set has been told of all members that are done. */
bool exact_set_agrees(void);
void exact_set_new(void);
void exact_set_next(void);
void exact_set_free(void);

void exact_then(void);
void exact_combine(void);
void exact_within(void);
void exact_group_submit(void);
void exact_group_look(void);
void exact_group_cancel(void);
void exact_group_free(void);

#endif
