/*
 * soak_group.c - jobs in a group; see soak.h.
 */
#include "soak.h"

#include <errno.h>

/* Without a future it has no limits; and it waits for no other job, as one that
 * closed a ring would be told, but not the free of the group. */
static void submit_member(soon_group *g, struct rng *r, unsigned pool)
{
	struct soak_task *t = soak_task_new(r, pool, 0);
	int rc;

	if (t == NULL)
		return;
	t->job.start_within = 0;
	t->job.run_within = 0;
	t->is_mapped = true;
	rc = soon_group_submit_job(g, &t->job);
	if (rc == 0)
		atomic_store(&t->is_accepted, true);
	else if (rc != ECANCELED)
		soak_refused(pool, rc, 1);
}

static void wait_for_members(soon_group *g, struct rng *r)
{
	int rc = soon_group_wait(g, soak_time(r, 300));

	SOAK_CLAIM(rc == 0 || rc == ETIMEDOUT);
	if (rng_below(r, 4) == 0)
		soon_group_cancel(g);
	rc = soon_group_wait(g, SOON_FOREVER);
	SOAK_CLAIM(rc == 0);
}

void soak_group(struct rng *r, unsigned depth)
{
	unsigned pool = rng_below(r, SOAK_POOLS);
	soon_group *g = soon_group_new(soak.pool[pool]);
	int code;

	(void)depth;
	SOAK_CLAIM(g != NULL);
	soak_forbid_exit();
	for (unsigned rounds = 1 + rng_below(r, 3); rounds > 0; rounds--) {
		for (unsigned n = rng_below(r, SOAK_BATCH); n > 0; n--)
			submit_member(g, r, pool);
		if (rng_below(r, 2) == 0)
			wait_for_members(g, r);
	}
	code = soon_group_wait(g, SOON_FOREVER);
	SOAK_CLAIM(code == 0);
	code = soon_group_error(g);
	SOAK_CLAIM(code == 0 || code == EIO || code == ECANCELED ||
		   code == SOON_EEXITED);
	soon_group_free(g);
	soak_allow_exit();
}
