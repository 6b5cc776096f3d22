/* SPDX-License-Identifier: MIT */
/* The answers of etcd's v2 API, its errors, and its streams. */
#include "fuzz_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run_script("v2", data, size);
	return 0;
}
