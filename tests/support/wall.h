/*
 * wall.h - the clock that people set, as the library sees it where its calls go to
 * fault.c: tests set it, and hear whether the library has looked.
 */
#ifndef SOON_TEST_WALL_H
#define SOON_TEST_WALL_H

#include <stdint.h>
#include <time.h>

/* From now on it is that far from the system's. */
void wall_jump(int64_t seconds);

/* So often the library has asked for it, or slept by it; for the monotonic one;
 * and so often it has slept with a limit. */
unsigned wall_asked(void);
unsigned wall_steady_asked(void);
unsigned wall_slept(void);

/* For fault.c: clock_gettime(), and a futex's wait, with its command's flags. */
int wall_read(clockid_t clock, struct timespec *t);
void wall_see_sleep(int op);

#endif
