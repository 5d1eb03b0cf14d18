/*
 * resolver.c - for check_03_resolve.sh: a resolver that needs no network, and
 * answers by the name.
 *
 *	hangs...	never
 *	slow...		when the job has been asked to stop; the answer's end is
 *			reported on standard error
 *	turn-N...	as the Nth of the names that begin with turn
 *	fails...	with an error
 *	system...	with an error of the system's
 *	NAME-N...	192.0.2.N, 2001:db8::N, and the first again
 *
 * 03_resolve.c is compiled to call these by other names than the C library's: so
 * they are found whatever else defines those, as sanitizers do.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <soon.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct answer {
	struct addrinfo info; /* the first, since that is what is freed */
	struct sockaddr_storage address;
	bool slow;
};

static bool begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static struct addrinfo *answer(int family, unsigned char number, bool slow)
{
	struct answer *a = calloc(1, sizeof(*a));
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a->address;

	if (a == NULL)
		abort();
	a->slow = slow;
	a->info.ai_family = family;
	a->info.ai_addr = (struct sockaddr *)&a->address;
	a->address.ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(0xc0000200U + number);
		a->info.ai_addrlen = sizeof(*v4);
	} else {
		inet_pton(AF_INET6, "2001:db8::", &v6->sin6_addr);
		v6->sin6_addr.s6_addr[15] = number;
		a->info.ai_addrlen = sizeof(*v6);
	}
	return &a->info;
}

static void await_turn(int number)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t next = PTHREAD_COND_INITIALIZER;
	static int turn = 1;

	pthread_mutex_lock(&lock);
	while (turn != number)
		pthread_cond_wait(&next, &lock);
	turn++;
	pthread_cond_broadcast(&next);
	pthread_mutex_unlock(&lock);
}

int getaddrinfo(const char *restrict name, const char *restrict service,
		const struct addrinfo *restrict hints,
		struct addrinfo **restrict list)
{
	const char *dash = strrchr(name, '-');
	int number = dash == NULL ? 0 : atoi(dash + 1);
	bool slow = begins(name, "slow");
	struct addrinfo *a;

	if (service != NULL || hints == NULL)
		return EAI_BADFLAGS;
	while (begins(name, "hangs"))
		pause();
	if (begins(name, "turn"))
		await_turn(number);
	if (slow)
		poll(&(struct pollfd){ soon_cancel_fd(), POLLIN, 0 }, 1, -1);
	if (begins(name, "system"))
		return EAI_SYSTEM;
	if (begins(name, "fails") || strpbrk(name, "? \t") != NULL)
		return EAI_NONAME;
	a = answer(AF_INET, (unsigned char)number, slow);
	a->ai_next = answer(AF_INET6, (unsigned char)number, false);
	a->ai_next->ai_next = answer(AF_INET, (unsigned char)number, false);
	*list = a;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	static const char freed[] = "freed\n";
	struct addrinfo *next;

	for (; list != NULL; list = next) {
		next = list->ai_next;
		if (((struct answer *)list)->slow &&
		    write(STDERR_FILENO, freed, strlen(freed)) < 0)
			abort();
		free(list);
	}
}
