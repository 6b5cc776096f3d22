/* SPDX-License-Identifier: MIT */
/*
 * resident WHAT [FOLDER] - listens and lives on.  Right before or after that it does one thing that
 * servers do to themselves.  Steps that need a folder of their own get FOLDER.
 */
#define _GNU_SOURCE
#include "host.h"

#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DESCRIPTORS 1024
#define NOBODY 65534
#define UMASK 0151

static const char *folder;

static bool is_kept(int fd, int listener)
{
	return fd == STDOUT_FILENO || fd == listener;
}

static void close_each(int listener)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (!is_kept(fd, listener))
			close(fd);
}

static void close_from(int listener)
{
	closefrom(listener + 1);
}

static void close_a_range(int listener)
{
	if (close_range((unsigned)listener + 1, ~0U, 0) < 0)
		err(1, "close_range");
}

static void cover_all(int listener)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (!is_kept(fd, listener) && fd != null)
			dup2(null, fd);
}

static void drop_user(int listener)
{
	(void)listener;
	if (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		err(1, "setuid");
}

static void change_root(int listener)
{
	(void)listener;
	if (!folder || chroot(folder) < 0 || chdir("/") < 0)
		err(1, "chroot");
}

static pthread_t second;
static sem_t umask_is_set;

static void *see_umask(void *unused)
{
	(void)unused;
	if (sem_wait(&umask_is_set) < 0 || umask(UMASK) != UMASK)
		errx(1, "the threads do not share their umask any more");
	return NULL;
}

static void create_second_thread(int listener)
{
	(void)listener;
	if (sem_init(&umask_is_set, 0, 0) < 0 ||
	    pthread_create(&second, NULL, see_umask, NULL) != 0)
		errx(1, "no thread");
}

/* The threads of a process share their umask, as they share their root. */
static void change_root_of_both(int listener)
{
	change_root(listener);
	umask(UMASK);
	sem_post(&umask_is_set);
	pthread_join(second, NULL);
}

/* Nothing that looks into /proc may read this process. */
static void drop_all(int listener)
{
	drop_user(listener);
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		err(1, "prctl");
}

/* Does what a container's launcher does: the old root is gone afterwards. */
static void pivot_root(int listener)
{
	(void)listener;
	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    !folder || mount(folder, folder, "", MS_BIND, NULL) < 0 || chdir(folder) < 0 ||
	    syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		err(1, "pivot_root");
}

/* Enters its own namespace: the kernel makes the same checks as for another one. */
static void enter_mount_namespace(int listener)
{
	int namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	(void)listener;
	if (namespace < 0 || setns(namespace, CLONE_NEWNS) < 0)
		err(1, "setns");
	close(namespace);
}

static void own_users(int listener)
{
	(void)listener;
	if (unshare(CLONE_NEWUSER) < 0)
		err(1, "unshare");
}

static void lock_memory(int listener)
{
	(void)listener;
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		err(1, "mlockall");
}

static void adopt_orphans(int listener)
{
	(void)listener;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		err(1, "prctl");
}

static void listen_on_loopback(int listener)
{
	(void)listener;
	(void)host_listen_at(INADDR_LOOPBACK, 0, 0);
}

static void fork_twice(void (*end)(int))
{
	for (int i = 0; i < 2; i++) {
		pid_t child = fork();

		if (child < 0)
			err(1, "fork");
		if (child > 0)
			end(0);
		setsid();
	}
}

static void daemonise(int listener)
{
	(void)listener;
	fork_twice(_exit);
}

static void daemonise_exiting(int listener)
{
	(void)listener;
	fork_twice(exit);
}

static void daemonise_later(int listener)
{
	(void)listener;
	if (fork() > 0) {
		sleep(1);
		_exit(0);
	}
}

static void fork_once(int listener)
{
	(void)listener;
	if (fork() > 0)
		_exit(0);
}

static void call_daemon(int listener)
{
	(void)listener;
	if (daemon(0, 0) < 0)
		err(1, "daemon");
}

static void nothing(int listener)
{
	(void)listener;
}

static const struct {
	const char *name;
	void (*before)(int);
	void (*after)(int);
} lives[] = {
	{"plain", nothing, nothing},
	{"close", nothing, close_each},
	{"closefrom", nothing, close_from},
	{"close_range", nothing, close_a_range},
	{"dup2", nothing, cover_all},
	{"setuid", nothing, drop_user},
	{"setuid-dumpable", nothing, drop_all},
	{"chroot", nothing, change_root},
	{"chroot-threads", create_second_thread, change_root_of_both},
	{"pivot_root", nothing, pivot_root},
	{"setns", nothing, enter_mount_namespace},
	{"newuser", nothing, own_users},
	{"mlockall", lock_memory, nothing},
	{"subreaper", adopt_orphans, nothing},
	{"loopback", listen_on_loopback, nothing},
	{"double-fork", nothing, daemonise},
	{"double-fork-exit", nothing, daemonise_exiting},
	{"late-fork", nothing, daemonise_later},
	{"fork", nothing, fork_once},
	{"daemon", nothing, call_daemon},
	{"mptcp", nothing, nothing},
};

int main(int argc, char **argv)
{
	host_block();
	folder = argc > 2 ? argv[2] : NULL;
	for (size_t i = 0; i < sizeof(lives) / sizeof(*lives); i++) {
		int listener;

		if (argc < 2 || strcmp(argv[1], lives[i].name) != 0)
			continue;
		lives[i].before(-1);
		listener = host_listen(strcmp(argv[1], "mptcp") == 0 ? IPPROTO_MPTCP : 0, 0);
		host_print(host_port(listener));
		lives[i].after(listener);
		host_wait();
		return 0;
	}
	errx(2, "usage: resident WHAT [FOLDER]");
}
