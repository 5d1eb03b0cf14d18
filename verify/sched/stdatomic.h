/*
 * stdatomic.h - the header of that name for the code under the scheduler.
 *
 * Each operation first lets the scheduler run other threads, then does the
 * plain thing: only one thread runs at a time, so that nothing comes between.
 * Memory orders are taken and ignored.  Operations without an order do not
 * exist here, as they do not in the library.
 */
#ifndef SCHED_STDATOMIC_H
#define SCHED_STDATOMIC_H

#include_next <stdatomic.h>

#include <stdbool.h>
#include <stddef.h>

/* Where an operation stands in the source. */
struct sched_site {
	const char *operation;
	const char *object;
	const char *function;
	const char *file;
	int line;
};

/* Before an operation on *p: other threads may run here. */
void sched_before(const struct sched_site *site, const volatile void *p,
		  bool writes);

/* After one that has written: and here, before anything else is touched. */
void sched_after(const volatile void *p);

/* What the operation just announced has found and left, for the trace. */
void sched_saw(const void *old, const void *now, size_t size);

/* Whether a weak compare-and-swap that could succeed fails all the same. */
bool sched_fails_weakly(const volatile void *p);

#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_and
#undef atomic_fetch_and_explicit
#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_xor
#undef atomic_fetch_xor_explicit
#undef atomic_init
#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_thread_fence

#define SCHED_BEFORE(operation, object, p, writes)                      \
	do {                                                            \
		static const struct sched_site sched_site = {           \
			operation, object, __func__, __FILE__, __LINE__ \
		};                                                      \
		sched_before(&sched_site, p, writes);                   \
	} while (0)

/* The type of what an atomic holds, without _Atomic. */
#define SCHED_TYPE(p) __typeof__((void)0, *(p))

/* change: the new value, said in terms of sched_old and sched_v. */
#define SCHED_UPDATE(name, object, p, v, change)                      \
	__extension__({                                               \
		__typeof__(p) sched_p = (p);                          \
		__auto_type sched_v = (v);                            \
		SCHED_BEFORE(name, object, sched_p, true);            \
		SCHED_TYPE(sched_p) sched_old = *sched_p;             \
		SCHED_TYPE(sched_p) sched_new = (change);             \
		*sched_p = sched_new;                                 \
		sched_saw(&sched_old, &sched_new, sizeof(sched_old)); \
		sched_after(sched_p);                                 \
		sched_old;                                            \
	})

#define SCHED_CAS(object, p, expected, desired, weak)                     \
	__extension__({                                                   \
		__typeof__(p) sched_p = (p);                              \
		__typeof__(expected) sched_e = (expected);                \
		SCHED_TYPE(sched_p) sched_new = (desired);                \
		SCHED_BEFORE("compare_exchange", object, sched_p, true);  \
		SCHED_TYPE(sched_p) sched_old = *sched_p;                 \
		bool sched_ok = sched_old == *sched_e &&                  \
				!((weak) && sched_fails_weakly(sched_p)); \
		if (sched_ok)                                             \
			*sched_p = sched_new;                             \
		else                                                      \
			sched_new = *sched_e = sched_old;                 \
		sched_saw(&sched_old, &sched_new, sizeof(sched_old));     \
		if (sched_ok)                                             \
			sched_after(sched_p);                             \
		sched_ok;                                                 \
	})

#define atomic_init(p, v) ((void)(*(p) = (v)))

#define atomic_load_explicit(p, order)                                \
	__extension__({                                               \
		__typeof__(p) sched_p = (p);                          \
		SCHED_BEFORE("load", #p, sched_p, false);             \
		SCHED_TYPE(sched_p) sched_old = *sched_p;             \
		sched_saw(&sched_old, &sched_old, sizeof(sched_old)); \
		sched_old;                                            \
	})

#define atomic_store_explicit(p, v, order) \
	((void)SCHED_UPDATE("store", #p, p, v, sched_v))
#define atomic_exchange_explicit(p, v, order) \
	SCHED_UPDATE("exchange", #p, p, v, sched_v)
#define atomic_fetch_add_explicit(p, v, order) \
	SCHED_UPDATE("fetch_add", #p, p, v, sched_old + sched_v)
#define atomic_fetch_sub_explicit(p, v, order) \
	SCHED_UPDATE("fetch_sub", #p, p, v, sched_old - sched_v)
#define atomic_fetch_or_explicit(p, v, order) \
	SCHED_UPDATE("fetch_or", #p, p, v, sched_old | sched_v)
#define atomic_fetch_and_explicit(p, v, order) \
	SCHED_UPDATE("fetch_and", #p, p, v, sched_old &sched_v)
#define atomic_fetch_xor_explicit(p, v, order) \
	SCHED_UPDATE("fetch_xor", #p, p, v, sched_old ^ sched_v)
#define atomic_compare_exchange_strong_explicit(p, e, d, success, failure) \
	SCHED_CAS(#p, p, e, d, false)
#define atomic_compare_exchange_weak_explicit(p, e, d, success, failure) \
	SCHED_CAS(#p, p, e, d, true)

#endif
