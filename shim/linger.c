/* SPDX-License-Identifier: MIT */
/* linger.c - the last thread of a process, told by /proc/self/task. */
#include "linger.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>

#include "directory.h"
#include "forgotten.h"
#include "futex.h"
#include "raw.h"
#include "text.h"

static FORGOTTEN _Atomic uint32_t lingerer; /* thread id of the one left behind; 0: none */
/* futex; thread id of ours, once it is about to return */
static FORGOTTEN _Atomic uint32_t released;
static struct symbols_threads threads; /* for the main thread's end; written by linger_arm() */
static pthread_key_t main_ends;
static bool have_key;

/*
 * The state letter of a stat file: what follows the last parenthesis, since a name may hold any.
 * 0: no such task.
 */
static char task_state(const char *path)
{
	char line[512];
	int fd = (int)raw(SYS_openat, AT_FDCWD, raw_arg(path), O_RDONLY | O_CLOEXEC);
	long len, at;

	if (fd < 0)
		return 0;
	len = raw(SYS_read, fd, raw_arg(line), sizeof(line));
	raw_close(fd);
	for (at = len - 1; at >= 0 && line[at] != ')'; at--)
		;
	return at >= 0 && at + 2 < len ? line[at + 2] : 0;
}

static bool runs(char state)
{
	return state && state != 'Z' && state != 'X';
}

static void *linger(void *unused)
{
	uint32_t ours;

	atomic_store(&lingerer, (uint32_t)raw(SYS_gettid));
	while (!(ours = atomic_load(&released)))
		futex_wait(&released, 0, FUTEX_FOREVER);
	while (raw(SYS_tgkill, raw_getpid(), ours, 0) == 0)
		sleep_ms(1);
	return unused;
}

static void leave_behind(const struct symbols_threads *libc)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (libc->attr_init(&attr) != 0)
		return;
	(void)libc->attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)libc->create(&thread, &attr, linger, NULL);
	(void)libc->attr_destroy(&attr);
}

/* The destructor of a thread-specific value: runs in pthread_exit(), not in exit(). */
static void main_thread_ends(void *unused)
{
	(void)unused;
	if (!atomic_load(&released))
		leave_behind(&threads);
}

void linger_arm(const struct symbols_threads *libc)
{
	if ((uint32_t)raw(SYS_gettid) != raw_getpid())
		return;
	threads = *libc;
	if (!have_key)
		have_key = threads.key_create(&main_ends, main_thread_ends) == 0;
	if (have_key)
		(void)threads.setspecific(main_ends, &threads);
}

static bool is_one_of_us(const char *task)
{
	char self[16], behind[16];
	struct text s = TEXT_OF(self), b = TEXT_OF(behind);

	text_uint(&s, (uint32_t)raw(SYS_gettid));
	text_uint(&b, atomic_load(&lingerer));
	return text_equal(task, self) || text_equal(task, behind);
}

static bool another_runs(struct directory *tasks)
{
	const char *name;
	char path[64];

	while ((name = directory_next(tasks))) {
		struct text t = TEXT_OF(path);

		text_puts(&t, "/proc/self/task/");
		text_puts(&t, name);
		text_puts(&t, "/stat");
		if (!is_one_of_us(name) && runs(task_state(path)))
			return true;
	}
	return false;
}

bool linger_is_last(void)
{
	struct directory tasks;
	bool last;

	/* one small file a second, as long as the main thread lives */
	if (task_state("/proc/self/stat") != 'Z' || directory_open(&tasks, "/proc/self/task") < 0)
		return false;
	last = !another_runs(&tasks);
	directory_close(&tasks);
	return last;
}

void linger_release(const struct symbols_threads *libc, bool last, const sigset_t *host)
{
	if (last && !atomic_load(&lingerer)) {
		(void)libc->mask(SIG_SETMASK, host, NULL);
		leave_behind(libc);
	}
	atomic_store(&released, (uint32_t)raw(SYS_gettid));
	futex_wake(&released);
}

void linger_forget(void)
{
	atomic_store(&lingerer, 0);
	atomic_store(&released, 0);
}
