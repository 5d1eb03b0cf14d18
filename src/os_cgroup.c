/*
 * os_cgroup.c - how many CPUs the control groups of this process allow it.
 *
 * A group's `cpu.max` holds its share of CPU time in each period, and binds all
 * groups below; so the least of the process's own group and of those above it
 * counts, as far as they can be seen.  Only the second version of control
 * groups is looked at.
 *
 * PROC/cgroup names the group; PROC/mountinfo says which part of the tree of
 * groups can be seen where.  In a namespace of groups, both count from its root
 * and say /.. for what lies outside.
 */
#include "os.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_in(const char *directory, const char *name)
{
	FILE *file = NULL;
	char *path;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return NULL;
	file = fopen(path, "re");
	free(path);
	return file;
}

/* The next line, without its end, in *line, for free(); false at the end. */
static bool next_line(FILE *file, char **line, size_t *size)
{
	ssize_t n = getline(line, size, file);

	if (n > 0 && (*line)[n - 1] == '\n')
		(*line)[n - 1] = '\0';
	return n >= 0;
}

/* A number that begins at *text; false: there is none, or it is too large. */
static bool read_number(char **text, unsigned long long *number)
{
	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*number = strtoull(*text, text, 10);
	return errno == 0;
}

/* "QUOTA PERIOD"; anything else, as "max PERIOD", sets no limit. */
static unsigned cpus_of_text(char *text)
{
	unsigned long long quota;
	unsigned long long period;
	unsigned long long cpus;

	if (!read_number(&text, &quota) || *text++ != ' ' ||
	    !read_number(&text, &period) || *text != '\0' || period == 0)
		return UINT_MAX;
	cpus = quota / period + (quota % period != 0);
	if (cpus == 0)
		return 1;
	return cpus < UINT_MAX ? (unsigned)cpus : UINT_MAX;
}

static unsigned cpus_of_group(const char *directory)
{
	FILE *file = open_in(directory, "cpu.max");
	unsigned cpus = UINT_MAX;
	char *line = NULL;
	size_t size = 0;

	if (file == NULL)
		return UINT_MAX;
	if (next_line(file, &line, &size))
		cpus = cpus_of_text(line);
	free(line);
	fclose(file);
	return cpus;
}

/* The least of the group at path, which this cuts up, and of those above it; the
 * first n bytes are the mount point, where it ends. */
static unsigned cpus_up_from(char *path, size_t n)
{
	size_t end = strlen(path);
	unsigned least = cpus_of_group(path);
	unsigned cpus;

	while (end > n) {
		while (end > n && path[end - 1] != '/')
			end--;
		if (end > n)
			end--;
		path[end] = '\0';
		cpus = cpus_of_group(path);
		if (cpus < least)
			least = cpus;
	}
	return least;
}

static bool is_dots(const char *component)
{
	return strncmp(component, "/..", 3) == 0 &&
	       (component[3] == '/' || component[3] == '\0');
}

/*
 * The part of the group's path that lies below root, "" for root itself; NULL if
 * the group does not lie there.  A root with more /.. than the group is above it,
 * nobody knows by what names: then only root can be looked at.
 */
static const char *below_root(const char *group, const char *root)
{
	size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);

	if (strncmp(group, root, n) == 0 &&
	    (group[n] == '/' || group[n] == '\0')) {
		group += n;
		if (is_dots(group))
			return NULL;
		return strcmp(group, "/") == 0 ? "" : group;
	}
	while (is_dots(root) && is_dots(group)) {
		root += 3;
		group += 3;
	}
	if (!is_dots(root))
		return NULL;
	while (is_dots(root))
		root += 3;
	return *root == '\0' ? "" : NULL;
}

/* In place: blanks and the like are written \040 in paths. */
static void unescape(char *text)
{
	char *to = text;
	unsigned octal;
	int n;

	while (*text != '\0') {
		if (sscanf(text, "\\%3o%n", &octal, &n) == 1) {
			*to++ = (char)octal;
			text += n;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/*
 * A line of mountinfo, which this cuts up:
 *
 *	ID PARENT DEVICE ROOT POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS
 */
static unsigned cpus_of_mount(char *line, const char *group, const char *prefix)
{
	char *type = strstr(line, " - ");
	char *field[5];
	char *save = NULL;
	const char *rest;
	unsigned cpus;
	char *path;
	int i;

	if (type == NULL || strncmp(type, " - cgroup2 ", 11) != 0)
		return UINT_MAX;
	*type = '\0';
	for (i = 0; i < 5; i++) {
		field[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
		if (field[i] == NULL)
			return UINT_MAX;
	}
	unescape(field[3]);
	unescape(field[4]);
	rest = below_root(group, field[3]);
	if (rest == NULL ||
	    asprintf(&path, "%s%s%s", prefix, field[4], rest) < 0)
		return UINT_MAX;
	cpus = cpus_up_from(path, strlen(path) - strlen(rest));
	free(path);
	return cpus;
}

/* The process's own group, from "0::PATH", for free(); NULL: unknown. */
static char *own_group(const char *proc)
{
	FILE *file = open_in(proc, "cgroup");
	char *group = NULL;
	char *line = NULL;
	size_t size = 0;

	if (file == NULL)
		return NULL;
	while (group == NULL && next_line(file, &line, &size))
		if (strncmp(line, "0::/", 4) == 0)
			group = strdup(line + 3);
	free(line);
	fclose(file);
	return group;
}

unsigned sooni_cgroup_cpus(const char *proc, const char *prefix)
{
	char *group = own_group(proc);
	FILE *mounts = group != NULL ? open_in(proc, "mountinfo") : NULL;
	unsigned least = UINT_MAX;
	char *line = NULL;
	size_t size = 0;

	/* Several mounts may show different parts of the tree. */
	while (mounts != NULL && next_line(mounts, &line, &size)) {
		unsigned cpus = cpus_of_mount(line, group, prefix);

		if (cpus < least)
			least = cpus;
	}
	if (mounts != NULL)
		fclose(mounts);
	free(line);
	free(group);
	return least;
}
