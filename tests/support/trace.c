/*
 * trace.c - see trace.h.
 */
#include "trace.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* JSON: each takes a place and returns the one behind what it accepts, or NULL. */

static const char *value(const char *s);

static const char *space(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

static const char *string(const char *s)
{
	if (*s++ != '"')
		return NULL;
	while (*s != '"') {
		if ((unsigned char)*s < 0x20)
			return NULL;
		if (*s++ != '\\')
			continue;
		if (*s == 'u') {
			for (int i = 1; i <= 4; i++)
				if (!isxdigit((unsigned char)s[i]))
					return NULL;
			s += 4;
		} else if (*s == '\0' || strchr("\"\\/bfnrt", *s) == NULL) {
			return NULL;
		}
		s++;
	}
	return s + 1;
}

static const char *digits(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n > 0 ? s + n : NULL;
}

static const char *number(const char *s)
{
	if (*s == '-')
		s++;
	s = *s == '0' ? s + 1 : digits(s);
	if (s != NULL && *s == '.')
		s = digits(s + 1);
	return s;
}

static const char *members(const char *s, char end)
{
	bool object = end == '}';

	s = space(s + 1);
	if (*s == end)
		return s + 1;
	for (;;) {
		if (object) {
			s = string(space(s));
			if (s == NULL || *space(s) != ':')
				return NULL;
			s = space(s) + 1;
		}
		s = value(space(s));
		if (s == NULL)
			return NULL;
		s = space(s);
		if (*s == end)
			return s + 1;
		if (*s++ != ',')
			return NULL;
	}
}

static const char *value(const char *s)
{
	switch (*s) {
	case '{':
		return members(s, '}');
	case '[':
		return members(s, ']');
	case '"':
		return string(s);
	default:
		return number(s);
	}
}

bool json_is_valid(const char *text)
{
	const char *end = value(space(text));

	return end != NULL && *space(end) == '\0';
}

/* The value of a member of the object at s, cut out; NULL: it has none. */
static char *member(const char *s, const char *name)
{
	size_t n = strlen(name);

	for (s = space(s + 1); *s != '}' && *s != '\0';) {
		const char *key = s;
		const char *from = space(space(string(key)) + 1);
		const char *to = value(from);

		if (strncmp(key + 1, name, n) == 0 && key[n + 1] == '"')
			return strndup(from, (size_t)(to - from));
		s = space(to);
		if (*s == ',')
			s = space(s + 1);
	}
	return NULL;
}

static char *text_of(const char *s, const char *name)
{
	char *quoted = member(s, name);
	char *text;

	ck_assert_msg(quoted != NULL && *quoted == '"', "%s in %.200s", name,
		      s);
	text = strndup(quoted + 1, strlen(quoted) - 2);
	free(quoted);
	return text;
}

static double number_of(const char *s, const char *name)
{
	char *text = member(s, name);
	double x;

	ck_assert_msg(text != NULL && number(text) != NULL, "%s in %.200s",
		      name, s);
	x = strtod(text, NULL);
	free(text);
	return x;
}

static void read_event(struct event *e, const char *s)
{
	char *phase = text_of(s, "ph");

	ck_assert_uint_eq(strlen(phase), 1);
	e->phase = *phase;
	free(phase);
	e->name = text_of(s, "name");
	e->args = member(s, "args");
	ck_assert_msg(e->args != NULL && *e->args == '{', "args in %.200s", s);
	e->pid = (long)number_of(s, "pid");
	e->tid = (long)number_of(s, "tid");
	e->ts = e->phase == 'M' ? 0 : number_of(s, "ts");
	e->dur = e->phase == 'X' ? number_of(s, "dur") : 0;
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text;
	long size;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	rewind(f);
	text = calloc((size_t)size + 4, 1);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(fread(text, 1, (size_t)size, f), (size_t)size);
	ck_assert_uint_eq(strlen(text), (size_t)size);
	fclose(f);
	return text;
}

void trace_read(struct trace *t, const char *path)
{
	const char *s;

	t->text = read_file(path);
	s = t->text + strlen(t->text);
	t->closed = s - t->text > 3 && strcmp(s - 3, "\n]\n") == 0;
	if (!t->closed)
		strcat(t->text, "\n]\n");
	ck_assert_msg(json_is_valid(t->text), "%s is no JSON", path);
	t->n = 0;
	t->events = calloc(TRACE_MOST, sizeof(*t->events));
	ck_assert_ptr_nonnull(t->events);
	for (s = space(t->text + 1); *s == '{'; t->n++) {
		ck_assert_uint_lt(t->n, TRACE_MOST);
		read_event(&t->events[t->n], s);
		s = space(value(s));
		if (*s == ',')
			s = space(s + 1);
	}
}

void trace_free(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->events[i].name);
		free(t->events[i].args);
	}
	free(t->events);
	free(t->text);
}

size_t trace_count(const struct trace *t, const char *name,
		   const struct event **last)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct event *e = &t->events[i];

		if (e->phase != 'X' || strcmp(e->name, name) != 0)
			continue;
		n++;
		if (last != NULL)
			*last = e;
	}
	return n;
}

const char *trace_thread(const struct trace *t, long tid)
{
	static char name[64];

	for (size_t i = 0; i < t->n; i++) {
		const struct event *e = &t->events[i];

		if (e->tid == tid && strcmp(e->name, "thread_name") == 0) {
			char *text = text_of(e->args, "name");

			snprintf(name, sizeof(name), "%s", text);
			free(text);
			return name;
		}
	}
	return NULL;
}
