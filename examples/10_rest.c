/*
 * 10_rest - an HTTP service of JSON.  One thread of libmicrohttpd's talks with all
 * clients; what blocks, in SQLite and in calls of an upstream, is jobs.
 *	cc 10_rest.c -o 10_rest \
 *		$(pkg-config --cflags --libs soon libmicrohttpd sqlite3)
 */
#include "10_rest_routes.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <sys/resource.h>

static const struct option opts[] = { { "max-pending", 1, NULL, 'm' },
				      { "upstream", 1, NULL, 'u' },
				      { "timeout", 1, NULL, 't' },
				      { "help", 0, NULL, 'h' },
				      { 0 } };
static long option[128] = { /* by letter: --upstream is 'u' */
			    ['p'] = 8080,
			    ['j'] = 64,
			    ['m'] = 10000,
			    ['u'] = 0,
			    ['t'] = 60
};

/* Connections, at most: there shall be files left for the workers. */
static unsigned max_connections(void)
{
	rlim_t workers = 64 + 8 * (rlim_t)option['j'], all = workers + 10000;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		err(1, "getrlimit");
	if (files.rlim_cur < all) {
		files.rlim_cur = files.rlim_max < all ? files.rlim_max : all;
		setrlimit(RLIMIT_NOFILE, &files);
		all = files.rlim_cur;
	}
	if (all <= workers)
		errx(1, "too few open files are allowed for %ld jobs",
		     option['j']);
	return (unsigned)(all - workers);
}

int main(int argc, char **argv)
{
	static const char usage[] =
		"usage: 10_rest [-p PORT] [-j JOBS] [--max-pending N] "
		"[--upstream PORT] [--timeout SECONDS] DATABASE";
	struct sockaddr_in address = upstream;
	struct MHD_Daemon *d;
	sigset_t signals;
	int c, listening, bad = 0;

	while ((c = getopt_long(argc, argv, "p:j:", opts, NULL)) != -1) {
		if (c == 'h' || c == '?')
			return c == 'h' ? puts(usage) == EOF : 2;
		option[c] = (long)number(optarg, 65534);
		bad |= option[c] < (c == 'p' ? 0 : 1);
	}
	if (bad || optind != argc - 1)
		errx(2, "%s", usage);
	setlocale(LC_CTYPE, "C.UTF-8"); /* for mbstowcs() */
	upstream.sin_port = htons((uint16_t)option['u']);
	upstream.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	patience.tv_sec = option['t'];
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL); /* in all threads */
	open_executors((unsigned)option['j'], (size_t)option['m'],
		       argv[optind]);
	address.sin_port = htons((uint16_t)option['p']);
	address.sin_addr = upstream.sin_addr;
	d = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0,
		NULL, NULL, handle, routes, MHD_OPTION_SOCK_ADDR, &address,
		MHD_OPTION_CONNECTION_LIMIT, max_connections(),
		MHD_OPTION_CONNECTION_TIMEOUT, 60U, MHD_OPTION_NOTIFY_COMPLETED,
		forget, NULL, MHD_OPTION_END);
	if (!d)
		err(1, "port %ld", option['p']);
	printf("http://127.0.0.1:%u\n",
	       MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(&signals, &c);
	/* A second signal ends the program at once. */
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	listening = MHD_quiesce_daemon(d);
	shutdown(listening, SHUT_RDWR); /* refuses who wants to connect */
	pthread_mutex_lock(&lock);
	draining = true;
	while (requests > 0)
		pthread_cond_wait(&all_answered, &lock);
	pthread_mutex_unlock(&lock);
	soon_executor_free(pool); /* may still be in MHD_resume_connection() */
	soon_executor_free(caller);
	MHD_stop_daemon(d);
	close(listening); /* not earlier: the thread might use the number */
	return 0;
}
