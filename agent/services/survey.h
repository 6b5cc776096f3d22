/* SPDX-License-Identifier: MIT */
/*
 * survey.h - bring the model in line with the kernel: dump the sockets, and find the holders of
 * those that lost their process.
 *
 * A dump is due on every event, and once a second while a socket is known.  It is due again 5, 25
 * and 125 ms after an event, while a socket of the event still listens: the kernel closes the files
 * of a process some time around its end.  One turn of the loop makes one dump, however many events
 * it had.
 *
 * If a socket listens although every known holder has died, the survey searches /proc.  It watches
 * the holders that it finds, so it notices their end at once too.  If it finds none, the dumps
 * decide.
 */
#ifndef ETCDREG_AGENT_SERVICES_SURVEY_H
#define ETCDREG_AGENT_SERVICES_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/kernel/sockdiag.h"
#include "lib/etcd-registry.h"
#include "model.h"

struct survey {
	struct model *model;
	struct loop *loop;
	struct sockdiag diag;
	struct sockdiag_list list;
	bool due;          /* a dump is due now */
	bool failed;       /* the latest dump failed, and a warning was logged */
	unsigned step;     /* the next of 5, 25, 125 ms */
	uint64_t again_ms; /* the next dump is due; 0: not before an event or the next second */
};

/* Fails with ETCDREG_E_NOMEM. */
int survey_init(struct survey *survey, struct model *model, struct loop *loop);

/* The caller must have unwatched every process. */
void survey_release(struct survey *survey);

/* Makes a dump due after an event of the process, and more of them while its sockets listen. */
void survey_suspect(struct survey *survey, struct process *process);

/*
 * Watches the process by its pidfd; its end is then an event.  Takes over `pidfd`, and closes it if
 * the process is watched already or cannot be watched.  -1 is fine.
 */
void survey_watch(struct survey *survey, struct process *process, int pidfd);

/* Stops watching the process, and closes its pidfd. */
void survey_unwatch(struct survey *survey, struct process *process);

/* Treats the process as dead: unwatches and buries it, and makes a dump due. */
void survey_bury(struct survey *survey, struct process *process);

/* Returns whether a dump is due. */
bool survey_is_due(const struct survey *survey, uint64_t now_ms);

/* Makes the dump if it is due.  A failed dump changes nothing; the first of a row is a warning. */
void survey_run(struct survey *survey, uint64_t now_ms);

#endif
