/*
 * os_futex_cond.c - sleeping on a word with a mutex and a condition, for
 * systems without futexes.
 *
 * Words share a few rooms by address.  A sleeper compares the word under the
 * room's lock, a waker takes the lock after it has changed the word: either
 * the sleeper sees the change, or it sleeps before the waker gets the lock and
 * hears the broadcast.  It is a broadcast, under the lock, because rooms are
 * shared and because glibc's pthread_cond_signal can lose a wake-up (bug
 * 25847).
 */
#include "os.h"

#include <errno.h>
#include <time.h>

enum { ROOMS = 64 };

static struct room {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned sleepers;
} rooms[ROOMS];

static pthread_once_t opened = PTHREAD_ONCE_INIT;

static void open_rooms(void)
{
	pthread_condattr_t monotonic;
	int i;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	for (i = 0; i < ROOMS; i++) {
		pthread_mutex_init(&rooms[i].lock, NULL);
		pthread_cond_init(&rooms[i].changed, &monotonic);
	}
	pthread_condattr_destroy(&monotonic);
}

static struct room *room_of(const void *word)
{
	uintptr_t address = (uintptr_t)word;

	pthread_once(&opened, open_rooms);
	return &rooms[(address >> 6 ^ address >> 12) % ROOMS];
}

int sooni_futex_wait(_Atomic uint32_t *word, uint32_t expected,
		     int64_t deadline)
{
	struct room *room = room_of(word);
	struct timespec at;
	/* The wait on a condition is a cancellation point. */
	int old = sooni_uncancellable_begin();
	int rc = 0;

	if (deadline < SOONI_NEVER) {
		at.tv_sec = (int32_t)(deadline / 1000000000);
		at.tv_nsec = (int32_t)(deadline % 1000000000);
	}
	pthread_mutex_lock(&room->lock);
	/* acquire: as a futex's, though callers load the word again. */
	if (atomic_load_explicit(word, memory_order_acquire) == expected) {
		room->sleepers++;
		if (deadline >= SOONI_NEVER)
			pthread_cond_wait(&room->changed, &room->lock);
		else
			rc = pthread_cond_timedwait(&room->changed, &room->lock,
						    &at);
		room->sleepers--;
	}
	pthread_mutex_unlock(&room->lock);
	sooni_uncancellable_end(old);
	return rc == ETIMEDOUT ? ETIMEDOUT : 0;
}

void sooni_futex_wake(_Atomic uint32_t *word)
{
	struct room *room = room_of(word);

	pthread_mutex_lock(&room->lock);
	if (room->sleepers > 0)
		pthread_cond_broadcast(&room->changed);
	pthread_mutex_unlock(&room->lock);
}

/* A condition that is inherited may wait for ever for sleepers that are not
 * there; so the rooms are made anew, whatever state they are in. */
void sooni_futex_after_fork(void)
{
	int i;

	for (i = 0; i < ROOMS; i++)
		rooms[i].sleepers = 0;
	open_rooms();
}
