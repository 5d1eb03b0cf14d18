/*
 * memory.c - malloc() and the slab, with a page or more to each block.
 *
 * New memory is full of rubbish.  A freed block's pages are not used again in
 * the same run, and cannot be touched: who does is caught in the act.  But not
 * those that the last thread frees, since that takes a system call for each.
 */
#include "scene.h"

#include "first.h"
#include "os.h"
#include "slab.h"

#undef aligned_alloc
#undef calloc
#undef free
#undef malloc
#undef realloc

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_PAGES = 4096, RUBBISH = 0xcd };

/* Where the pages shall lie: the library has tables by address, in which jobs meet,
 * or do not, and that must be so again when a schedule is repeated. */
static void *const place = (void *)(uintptr_t)0x60000000;

enum use { UNUSED, USED, FREED };

static char *pages;
static size_t page_size;
static size_t next_page;
static unsigned used;
static bool any_freed;

/* At the first page of each block. */
static struct block {
	enum use use;
	bool is_slabs;
	size_t pages;
} blocks[MOST_PAGES];

void sched_memory_reset(void)
{
	if (any_freed)
		mprotect(pages, next_page * page_size, PROT_READ | PROT_WRITE);
	memset(blocks, 0, next_page * sizeof(blocks[0]));
	any_freed = false;
	next_page = 0;
	used = 0;
}

unsigned sched_memory_used(void)
{
	return used;
}

const char *sched_memory_at(const void *address)
{
	uintptr_t offset = (uintptr_t)address - (uintptr_t)pages;
	size_t i = offset / page_size;

	if (offset >= MOST_PAGES * page_size)
		return "what is no memory";
	while (i > 0 && blocks[i].use == UNUSED)
		i--;
	return blocks[i].use == FREED ? "memory that was freed"
				      : "beyond its memory";
}

void *sched_malloc(size_t size)
{
	size_t n = (size + page_size - 1) / page_size;
	struct block *b = &blocks[next_page];
	char *p = pages + next_page * page_size;

	if (n == 0)
		n = 1;
	if (next_page + n > MOST_PAGES)
		sched_fail("a run uses more than %d pages", MOST_PAGES);
	next_page += n;
	used++;
	b->use = USED;
	b->is_slabs = false;
	b->pages = n;
	return memset(p, RUBBISH, size);
}

void *sched_calloc(size_t n, size_t size)
{
	return memset(sched_malloc(n * size), 0, n * size);
}

void *sched_aligned_alloc(size_t alignment, size_t size)
{
	sched_check(size % alignment == 0);
	return sched_malloc(size);
}

char *sched_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(sched_malloc(size), text, size);
}

/* os.h */
void *sooni_alloc(size_t size)
{
	return sched_malloc(size);
}

void sched_free(void *p)
{
	uintptr_t offset = (uintptr_t)p - (uintptr_t)pages;
	struct block *b = &blocks[offset / page_size];

	if (p == NULL)
		return;
	if (offset >= MOST_PAGES * page_size || b->use == UNUSED)
		sched_fail("frees what was not allocated");
	if (b->use == FREED)
		sched_fail("frees twice");
	b->use = FREED;
	used--;
	if (sched_is_alone())
		return;
	any_freed = true;
	mprotect(p, b->pages * page_size, PROT_NONE);
}

void *sched_realloc(void *p, size_t size)
{
	uintptr_t offset = (uintptr_t)p - (uintptr_t)pages;
	void *moved = sched_malloc(size);
	size_t old;

	if (p == NULL)
		return moved;
	old = blocks[offset / page_size].pages * page_size;
	memcpy(moved, p, old < size ? old : size);
	sched_free(p);
	return moved;
}

/* slab.h */

/* One that was never used is 0 where that tells it from others. */
void *sooni_slab_alloc(void)
{
	char *p = sched_malloc(SOONI_BLOCK_SIZE);

	blocks[(size_t)(p - pages) / page_size].is_slabs = true;
	return memset(p, 0, SOONI_BLOCK_KEPT);
}

void sooni_slab_free(void *block)
{
	sched_free(block);
}

/* A block comes at once, and there is no depot. */
void sooni_slab_lock(void)
{
}

void sooni_slab_unlock(void)
{
}

void sooni_slab_each(void (*look)(void *block))
{
	size_t i;

	for (i = 0; i < next_page; i++)
		if (blocks[i].is_slabs && blocks[i].use == USED)
			look(pages + i * page_size);
}

/* Catching who touches what it must not. */

static void caught(int signal_number, siginfo_t *info, void *context)
{
	(void)context;
	if (signal_number == SIGABRT)
		sched_fail("an assertion does not hold");
	sched_fail("%s touches %s", sched_name(sched_self()),
		   sched_memory_at(info->si_addr));
}

void sched_memory_open(void)
{
	static char stack[64 << 10];
	const stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	pages = mmap(place, MOST_PAGES * page_size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	action.sa_sigaction = caught;
	sigaltstack(&other, NULL);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGABRT, &action, NULL);
}
