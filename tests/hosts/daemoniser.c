/* SPDX-License-Identifier: MIT */
/*
 * daemoniser PORT exit|_exit - listens on PORT, forks, and ends at once.  It runs its exit
 * handlers, or (with _exit, as daemon(3)) it does not.  The child keeps the socket until a signal
 * ends it.  No other thread has had time to run by then.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0)
		err(1, "port %u", port);
	return fd;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: daemoniser PORT exit|_exit");
	(void)listen_on((uint16_t)strtoul(argv[1], NULL, 10));
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		pause();
		return 0;
	default:
		if (strcmp(argv[2], "_exit") == 0)
			_exit(0);
		exit(0);
	}
}
