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
#define TASK_MAX 48
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

static const char *const identity[] = {"Uid", "Gid", "Groups", NULL};
static const char *const capability_sets[] = {
	"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", NULL,
};
static const char *const restrictions[] = {"NoNewPrivs", "Seccomp", "Seccomp_filters", NULL};

/* Nothing but this file changes the thread, so its own lines are read again only if they differ. */
static struct status host, own;
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
	return status_read(&own, SELF) && all_same();
}

static bool follow_status(void)
{
	if (all_same())
		return true;
	return status_read(&own, SELF) && (all_same() || become_the_same());
}

/* What a link or a file of a task says; "": nothing, as the label does without an LSM. */
struct place {
	char text[PLACE_MAX];
};

static const char *const links[] = {"/root", "/ns/mnt", "/ns/net", "/ns/ipc"};
#define LINKS (sizeof(links) / sizeof(*links))
#define LABEL "/attr/current"

/* Of this thread, which never leaves them. */
static struct place own_links[LINKS], own_label;

static void set_path(struct text *path, const char *task, const char *name)
{
	path->len = 0;
	text_puts(path, task);
	text_puts(path, name);
}

static void read_link(const char *task, const char *name, struct place *ret)
{
	char storage[TASK_MAX + 16];
	struct text path = TEXT_OF(storage);
	long len;

	set_path(&path, task, name);
	len = raw(SYS_readlinkat, AT_FDCWD, raw_arg(storage), raw_arg(ret->text), PLACE_MAX);
	ret->text[len > 0 && len < PLACE_MAX ? len : 0] = '\0';
}

static void read_label(const char *task, struct place *ret)
{
	char storage[TASK_MAX + 16];
	struct text path = TEXT_OF(storage);
	long fd, len;

	set_path(&path, task, LABEL);
	fd = raw(SYS_openat, AT_FDCWD, raw_arg(storage), O_RDONLY | O_CLOEXEC);
	len = raw(SYS_read, fd, raw_arg(ret->text), PLACE_MAX - 1);
	raw_close((int)fd);
	ret->text[len > 0 ? len : 0] = '\0';
}

static bool is_in_the_same_place(const char *task)
{
	struct place theirs;

	for (size_t i = 0; i < LINKS; i++) {
		read_link(task, links[i], &theirs);
		if (!*theirs.text || !text_equal(theirs.text, own_links[i].text))
			return false;
	}
	read_label(task, &theirs);
	return text_equal(theirs.text, own_label.text);
}

static bool runs(const struct status *status)
{
	const char *state = status_value(status, "State");

	return state && state[1] != 'Z' && state[1] != 'X';
}

/* SELF is a link to PID/task/TID. */
static bool find_another(struct text *task)
{
	struct directory tasks;
	struct place self;
	const char *name;
	bool found = false;

	if (directory_open(&tasks, MAIN "/task") < 0)
		return false;
	read_link(SELF, "", &self);
	while (!found && (name = directory_next(&tasks))) {
		set_path(task, MAIN "/task/", name);
		found = !text_equal(name, text_basename(self.text)) &&
			status_read(&host, task->s) && runs(&host);
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
	for (size_t i = 0; i < LINKS; i++)
		read_link(SELF, links[i], &own_links[i]);
	read_label(SELF, &own_label);
	seen = capabilities_of_main();
}

enum follow follow_host(void)
{
	char storage[TASK_MAX];
	struct text task = TEXT_OF(storage);

	seen = capabilities_of_main();
	set_path(&task, MAIN, "");
	if (!status_read(&host, task.s))
		return FOLLOW_NOT;
	if (!runs(&host) && !find_another(&task))
		return FOLLOW_LAST;
	return is_in_the_same_place(task.s) && follow_status() ? FOLLOW_SAME : FOLLOW_NOT;
}

bool follow_is_due(void)
{
	struct capabilities now = capabilities_of_main();

	return memcmp(&now, &seen, sizeof(now)) != 0;
}
