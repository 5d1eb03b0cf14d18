/*
 * test_slab.c - blocks are apart, are used again, and outlive threads.
 *
 * With AddressSanitizer each block is a malloc of its own: then what is said of
 * the use of old blocks does not hold, and only the rest is tested.
 */
#include "support/support.h"

#include "slab.h"

#include "ptrset.h"

#include <stdatomic.h>
#include <stdlib.h>

#define WORDS (SOONI_BLOCK_SIZE / sizeof(uint64_t))

/* Not to be read as a pointer to another block. */
static void stamp(void *block, uint64_t mark)
{
	uint64_t *words = block;

	for (size_t i = 0; i < WORDS; i++)
		words[i] = mark * 64 + i + 1;
}

/* Whether the block is as it was stamped, whatever the mark. */
static bool is_whole(const void *block)
{
	const uint64_t *words = block;

	for (size_t i = 0; i < WORDS; i++)
		if (words[i] != words[0] + i)
			return false;
	return words[0] % 64 == 1;
}

static bool has_mark(const void *block, uint64_t mark)
{
	const uint64_t *words = block;

	return words[0] == mark * 64 + 1 && is_whole(block);
}

static bool is_aligned(const void *block)
{
	return (uintptr_t)block % SOONI_BLOCK_SIZE == 0;
}

static void shuffle(struct rng *rng, void **blocks, unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned k = rng_below(rng, i);
		void *b = blocks[k];

		blocks[k] = blocks[i - 1];
		blocks[i - 1] = b;
	}
}

START_TEST(blocks_are_aligned_and_do_not_overlap)
{
	struct rng rng = rng_seed((uint64_t)_i);
	unsigned n = test_scale(20000);
	void **blocks = calloc(n, sizeof(*blocks));

	ck_assert_ptr_nonnull(blocks);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < n; i++) {
			blocks[i] = sooni_slab_alloc();
			ck_assert_ptr_nonnull(blocks[i]);
			ck_assert(is_aligned(blocks[i]));
			stamp(blocks[i], i);
		}
		for (unsigned i = 0; i < n; i++)
			ck_assert(has_mark(blocks[i], i));
		shuffle(&rng, blocks, n);
		for (unsigned i = 0; i < n; i++)
			sooni_slab_free(blocks[i]);
	}
	free(blocks);
}
END_TEST

/*
 * Threads that exchange blocks: some allocate what others free, in turns, so
 * that whole magazines go from these to those.
 */
#define PEERS 4
#define PLACES 300
#define TURN 2000

static _Atomic(void *) places[PLACES];

struct peer {
	struct actor actor;
	unsigned number, steps;
	unsigned wrong;
	struct rng rng;
};

static void *exchange(void *arg)
{
	struct peer *p = arg;

	for (unsigned i = 0; i < p->steps; i++) {
		unsigned at = rng_below(&p->rng, PLACES);
		bool gives = (i / TURN + p->number) % 2;
		void *mine = gives ? sooni_slab_alloc() : NULL;
		void *theirs;

		if (mine != NULL) {
			p->wrong += !is_aligned(mine);
			stamp(mine, rng_next(&p->rng) >> 8);
		}
		theirs = atomic_exchange(&places[at], mine);
		if (theirs != NULL) {
			p->wrong += !is_whole(theirs);
			sooni_slab_free(theirs);
		}
	}
	return NULL;
}

START_TEST(no_two_threads_have_one_block)
{
	struct rng rng = rng_seed((uint64_t)_i);
	struct peer peers[PEERS];

	for (unsigned i = 0; i < PEERS; i++) {
		peers[i].number = i;
		peers[i].steps = test_scale(50000);
		peers[i].wrong = 0;
		peers[i].rng = rng_seed(rng_next(&rng));
		actor_start(&peers[i].actor, exchange, &peers[i]);
	}
	for (unsigned i = 0; i < PEERS; i++) {
		actor_join(&peers[i].actor);
		ck_assert_uint_eq(peers[i].wrong, 0);
	}
	for (unsigned i = 0; i < PLACES; i++) {
		void *block = atomic_exchange(&places[i], NULL);

		if (block != NULL) {
			ck_assert(is_whole(block));
			sooni_slab_free(block);
		}
	}
}
END_TEST

#ifndef SOONI_SANITIZE_ADDRESS

/*
 * All blocks ever seen in a test, one thread's at a time.  A thread keeps less
 * than three magazines: what it frees, up to two; and it begins one of memory
 * not yet used only when the depot has none.
 */
static struct sooni_ptrset seen;

static void setup(void)
{
	ck_assert_int_eq(sooni_ptrset_init(&seen, 4096), 0);
}

static void teardown(void)
{
	sooni_ptrset_fini(&seen);
}

#define MOST 700

struct user {
	struct actor actor;
	void *blocks[MOST];
	unsigned n;
	unsigned failed;
	struct rng rng;
};

static void *take_blocks(void *arg)
{
	struct user *u = arg;

	for (unsigned i = 0; i < u->n; i++) {
		u->blocks[i] = sooni_slab_alloc();
		if (u->blocks[i] == NULL || sooni_ptrset_reserve(&seen) != 0)
			u->failed++;
		else
			sooni_ptrset_add(&seen, u->blocks[i]);
	}
	shuffle(&u->rng, u->blocks, u->n);
	return NULL;
}

static void *give_blocks(void *arg)
{
	struct user *u = arg;

	for (unsigned i = 0; i < u->n; i++)
		sooni_slab_free(u->blocks[i]);
	return NULL;
}

static void *take_and_give_blocks(void *arg)
{
	take_blocks(arg);
	return give_blocks(arg);
}

static void on_a_thread(struct user *u, void *(*fn)(void *))
{
	actor_start(&u->actor, fn, u);
	actor_join(&u->actor);
	ck_assert_uint_eq(u->failed, 0);
}

static void *const *looked_for;
static unsigned looked_for_count;
static unsigned found;
static unsigned unused_or_freed;

static void find(void *block)
{
	const uint64_t *words = block;

	for (unsigned i = 0; i < looked_for_count; i++)
		if (looked_for[i] == block)
			found++;
	unused_or_freed += words[0] == 0 || words[0] == 7;
}

START_TEST(all_blocks_are_looked_at_and_free_ones_keep_their_beginning)
{
	enum { N = 3000 };
	static void *blocks[N];

	for (unsigned i = 0; i < N; i++) {
		blocks[i] = sooni_slab_alloc();
		ck_assert_ptr_nonnull(blocks[i]);
		*(uint64_t *)blocks[i] = i % 2 == 0 ? 7 : 1;
	}
	for (unsigned i = 0; i < N; i += 2)
		sooni_slab_free(blocks[i]);
	for (unsigned i = 1; i < N; i += 2)
		blocks[i / 2] = blocks[i];
	looked_for = blocks;
	looked_for_count = N / 2;
	found = 0;
	unused_or_freed = 0;
	sooni_slab_lock();
	sooni_slab_each(find);
	sooni_slab_unlock();
	ck_assert_uint_eq(found, N / 2);
	ck_assert_uint_ge(unused_or_freed, N / 2);
	for (unsigned i = 0; i < N / 2; i++)
		sooni_slab_free(blocks[i]);
}
END_TEST

START_TEST(freed_blocks_are_used_again)
{
	struct user u = { .rng = rng_seed((uint64_t)_i), .n = MOST };

	for (unsigned i = test_scale(200); i > 0; i--)
		take_and_give_blocks(&u);
	ck_assert_uint_eq(u.failed, 0);
	ck_assert(sooni_cache.registered); /* or it would be at each free */
	ck_assert_uint_lt(seen.count, MOST + SOONI_MAGAZINE);
}
END_TEST

START_TEST(blocks_that_another_thread_frees_are_used_again)
{
	struct user u = { .rng = rng_seed((uint64_t)_i), .n = MOST };

	for (unsigned i = test_scale(200); i > 0; i--) {
		take_blocks(&u);
		on_a_thread(&u, give_blocks);
	}
	ck_assert_uint_lt(seen.count, MOST + SOONI_MAGAZINE);
}
END_TEST

static struct gate all_given;

static void *give_blocks_and_stay(void *arg)
{
	give_blocks(arg);
	return gate_job(&all_given);
}

START_TEST(a_thread_that_only_frees_keeps_two_magazines)
{
	struct user giver = { .rng = rng_seed((uint64_t)_i), .n = MOST };
	struct user taker = giver;

	gate_init(&all_given);
	take_blocks(&giver);
	actor_start(&giver.actor, give_blocks_and_stay, &giver);
	gate_await(&all_given, 1);
	take_and_give_blocks(&taker);
	ck_assert_uint_lt(seen.count, MOST + 3 * SOONI_MAGAZINE);
	gate_open(&all_given);
	actor_join(&giver.actor);
	gate_fini(&all_given);
}
END_TEST

static void expect_count(const struct sooni_magazine *m)
{
	unsigned n = 0;

	for (struct sooni_block *b = m->first; b != NULL; b = b->next)
		n++;
	ck_assert_uint_eq(m->count, n);
}

START_TEST(a_magazine_counts_its_blocks)
{
	struct user u = { .rng = rng_seed((uint64_t)_i) };

	for (unsigned i = test_scale(100); i > 0; i--) {
		u.n = rng_below(&u.rng, MOST) + 1;
		take_blocks(&u);
		expect_count(&sooni_cache.now);
		give_blocks(&u);
		expect_count(&sooni_cache.now);
		expect_count(&sooni_cache.other);
	}
}
END_TEST

START_TEST(a_thread_that_ends_leaves_its_blocks_to_others)
{
	struct user u = { .rng = rng_seed((uint64_t)_i) };

	for (unsigned i = test_scale(300); i > 0; i--) {
		u.n = rng_below(&u.rng, MOST) + 1;
		on_a_thread(&u, take_and_give_blocks);
	}
	ck_assert_uint_lt(seen.count, MOST + SOONI_MAGAZINE);
}
END_TEST

/* Made after the slab's own, and so called after it. */
static pthread_key_t late;

static void give_late(void *arg)
{
	give_blocks(arg);
}

static void *take_and_give_late(void *arg)
{
	struct user *u = arg;

	take_blocks(u);
	u->failed += pthread_setspecific(late, u) != 0;
	return NULL;
}

START_TEST(the_last_destructors_of_a_thread_may_still_free_blocks)
{
	struct user u = { .rng = rng_seed((uint64_t)_i), .n = 1 };

	take_and_give_blocks(&u); /* makes the slab's key */
	ck_assert_int_eq(pthread_key_create(&late, give_late), 0);
	for (unsigned i = test_scale(300); i > 0; i--) {
		u.n = rng_below(&u.rng, MOST) + 1;
		on_a_thread(&u, take_and_give_late);
	}
	ck_assert_int_eq(pthread_key_delete(late), 0);
	/* The main thread has a magazine by now, too. */
	ck_assert_uint_lt(seen.count, MOST + 2 * SOONI_MAGAZINE);
}
END_TEST

static void add_tests_of_reuse(Suite *s)
{
	TCase *t = tcase_create("reuse");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(
		t, all_blocks_are_looked_at_and_free_ones_keep_their_beginning);
	tcase_add_loop_test(t, freed_blocks_are_used_again, 0, 3);
	tcase_add_loop_test(t, blocks_that_another_thread_frees_are_used_again,
			    0, 3);
	tcase_add_test(t, a_thread_that_only_frees_keeps_two_magazines);
	tcase_add_loop_test(t, a_magazine_counts_its_blocks, 0, 3);
	tcase_add_loop_test(t, a_thread_that_ends_leaves_its_blocks_to_others,
			    0, 3);
	tcase_add_loop_test(
		t, the_last_destructors_of_a_thread_may_still_free_blocks, 0,
		3);
	suite_add_tcase(s, t);
}

#else

static void add_tests_of_reuse(Suite *s)
{
	(void)s;
}

#endif

static Suite *suite(void)
{
	Suite *s = suite_create("slab");
	TCase *t = tcase_create("slab");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_loop_test(t, blocks_are_aligned_and_do_not_overlap, 0, 2);
	tcase_add_loop_test(t, no_two_threads_have_one_block, 0, 4);
	suite_add_tcase(s, t);
	add_tests_of_reuse(s);
	return s;
}

int main(void)
{
	return test_run(suite());
}
