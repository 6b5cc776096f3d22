/* SPDX-License-Identifier: MIT */
/*
 * early - a library whose constructor listens, before or after the constructor of the object under
 * test.
 */
#include "../host.h"

__attribute__((constructor)) static void listen_early(void)
{
	host_print(host_port(host_listen(0, 0)));
}
