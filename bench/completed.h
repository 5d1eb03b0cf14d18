/*
 * completed.h - results in the order of completion.
 */
#ifndef BENCH_COMPLETED_H
#define BENCH_COMPLETED_H

/* Where a peer has no queue of finished jobs: the one that people write. */
#if !defined(HAS_DONE_QUEUE) && !defined(HAS_COMPLETIONS)
static struct {
	pthread_mutex_t lock;
	pthread_cond_t nonempty;
	long *items;
	long head;
	long tail;
} done_queue = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, 0,
		 0 };

static void done_open(long n)
{
	done_queue.items = NEW_ARRAY(long, n);
}

static void done_push(long item)
{
	pthread_mutex_lock(&done_queue.lock);
	done_queue.items[done_queue.tail++] = item;
	pthread_cond_signal(&done_queue.nonempty);
	pthread_mutex_unlock(&done_queue.lock);
}

static long done_pop(void)
{
	long item;

	pthread_mutex_lock(&done_queue.lock);
	while (done_queue.head == done_queue.tail)
		pthread_cond_wait(&done_queue.nonempty, &done_queue.lock);
	item = done_queue.items[done_queue.head++];
	pthread_mutex_unlock(&done_queue.lock);
	return item;
}
#endif

#ifndef HAS_COMPLETIONS
static void *announce(void *x)
{
	done_push(unpack(x));
	return x;
}

static void ascompleted_body(struct run *r)
{
	handle *handles = NEW_ARRAY(handle, r->n);
	long sum = 0;
	group g;

	done_open(r->n);
	r->start = now();
	for (long i = 0; i < r->n; i++)
		spawn(&g, &handles[i], announce, pack(i));
	for (long i = 0; i < r->n; i++) {
		long which = done_pop();

		sum += which;
#ifndef HAS_GROUPS
		collect(&handles[which]);
#endif
	}
	group_wait(&g);
	expect(sum, sum_below(r->n));
	report_ns_each(r);
	FREE_ARRAY(handles);
}
#endif

/* ascompleted: n empty jobs, each taken back as it is done. */
static void run_ascompleted(struct run *r)
{
	in_pool(r, ascompleted_body);
}

#endif
