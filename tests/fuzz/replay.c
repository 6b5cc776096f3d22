/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target on its corpus, each file once, and prints TAP.  The folder of fuzz_<target> is
 * tests/fuzz/corpus/<target>.  If there are arguments, it runs those files instead.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "lib/base/cleanup.h"

#define CORPUS "tests/fuzz/corpus/"

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Reads into a block of its own, so that AddressSanitizer sees any read beyond the end. */
static uint8_t *read_file(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	uint8_t *bytes;

	if (!file || fstat(fileno(file), &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	bytes = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
	*ret_size = bytes ? fread(bytes, 1, (size_t)st.st_size, file) : 0;
	fclose(file);
	return bytes;
}

static bool run(size_t number, const char *path)
{
	size_t size;
	CLEANUP(free) uint8_t *bytes = read_file(path, &size);

	if (!bytes) {
		printf("not ok %zu - %s: %s\n", number, path, strerror(errno));
		return false;
	}
	printf("# %s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(bytes, size);
	printf("ok %zu - %s\n", number, path);
	return true;
}

static int run_folder(const char *folder)
{
	struct dirent **files = NULL;
	int len = scandir(folder, &files, is_file, alphasort);
	int failed = len <= 0;

	printf("1..%d\n", len > 0 ? len : 1);
	if (len <= 0)
		printf("not ok 1 - %s: no corpus\n", folder);
	for (int i = 0; i < len; i++) {
		char path[512];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
		failed |= !run((size_t)i + 1, path);
		free(files[i]);
	}
	free(files);
	return failed;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	char folder[256];
	int failed = 0;

	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			failed |= !run((size_t)i, argv[i]);
		return failed;
	}
	name = name ? name + 1 : argv[0];
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	(void)snprintf(folder, sizeof(folder), CORPUS "%s", name);
	return run_folder(folder);
}
