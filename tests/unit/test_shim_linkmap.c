/* SPDX-License-Identifier: MIT */
/*
 * The preload object's own symbol lookup, compared with dlsym() on the same objects.  "Our object"
 * is this program, which is first in load order.
 */
#include "test.h"

#include <curl/curl.h>
#include <dlfcn.h>

#include "shim/linkmap.c"
#include "shim_text.h"

/* Each name is a case of its own.  Symbols with two versions have a hidden one. */
static const char *const names[] = {
	"listen",           "pthread_create", /* two versions */
	"memcpy",                             /* two versions, one of them an IFUNC */
	"realpath",                           /* two versions */
	"strlen",                             /* an IFUNC */
	"environ",                            /* data */
	"curl_easy_init",                     /* in another library */
	"_dl_mcount",                         /* in the loader */
	"no_such_function", "",
};

struct wanted {
	const char *file;
	struct tables tables;
};

static int find_object(struct dl_phdr_info *object, size_t size, void *data)
{
	struct wanted *wanted = data;

	(void)size;
	if (!strstr(object->dlpi_name, wanted->file))
		return 0;
	wanted->tables = tables_of(object);
	return 1;
}

static struct tables object_named(const char *file)
{
	struct wanted wanted = {.file = file};

	(void)dl_iterate_phdr(find_object, &wanted);
	return wanted.tables;
}

static void finds_functions_as_dlsym_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		bool data = strcmp(names[i], "environ") == 0;

		ROW("%s", names[i]);
		assert_ptr_equal(linkmap_next(names[i]), data ? NULL : dlsym(RTLD_NEXT, names[i]));
	}
}

/*
 * Compares every function of the libc: in its own table, and across all objects.  The second
 * comparison leaves out functions that the vDSO has too.  The vDSO comes after this program in load
 * order, and never after a preloaded object.
 */
static void finds_every_function_by_either_hash(void **state)
{
	struct tables libc = object_named("/libc.so"), vdso = object_named("linux-vdso");
	size_t found = 0;

	(void)state;
	if (!libc.gnu_hash || !libc.sysv_hash)
		skip();
	for (uint32_t i = 1; i < libc.sysv_hash[1]; i++) {
		const char *name = libc.strings + libc.symbols[i].st_name;

		if (!matches(&libc, i, name))
			continue;
		if (find_by_gnu_hash(&libc, name) != &libc.symbols[i] ||
		    find_by_sysv_hash(&libc, name) != &libc.symbols[i] ||
		    (!find_in(&vdso, name) && linkmap_next(name) != dlsym(RTLD_NEXT, name)))
			fail_msg("%s", name);
		found++;
	}
	assert_true(found > 1000);
}

static void knows_its_own_file(void **state)
{
	Dl_info info;

	(void)state;
	assert_true(dladdr(names, &info));
	assert_non_null(linkmap_own_path());
	/* The loader has no name for the program itself. */
	assert_string_equal(linkmap_own_path(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_functions_as_dlsym_does),
		cmocka_unit_test(finds_every_function_by_either_hash),
		cmocka_unit_test(knows_its_own_file),
	};

	(void)curl_version();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
