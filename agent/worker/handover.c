/* SPDX-License-Identifier: MIT */
/* Saving and loading a worker's state. */
#include "handover.h"

#include <errno.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/kernel/pidfd.h"
#include "agent/services/snapshot.h"
#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "worker.h"

static void strike_leases(struct leases *leases)
{
	for (size_t i = 0; i < LEASES_MAX; i++)
		leases->ids[i] = 0;
}

void handover_save(struct worker *worker)
{
	CLEANUP(buf) struct buf buf = BUF_INIT(TABLE_MAX);

	if (!worker->options.table)
		return;
	snapshot_save(&buf, &worker->model, &worker->endpoints);
	if (buf_failed(&buf) && !worker->overflow_logged)
		log_warn("cannot save the state for the next worker: it exceeds %d MB or memory is "
			 "out; if this worker is killed, only servers that are connected to it "
			 "register again",
			 TABLE_MAX >> 20);
	worker->overflow_logged = buf_failed(&buf);
	(void)table_write(worker->options.table, buf.s, buf.len);
}

static void revive(struct worker *worker, struct process *process)
{
	int pidfd;
	pid_t pid = 0;
	uint64_t id = 0;

	process->heard_ms = worker->turn_ms;
	survey_suspect(&worker->survey, process);
	if (process->state == PROCESS_DEAD || process->pid <= 0)
		return;
	errno = 0;
	pidfd = pidfd_of(process->pid);
	if (pidfd < 0 && errno != ESRCH)
		return;
	if (pidfd >= 0 && pidfd_identify(pidfd, &pid, &id) && id == process->id) {
		survey_watch(&worker->survey, process, pidfd);
		return;
	}
	fd_release(&pidfd);
	survey_bury(&worker->survey, process);
}

void handover_restore(struct worker *worker)
{
	struct table *table = worker->options.table;
	size_t len;
	const void *bytes = table_read(table, &len);

	/* The worker can neither keep nor delete keys that it does not know: let them expire. */
	if (len == 0 || !snapshot_load(bytes, len, &worker->model, &worker->endpoints))
		strike_leases(table_leases(table));
	LIST_FOR_EACH (link, &worker->model.processes)
		revive(worker, LIST_ENTRY(link, struct process, in_model));
	worker->survey.due = true;
	log_info("took over %zu sockets from the previous worker", worker->model.socks_len);
}

static bool is_absent(const struct worker *worker, const struct process *process)
{
	return process->announced && process->state != PROCESS_DEAD && !process->client &&
	       process->exit.fd < 0 && worker->turn_ms >= process->heard_ms + worker->ttl_ms;
}

void handover_expire(struct worker *worker)
{
	LIST_FOR_EACH (link, &worker->model.processes) {
		struct process *process = LIST_ENTRY(link, struct process, in_model);

		if (!is_absent(worker, process))
			continue;
		log_debug("pid %d: has not connected again, treated as ended", (int)process->pid);
		survey_bury(&worker->survey, process);
	}
}
