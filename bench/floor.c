/*
 * floor.c - what this machine asks for the primitives under every pool.
 *
 * Called as `bench-floor NAME N`; prints the nanoseconds of one round of N.
 * A figure of a workload is read against these: nothing that wakes a thread
 * on another CPU can cost less than such a wake-up does.
 */
#include "bench.h"
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static long rounds;
static _Alignas(64) atomic_int turn;

/* Keeps the compiler from seeing what is in the variable. */
#define OPAQUE(variable) __asm__ volatile("" : "+r"(variable) : : "memory")

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void start_thread(pthread_t *thread, void *(*run)(void *), void *arg)
{
	if (pthread_create(thread, NULL, run, arg) != 0)
		abort();
}

static __attribute__((noinline)) long pass_back(long x)
{
	OPAQUE(x);
	return x;
}

static void call(void)
{
	long sum = 0;

	for (long i = 0; i < rounds; i++)
		sum += pass_back(i);
	OPAQUE(sum);
}

static void compare_and_swap(void)
{
	for (long i = 0; i < rounds; i++) {
		int expected = (int)i;

		atomic_compare_exchange_strong_explicit(&turn, &expected,
							(int)i + 1,
							memory_order_seq_cst,
							memory_order_seq_cst);
	}
}

static void mutex_pair(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	for (long i = 0; i < rounds; i++) {
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
	}
}

static void malloc_free(void)
{
	for (long i = 0; i < rounds; i++) {
		void *block = malloc(64);

		OPAQUE(block);
		free(block);
	}
}

static void system_call(void)
{
	for (long i = 0; i < rounds; i++)
		syscall(SYS_getppid);
}

static void page_fault(void)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t size = (size_t)(rounds * page);
	char *memory = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (long i = 0; i < rounds; i++)
		((volatile char *)memory)[i * page] = 1;
}

static void *count_up(void *cpu)
{
	uint64_t x = 88172645463325252u;

	pin((int)unpack(cpu));
	for (long i = 0; i < rounds; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		OPAQUE(x);
	}
	return NULL;
}

/* The same work on one CPU, and on each of two: equal if they are two. */
static void compute_one_cpu(void)
{
	count_up(pack(0));
}

static void compute_two_cpus(void)
{
	pthread_t other;

	start_thread(&other, count_up, pack(1));
	count_up(pack(0));
	pthread_join(other, NULL);
}

static void *nothing(void *unused)
{
	return unused;
}

static void thread_create_join(void)
{
	pthread_t thread;

	for (long i = 0; i < rounds; i++) {
		start_thread(&thread, nothing, NULL);
		pthread_join(thread, NULL);
	}
}

static void *nap_while_any(void *left)
{
	const struct timespec nap = { .tv_nsec = 2000000 };

	while (atomic_fetch_sub_explicit((atomic_long *)left, 1,
					 memory_order_relaxed) > 0)
		nanosleep(&nap, NULL);
	return NULL;
}

/* The jobs of the workload `blocking` without a pool. */
static void nap_in_100_threads(void)
{
	pthread_t threads[100];
	atomic_long left = rounds;

	for (int i = 0; i < 100; i++)
		start_thread(&threads[i], nap_while_any, &left);
	for (int i = 0; i < 100; i++)
		pthread_join(threads[i], NULL);
}

/* Two threads hand each other the turn; a round is there and back. */
static struct game {
	int cpu[2]; /* -1: wherever the system likes */
	void (*wait)(int me);
	void (*pass)(int other);
} game;

static void futex_wait_turn(int me)
{
	while (atomic_load_explicit(&turn, memory_order_acquire) != me)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, !me, NULL, NULL,
			0);
}

static void futex_pass_turn(int other)
{
	atomic_store_explicit(&turn, other, memory_order_release);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void spin_wait_turn(int me)
{
	while (atomic_load_explicit(&turn, memory_order_acquire) != me)
		;
}

static void spin_pass_turn(int other)
{
	atomic_store_explicit(&turn, other, memory_order_release);
}

static void *play(void *arg)
{
	int me = (int)unpack(arg);

	if (game.cpu[me] >= 0)
		pin(game.cpu[me]);
	for (long i = 0; i < rounds; i++) {
		game.wait(me);
		game.pass(!me);
	}
	return NULL;
}

static void play_futex(int cpu0, int cpu1)
{
	pthread_t other;

	game = (struct game){ { cpu0, cpu1 },
			      futex_wait_turn,
			      futex_pass_turn };
	start_thread(&other, play, pack(1));
	play(pack(0));
	pthread_join(other, NULL);
}

static void futex_one_cpu(void)
{
	play_futex(0, 0);
}

static void futex_two_cpus(void)
{
	play_futex(0, 1);
}

static void futex_anywhere(void)
{
	play_futex(-1, -1);
}

static void spin_two_cpus(void)
{
	pthread_t other;

	game = (struct game){ { 0, 1 }, spin_wait_turn, spin_pass_turn };
	start_thread(&other, play, pack(1));
	play(pack(0));
	pthread_join(other, NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} floors[] = {
	{ "call", call },
	{ "compare_and_swap", compare_and_swap },
	{ "mutex_pair", mutex_pair },
	{ "malloc_free", malloc_free },
	{ "system_call", system_call },
	{ "page_fault", page_fault },
	{ "compute_one_cpu", compute_one_cpu },
	{ "compute_two_cpus", compute_two_cpus },
	{ "thread_create_join", thread_create_join },
	{ "nap_in_100_threads", nap_in_100_threads },
	{ "spin_two_cpus", spin_two_cpus },
	{ "futex_one_cpu", futex_one_cpu },
	{ "futex_two_cpus", futex_two_cpus },
	{ "futex_anywhere", futex_anywhere },
};

int main(int argc, char **argv)
{
	double start;

	rounds = argc == 3 ? atol(argv[2]) : 0;
	if (rounds < 1) {
		fprintf(stderr, "usage: %s NAME N\n", argv[0]);
		return 2;
	}
	for (size_t i = 0; i < sizeof(floors) / sizeof(*floors); i++)
		if (strcmp(argv[1], floors[i].name) == 0) {
			start = now();
			floors[i].run();
			printf("%.6g\n",
			       (now() - start) * 1e9 / (double)rounds);
			return 0;
		}
	printf("n/a\n");
	return 0;
}
