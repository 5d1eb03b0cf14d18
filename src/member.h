/*
 * member.h - the inside of a group: member.c sees to its members, group.c is what
 * users see of it.
 *
 * Members are linked, under the group's lock, from before they are submitted.  A
 * thread that ends one only pushes it on a stack (R. K. Treiber, 1986; takers
 * take all of it); whoever has the lock unlinks what is there, many at a time.
 * Until then the group holds a reference to the member's future.
 *
 * What is linked may be looked at, but is cancelled or run by others only once it
 * has been shown: once its submit has been accepted.  doc/protocols.md argues it.
 */
#ifndef SOONI_MEMBER_H
#define SOONI_MEMBER_H

#include "waiter.h"

#include <soon/group.h>

#include <pthread.h>

/* The bits of flags.  Who sets the second of SHOWN and GONE frees the member. */
enum {
	SOONI_SHOWN = 1, /* the pool has it, and its submit is through with it*/
	SOONI_GONE = 2,	 /* it has ended, and is no longer linked */
	SOONI_STOP = 4 /* it is to be cancelled: by its submit, if not SHOWN */
};

struct sooni_member {
	struct sooni_waiter waiter; /* on the future, from its birth */
	struct soon_group *group;
	soon_future *future;
	_Atomic uint32_t flags;
	unsigned generation; /* see sooni_generation */
	bool is_first;	     /* it has stopped the group */

	struct sooni_member *next; /* that has ended, or is spare */

	/* under lock */
	struct sooni_link **list; /* of the group's */
	struct sooni_link link;
};

struct soon_group {
	/* shared with those who end members */
	alignas(SOONI_APART) _Atomic(struct sooni_member *) ended;
	_Atomic size_t left; /* members that have not, and who cancels them */
	/* How often nothing was left, by 2; bit 0 is SOONI_SLEEPERS. */
	_Atomic uint32_t word;

	/* under lock, but for the first and the last */
	alignas(SOONI_APART) soon_executor *executor; /* r/o */
	pthread_mutex_t lock;
	struct sooni_link *fresh; /* who waits may run them, if they have not
				     started */
	struct sooni_link *others;
	struct sooni_link *asked;   /* these were cancelled with the group */
	size_t linked;		    /* how many in all three */
	uint32_t begun;		    /* how often something was left, by 2 */
	struct sooni_member *spare; /* to be used again */
	unsigned spares;
	bool is_stopped;
	int error;	       /* why; 0: for the failure that is first */
	soon_future *first;    /* NULL: there was none, or see error */
	struct sooni_link all; /* in the list of all groups: see groups.c */
};

/*
 * f, which nobody else has seen, becomes a member, with the caller's reference.
 * is_fresh: who waits may run it.  0 and *member; ECANCELED, ENOMEM.
 */
int sooni_member_join(struct soon_group *g, soon_future *f, bool is_fresh,
		      struct sooni_member **member);

/* It was not accepted: f is the caller's again. */
void sooni_member_withdraw(struct sooni_member *m);

/* It was; *m may be gone. */
void sooni_member_show(struct sooni_member *m);

/* Call visit(f, ctx) for all members, maybe those that have ended too, until that
 * is false.  It may take no locks but those of waiters. */
void sooni_member_each(struct soon_group *g,
		       bool (*visit)(soon_future *f, void *ctx), void *ctx);

/* The newest that a thread which waits may try to run, with a reference. */
soon_future *sooni_member_newest(struct soon_group *g);

/* Cancel all members; nobody joins any more.  code: why. */
void sooni_member_stop(struct soon_group *g, int code);

/* Whether anything is left.  If so, nothing was at some time as soon as
 * sooni_member_has_left() with the same *since says so. */
bool sooni_member_begin_wait(struct soon_group *g, uint32_t *since);

/* Also *seen, of word, which will change before the answer does. */
static inline bool sooni_member_has_left(struct soon_group *g, uint32_t since,
					 uint32_t *seen)
{
	/* acquire: as in sooni_sleep(). */
	*seen = atomic_load_explicit(&g->word, memory_order_acquire) &
		~SOONI_SLEEPERS;
	return (int32_t)(*seen - since) < 0;
}

/* Unlink what has ended; under lock. */
void sooni_member_sweep(struct soon_group *g);

/* groups.c */

/* The group's beginning, and its end, with nothing left. */
void sooni_member_init(struct soon_group *g);
void sooni_member_fini(struct soon_group *g);

/* Around a fork: nobody else uses the list of all groups. */
void sooni_member_lock_all(void);
void sooni_member_unlock_all(void);

/* In a child of fork, with the caller the only thread. */
void sooni_member_after_fork(void);

#endif
