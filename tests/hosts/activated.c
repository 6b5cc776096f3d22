/* SPDX-License-Identifier: MIT */
/*
 * activated - serves descriptor 3, which it inherits already listening, as a service with socket
 * activation does.  It calls neither bind() nor listen().  SIGTERM ends it.
 */
#include <err.h>
#include <sys/socket.h>
#include <unistd.h>

#define INHERITED 3

static const char response[] = "HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nactivated\n";

int main(void)
{
	for (;;) {
		int connection = accept(INHERITED, NULL, NULL);
		char request[512];

		if (connection < 0)
			err(1, "accept");
		if (read(connection, request, sizeof(request)) > 0 &&
		    write(connection, response, sizeof(response) - 1) < 0)
			warn("write");
		close(connection);
	}
}
