/*
 * unread.h - what the tests of failures that nobody has read share.
 */
#ifndef SOON_TEST_UNREAD_H
#define SOON_TEST_UNREAD_H

#include "fixture.h"

enum { UNREAD_MOST = 16 };

/* What the hook was told, of the first so many. */
struct unread_report {
	void *arg;
	int code;
	char message[32];
	enum soon_state state;
	pthread_t thread;
	void *ctx;
};

extern struct unread_report unread_reports[UNREAD_MOST];
extern struct tally unread_reported;

/* The hook, and a pool with it or another; its context is the reports. */
typedef void unread_hook(soon_future *f, void *ctx);
unread_hook unread_note;
soon_executor *unread_pool(unread_hook *hook, unsigned workers, unsigned flags);

/* The fixture: a pool of one. */
void unread_setup(void);
void unread_teardown(void);

/* A job that fails with EIO, "read disk". */
void *unread_fail(void *arg);

/* The worker has done with what it did before. */
void unread_pass_worker(void);

/* A future that has failed so, and that nobody has read. */
soon_future *unread_failed(void);

/* So many have been reported. */
void unread_expect(unsigned n);

#endif
