/*
 * test_json.c - strings of any bytes, as JSON has them.
 */
#include "json.h"

#include "support/support.h"

#include <string.h>

static char out[SOONI_JSON_ROOM + 1];

static void expect(const char *text, const char *json)
{
	size_t n;

	memset(out, '#', sizeof(out));
	n = sooni_json_string(out, text);
	ck_assert_str_eq(out, json);
	ck_assert_uint_eq(n, strlen(json));
	ck_assert_int_eq(out[SOONI_JSON_ROOM], '#');
}

START_TEST(plain_text_is_quoted)
{
	expect("", "\"\"");
	expect("a job", "\"a job\"");
	expect("1/2 </script>", "\"1/2 </script>\"");
}
END_TEST

START_TEST(what_json_does_not_allow_is_escaped)
{
	expect("a\"b\\c", "\"a\\\"b\\\\c\"");
	expect("\x01\n\t\x1f\x7f", "\"\\u0001\\u000a\\u0009\\u001f\\u007f\"");
}
END_TEST

START_TEST(utf_8_stays_as_it_is)
{
	expect("\xc3\xa9", "\"\xc3\xa9\"");
	expect("\xe2\x82\xac!", "\"\xe2\x82\xac!\"");
	expect("\xef\xbf\xbf", "\"\xef\xbf\xbf\"");
	expect("\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"");
	expect("\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"");
}
END_TEST

/* Each byte that begins or goes on with no sequence becomes a mark. */
static const struct {
	const char *text;
	unsigned marks;
	const char *rest;
} broken[] = {
	{ "\x80", 1, "" },
	{ "\xff", 1, "" },
	{ "\xc3", 1, "" },
	{ "\xc3(", 1, "(" },
	{ "\xc0\xaf", 2, "" },
	{ "\xe2\x82", 2, "" },
	{ "\xe0\x80\xaf", 3, "" },
	{ "\xed\xa0\x80", 3, "" },
	{ "\xf0\x9f\x98", 3, "" },
	{ "\xf0\x80\x80\xaf", 4, "" },
	{ "\xf4\x90\x80\x80", 4, "" },
	{ "\xf5\x80\x80\x80", 4, "" },
};

START_TEST(what_is_no_utf_8_is_marked)
{
	char json[64] = "\"";

	for (unsigned i = 0; i < broken[_i].marks; i++)
		strcat(json, "\\ufffd");
	strcat(json, broken[_i].rest);
	strcat(json, "\"");
	expect(broken[_i].text, json);
}
END_TEST

START_TEST(a_long_text_is_cut_between_characters)
{
	char text[3 * SOONI_JSON_LONGEST];
	size_t n;

	memset(text, 1, sizeof(text));
	text[SOONI_JSON_LONGEST] = '\0';
	n = sooni_json_string(out, text);
	ck_assert_uint_eq(n, 6 * SOONI_JSON_LONGEST + 2);
	text[SOONI_JSON_LONGEST] = 1;
	text[sizeof(text) - 1] = '\0';
	n = sooni_json_string(out, text);
	ck_assert_uint_eq(n, SOONI_JSON_ROOM - 1);
	ck_assert_str_eq(out + n - 4, "...\"");
	memset(text, 'x', SOONI_JSON_LONGEST - 1);
	memcpy(text + SOONI_JSON_LONGEST - 1, "\xc3\xa9", 3);
	n = sooni_json_string(out, text);
	ck_assert_str_eq(out + n - 5, "x...\"");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("json");

	tcase_set_timeout(t, TEST_TIMEOUT);
	tcase_add_test(t, plain_text_is_quoted);
	tcase_add_test(t, what_json_does_not_allow_is_escaped);
	tcase_add_test(t, utf_8_stays_as_it_is);
	tcase_add_loop_test(t, what_is_no_utf_8_is_marked, 0, COUNT_OF(broken));
	tcase_add_test(t, a_long_text_is_cut_between_characters);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return test_run(suite());
}
