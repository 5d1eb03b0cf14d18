/*
 * test_cgroup.c - what control groups allow, read from trees made up for it.
 */
#include "support/support.h"

#include "os.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* PROC and PREFIX of sooni_cgroup_cpus(). */
static char top[] = "/tmp/soon-cgroup-XXXXXX";

static void setup(void)
{
	memcpy(top + sizeof(top) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(top));
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void teardown(void)
{
	nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Below top; directories are made on the way. */
static void write_file(const char *name, const char *text)
{
	char path[8192];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	for (char *p = path + strlen(top) + 1; (p = strchr(p, '/')) != NULL;
	     p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

static unsigned cpus(void)
{
	return sooni_cgroup_cpus(top, top);
}

/* A tree of three groups, with the process in the lowest. */
static void write_tree(const char *upper, const char *middle, const char *lower)
{
	write_file("cgroup", "0::/a/b/c\n");
	write_file("mountinfo",
		   "31 23 0:28 / /sys rw shared:9 - sysfs sysfs rw\n"
		   "41 31 0:38 / /fs rw,relatime - cgroup2 cgroup2 rw\n");
	if (upper != NULL)
		write_file("fs/a/cpu.max", upper);
	if (middle != NULL)
		write_file("fs/a/b/cpu.max", middle);
	if (lower != NULL)
		write_file("fs/a/b/c/cpu.max", lower);
}

static const struct {
	const char *text;
	unsigned cpus;
} contents[] = {
	{ "200000 100000\n", 2 },
	{ "200000 100000", 2 }, /* no end of line */
	{ "200001 100000\n", 3 },
	{ "199999 100000\n", 2 },
	{ "1000 100000\n", 1 },
	{ "0 100000\n", 1 },
	{ "50 3\n", 17 },
	{ "max 100000\n", UINT_MAX },
	{ "max\n", UINT_MAX },
	{ "", UINT_MAX },
	{ "\n", UINT_MAX },
	{ " \n", UINT_MAX },
	{ "100000\n", UINT_MAX },
	{ "100000 \n", UINT_MAX },
	{ "100000 0\n", UINT_MAX },
	{ "100000 100000 1\n", UINT_MAX },
	{ "-100000 100000\n", UINT_MAX },
	{ "100000 -100000\n", UINT_MAX },
	{ "+100000 100000\n", UINT_MAX },
	{ "1e5 100000\n", UINT_MAX },
	{ "\xff\xfe\n", UINT_MAX },
	{ "18446744073709551615 1\n", UINT_MAX },
	{ "18446744073709551615 18446744073709551615\n", 1 },
	{ "18446744073709551616 18446744073709551616\n", UINT_MAX },
	{ "99999999999999999999999999999999 1000\n", UINT_MAX },
	{ "4294967294 1\n", UINT_MAX - 1 },
	{ "4294967295 1\n", UINT_MAX },
	{ "4294967297 1\n", UINT_MAX },
};

START_TEST(quota_by_period_is_rounded_up_and_the_rest_is_no_limit)
{
	write_tree(NULL, NULL, contents[_i].text);
	ck_assert_uint_eq(cpus(), contents[_i].cpus);
}
END_TEST

START_TEST(the_least_of_the_group_and_those_above_counts)
{
	write_tree("400000 100000\n", "max 100000\n", "500000 100000\n");
	ck_assert_uint_eq(cpus(), 4);
	write_tree("400000 100000\n", "300000 100000\n", "500000 100000\n");
	ck_assert_uint_eq(cpus(), 3);
	write_tree("400000 100000\n", "300000 100000\n", "200000 100000\n");
	ck_assert_uint_eq(cpus(), 2);
}
END_TEST

START_TEST(the_mount_point_is_looked_at_as_well)
{
	write_tree(NULL, NULL, NULL);
	write_file("fs/cpu.max", "700000 100000\n");
	ck_assert_uint_eq(cpus(), 7);
	write_file("cgroup", "0::/\n");
	ck_assert_uint_eq(cpus(), 7);
}
END_TEST

START_TEST(files_that_are_not_there_set_no_limit)
{
	ck_assert_uint_eq(cpus(), UINT_MAX);
	write_file("cgroup", "0::/a/b/c\n");
	ck_assert_uint_eq(cpus(), UINT_MAX);
	write_tree(NULL, NULL, NULL);
	ck_assert_uint_eq(cpus(), UINT_MAX);
	write_tree("100000 100000\n", NULL, NULL); /* those below are gone */
	ck_assert_uint_eq(cpus(), 1);
}
END_TEST

START_TEST(a_group_of_another_branch_does_not_count)
{
	write_tree("300000 100000\n", NULL, NULL);
	write_file("fs/a/x/cpu.max", "100000 100000\n");
	write_file("fs/a/b/c/d/cpu.max", "100000 100000\n");
	write_file("cpu.max", "100000 100000\n"); /* above the mount point */
	ck_assert_uint_eq(cpus(), 3);
}
END_TEST

/* The process's group, and what is mounted where: fs allows 1 CPU, fs/x below it
 * 2, f s/x 5. */
static const struct {
	const char *group;
	const char *mount;
	unsigned cpus;
} views[] = {
	/* a part of the tree, as in a container */
	{ "0::/docker/1/x\n", "1 2 0:3 /docker/1 /fs rw - cgroup2 c rw\n", 1 },
	{ "0::/docker/1/y\n", "1 2 0:3 /docker/1 /fs rw - cgroup2 c rw\n", 1 },
	{ "0::/x\n", "1 2 0:3 / /fs/x rw - cgroup2 c rw\n", 2 },
	{ "0::/d/x\n", "1 2 0:3 /d/x /fs/x rw - cgroup2 c rw\n", 2 },
	/* not below the root of the mount */
	{ "0::/docker/12\n", "1 2 0:3 /docker/1 /fs rw - cgroup2 c rw\n",
	  UINT_MAX },
	{ "0::/docker\n", "1 2 0:3 /docker/1 /fs rw - cgroup2 c rw\n",
	  UINT_MAX },
	/* outside of the namespace, seen from within */
	{ "0::/../x\n", "1 2 0:3 / /fs rw - cgroup2 c rw\n", UINT_MAX },
	{ "0::/..\n", "1 2 0:3 / /fs rw - cgroup2 c rw\n", UINT_MAX },
	{ "0::/../x\n", "1 2 0:3 /.. /fs/x rw - cgroup2 c rw\n", 2 },
	{ "0::/../x\n", "1 2 0:3 /../x /fs/x rw - cgroup2 c rw\n", 2 },
	{ "0::/../x\n", "1 2 0:3 /../.. /fs/x rw - cgroup2 c rw\n", 2 },
	{ "0::/x\n", "1 2 0:3 /.. /fs/x rw - cgroup2 c rw\n", 2 },
	{ "0::/\n", "1 2 0:3 /../.. /fs/x rw - cgroup2 c rw\n", 2 },
	{ "0::/x\n", "1 2 0:3 /../x /fs/x rw - cgroup2 c rw\n", UINT_MAX },
	{ "0::/..x\n", "1 2 0:3 / /fs rw - cgroup2 c rw\n", 1 },
	/* several mounts */
	{ "0::/d/x\n",
	  "1 2 0:3 /e /fs rw - cgroup2 c rw\n"
	  "1 2 0:3 /d/x /fs/x rw - cgroup2 c rw\n",
	  2 },
	{ "0::/d/x\n",
	  "1 2 0:3 /d/x /fs/x rw - cgroup2 c rw\n"
	  "1 2 0:3 /d /fs rw - cgroup2 c rw\n",
	  1 },
	/* the first version's groups, and other types, do not count */
	{ "3:cpu:/x\n1:name=0::/x\n", "1 2 0:3 / /fs rw - cgroup2 c rw\n",
	  UINT_MAX },
	{ "9:cpu:/y\n0::/x\n", "1 2 0:3 / /fs rw - cgroup c rw,cpu\n",
	  UINT_MAX },
	{ "9:cpu:/y\n0::/x", "1 2 0:3 / /fs/x rw - cgroup2 c rw", 2 },
	/* tags, and a path with a blank */
	{ "0::/x\n", "1 2 0:3 / /fs/x rw a:1 b - cgroup2 c rw\n", 2 },
	{ "0::/x\n", "1 2 0:3 / /f\\040s rw - cgroup2 c rw\n", 5 },
	{ "0::/a b/x\n", "1 2 0:3 /a\\040b/x /fs/x rw - cgroup2 c rw\n", 2 },
	/* garbage */
	{ "", "1 2 0:3 / /fs rw - cgroup2 c rw\n", UINT_MAX },
	{ "\n\n0\n0::\n0::x\n", "1 2 0:3 / /fs rw - cgroup2 c rw\n", UINT_MAX },
	{ "0::/x\n", "", UINT_MAX },
	{ "0::/x\n", "\n - \n - cgroup2 \n1 2 3 - cgroup2 \n", UINT_MAX },
	{ "0::/x\n", "1 2 0:3 / - cgroup2 c rw\n", UINT_MAX },
	{ "0::/x\n", "1 2 0:3 \\ \\7 - cgroup2 \\\n", UINT_MAX },
	{ "0::/x\n", "1 2 0:3 / /fs rw - cgroup2", UINT_MAX },
};

START_TEST(the_mount_shows_what_its_root_says)
{
	write_file("fs/cpu.max", "100000 100000\n");
	write_file("fs/x/cpu.max", "200000 100000\n");
	write_file("f s/x/cpu.max", "500000 100000\n");
	write_file("cgroup", views[_i].group);
	write_file("mountinfo", views[_i].mount);
	ck_assert_uint_eq(cpus(), views[_i].cpus);
}
END_TEST

START_TEST(long_lines_and_deep_groups_are_read)
{
	enum { DEPTH = 100, FIRST = 20000 };
	static char line[FIRST + 4000];
	static char group[4000] = "0::";
	static char file[4000] = "fs";

	for (int i = 0; i < DEPTH; i++) {
		strcat(group, "/a-group-with-a-name");
		strcat(file, "/a-group-with-a-name");
	}
	strcat(file, "/cpu.max");
	memset(line, 'x', FIRST);
	strcpy(line + FIRST, "\n1 2 0:3 / /fs rw - cgroup2 c rw\n");
	write_file(file, "600000 100000\n");
	write_file("cgroup", group);
	write_file("mountinfo", line);
	ck_assert_uint_eq(cpus(), 6);
}
END_TEST

START_TEST(this_process_may_use_one_cpu_at_least)
{
	ck_assert_uint_ge(sooni_cpus(), 1);
	ck_assert_uint_ge(sooni_cgroup_cpus("/proc/self", ""), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroup");
	TCase *tc = tcase_create("cgroup");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, TEST_TIMEOUT);
	tcase_add_loop_test(
		tc, quota_by_period_is_rounded_up_and_the_rest_is_no_limit, 0,
		(int)COUNT_OF(contents));
	tcase_add_test(tc, the_least_of_the_group_and_those_above_counts);
	tcase_add_test(tc, the_mount_point_is_looked_at_as_well);
	tcase_add_test(tc, files_that_are_not_there_set_no_limit);
	tcase_add_test(tc, a_group_of_another_branch_does_not_count);
	tcase_add_loop_test(tc, the_mount_shows_what_its_root_says, 0,
			    (int)COUNT_OF(views));
	tcase_add_test(tc, long_lines_and_deep_groups_are_read);
	tcase_add_test(tc, this_process_may_use_one_cpu_at_least);
	suite_add_tcase(suite, tc);
	return test_run(suite);
}
