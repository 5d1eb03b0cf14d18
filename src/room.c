/*
 * room.c - see room.h; doc/protocols.md has the proof.
 */
#include "room.h"

void sooni_room_init(struct sooni_room *r, uint64_t most)
{
	atomic_init(&r->taken, 0);
	r->most = most;
	pthread_mutex_init(&r->lock, NULL);
	r->line = NULL;
	r->closed = false;
}

void sooni_room_fini(struct sooni_room *r)
{
	pthread_mutex_destroy(&r->lock);
}

/* Whether n more find place where so many are taken. */
static bool fits(const struct sooni_room *r, uint64_t taken, uint64_t n)
{
	return n <= r->most && taken >> 1 <= r->most - n;
}

bool sooni_room_take(struct sooni_room *r, uint64_t n)
{
	/* relaxed, here and below: all that counts is in the word. */
	uint64_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);

	do {
		if (taken & SOONI_IN_LINE || !fits(r, taken, n))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&r->taken, &taken, taken + 2 * n, memory_order_relaxed,
		memory_order_relaxed));
	return true;
}

void sooni_room_overfill(struct sooni_room *r, uint64_t n)
{
	/* relaxed: as above. */
	atomic_fetch_add_explicit(&r->taken, 2 * n, memory_order_relaxed);
}

/* After this *a is not ours. */
static void answer(struct sooni_asker *a, uint32_t how)
{
	/* release: pairs with the acquire in sooni_sleep(). */
	sooni_wake(&a->word, atomic_fetch_or_explicit(&a->word, how,
						      memory_order_release));
}

static struct sooni_asker *first_in_line(struct sooni_room *r)
{
	return r->line != NULL
		       ? sooni_container_of(r->line, struct sooni_asker, link)
		       : NULL;
}

/* Under the lock: take the places that a, the first in line, wants. */
static bool take_for(struct sooni_room *r, struct sooni_asker *a)
{
	bool last = a->link.next == &a->link;
	uint64_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);
	uint64_t next;

	do {
		if (!fits(r, taken, a->n))
			return false;
		next = taken + 2 * a->n;
		if (last)
			next &= ~SOONI_IN_LINE;
		/* relaxed: see sooni_room_take(). */
	} while (!atomic_compare_exchange_weak_explicit(&r->taken, &taken, next,
							memory_order_relaxed,
							memory_order_relaxed));
	return true;
}

static void admit_locked(struct sooni_room *r)
{
	struct sooni_asker *a;

	while ((a = first_in_line(r)) != NULL && take_for(r, a)) {
		sooni_list_remove(&r->line, &a->link);
		answer(a, SOONI_ADMITTED);
	}
}

void sooni_room_admit(struct sooni_room *r)
{
	pthread_mutex_lock(&r->lock);
	admit_locked(r);
	pthread_mutex_unlock(&r->lock);
}

/*
 * Setting IN_LINE and giving a place back change the same word.  Who gives back
 * later sees IN_LINE, and comes for the lock; what was given back earlier is
 * found here, by the one who lines up.
 */
void sooni_room_line_up(struct sooni_room *r, struct sooni_asker *a, uint64_t n)
{
	atomic_init(&a->word, 0);
	a->n = n;
	pthread_mutex_lock(&r->lock);
	if (r->closed) {
		answer(a, SOONI_REFUSED);
	} else {
		sooni_list_append(&r->line, &a->link);
		/* relaxed: see above. */
		atomic_fetch_or_explicit(&r->taken, SOONI_IN_LINE,
					 memory_order_relaxed);
		admit_locked(r);
	}
	pthread_mutex_unlock(&r->lock);
}

void sooni_room_close(struct sooni_room *r)
{
	struct sooni_link *link;

	pthread_mutex_lock(&r->lock);
	r->closed = true;
	/* relaxed: as above. */
	atomic_fetch_and_explicit(&r->taken, ~SOONI_IN_LINE,
				  memory_order_relaxed);
	while ((link = sooni_list_shift(&r->line)) != NULL)
		answer(sooni_container_of(link, struct sooni_asker, link),
		       SOONI_REFUSED);
	pthread_mutex_unlock(&r->lock);
}

/*
 * The line may be in the middle of a change: see list.h.  Who stands in it is
 * another thread, which is not here but whose stack is, or the caller, which was
 * about to sleep.
 */
void sooni_room_after_fork(struct sooni_room *r)
{
	struct sooni_link *link = r->line;

	if (link != NULL) {
		do {
			struct sooni_link *next = link->next;

			answer(sooni_container_of(link, struct sooni_asker,
						  link),
			       SOONI_REFUSED);
			link = next;
		} while (link != r->line);
	}
	pthread_mutex_init(&r->lock, NULL);
	r->line = NULL;
	/* relaxed: nobody else is there. */
	atomic_store_explicit(&r->taken, 0, memory_order_relaxed);
}
