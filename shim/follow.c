/* SPDX-License-Identifier: MIT */
/* follow.c - what /proc says of the host and of this thread, compared. */
#include "follow.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>

#include "directory.h"
#include "raw.h"
#include "status.h"
#include "text.h"

#define SELF "/proc/thread-self"
#define MAIN "/proc/self"
#define LINKS (sizeof(links) / sizeof(*links))
#define PLACE_MAX 256  /* bytes of a link; a longer root counts as another */
#define GROUPS_MAX 512 /* more than status_read() takes */

#ifdef SYS_setresuid32
#define SET_GROUPS SYS_setgroups32
#define SET_GID SYS_setresgid32
#define SET_UID SYS_setresuid32
#else
#define SET_GROUPS SYS_setgroups
#define SET_GID SYS_setresgid
#define SET_UID SYS_setresuid
#endif

struct capabilities {
	struct __user_cap_data_struct of[_LINUX_CAPABILITY_U32S_3];
};

/* A folder of /proc, and two files in it. */
struct task {
	int folder, status, label;
};

/* The targets of its links; "": not readable.  Without an LSM there is no label. */
struct place {
	char links[4][PLACE_MAX], label[PLACE_MAX];
};

static const char *const links[] = {"root", "ns/mnt", "ns/net", "ns/ipc"};
static const char *const identity[] = {"Uid", "Gid", "Groups", NULL};
static const char *const capability_sets[] = {
	"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", NULL,
};
static const char *const restrictions[] = {"NoNewPrivs", "Seccomp", "Seccomp_filters", NULL};

/* Opened once: a look costs little where nothing has to be looked up. */
static struct task main_task;

/* Nothing but this file changes the thread, so its own lines are read again only if they differ. */
static struct status host, own;
static struct place own_place;
static struct capabilities seen; /* of the main thread, when it was last compared */

static bool same(const char *const *names)
{
	for (; *names; names++)
		if (!status_same(&host, &own, *names))
			return false;
	return true;
}

static bool all_same(void)
{
	return same(identity) && same(capability_sets) && same(restrictions);
}

static void take_groups(void)
{
	static uint32_t groups[GROUPS_MAX];
	const char *at = status_value(&host, "Groups");
	uint64_t group;
	size_t n = 0;

	while (at && n < GROUPS_MAX && status_next(&at, 10, &group))
		groups[n++] = (uint32_t)group;
	(void)raw(SET_GROUPS, n, raw_arg(groups));
}

/* The line has the real, the effective and the saved id first. */
static void take_ids(long call, const char *name)
{
	const char *at = status_value(&host, name);
	uint64_t ids[3] = {0};

	for (int i = 0; i < 3; i++)
		if (!at || !status_next(&at, 10, &ids[i]))
			return;
	(void)raw(call, (uint32_t)ids[0], (uint32_t)ids[1], (uint32_t)ids[2]);
}

/*
 * Without KEEPCAPS the change of user would take capabilities that the change of groups needs, and
 * that the host may have kept.
 */
static void take_identity(void)
{
	(void)raw(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (!status_same(&host, &own, "Groups"))
		take_groups();
	if (!status_same(&host, &own, "Gid"))
		take_ids(SET_GID, "Gid");
	if (!status_same(&host, &own, "Uid"))
		take_ids(SET_UID, "Uid");
	(void)raw(SYS_prctl, PR_SET_KEEPCAPS, 0, 0, 0, 0);
}

static void shrink_bounding_set(void)
{
	uint64_t gone = status_number(&own, "CapBnd", 16) & ~status_number(&host, "CapBnd", 16);

	for (int cap = 0; cap < 64 && gone >> cap; cap++)
		if (gone >> cap & 1)
			(void)raw(SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static void take_capability_sets(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct capabilities sets;
	uint64_t permitted = status_number(&host, "CapPrm", 16);
	uint64_t effective = status_number(&host, "CapEff", 16);
	uint64_t inheritable = status_number(&host, "CapInh", 16);

	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		sets.of[i] = (struct __user_cap_data_struct){
			.permitted = (uint32_t)(permitted >> 32 * i),
			.effective = (uint32_t)(effective >> 32 * i),
			.inheritable = (uint32_t)(inheritable >> 32 * i),
		};
	(void)raw(SYS_capset, raw_arg(&header), raw_arg(&sets));
	if (!status_number(&host, "CapAmb", 16))
		(void)raw(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/*
 * A change of user clears the dumpable flag of the process, which is the host's to decide on.  The
 * flag is 2 after that where fs.suid_dumpable is.
 */
static void restore_dumpable(long before)
{
	long now = raw(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);

	if ((before == 1 && now != 1) || (before == 0 && now == 2))
		(void)raw(SYS_prctl, PR_SET_DUMPABLE, before, 0, 0, 0);
}

/* A filter may kill for these calls: then the thread does not try. */
static bool become_the_same(void)
{
	long dumpable;

	if (!same(restrictions) || status_number(&own, "Seccomp", 10))
		return false;
	dumpable = raw(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
	shrink_bounding_set();
	if (!same(identity))
		take_identity();
	take_capability_sets();
	restore_dumpable(dumpable);
	return status_read_at(&own, SELF "/status") && all_same();
}

static bool follow_status(void)
{
	if (all_same())
		return true;
	return status_read_at(&own, SELF "/status") && (all_same() || become_the_same());
}

static int open_in(int folder, const char *name, int flags)
{
	return (int)raw(SYS_openat, folder, raw_arg(name), O_RDONLY | O_CLOEXEC | flags);
}

static struct task open_task(int folder, const char *name)
{
	struct task task = {.folder = open_in(folder, name, O_DIRECTORY)};

	task.status = open_in(task.folder, "status", 0);
	task.label = open_in(task.folder, "attr/current", 0);
	return task;
}

static void close_task(const struct task *task)
{
	raw_close(task->label);
	raw_close(task->status);
	raw_close(task->folder);
}

static void read_link(int folder, const char *name, char ret[PLACE_MAX])
{
	long len = raw(SYS_readlinkat, folder, raw_arg(name), raw_arg(ret), PLACE_MAX);

	ret[len > 0 && len < PLACE_MAX ? len : 0] = '\0';
}

static void read_label(const struct task *task, char ret[PLACE_MAX])
{
	long len = raw(SYS_pread64, task->label, raw_arg(ret), PLACE_MAX - 1, 0, 0);

	ret[len > 0 ? len : 0] = '\0';
}

static void read_own_place(void)
{
	struct task self = open_task(AT_FDCWD, SELF);

	for (size_t i = 0; i < LINKS; i++)
		read_link(self.folder, links[i], own_place.links[i]);
	read_label(&self, own_place.label);
	close_task(&self);
}

static bool is_in_the_same_place(const struct task *task)
{
	char theirs[PLACE_MAX];

	for (size_t i = 0; i < LINKS; i++) {
		read_link(task->folder, links[i], theirs);
		if (!*theirs || !text_equal(theirs, own_place.links[i]))
			return false;
	}
	read_label(task, theirs);
	return text_equal(theirs, own_place.label);
}

static bool runs(const struct status *status)
{
	const char *state = status_value(status, "State");

	return state && state[1] != 'Z' && state[1] != 'X';
}

/* SELF is a link to PID/task/TID.  If it finds one, the caller closes *ret. */
static bool find_another(struct task *ret)
{
	struct directory tasks;
	char self[PLACE_MAX];
	const char *name;
	bool found = false;

	if (directory_open(&tasks, MAIN "/task") < 0)
		return false;
	read_link(AT_FDCWD, SELF, self);
	while (!found && (name = directory_next(&tasks))) {
		if (text_equal(name, text_basename(self)))
			continue;
		*ret = open_task(tasks.fd, name);
		found = status_read(&host, ret->status) && runs(&host);
		if (!found)
			close_task(ret);
	}
	directory_close(&tasks);
	return found;
}

static struct capabilities capabilities_of_main(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
		.pid = (int)raw_getpid(),
	};
	struct capabilities sets = {0};

	(void)raw(SYS_capget, raw_arg(&header), raw_arg(&sets));
	return sets;
}

void follow_begin(void)
{
	own.text[0] = '\0';
	main_task = open_task(AT_FDCWD, MAIN);
	read_own_place();
	seen = capabilities_of_main();
}

static bool follow_task(const struct task *task)
{
	return is_in_the_same_place(task) && follow_status();
}

enum follow follow_host(void)
{
	struct task another;
	bool same;

	seen = capabilities_of_main();
	if (!status_read(&host, main_task.status))
		return FOLLOW_NOT;
	if (runs(&host))
		return follow_task(&main_task) ? FOLLOW_SAME : FOLLOW_NOT;
	if (!find_another(&another))
		return FOLLOW_LAST;
	same = follow_task(&another);
	close_task(&another);
	return same ? FOLLOW_SAME : FOLLOW_NOT;
}

bool follow_is_due(void)
{
	struct capabilities now = capabilities_of_main();

	return memcmp(&now, &seen, sizeof(now)) != 0;
}
