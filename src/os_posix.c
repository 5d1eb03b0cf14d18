/*
 * os_posix.c - threads and time, the POSIX way.
 */
#include "config.h"

#include "os.h"

#include "compiler.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LINE ((size_t)64)
#define LARGE_PAGE ((size_t)2 << 20)

/* What control groups allow. */
#define BELIEVED_NSEC INT64_C(1000000000)

/* By so much the time is known that was read last. */
#define TICK_NSEC INT64_C(1000000)

/* The latest time that was read, to some milliseconds. */
static _Atomic int64_t last_read;

/*
 * A clock fails where a sandbox forbids to ask it.  Then time goes on by a bit with
 * each look, so that nobody waits for ever for a time to come.
 */
static sooni_noinline int64_t guess_time(void)
{
	/* relaxed, all: each is a time for itself. */
	return atomic_fetch_add_explicit(&last_read, TICK_NSEC,
					 memory_order_relaxed) +
	       TICK_NSEC;
}

static int64_t read_clock(clockid_t clock)
{
	struct timespec t;
	int64_t now;

	if (sooni_unlikely(clock_gettime(clock, &t) != 0))
		return guess_time();
	now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	if (now - atomic_load_explicit(&last_read, memory_order_relaxed) >
	    TICK_NSEC)
		atomic_store_explicit(&last_read, now, memory_order_relaxed);
	return now;
}

int64_t sooni_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t sooni_now_coarse(void)
{
#ifdef CLOCK_MONOTONIC_COARSE
	return read_clock(CLOCK_MONOTONIC_COARSE);
#else
	return sooni_now();
#endif
}

int64_t sooni_deadline(int64_t timeout)
{
	int64_t now;

	if (timeout <= 0)
		return 0;
	if (timeout == INT64_MAX)
		return INT64_MAX;
	now = sooni_now();
	return timeout > INT64_MAX - now ? INT64_MAX : now + timeout;
}

void sooni_yield(void)
{
	sched_yield();
}

static unsigned cpus_by_affinity(void)
{
	long n;
#ifdef __linux__
	cpu_set_t set;

	if (sched_getaffinity(getpid(), sizeof(set), &set) == 0)
		return (unsigned)CPU_COUNT(&set);
#endif
	n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 0 ? (unsigned)n : 1;
}

#ifdef __linux__
/*
 * To read the groups' files takes as long as to make a pool, and what they say
 * seldom changes: it is believed for a while.
 */
static unsigned cpus_by_groups(void)
{
	static _Atomic int64_t until;
	static _Atomic unsigned known;
	int64_t now = sooni_now_coarse();
	unsigned cpus;
	int old;

	/* acquire, release: who sees that it is known sees what. */
	if (now < atomic_load_explicit(&until, memory_order_acquire))
		return atomic_load_explicit(&known, memory_order_relaxed);
	old = sooni_uncancellable_begin();
	cpus = sooni_cgroup_cpus("/proc/self", "");
	sooni_uncancellable_end(old);
	/* relaxed: see above. */
	atomic_store_explicit(&known, cpus, memory_order_relaxed);
	atomic_store_explicit(&until, now + BELIEVED_NSEC,
			      memory_order_release);
	return cpus;
}
#endif

unsigned sooni_cpus(void)
{
	unsigned cpus = cpus_by_affinity();
#ifdef __linux__
	unsigned allowed = cpus_by_groups();

	/* In a control group with a limit: test_cgroup has these. */
	if (allowed < cpus)	/* LCOV_EXCL_BR_LINE */
		cpus = allowed; /* LCOV_EXCL_LINE */
#endif
	return cpus;
}

void *sooni_alloc(size_t size)
{
	void *memory;

	if (size < LARGE_PAGE)
		return aligned_alloc(LINE, (size + LINE - 1) & ~(LINE - 1));
	size = (size + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
	memory = aligned_alloc(LARGE_PAGE, size);
#ifdef MADV_HUGEPAGE
	if (memory != NULL)
		madvise(memory, size, MADV_HUGEPAGE); /* a wish */
#endif
	return memory;
}

#ifdef __linux__
/* Whether the calling thread has other CPUs than the process's first. */
static bool is_pinned(cpu_set_t *mine, cpu_set_t *first)
{
	return sched_getaffinity(0, sizeof(*mine), mine) == 0 &&
	       sched_getaffinity(getpid(), sizeof(*first), first) == 0 &&
	       !CPU_EQUAL(mine, first);
}
#endif

/*
 * pthread_create() for a thread that has the affinity of the process's first.
 * Where no attribute can say so, its creator has it for a moment.
 */
static int create(pthread_t *thread, pthread_attr_t *attr,
		  void *(*main)(void *), void *arg)
{
#ifdef __linux__
	cpu_set_t mine;
	cpu_set_t first;

	if (is_pinned(&mine, &first)) {
#ifdef HAVE_PTHREAD_ATTR_SETAFFINITY_NP
		pthread_attr_setaffinity_np(attr, sizeof(first), &first);
#else
		int rc;

		sched_setaffinity(0, sizeof(first), &first);
		rc = pthread_create(thread, attr, main, arg);
		sched_setaffinity(0, sizeof(mine), &mine);
		return rc;
#endif
	}
#endif
	return pthread_create(thread, attr, main, arg);
}

/*
 * The starting thread may be a real-time one or pinned, which is its own affair.
 * Attributes that say so cost a hand-over between the two threads, so they are
 * given only where the default, to inherit, would be wrong.
 */
static void do_not_inherit(pthread_attr_t *attr)
{
	const struct sched_param normal = { .sched_priority = 0 };
#ifdef __linux__
	/* musl's sched_getscheduler() only fails.  Where the call itself is not
	 * permitted, nor would be what the attributes ask for. */
	if (syscall(SYS_sched_getscheduler, 0) <= SCHED_OTHER)
		return;
#endif
	pthread_attr_setinheritsched(attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(attr, SCHED_OTHER);
	pthread_attr_setschedparam(attr, &normal);
}

/* A thread's attributes, to be destroyed if 0 is returned. */
static int thread_attributes(pthread_attr_t *attr, size_t stack_size)
{
	size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
	int rc = pthread_attr_init(attr);

	if (rc != 0)
		return rc;
	if (stack_size > 0)
		rc = pthread_attr_setstacksize(
			attr, stack_size < least ? least : stack_size);
	if (rc != 0)
		pthread_attr_destroy(attr);
	else
		do_not_inherit(attr);
	return rc;
}

/* All signals but those that a thread raises by its own fault. */
static void blocked_signals(sigset_t *set)
{
	static const int kept[] = { SIGILL,  SIGTRAP, SIGFPE, SIGBUS,
				    SIGSEGV, SIGSYS,  SIGPROF };
	size_t i;

	sigfillset(set);
	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		sigdelset(set, kept[i]);
}

int sooni_thread_start(pthread_t *thread, size_t stack_size,
		       void *(*main)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t blocked;
	sigset_t old;
	int rc = thread_attributes(&attr, stack_size);

	if (rc != 0)
		return rc;
	/* A thread inherits its creator's mask: so there is no moment at which
	 * a signal could reach it. */
	blocked_signals(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, &old);
	rc = create(thread, &attr, main, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}

void sooni_thread_name(const char *name)
{
#ifdef __linux__
	pthread_setname_np(pthread_self(), name);
#else
	(void)name;
#endif
}

void sooni_thread_get_name(char name[SOONI_THREAD_NAME])
{
	name[0] = '\0';
#ifdef __linux__
	if (pthread_getname_np(pthread_self(), name, SOONI_THREAD_NAME) != 0)
		name[0] = '\0';
#endif
}

char *sooni_thread_stack(size_t *size)
{
	void *low = NULL;
#ifdef __linux__
	pthread_attr_t attr;

	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return NULL;
	if (pthread_attr_getstack(&attr, &low, size) != 0)
		low = NULL;
	pthread_attr_destroy(&attr);
#else
	(void)size;
#endif
	return low;
}

#ifdef __linux__

int32_t sooni_thread_id(void)
{
	return (int32_t)syscall(SYS_gettid);
}

/*
 * The clock of any thread of the process by its number, in the kernel's
 * encoding (a CPU clock, of one thread, of scheduled time), which
 * pthread_getcpuclockid() gives too, but only for a thread that still exists.
 */
int64_t sooni_thread_cpu_time(int32_t id)
{
	clockid_t clock = (clockid_t)(~(uint32_t)id << 3 | 6);
	struct timespec t;

	if (clock_gettime(clock, &t) != 0)
		return -1;
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool sooni_thread_asleep(int32_t id)
{
	char text[128];
	const char *state;
	ssize_t n;
	int fd;

	snprintf(text, sizeof(text), "/proc/self/task/%d/stat", (int)id);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	/* "number (name) state ..."; the name may hold anything, but is short. */
	state = strrchr(text, ')');
	return state == NULL || strncmp(state, ") R", 3) != 0;
}

#else

int32_t sooni_thread_id(void)
{
	return 0;
}

int64_t sooni_thread_cpu_time(int32_t id)
{
	(void)id;
	return -1;
}

bool sooni_thread_asleep(int32_t id)
{
	(void)id;
	return true;
}

#endif
