/* SPDX-License-Identifier: MIT */
/*
 * caller HOW - calls listen() in an unsafe or unusual place, then listens in main() as other
 * servers do, and lives on.  It prints the port of the latter, and a number that HOW has found out.
 */
#define _GNU_SOURCE
#include "host.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#define FORKS 100
#define CANCELS 100
#define EVERY_US 1000
#define THREAD_STARTS_US 300000 /* the object's, and its agent */
#define AGAIN_NS 1000000000u
#define ANSWER_NS 3000000000u
#define EXIT_NS 500000000u
#define FOLDER "/usr/lib"
#define TO_ALL_THREADS 33 /* of a library such as libpsx */

static volatile sig_atomic_t forks;

static void expect_end(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		err(1, "child");
}

/* The child shares this memory: its changes stay. */
static unsigned in_vfork(int socket)
{
	pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */

	if (pid == 0) {
		listen(socket, 1); /* NOLINT(clang-analyzer-unix.Vfork): this call is the test */
		_exit(0);
	}
	expect_end(pid);
	return 0;
}

/* Listens in a child that libc does not know of. */
static unsigned in_clone(int socket)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(listen(socket, 1) < 0);
	expect_end(pid);
	return 0;
}

/* NOLINTBEGIN(bugprone-signal-handler,cert-sig30-c): _Fork() is made for this */
static void on_alarm(int signal)
{
	int saved = errno;
	pid_t pid = _Fork();

	(void)signal;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	forks++;
	errno = saved;
}
/* NOLINTEND(bugprone-signal-handler,cert-sig30-c) */

static unsigned with_forks_in_a_handler(int socket)
{
	const struct itimerval often = {{0, EVERY_US}, {0, EVERY_US}}, never = {0};

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	while (forks < FORKS)
		if (listen(socket, 1) < 0)
			err(1, "listen");
	setitimer(ITIMER_REAL, &never, NULL);
	return 0;
}

static void *listen_for_ever(void *socket)
{
	while (listen(*(int *)socket, 1) == 0)
		pthread_testcancel();
	return NULL;
}

static unsigned in_cancelled_threads(int socket)
{
	for (int i = 0; i < CANCELS; i++) {
		pthread_t thread;
		void *result;

		if (pthread_create(&thread, NULL, listen_for_ever, &socket) != 0 ||
		    pthread_cancel(thread) != 0 || pthread_join(thread, &result) != 0 ||
		    result != PTHREAD_CANCELED)
			errx(1, "cancel");
	}
	return 0;
}

/* Forks children that listen too, whatever the other thread is doing at that moment. */
static unsigned in_forked_children(int socket)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, listen_for_ever, &socket) != 0)
		errx(1, "pthread_create");
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(listen(socket, 1) < 0);
		expect_end(pid);
	}
	if (pthread_cancel(thread) != 0 || pthread_join(thread, NULL) != 0)
		errx(1, "cancel");
	return 0;
}

/* The kernel reaps the children, so wait() reports none. */
static unsigned without_sigchld(int socket)
{
	signal(SIGCHLD, SIG_IGN);
	if (listen(socket, 1) < 0)
		err(1, "listen");
	return wait(NULL) != -1 || errno != ECHILD;
}

/* Returns 1 if there is a thread: the kernel then refuses the process a user namespace. */
static unsigned before_unshare(int socket)
{
	if (listen(socket, 1) < 0)
		err(1, "listen");
	return unshare(CLONE_NEWUSER) < 0;
}

static void listen_and_wait(int socket)
{
	if (listen(socket, 1) < 0)
		err(1, "listen");
	usleep(THREAD_STARTS_US);
}

/* The child's only thread ends, and so must the child. */
static unsigned before_a_child_ends_its_thread(int socket)
{
	pid_t pid;

	listen_and_wait(socket);
	pid = fork();
	if (pid == 0)
		pthread_exit(NULL);
	expect_end(pid);
	return 0;
}

/* Prints what the first process of the new pid namespace sees as its pid. */
static unsigned before_the_first_of_a_pid_namespace(int socket)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0)
		err(1, "unshare");
	listen_and_wait(socket);
	pid = fork();
	if (pid == 0)
		_exit(getpid());
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		err(1, "fork");
	return (unsigned)WEXITSTATUS(status);
}

/* Prints 0: where one goes, the other goes too. */
static unsigned beside_a_process_with_its_folders(int socket)
{
	char folder[64];
	int told[2], status;
	pid_t pid;

	if (pipe(told) < 0)
		err(1, "pipe");
	pid = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(read(told[0], folder, 1) != 1 || !getcwd(folder, sizeof(folder)) ||
		      strcmp(folder, FOLDER) != 0);
	listen_and_wait(socket);
	if (chdir(FOLDER) < 0 || write(told[1], "", 1) != 1 || waitpid(pid, &status, 0) != pid)
		err(1, "chdir");
	return status != 0;
}

static long allow_all(unsigned flags)
{
	struct sock_filter code = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = {.len = 1, .filter = &code};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void *listen_under_a_filter(void *socket)
{
	if (allow_all(0) != 0 || listen(*(int *)socket, 1) < 0)
		err(1, "filter");
	return NULL;
}

/* Prints 0: no thread is left with another filter. */
static unsigned before_a_filter_for_all_threads(int socket)
{
	pthread_t thread;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    pthread_create(&thread, NULL, listen_under_a_filter, &socket) != 0 ||
	    pthread_join(thread, NULL) != 0)
		errx(1, "thread");
	usleep(THREAD_STARTS_US);
	return allow_all(SECCOMP_FILTER_FLAG_TSYNC) != 0;
}

static volatile sig_atomic_t answers;

static void on_signal_to_all(int signal)
{
	(void)signal;
	__atomic_add_fetch(&answers, 1, __ATOMIC_SEQ_CST);
}

#ifdef __x86_64__
void restore(void);
__asm__("restore: mov $15, %eax\n\tsyscall"); /* SYS_rt_sigreturn */
#define RESTORER 0x04000000, (void *)restore
#else
#define RESTORER 0, NULL
#endif

static int signal_others(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	int sent = 0;

	if (!tasks)
		return 0;
	while ((task = readdir(tasks))) {
		int id = (int)strtol(task->d_name, NULL, 10);

		if (id > 0 && id != getpid())
			sent += syscall(SYS_tkill, id, TO_ALL_THREADS) == 0;
	}
	closedir(tasks);
	return sent;
}

/* As libpsx does where each thread has to change its user.  Prints 0: each has answered. */
static unsigned before_a_signal_to_all_threads(int socket)
{
	const struct {
		void (*handler)(int);
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action = {on_signal_to_all, RESTORER, 0};
	uint64_t begin;
	int sent;

	listen_and_wait(socket);
	if (syscall(SYS_rt_sigaction, TO_ALL_THREADS, &action, NULL, sizeof(action.mask)) < 0)
		err(1, "rt_sigaction");
	sent = signal_others();
	begin = host_now_ns();
	while (answers < sent && host_now_ns() - begin < ANSWER_NS)
		sched_yield();
	return answers != sent;
}

/* The object's thread ends, since the host has become less, while the host goes on listening. */
static unsigned again_and_again(int socket)
{
	uint64_t begin = host_now_ns();

	if (listen(socket, 1) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		err(1, "listen");
	while (host_now_ns() - begin < AGAIN_NS) {
		close(host_listen(0, 0));
		usleep(20);
	}
	return 0;
}

/* A copy of process 1 is process 1 too.  Prints 0: its exit() takes no time. */
static unsigned before_the_exit_of_a_copy(int socket)
{
	uint64_t begin;
	pid_t pid;

	listen_and_wait(socket);
	begin = host_now_ns();
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		exit(0);
	expect_end(pid);
	return host_now_ns() - begin > EXIT_NS;
}

static const struct {
	const char *name;
	unsigned (*call)(int socket);
} ways[] = {
	{"vfork", in_vfork},
	{"clone", in_clone},
	{"handler", with_forks_in_a_handler},
	{"cancel", in_cancelled_threads},
	{"fork", in_forked_children},
	{"ignore", without_sigchld},
	{"unshare", before_unshare},
	{"pthread_exit", before_a_child_ends_its_thread},
	{"pid-namespace", before_the_first_of_a_pid_namespace},
	{"folders", beside_a_process_with_its_folders},
	{"filter", before_a_filter_for_all_threads},
	{"signal", before_a_signal_to_all_threads},
	{"again", again_and_again},
	{"copy", before_the_exit_of_a_copy},
};

int main(int argc, char **argv)
{
	int socket_of_its_own = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	host_block();
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		unsigned found;

		if (argc < 2 || strcmp(argv[1], ways[i].name) != 0)
			continue;
		found = ways[i].call(socket_of_its_own);
		close(socket_of_its_own);
		host_print(host_port(host_listen(0, 0)));
		host_print(found);
		host_wait();
		return 0;
	}
	errx(2, "usage: caller HOW");
}
