/*
 * os.h - all that the library asks of the machine.
 *
 * Functions return 0 or an errno code.  os_posix.c does threads, time and
 * memory; os_cgroup.c reads control groups; os_futex_linux.c or os_futex_cond.c
 * puts threads to sleep; os_event_linux.c or os_event_pipe.c makes descriptors for
 * others to poll.
 */
#ifndef SOONI_OS_H
#define SOONI_OS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Time on the monotonic clock, in nanoseconds. */
int64_t sooni_now(void);

/* The same, up to 10 ms ago, where that is cheaper. */
int64_t sooni_now_coarse(void);

/*
 * The moment `timeout` from now: 0, which is always past, for timeout <= 0;
 * INT64_MAX, which never comes, for INT64_MAX and for sums above it.
 */
int64_t sooni_deadline(int64_t timeout);

/*
 * No machine runs for that long, 68 years; what is later may not fit the seconds
 * of a system of 32 bits.
 */
#define SOONI_NEVER (INT64_C(1000000000) * INT32_MAX)

/*
 * Sleep while *word == expected, until somebody wakes the word or the deadline
 * passes, which those from SOONI_NEVER on do not.  May return 0 for no reason at
 * all; ETIMEDOUT says that the deadline has passed.  Callers loop: see
 * sooni_sleep() in sleep.c, the only one.
 */
int sooni_futex_wait(_Atomic uint32_t *word, uint32_t expected,
		     int64_t deadline);

/*
 * Wake everybody who sleeps on the word.  Only its address is used, so that
 * the word itself may be gone.
 */
void sooni_futex_wake(_Atomic uint32_t *word);

/* In a child of fork, before anything else: nobody sleeps. */
void sooni_futex_after_fork(void);

/* A pause between two looks at a word that another CPU will change. */
static inline void sooni_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || (defined(__arm__) && __ARM_ARCH >= 7)
	__asm__ volatile("yield");
#endif
}

/* Give the CPU to whoever else could use it. */
void sooni_yield(void);

/*
 * The CPUs that this process may use, by its affinity, whatever that of its
 * threads, and by its control groups, as of a second ago at most; at least 1.
 */
unsigned sooni_cpus(void);

/*
 * os_cgroup.c: what control groups allow, rounded up; UINT_MAX: no limit is
 * known.  proc is "/proc/self", and mount points are looked for below prefix,
 * which is "": tests make up others.
 */
unsigned sooni_cgroup_cpus(const char *proc, const char *prefix);

/*
 * Memory that begins a cache line, for free(); NULL without memory.  A block of
 * megabytes comes in large pages where the system has them: there, first touches
 * of small pages cost more than all else that is done with a job.
 */
void *sooni_alloc(size_t size);

/*
 * Threads.  They start with every signal blocked except those that report the
 * thread's own faults and the profiler's, and inherit neither the scheduling
 * nor the affinity of the thread that starts them.  stack_size 0 is the
 * system's default; a size below the system's least is raised to it.
 */
int sooni_thread_start(pthread_t *thread, size_t stack_size,
		       void *(*main)(void *), void *arg);

/*
 * Between these two the calling thread does not act on pthread_cancel(): for what
 * would be left half done, and for the user's code that may not end its thread.
 */
static inline int sooni_uncancellable_begin(void)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	return old;
}

static inline void sooni_uncancellable_end(int old)
{
	pthread_setcancelstate(old, NULL);
}

/* pthread_join(), for callers that may be cancelled later, but not now. */
static inline void sooni_thread_join(pthread_t thread)
{
	int old = sooni_uncancellable_begin();

	pthread_join(thread, NULL);
	sooni_uncancellable_end(old);
}

/* Name the calling thread; what exceeds 15 bytes must have been cut. */
void sooni_thread_name(const char *name);

/* Its name, "" if it has none. */
enum { SOONI_THREAD_NAME = 16 };
void sooni_thread_get_name(char name[SOONI_THREAD_NAME]);

/* The calling thread's stack: its lowest address, NULL if unknown. */
char *sooni_thread_stack(size_t *size);

/* The system's number for the calling thread; 0 if it has none. */
int32_t sooni_thread_id(void);

/* The CPU time that thread has used, in ns; -1 if unknown or gone. */
int64_t sooni_thread_cpu_time(int32_t id);

/*
 * Whether the thread is asleep, rather than running or ready to run; true if
 * unknown.  Dearer than its CPU time.
 */
bool sooni_thread_asleep(int32_t id);

/*
 * Something to poll: fds[0] is readable once it was raised.  Programs that are
 * executed do not inherit it, and reading it does not block.  Both are -1 after
 * an error.
 */
int sooni_event_open(int fds[2]);
void sooni_event_raise(const int fds[2]);
/* Readable no more: it was raised once since it was made or cleared. */
void sooni_event_clear(const int fds[2]);
/* In a child of fork: fds[0] is the same number, not raised, and has nothing more
 * to do with the parent.  After an error both are closed and -1. */
int sooni_event_renew(int fds[2]);
void sooni_event_close(const int fds[2]);

#endif
