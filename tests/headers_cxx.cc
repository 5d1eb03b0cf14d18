/*
 * headers_cxx.cc - a header compiles as C++, and what it declares links.
 *
 * check-headers.sh gives each public one as HEADER.
 */
#ifndef HEADER
#define HEADER <soon.h>
#define LINK
#endif
#include HEADER
#include HEADER

#ifdef LINK
static void *same(void *arg)
{
	return arg;
}

int main()
{
	soon_executor_options options = SOON_EXECUTOR_OPTIONS_INIT;
	soon_job job = SOON_JOB_INIT;
	soon_executor *pool;
	soon_future *f;
	void *result = NULL;

	options.workers = 1;
	pool = soon_executor_open(&options);
	job.fn = same;
	job.arg = &job;
	f = soon_submit_job(pool, &job);
	if (soon_gather(&f, 1, SOON_FOREVER, &result, NULL) != 0)
		return 1;
	soon_future_unref(f);
	soon_executor_free(pool);
	return result == &job ? 0 : 1;
}
#endif
