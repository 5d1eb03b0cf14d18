/*
 * fault.c - see fault.h.
 */
#include "config.h"

#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#endif

static atomic_long blocks, descriptors;

static _Atomic enum fault armed = FAULTS;
static atomic_long countdown; /* calls until one fails */
static atomic_bool persistent;
static atomic_uint failures;

const char *fault_name(enum fault kind)
{
	static const char *const names[FAULTS] = {
		"memory", "thread", "descriptor", "transfer",
		"clock",  "sleep",  "system",
	};

	return names[kind];
}

void fault_arm(enum fault kind, long n, bool from_then_on)
{
	atomic_store(&failures, 0);
	atomic_store(&countdown, n);
	atomic_store(&persistent, from_then_on);
	atomic_store(&armed, kind);
}

unsigned fault_disarm(void)
{
	atomic_store(&armed, FAULTS);
	return fault_count();
}

unsigned fault_count(void)
{
	return atomic_load(&failures);
}

void fault_add(unsigned n)
{
	atomic_fetch_add(&failures, n);
}

bool fault_explains(int code)
{
	if (fault_count() == 0)
		return false;
	switch (atomic_load(&armed)) {
	case FAULT_MEMORY:
		return code == ENOMEM || code == EAGAIN;
	case FAULT_THREAD:
		return code == EAGAIN;
	case FAULT_DESCRIPTOR:
		return code == EMFILE;
	case FAULT_TRANSFER:
		return code == EIO;
	case FAULT_SYSTEM:
		return code == ENOMEM || code == EAGAIN;
	default:
		return false;
	}
}

long fault_blocks(void)
{
	return atomic_load(&blocks);
}

long fault_descriptors(void)
{
	return atomic_load(&descriptors);
}

int fault_run(Suite *suite)
{
#ifdef SOONI_HAVE_OBJCOPY
	return test_run(suite);
#else
	srunner_free(srunner_create(suite));
	puts("skipped: there is no objcopy to make calls fail with");
	return 77;
#endif
}

/* Whether this call is the one, or one of those, that fail; errno is set. */
static bool fails(enum fault kind, int code)
{
	long left;

	if (atomic_load(&armed) != kind)
		return false;
	left = atomic_fetch_sub(&countdown, 1) - 1;
	if (left > 0 || (left < 0 && !atomic_load(&persistent)))
		return false;
	if (kind == FAULT_SLEEP && left % 2 != 0)
		return false; /* who never sleeps keeps others from the CPU */
	atomic_fetch_add(&failures, 1);
	errno = code;
	return true;
}

static void *counted(void *block)
{
	if (block != NULL)
		atomic_fetch_add(&blocks, 1);
	return block;
}

static int counted_fd(int fd)
{
	if (fd >= 0)
		atomic_fetch_add(&descriptors, 1);
	return fd;
}

/*
 * What the library calls.  It knows these by other names, so nobody else needs
 * their declarations.
 */

#define PRINTF(text, first) __attribute__((format(printf, text, first)))

#define CALL(type, name, ...)           \
	type fault_##name(__VA_ARGS__); \
	type fault_##name(__VA_ARGS__)

/* One that returns its error, or a value that says so, and leaves nothing. */
#define PLAIN(kind, code, bad, type, name, parameters, ...)       \
	type fault_##name parameters;                             \
	type fault_##name parameters                              \
	{                                                         \
		return fails((kind), (code)) ? (type)(bad)        \
					     : name(__VA_ARGS__); \
	}

CALL(void *, malloc, size_t size)
{
	return fails(FAULT_MEMORY, ENOMEM) ? NULL : counted(malloc(size));
}

CALL(void *, calloc, size_t n, size_t size)
{
	return fails(FAULT_MEMORY, ENOMEM) ? NULL : counted(calloc(n, size));
}

CALL(void *, realloc, void *block, size_t size)
{
	if (fails(FAULT_MEMORY, ENOMEM))
		return NULL;
	return block == NULL ? counted(malloc(size)) : realloc(block, size);
}

CALL(void *, aligned_alloc, size_t alignment, size_t size)
{
	return fails(FAULT_MEMORY, ENOMEM)
		       ? NULL
		       : counted(aligned_alloc(alignment, size));
}

CALL(char *, strdup, const char *text)
{
	return fails(FAULT_MEMORY, ENOMEM) ? NULL : counted(strdup(text));
}

CALL(PRINTF(2, 0) int, vasprintf, char **text, const char *format, va_list args)
{
	int n = -1;

	if (!fails(FAULT_MEMORY, ENOMEM))
		n = vasprintf(text, format, args);
	if (n >= 0)
		counted(*text);
	return n;
}

CALL(PRINTF(2, 3) int, asprintf, char **text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = fault_vasprintf(text, format, args);
	va_end(args);
	return n;
}

CALL(ssize_t, getdelim, char **line, size_t *size, int end, FILE *file)
{
	bool is_first = *line == NULL;
	ssize_t n;

	if (fails(FAULT_MEMORY, ENOMEM))
		return -1;
	n = getdelim(line, size, end, file);
	if (is_first)
		counted(*line);
	return n;
}

CALL(ssize_t, getline, char **line, size_t *size, FILE *file)
{
	return fault_getdelim(line, size, '\n', file);
}

CALL(void, free, void *block)
{
	if (block != NULL)
		atomic_fetch_sub(&blocks, 1);
	free(block);
}

PLAIN(FAULT_THREAD, EAGAIN, EAGAIN, int, pthread_create,
      (pthread_t * thread, const pthread_attr_t *attributes,
       void *(*start)(void *), void *arg),
      thread, attributes, start, arg)

CALL(int, open, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? (mode_t)va_arg(args, int) : 0;
	va_end(args);
	if (fails(FAULT_DESCRIPTOR, EMFILE))
		return -1;
	return counted_fd(open(path, flags, mode));
}

CALL(FILE *, fopen, const char *path, const char *mode)
{
	FILE *file;

	if (fails(FAULT_DESCRIPTOR, EMFILE))
		return NULL;
	file = fopen(path, mode);
	counted_fd(file != NULL ? 0 : -1);
	return file;
}

CALL(int, pipe2, int fds[2], int flags)
{
	if (fails(FAULT_DESCRIPTOR, EMFILE) || pipe2(fds, flags) != 0)
		return -1;
	counted_fd(fds[0]);
	counted_fd(fds[1]);
	return 0;
}

/* It is closed all the same. */
CALL(int, close, int fd)
{
	int rc = close(fd);

	atomic_fetch_sub(&descriptors, 1);
	return fails(FAULT_TRANSFER, EIO) ? -1 : rc;
}

CALL(int, fclose, FILE *file)
{
	atomic_fetch_sub(&descriptors, 1);
	return fclose(file);
}

PLAIN(FAULT_TRANSFER, EIO, -1, ssize_t, read, (int fd, void *to, size_t n), fd,
      to, n)

/* In turn it fails, writes a part, is interrupted, writes nothing. */
CALL(ssize_t, write, int fd, const void *from, size_t n)
{
	static atomic_uint turn;

	if (!fails(FAULT_TRANSFER, EIO))
		return write(fd, from, n);
	switch (atomic_fetch_add(&turn, 1) % 4) {
	case 0:
		return -1;
	case 1:
		return write(fd, from, n / 2);
	case 2:
		errno = EINTR;
		return -1;
	default:
		return 0;
	}
}

PLAIN(FAULT_TRANSFER, EIO, -1, int, ftruncate, (int fd, off_t size), fd, size)
PLAIN(FAULT_TRANSFER, EIO, 0, size_t, fwrite,
      (const void *from, size_t size, size_t n, FILE *file), from, size, n,
      file)
PLAIN(FAULT_TRANSFER, EIO, EOF, int, fflush, (FILE * file), file)

CALL(PRINTF(2, 3) int, fprintf, FILE *file, const char *format, ...)
{
	va_list args;
	int n = -1;

	va_start(args, format);
	if (!fails(FAULT_TRANSFER, EIO))
		n = vfprintf(file, format, args);
	va_end(args);
	return n;
}

PLAIN(FAULT_CLOCK, EINVAL, -1, int, clock_gettime,
      (clockid_t clock, struct timespec *t), clock, t)

/* POSIX allows both to return for no reason. */
CALL(int, pthread_cond_wait, pthread_cond_t *condition, pthread_mutex_t *lock)
{
	return fails(FAULT_SLEEP, EINTR) ? 0
					 : pthread_cond_wait(condition, lock);
}

CALL(int, pthread_cond_timedwait, pthread_cond_t *condition,
     pthread_mutex_t *lock, const struct timespec *until)
{
	return fails(FAULT_SLEEP, EINTR)
		       ? 0
		       : pthread_cond_timedwait(condition, lock, until);
}

PLAIN(FAULT_SYSTEM, ENOMEM, ENOMEM, int, pthread_atfork,
      (void (*before)(void), void (*parent)(void), void (*child)(void)), before,
      parent, child)
PLAIN(FAULT_SYSTEM, ENOMEM, -1, int, atexit, (void (*function)(void)), function)
PLAIN(FAULT_SYSTEM, ENOMEM, ENOMEM, int, pthread_attr_init,
      (pthread_attr_t * attributes), attributes)
PLAIN(FAULT_SYSTEM, ENOMEM, ENOMEM, int, pthread_attr_setstacksize,
      (pthread_attr_t * attributes, size_t size), attributes, size)
PLAIN(FAULT_SYSTEM, ENOMEM, ENOMEM, int, pthread_attr_getstack,
      (const pthread_attr_t *attributes, void **low, size_t *size), attributes,
      low, size)
PLAIN(FAULT_SYSTEM, EAGAIN, EAGAIN, int, pthread_key_create,
      (pthread_key_t * key, void (*end)(void *)), key, end)
PLAIN(FAULT_SYSTEM, ENOMEM, ENOMEM, int, pthread_setspecific,
      (pthread_key_t key, const void *value), key, value)
PLAIN(FAULT_SYSTEM, EINVAL, -1, long, sysconf, (int name), name)

#ifdef __linux__

CALL(int, eventfd, unsigned int value, int flags)
{
	return fails(FAULT_DESCRIPTOR, EMFILE)
		       ? -1
		       : counted_fd(eventfd(value, flags));
}

/* Of a futex's waits every other fault is a signal. */
CALL(long, syscall, long number, ...)
{
	long arg[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		arg[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_futex &&
	    ((int)arg[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET &&
	    fails(FAULT_SLEEP, EINTR))
		return fault_count() % 2 == 0 ? -1 : 0;
	return syscall(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

PLAIN(FAULT_DESCRIPTOR, EMFILE, -1, int, dup3, (int fd, int to, int flags), fd,
      to, flags)
PLAIN(FAULT_SYSTEM, ENOMEM, ENOMEM, int, pthread_getattr_np,
      (pthread_t thread, pthread_attr_t *attributes), thread, attributes)
PLAIN(FAULT_SYSTEM, ERANGE, ERANGE, int, pthread_getname_np,
      (pthread_t thread, char *name, size_t size), thread, name, size)
PLAIN(FAULT_SYSTEM, EINVAL, -1, int, sched_getaffinity,
      (pid_t pid, size_t size, cpu_set_t *set), pid, size, set)
PLAIN(FAULT_SYSTEM, EINVAL, -1, int, sched_getscheduler, (pid_t pid), pid)
PLAIN(FAULT_SYSTEM, EINVAL, -1, int, madvise,
      (void *start, size_t size, int advice), start, size, advice)

#endif
