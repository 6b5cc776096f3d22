/* SPDX-License-Identifier: MIT */
/* Tests of lib/v3_ranges.c. */
#include "test.h"

#include "v3_ranges.h"

#define PATHS_MAX 12

struct row {
	const char *what;
	const char *paths[PATHS_MAX];
	const char *ranges[V3_RANGES_MAX + 1]; /* sorted; a prefix ends with '*' */
};

static const struct row rows[] = {
	{"none", {0}, {0}},
	{"one", {"services/web/1"}, {"services/web/1"}},
	{"few, far apart", {"services/b/1", "services/a/1"}, {"services/a/1", "services/b/1"}},
	{"as many as ranges",
	 {"s/1", "s/2", "s/3", "s/4", "s/5", "s/6", "s/7", "s/8"},
	 {"s/1", "s/2", "s/3", "s/4", "s/5", "s/6", "s/7", "s/8"}},
	{"one more, all alike",
	 {"s/1", "s/2", "s/3", "s/4", "s/5", "s/6", "s/7", "s/8", "s/9"},
	 {"s/*"}},
	{"a folder of many beside some",
	 {"s/a/1", "s/w/11", "s/w/12", "s/w/13", "s/w/14", "s/w/21", "s/w/31", "s/w/32", "s/z/1"},
	 {"s/a/1", "s/w/1*", "s/w/21", "s/w/3*", "s/z/1"}},
	{"a key that begins as another", {"s/1", "s/11"}, {"s/1", "s/11"}},
};

static void chooses_narrow_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_key keys[PATHS_MAX] = {0};
		struct v3_ranges ranges;
		size_t len = 0;

		ROW("%s", rows[i].what);
		for (; rows[i].paths[len]; len++) {
			keys[len].path = rows[i].paths[len];
			keys[len].index = 5;
			keys[len].next = rows[i].paths[len + 1] ? &keys[len + 1] : NULL;
		}
		assert_true(v3_ranges_init(&ranges, len > 0 ? keys : NULL));
		for (size_t j = 0; j < ranges.len; j++) {
			char text[100];

			snprintf(text, sizeof(text), "%s%s", ranges.at[j].path,
				 ranges.at[j].is_prefix ? "*" : "");
			assert_non_null(rows[i].ranges[j]);
			assert_string_equal(text, rows[i].ranges[j]);
		}
		assert_null(rows[i].ranges[ranges.len]);
		v3_ranges_release(&ranges);
	}
}

/* The keys of a big handle, whose ids are random hex. */
static void covers_all_keys_whatever_they_are(void **state)
{
	static struct store_key keys[1000];
	static char paths[ARRAY_LEN(keys)][64];
	struct v3_ranges ranges;

	(void)state;
	srandom(1);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		snprintf(paths[i], sizeof(paths[i]), "services/%lx/%08lx", random() % 5, random());
		keys[i] = (struct store_key){
			.path = paths[i],
			.index = 5,
			.next = i + 1 < ARRAY_LEN(keys) ? &keys[i + 1] : NULL,
		};
	}
	assert_true(v3_ranges_init(&ranges, keys));
	assert_int_equal(ranges.len, 5);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t covering = 0;

		for (size_t j = 0; j < ranges.len; j++)
			covering += v3_range_covers(&ranges.at[j], paths[i]);
		assert_int_equal(covering, 1);
	}
	v3_ranges_release(&ranges);
}

static void leaves_out_what_was_never_in_etcd(void **state)
{
	struct store_key known = {.path = "s/2", .index = 5};
	struct store_key unknown = {.path = "s/1", .next = &known};
	struct v3_ranges ranges;

	(void)state;
	assert_true(v3_ranges_init(&ranges, &unknown));
	assert_int_equal(ranges.len, 1);
	assert_string_equal(ranges.at[0].path, "s/2");
	v3_ranges_release(&ranges);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_narrow_ranges),
		cmocka_unit_test(covers_all_keys_whatever_they_are),
		cmocka_unit_test(leaves_out_what_was_never_in_etcd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
