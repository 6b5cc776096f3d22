/* SPDX-License-Identifier: MIT */
/*
 * observer - uses bind() and listen() in right and wrong ways, forks and waits.  In each phase it
 * prints all that a process can see of itself.  Its output does not differ from run to run, so that
 * two runs compare equal.
 *
 * Phases: start, listening, then on SIGUSR1 settled, closed.  It ends with exit(7) and a line from
 * an exit handler.
 */
#define _GNU_SOURCE
#include "host.h"

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/un.h>
#include <sys/wait.h>

#define DESCRIPTORS 32
#define CHILDREN 3
#define BAD_FD 999

static volatile sig_atomic_t children_signalled;

static void on_child(int signal)
{
	(void)signal;
	children_signalled++;
}

static void say_bye(void)
{
	puts("exit handler");
}

/* Numbers of sockets and pipes differ from run to run.  Those of file descriptors do not. */
static void print_target(int fd)
{
	char path[32], target[256] = "";

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		return;
	for (char *c = target; *c; c++)
		if (isdigit((unsigned char)*c))
			*c = 'N';
	printf("descriptor %d: %s\n", fd, target);
}

static void print_signals(void)
{
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction action = {.sa_flags = 0};

		if (sigaction(sig, NULL, &action) < 0)
			continue;
		printf("signal %d: blocked %d default %d ignored %d flags %x\n", sig,
		       sigismember(&mask, sig), action.sa_handler == SIG_DFL,
		       action.sa_handler == SIG_IGN, (unsigned)action.sa_flags);
	}
}

static void print_phase(const char *name)
{
	char folder[256];

	printf("phase %s\n", name);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		print_target(fd);
	for (char **variable = environ; *variable; variable++)
		if (strncmp(*variable, "LD_PRELOAD=", 11) != 0)
			printf("environment %s\n", *variable);
	printf("folder %s\n", getcwd(folder, sizeof(folder)) ? folder : "none");
	print_signals();
	(void)fflush(stdout);
}

static void print_result(const char *what, int rc)
{
	printf("%s: %d %s\n", what, rc, rc < 0 ? strerrorname_np(errno) : "");
}

static int stream(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int bind_to(int fd, const void *address, size_t len)
{
	return bind(fd, address, (socklen_t)len);
}

static void try_descriptors(void)
{
	const struct sockaddr_in any = loopback(0);

	print_result("listen on no descriptor", listen(BAD_FD, 1));
	print_result("listen on -1", listen(-1, 1));
	print_result("listen on a file", listen(STDOUT_FILENO, 1));
	print_result("bind of no descriptor", bind_to(BAD_FD, &any, sizeof(any)));
	print_result("bind of a file", bind_to(STDOUT_FILENO, &any, sizeof(any)));
}

static void try_addresses(void)
{
	struct sockaddr_in address = loopback(0);
	int fd = stream(AF_INET);

	print_result("bind to NULL", bind_to(fd, NULL, sizeof(address)));
	print_result("bind to a bad pointer", bind_to(fd, (void *)16, sizeof(address)));
	print_result("bind to a short address", bind_to(fd, &address, 3));
	print_result("bind to a long address", bind_to(fd, &address, 4096));
	address.sin_family = AF_INET6;
	print_result("bind to another family", bind_to(fd, &address, sizeof(address)));
	address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
	print_result("bind to a foreign address", bind_to(fd, &address, sizeof(address)));
	close(fd);
}

/* Tries a port below 1024, which may be forbidden to the user. */
static void try_privileged(void)
{
	struct sockaddr_in address = loopback(1);
	int fd = stream(AF_INET);

	if (geteuid() == 0)
		seteuid(65534);
	print_result("bind to a privileged port", bind_to(fd, &address, sizeof(address)));
	(void)!seteuid(getuid());
	close(fd);
}

static void try_families(void)
{
	const struct sockaddr_un name = {.sun_family = AF_UNIX};
	const struct sockaddr_nl netlink = {.nl_family = AF_NETLINK};
	int local = stream(AF_UNIX), kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);

	print_result("listen on an unbound local socket", listen(local, 1));
	print_result("bind of a local socket", bind_to(local, &name, sizeof(sa_family_t)));
	print_result("listen on a local socket", listen(local, 1));
	print_result("bind of netlink", bind_to(kernel, &netlink, sizeof(netlink)));
	print_result("listen on netlink", listen(kernel, 1));
	close(kernel);
	close(local);
}

static void try_datagrams(void)
{
	const struct sockaddr_in any = loopback(0);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	print_result("bind of UDP", bind_to(fd, &any, sizeof(any)));
	print_result("bind of UDP again", bind_to(fd, &any, sizeof(any)));
	print_result("listen on UDP", listen(fd, 1));
	close(fd);
}

static void try_ports(int listener)
{
	const struct sockaddr_in taken = loopback(host_port(listener)), any = loopback(0);
	int fd = stream(AF_INET), unbound = stream(AF_INET), dual = stream(AF_INET6);
	const struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	int connected = stream(AF_INET);

	print_result("bind to a port in use", bind_to(fd, &taken, sizeof(taken)));
	print_result("bind to port 0", bind_to(fd, &any, sizeof(any)));
	print_result("bind again", bind_to(fd, &any, sizeof(any)));
	print_result("listen with a negative backlog", listen(fd, -1));
	print_result("listen again", listen(fd, 1));
	print_result("listen unbound", listen(unbound, 1));
	print_result("bind dual-stack", bind_to(dual, &six, sizeof(six)));
	print_result("listen dual-stack", listen(dual, 1));
	print_result("connect", connect(connected, (const struct sockaddr *)&taken, sizeof(taken)));
	print_result("listen on a connection", listen(connected, 1));
	close(connected);
	close(dual);
	close(unbound);
	close(fd);
}

static void print_children(void)
{
	int status, rc;

	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(i);
		rc = waitpid(-1, &status, 0);
		printf("child %d: its own %d status %d\n", i, rc == pid, WEXITSTATUS(status));
	}
	print_result("wait", wait(NULL));
	print_result("wait for any", waitpid(-1, NULL, WNOHANG | WUNTRACED | WCONTINUED));
	printf("SIGCHLD %d\n", (int)children_signalled);
}

int main(void)
{
	const struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
	int listener;

	host_block();
	if (sigaction(SIGCHLD, &action, NULL) < 0 || atexit(say_bye) != 0)
		err(1, "handlers");
	print_phase("start");
	try_descriptors();
	try_addresses();
	try_privileged();
	try_families();
	try_datagrams();
	listener = host_listen(0, 0);
	errno = ERANGE;
	print_result("listen on the listener", listen(listener, 16));
	printf("errno is as it was: %d\n", errno == ERANGE);
	try_ports(listener);
	print_phase("listening");
	host_wait();
	print_phase("settled");
	print_children();
	close(listener);
	print_phase("closed");
	exit(7);
}
