/*
 * compiler.h - what the compiler is told beyond C11.
 */
#ifndef SOONI_COMPILER_H
#define SOONI_COMPILER_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Two lines, because processors fetch them in pairs: what different threads
 * write lies this far apart.
 */
#define SOONI_APART 128

#define sooni_likely(x) __builtin_expect(!!(x), 1)
#define sooni_unlikely(x) __builtin_expect(!!(x), 0)
#define sooni_noinline __attribute__((noinline))
#define sooni_inline static inline __attribute__((always_inline))
#define sooni_printf(text, first) __attribute__((format(printf, text, first)))

/* Fetch the line of p, to be written, without waiting for it. */
#define sooni_prefetch(p) __builtin_prefetch((p), 1)

/*
 * The initial-exec model reads a thread-local variable without a call.  The
 * library has little of it, which fits the space that glibc's loader keeps for
 * libraries opened late.  Others keep none, musl's for one.
 */
#ifdef __GLIBC__
#define sooni_tls _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define sooni_tls _Thread_local
#endif

/*
 * What is written before this is written before what comes after, for whoever
 * finds the thread stopped in between: a child of fork.  Costs nothing.
 */
#define sooni_in_order() __asm__ volatile("" ::: "memory")

#define sooni_container_of(p, type, member) \
	((type *)(void *)((char *)(p)-offsetof(type, member)))

#endif
