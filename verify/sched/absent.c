/*
 * absent.c - in the place of parts of the library that most scenes do without: the
 * monitor, so that whatever waits for it is found stuck, the default pool, and
 * fork().  A scene that says "with:" has the library's own.
 */
#include "pool.h"

#define ABSENT __attribute__((weak))

ABSENT void sooni_monitor_watch(struct soon_executor *e)
{
	(void)e;
}

ABSENT void sooni_monitor_forget(struct soon_executor *e)
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

ABSENT int sooni_fork_enlist(struct soon_executor *e)
{
	(void)e;
	return 0;
}

ABSENT void sooni_fork_delist(struct soon_executor *e)
{
	(void)e;
}

ABSENT void sooni_monitor_after_fork(void)
{
}

void sooni_default_lock(void)
{
}

void sooni_default_unlock(void)
{
}
