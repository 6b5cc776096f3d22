/* SPDX-License-Identifier: MIT */
/* Dumps, and the search for holders. */
#include "survey.h"

#include <stdlib.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/kernel/holders.h"
#include "agent/kernel/pidfd.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"

/* Holders of one socket that are watched, of those found.  More would add no information. */
enum { HOLDERS_MAX = 64 };

static const unsigned steps_ms[] = {5, 25, 125};

int survey_init(struct survey *survey, struct model *model, struct loop *loop)
{
	*survey = (struct survey){.model = model, .loop = loop};
	return sockdiag_init(&survey->diag);
}

void survey_release(struct survey *survey)
{
	sockdiag_release(&survey->diag);
	sockdiag_list_release(&survey->list);
}

void survey_suspect(struct survey *survey, struct process *process)
{
	LIST_FOR_EACH (link, &process->holdings)
		LIST_ENTRY(link, struct holding, of_process)->sock->suspect = true;
	survey->step = 0;
	survey->due = true;
}

void survey_unwatch(struct survey *survey, struct process *process)
{
	if (process->exit.fd < 0)
		return;
	loop_remove(survey->loop, &process->exit);
	close(process->exit.fd);
	process->exit.fd = -1;
}

void survey_bury(struct survey *survey, struct process *process)
{
	survey_suspect(survey, process);
	survey_unwatch(survey, process);
	process_bury(process);
}

static void process_ended(struct source *source)
{
	struct process *process = LIST_ENTRY(source, struct process, exit);

	log_debug("pid %d: has ended", (int)process->pid);
	survey_bury(source->arg, process);
}

void survey_watch(struct survey *survey, struct process *process, int pidfd)
{
	if (pidfd < 0)
		return;
	if (process->exit.fd >= 0 ||
	    loop_add(survey->loop, &process->exit, pidfd, process_ended, survey) < 0)
		close(pidfd);
}

static size_t count_found(const struct sock *sock)
{
	size_t len = 0;

	LIST_FOR_EACH (link, &sock->holders)
		len += !LIST_ENTRY(link, struct holding, of_sock)->announced;
	return len;
}

static struct sock *find_orphan(const struct model *model, uint64_t inode)
{
	struct hash_node *node = hashmap_first(&model->socks_by_inode, inode);

	for (; node; node = hashmap_next(node)) {
		struct sock *sock = HASH_ENTRY(node, struct sock, by_inode);

		if (sock->listed)
			return sock;
	}
	return NULL;
}

static struct process *process_of(struct survey *survey, pid_t pid, int pidfd)
{
	struct process *process;
	pid_t pid_now;
	uint64_t id;

	if (!pidfd_identify(pidfd, &pid_now, &id) || pid_now != pid)
		return NULL;
	process = model_find_process(survey->model, id, MODEL_ANY_UID);
	if (process)
		return process;
	process = model_add_process(survey->model, id, MODEL_ANY_UID);
	if (process)
		process->pid = pid;
	return process;
}

static void holder_found(pid_t pid, uint64_t inode, void *arg)
{
	struct survey *survey = arg;
	struct sock *sock = find_orphan(survey->model, inode);
	struct process *process;
	struct holding *holding;
	int pidfd;

	if (!sock || count_found(sock) >= HOLDERS_MAX)
		return;
	pidfd = pidfd_of(pid);
	if (pidfd < 0)
		return;
	/* The pid may have gone to another process before the pidfd was open: look again. */
	process = holders_holds(pid, inode) ? process_of(survey, pid, pidfd) : NULL;
	if (!process || model_hold(survey->model, process, &sock->id, false, &holding) < 0) {
		close(pidfd);
		return;
	}
	survey_watch(survey, process, pidfd);
	log_debug("port %u: pid %d holds the socket", sock->id.port, (int)pid);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool wants_search(const struct sock *sock)
{
	return sock->listed && !sock->searched && !sock_is_held(sock);
}

static void search_holders(struct survey *survey)
{
	struct model *model = survey->model;
	CLEANUP(free) uint64_t *inodes = NULL;
	size_t len = 0;

	LIST_FOR_EACH (link, &model->socks)
		len += wants_search(LIST_ENTRY(link, struct sock, in_model));
	if (len > 0)
		inodes = calloc(len, sizeof(*inodes));
	if (!inodes)
		return;
	len = 0;
	LIST_FOR_EACH (link, &model->socks) {
		struct sock *sock = LIST_ENTRY(link, struct sock, in_model);

		if (!wants_search(sock))
			continue;
		inodes[len++] = sock->id.inode;
		/* While it is suspect, its next holder may not be visible yet: search again. */
		sock->searched = !sock->suspect;
	}
	qsort(inodes, len, sizeof(*inodes), by_number);
	holders_find(inodes, len, holder_found, survey);
}

static bool shares_network(const struct sock *sock)
{
	LIST_FOR_EACH (link, &sock->holders) {
		const struct process *process = LIST_ENTRY(link, struct holding, of_sock)->process;

		if (process->exit.fd >= 0 && pidfd_shares_network(process->exit.fd, process->pid))
			return true;
	}
	return false;
}

/* If the first dump does not show a socket, it has closed or is in another network namespace. */
static void find_foreign(struct model *model)
{
	LIST_FOR_EACH (link, &model->socks) {
		struct sock *sock = LIST_ENTRY(link, struct sock, in_model);

		if (!sock->surveyed)
			sock->foreign = !shares_network(sock);
		sock->surveyed = true;
	}
}

static int dump(struct survey *survey, struct etcdreg_err *err)
{
	unsigned kinds = model_kinds(survey->model);
	int r;

	sockdiag_list_clear(&survey->list);
	r = sockdiag_dump(&survey->diag, kinds, &survey->list, err);
	if (r == 0 && model_mark(survey->model, &survey->list) > 0 && survey->list.in_parts) {
		r = sockdiag_dump(&survey->diag, kinds, &survey->list, err);
		if (r == 0)
			(void)model_mark(survey->model, &survey->list);
	}
	return r;
}

static void schedule(struct survey *survey, uint64_t now_ms)
{
	bool go_on = false;

	LIST_FOR_EACH (link, &survey->model->socks) {
		struct sock *sock = LIST_ENTRY(link, struct sock, in_model);

		sock->suspect &= survey->step < ARRAY_LEN(steps_ms);
		go_on |= sock->suspect && sock->listed;
	}
	survey->again_ms = go_on ? now_ms + steps_ms[survey->step++] : 0;
}

bool survey_is_due(const struct survey *survey, uint64_t now_ms)
{
	return survey->due || (survey->again_ms != 0 && now_ms >= survey->again_ms);
}

void survey_run(struct survey *survey, uint64_t now_ms)
{
	struct etcdreg_err err;

	if (!survey_is_due(survey, now_ms))
		return;
	survey->due = false;
	if (survey->model->socks_len == 0) {
		survey->again_ms = 0;
		return;
	}
	if (dump(survey, &err) < 0) {
		log_line(survey->failed ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "%s", err.msg);
		survey->failed = true;
		return;
	}
	survey->failed = false;
	find_foreign(survey->model);
	schedule(survey, now_ms);
	search_holders(survey);
}
