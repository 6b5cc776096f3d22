/* SPDX-License-Identifier: MIT */
/*
 * successor - a child subreaper with much memory that listens, executes itself, and lives on with
 * the socket.
 */
#include "host.h"

#include <err.h>
#include <sys/prctl.h>

#define MEMORY_LEN (64u << 20)
#define AGENT_STARTS_US 500000

int main(int argc, char **argv)
{
	char number[16];
	volatile char *memory;

	host_block();
	if (argc > 1) {
		host_print(host_port((int)strtol(argv[1], NULL, 10)));
		host_wait();
		return 0;
	}
	memory = malloc(MEMORY_LEN);
	if (!memory || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		err(1, "subreaper");
	for (size_t i = 0; i < MEMORY_LEN; i += 4096)
		memory[i] = 1;
	snprintf(number, sizeof(number), "%d", host_listen(0, 0));
	usleep(AGENT_STARTS_US);
	execl("/proc/self/exe", argv[0], number, NULL);
	err(1, "%s", argv[0]);
}
