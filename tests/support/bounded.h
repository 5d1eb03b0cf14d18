/*
 * bounded.h - what the tests of pools with max_pending share.
 */
#ifndef SOON_TEST_BOUNDED_H
#define SOON_TEST_BOUNDED_H

#include "support.h"

#include <stdatomic.h>

/* A pool of one worker whose thread never ends for idleness. */
soon_executor *bounded_pool(size_t max_pending, enum soon_overflow when_full,
			    unsigned flags);

/* The calls by which one job is submitted, for loops over them. */
enum { CALLS = 4 };

/* One tally_job() by one of them; 0 or a code. */
int submit_tally(soon_executor *e, int how, struct tally *t);

/* A thread that makes one such call. */
struct submitter {
	struct actor actor;
	soon_executor *pool;
	struct tally *tally;
	int how;
	atomic_bool returned;
};

/* Start it and see it fall asleep, if the system lets us see that. */
void submitter_start(struct submitter *s, soon_executor *e, int how,
		     struct tally *t);
/* What its call returned. */
long submitter_join(struct submitter *s);

#endif
