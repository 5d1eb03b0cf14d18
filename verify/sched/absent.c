/*
 * absent.c - in the place of parts of the library that the scenes do without: the
 * monitor, so that whatever waits for it is found stuck, the default pool, and
 * fork().
 */
#include "pool.h"

void sooni_monitor_watch(struct soon_executor *e)
{
	(void)e;
}

void sooni_monitor_forget(struct soon_executor *e)
{
	(void)e;
}

bool sooni_is_default(const struct soon_executor *e)
{
	(void)e;
	return false;
}

soon_executor *soon_default_executor(void)
{
	return NULL;
}

int sooni_fork_enlist(struct soon_executor *e)
{
	(void)e;
	return 0;
}

void sooni_fork_delist(struct soon_executor *e)
{
	(void)e;
}
