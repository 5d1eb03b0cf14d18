/*
 * fault.h - calls of the system that fail when a test wants them to.
 *
 * Programs that use this are linked with a copy of the core in which the names
 * of fault.syms are replaced: the library's own calls come here, and nobody
 * else's.  So it works beside the sanitizers too.
 */
#ifndef SOON_TEST_FAULT_H
#define SOON_TEST_FAULT_H

#include "support.h"

/* What fails together. */
enum fault {
	FAULT_MEMORY,	  /* whatever allocates: ENOMEM */
	FAULT_THREAD,	  /* pthread_create(): EAGAIN */
	FAULT_DESCRIPTOR, /* whatever opens: EMFILE */
	FAULT_TRANSFER,	  /* reading and writing: EIO */
	FAULT_CLOCK,	  /* clock_gettime(): EINVAL */
	FAULT_SLEEP,	  /* a sleep ends for no reason */
	FAULT_SYSTEM,	  /* the rest: attributes, keys, affinity... */
	FAULTS
};

const char *fault_name(enum fault kind);

/* Let the n-th such call from now fail, and those after it if so asked. */
void fault_arm(enum fault kind, long n, bool from_then_on);
/* No more of that; how many have failed. */
unsigned fault_disarm(void);
/* The same while it goes on. */
unsigned fault_count(void);
/* So many more have, elsewhere: in a child of fork. */
void fault_add(unsigned n);

/* Whether what has failed is a reason for a call to return this code. */
bool fault_explains(int code);

/* Blocks of memory that the library has, and descriptors. */
long fault_blocks(void);
long fault_descriptors(void);

/* test_run(), or what says that calls cannot be made to fail here. */
int fault_run(Suite *suite);

#endif
