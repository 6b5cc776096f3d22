/* SPDX-License-Identifier: MIT */
/* Tests of lib/base/buf.c. */
#include "test.h"

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"

static void assert_sane(const struct buf *b)
{
	assert_non_null(b->s);
	assert_true(b->len <= b->max);
	assert_int_equal(b->s[b->len], '\0');
	assert_true(b->cap == 0 ? b->len == 0 : b->len < b->cap);
}

static void starts_empty(void **state)
{
	CLEANUP(buf) struct buf b = BUF_INIT(10);

	(void)state;
	assert_sane(&b);
	assert_string_equal(b.s, "");
	assert_false(buf_failed(&b));
}

static void adds_in_order(void **state)
{
	CLEANUP(buf) struct buf b = BUF_INIT(1000);

	(void)state;
	buf_puts(&b, "a");
	buf_printf(&b, "%d-%s", 42, "x");
	buf_add(&b, "b\0c", 3);
	assert_sane(&b);
	assert_int_equal(b.len, 8);
	assert_memory_equal(b.s, "a42-xb\0c", 9);
}

static void grows_to_its_ceiling(void **state)
{
	CLEANUP(buf) struct buf b = BUF_INIT(3000);

	(void)state;
	for (int i = 0; i < 3000; i++)
		buf_add(&b, "x", 1);
	assert_sane(&b);
	assert_int_equal(b.len, 3000);
	assert_false(buf_failed(&b));
	buf_puts(&b, "");
	assert_false(buf_failed(&b));
	buf_puts(&b, "x");
	assert_true(buf_failed(&b));
	assert_sane(&b);
}

static void stays_failed(void **state)
{
	CLEANUP(buf) struct buf b = BUF_INIT(3);

	(void)state;
	buf_printf(&b, "%s", "four");
	buf_puts(&b, "a");
	assert_true(buf_failed(&b));
	assert_string_equal(b.s, "");
	assert_null(buf_detach(&b));
	buf_init(&b, 3);
	buf_puts(&b, "abc");
	assert_false(buf_failed(&b));
	assert_string_equal(b.s, "abc");
}

static void detaches(void **state)
{
	CLEANUP(buf) struct buf b = BUF_INIT(100);
	char *text;

	(void)state;
	text = buf_detach(&b);
	assert_string_equal(text, "");
	free(text);
	buf_puts(&b, "text");
	text = buf_detach(&b);
	assert_string_equal(text, "text");
	free(text);
	assert_sane(&b);
	buf_puts(&b, "again");
	assert_string_equal(b.s, "again");
}

static void releases_a_zeroed_struct(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_release(&b);
	buf_release(&b);
	assert_false(buf_failed(&b));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_empty),
		cmocka_unit_test(adds_in_order),
		cmocka_unit_test(grows_to_its_ceiling),
		cmocka_unit_test(stays_failed),
		cmocka_unit_test(detaches),
		cmocka_unit_test(releases_a_zeroed_struct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
