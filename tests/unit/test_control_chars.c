/* SPDX-License-Identifier: MIT */
/* Tests of lib/base/control_chars.h. */
#include "test.h"

#include "lib/base/control_chars.h"

static void are_below_the_space_and_delete(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		ROW("%#x", (unsigned)c);
		assert_int_equal(is_control((char)c), c < 32 || c == 127);
	}
}

static void become_question_marks(void **state)
{
	char text[] = "\x1b[31m \r\n\x7f~\xc2\x9b";

	(void)state;
	mask_controls(text);
	assert_string_equal(text, "?[31m ???~\xc2\x9b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_below_the_space_and_delete),
		cmocka_unit_test(become_question_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
