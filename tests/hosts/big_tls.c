/* SPDX-License-Identifier: MIT */
/*
 * big_tls - has so much static thread-local storage that a thread of the libc with a small stack
 * would have no room for a signal frame; listens, and changes its user.
 */
#include "host.h"

#define TLS_LEN 58500

static __thread volatile char storage[TLS_LEN];

int main(void)
{
	int listener;

	storage[TLS_LEN - 1] = 1;
	host_block();
	listener = host_listen(0, 0);
	usleep(300000);
	if (setgid(getgid()) < 0 || setuid(getuid()) < 0)
		host_fail("setuid");
	host_print(host_port(listener));
	host_wait();
	return 0;
}
