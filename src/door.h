/*
 * door.h - the way into a pool for what does not keep it: a continuation that
 * waits for its input may outlive its executor.
 *
 * The pool and each continuation hold the door.  Closing the pool closes it
 * first; so who has come in is seen by whoever waits for the pool's end, and who
 * comes later does not touch it.
 */
#ifndef SOONI_DOOR_H
#define SOONI_DOOR_H

struct soon_executor;
struct sooni_door;

/* One that leads to e, held by the caller; NULL without memory. */
struct sooni_door *sooni_door_new(struct soon_executor *e);

void sooni_door_hold(struct sooni_door *d);
void sooni_door_drop(struct sooni_door *d);

/*
 * Become a guest of the pool, to be given back with sooni_home_leave().  0, or
 * why it was closed: ESHUTDOWN, SOON_EBROKEN; then *e is NULL.
 */
int sooni_door_enter(struct sooni_door *d, struct soon_executor **e);

/* The pool takes no jobs any more, for this reason; the first one counts. */
void sooni_door_close(struct sooni_door *d, int reason);

/* In a child of fork: nobody holds its lock. */
void sooni_door_after_fork(struct sooni_door *d);

#endif
