/* SPDX-License-Identifier: MIT */
/* Tests of the preload object's string functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shim_text.h"

static void adds_up_to_its_end(void **state)
{
	char storage[8];
	struct text t = TEXT_OF(storage);

	(void)state;
	text_puts(&t, "abc");
	text_puts(&t, "defg");
	assert_false(t.full);
	assert_string_equal(storage, "abcdefg");
	assert_int_equal(t.len, 7);
}

static void keeps_what_fits_and_says_so(void **state)
{
	char storage[8];
	struct text t = TEXT_OF(storage);

	(void)state;
	text_puts(&t, "abc");
	text_puts(&t, "defgh");
	assert_true(t.full);
	assert_string_equal(storage, "abc");
	text_puts(&t, "d");
	assert_string_equal(storage, "abc");
}

static void writes_numbers(void **state)
{
	char storage[64];
	struct text t = TEXT_OF(storage);

	(void)state;
	text_uint(&t, 0);
	text_puts(&t, " ");
	text_uint(&t, UINT32_MAX);
	text_puts(&t, " ");
	text_hex(&t, 0x0123456789abcdefu);
	assert_string_equal(storage, "0 4294967295 0123456789abcdef");
}

static void compares(void **state)
{
	(void)state;
	assert_true(text_equal("", ""));
	assert_true(text_equal("web", "web"));
	assert_false(text_equal("web", "webs"));
	assert_false(text_equal("webs", "web"));
	assert_true(text_starts("web", ""));
	assert_true(text_starts("web:80", "web"));
	assert_false(text_starts("we", "web"));
}

static void finds_the_last_part_of_a_path(void **state)
{
	(void)state;
	assert_string_equal(text_basename("/usr/sbin/nginx"), "nginx");
	assert_string_equal(text_basename("nginx"), "nginx");
	assert_string_equal(text_basename("/usr/sbin/"), "");
}

static void matches_globs(void **state)
{
	static const struct {
		const char *pattern, *s;
		bool matches;
	} cases[] = {
		{"nginx", "nginx", true},
		{"nginx", "nginx2", false},
		{"nginx*", "nginx2", true},
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"?", "a", true},
		{"?", "", false},
		{"python3.?", "python3.9", true},
		{"python3.?", "python3.11", false},
		{"*.*", "a.b", true},
		{"*ab", "aaab", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-b-b", false},
		{"**x", "x", true},
		{"[n]ginx", "nginx", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (text_matches(cases[i].pattern, cases[i].s) != cases[i].matches)
			fail_msg("'%s' against '%s'", cases[i].pattern, cases[i].s);
}

static void has_memory_functions_as_a_compiler_expects_them(void **state)
{
	char a[16] = "0123456789", b[16];

	(void)state;
	assert_ptr_equal(shim_memcpy(b, a, sizeof(a)), b);
	assert_memory_equal(a, b, sizeof(a));
	assert_int_equal(shim_memcmp(a, b, sizeof(a)), 0);
	b[3] = (char)0xff;
	assert_true(shim_memcmp(a, b, sizeof(a)) < 0);
	assert_true(shim_memcmp(b, a, sizeof(a)) > 0);
	assert_ptr_equal(shim_memchr(a, '9', 10), a + 9);
	assert_null(shim_memchr(a, '9', 9));
	assert_ptr_equal(shim_memset(b, 'x', 4), b);
	assert_memory_equal(b, "xxxx4", 5);
	assert_int_equal(shim_strlen("four"), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_up_to_its_end),
		cmocka_unit_test(keeps_what_fits_and_says_so),
		cmocka_unit_test(writes_numbers),
		cmocka_unit_test(compares),
		cmocka_unit_test(finds_the_last_part_of_a_path),
		cmocka_unit_test(matches_globs),
		cmocka_unit_test(has_memory_functions_as_a_compiler_expects_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
