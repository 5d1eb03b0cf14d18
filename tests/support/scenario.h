/*
 * scenario.h - short uses of the public calls, for a test that makes the calls
 * of the system that they need fail in the middle of them.
 *
 * A scenario works whatever fails: it takes for an answer what that explains,
 * checks that the call then did nothing, and goes on with what it has.  It
 * leaves nothing behind.
 */
#ifndef SOON_TEST_SCENARIO_H
#define SOON_TEST_SCENARIO_H

#include "fault.h"
#include "many.h"

#include <errno.h>
#include <stddef.h>

/* It returns NULL, or the claim that does not hold. */
typedef const char *scenario_fn(void);

extern const struct scenario {
	const char *name;
	scenario_fn *run;
} scenarios[];
extern const size_t scenario_count;

/* What follows is for the scenarios themselves. */

scenario_fn scenario_wait;
scenario_fn scenario_gather;
scenario_fn scenario_map;
scenario_fn scenario_imap;
scenario_fn scenario_iterate;
scenario_fn scenario_group;
scenario_fn scenario_compose;
scenario_fn scenario_hooks;
scenario_fn scenario_unread;
scenario_fn scenario_trace;
scenario_fn scenario_give_way;
scenario_fn scenario_leave;
scenario_fn scenario_cycle;
scenario_fn scenario_dump;
scenario_fn scenario_full;
scenario_fn scenario_expire;
scenario_fn scenario_time;
scenario_fn scenario_fork;

/* Return the claim if it does not hold. */
#define EXPECT(holds)                  \
	do {                           \
		if (!(holds))          \
			return #holds; \
	} while (0)

/* End the scenario, content, if the pool could not be had. */
#define NEED_POOL(e)                                                     \
	do {                                                             \
		if ((e) == NULL)                                         \
			return refused(errno)                            \
				       ? NULL                            \
				       : "a pool refused for no reason"; \
	} while (0)

/* Whether a call may say that, as things are. */
static inline bool refused(int code)
{
	return fault_explains(code);
}

#endif
