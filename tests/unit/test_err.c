/* SPDX-License-Identifier: MIT */
/* Tests of lib/base/err.c. */
#include "test.h"

#include "lib/base/err.h"

static void sets_code_and_text(void **state)
{
	struct etcdreg_err err;

	(void)state;
	assert_int_equal(err_set(&err, ETCDREG_E_CONFIG, "port '%s' is not 1-65535", "x"),
			 ETCDREG_E_CONFIG);
	assert_int_equal(err.code, ETCDREG_E_CONFIG);
	assert_string_equal(err.msg, "port 'x' is not 1-65535");
}

static void takes_no_object(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ETCDREG_E_NOMEM, "x"), ETCDREG_E_NOMEM);
	assert_int_equal(err_prefix(NULL, ETCDREG_E_CONFIG, "x"), ETCDREG_E_CONFIG);
}

static void keeps_one_line(void **state)
{
	struct etcdreg_err err;

	(void)state;
	err_set(&err, ETCDREG_E_PROTO, "a\nb\rc\x1b[1m\x7f");
	assert_string_equal(err.msg, "a?b?c?[1m?");
	err_prefix(&err, err.code, "n\n: ");
	assert_string_equal(err.msg, "n?: a?b?c?[1m?");
}

static void puts_context_first(void **state)
{
	struct etcdreg_err err;

	(void)state;
	err_set(&err, ETCDREG_E_CONFIG, "is empty");
	assert_int_equal(err_prefix(&err, ETCDREG_E_CONFIG, "%s: ", "url"), ETCDREG_E_CONFIG);
	assert_int_equal(err.code, ETCDREG_E_CONFIG);
	assert_string_equal(err.msg, "url: is empty");
}

static void cuts_what_is_too_long(void **state)
{
	char text[ETCDREG_ERR_MAX * 2];
	struct etcdreg_err err;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ETCDREG_E_PROTO, "%s", text);
	assert_int_equal(strlen(err.msg), ETCDREG_ERR_MAX - 1);
	err_prefix(&err, err.code, "12345");
	assert_int_equal(strlen(err.msg), ETCDREG_ERR_MAX - 1);
	assert_memory_equal(err.msg, "12345xxx", 8);
}

static void has_a_text_for_every_code(void **state)
{
	(void)state;
	for (int code = ETCDREG_E_STOPPED; code < 0; code++)
		assert_string_not_equal(etcdreg_strerror(code), "unknown error");
	assert_string_equal(etcdreg_strerror(ETCDREG_E_NOTFOUND), "not found");
	assert_string_equal(etcdreg_strerror(0), "success");
	assert_string_equal(etcdreg_strerror(ETCDREG_E_STOPPED - 1), "unknown error");
	assert_string_equal(etcdreg_strerror(-999), "unknown error");
	assert_string_equal(etcdreg_version(), ETCDREG_VERSION);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_code_and_text),
		cmocka_unit_test(takes_no_object),
		cmocka_unit_test(keeps_one_line),
		cmocka_unit_test(puts_context_first),
		cmocka_unit_test(cuts_what_is_too_long),
		cmocka_unit_test(has_a_text_for_every_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
