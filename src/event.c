/*
 * event.c - see event.h.
 */
#include "event.h"

#include "error.h"
#include "os.h"

#include <inttypes.h>
#include <stdio.h>

/* Whose event it is, and a time in the format's microseconds. */
#define WHO "\"pid\":%ld,\"tid\":%" PRId32
#define USEC "%" PRId64 ".%03d"

static int64_t usec(int64_t nsec)
{
	return nsec / 1000;
}

static int rest(int64_t nsec)
{
	return (int)(nsec % 1000);
}

static void put_name(char *to, const struct sooni_event_job *job)
{
	char address[2 * sizeof(job->function) + 3];

	snprintf(address, sizeof(address), "0x%" PRIxPTR, job->function);
	sooni_json_string(to, job->name != NULL ? job->name : address);
}

static void put_outcome(char *to, const struct sooni_event_job *job)
{
	const char *text = job->message;

	if (job->code == 0) {
		sprintf(to, "\"outcome\":\"succeeded\"");
		return;
	}
	if (text == NULL)
		text = sooni_error_text(job->code);
	to += sprintf(to, "\"outcome\":\"failed\",\"error\":%d,\"message\":",
		      job->code);
	sooni_json_string(to, text != NULL ? text : "");
}

size_t sooni_event_job(char *to, struct sooni_event_who who,
		       const struct sooni_event_job *job)
{
	char name[SOONI_JSON_ROOM];
	char args[SOONI_JSON_ROOM + 80];
	int64_t took = job->ended - job->began;

	put_name(name, job);
	put_outcome(args, job);
	return (size_t)sprintf(to,
			       ",\n{\"name\":%s,\"cat\":\"job\",\"ph\":\"X\","
			       "\"ts\":" USEC ",\"dur\":" USEC "," WHO
			       ",\"args\":{%s}}",
			       name, usec(job->began), rest(job->began),
			       usec(took), rest(took), who.process, who.thread,
			       args);
}

size_t sooni_event_thread(char *to, struct sooni_event_who who)
{
	char name[SOONI_THREAD_NAME];
	char quoted[SOONI_JSON_ROOM];

	sooni_thread_get_name(name);
	sooni_json_string(quoted, name);
	return (size_t)sprintf(to,
			       ",\n{\"name\":\"thread_name\",\"ph\":\"M\"," WHO
			       ",\"args\":{\"name\":%s}}",
			       who.process, who.thread, quoted);
}

size_t sooni_event_lost(char *to, struct sooni_event_who who, uint64_t n)
{
	int64_t now = sooni_now();

	return (size_t)sprintf(to,
			       ",\n{\"name\":\"lost events\",\"cat\":\"trace\","
			       "\"ph\":\"i\",\"s\":\"g\",\"ts\":" USEC "," WHO
			       ",\"args\":{\"count\":%" PRIu64 "}}",
			       usec(now), rest(now), who.process, who.thread,
			       n);
}

size_t sooni_event_first(char *to, struct sooni_event_who who,
			 const char *version)
{
	return (size_t)sprintf(to,
			       "{\"name\":\"process_labels\",\"ph\":\"M\"," WHO
			       ",\"args\":{\"labels\":\"libsoon %s\"}}",
			       who.process, who.thread, version);
}
