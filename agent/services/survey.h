/* SPDX-License-Identifier: MIT */
/*
 * survey.h - bring the model in line with the kernel: the dump of sockets, and who holds those that
 * lost their process.
 *
 * A dump is made when one is due: once a second while a socket is known, on every event, and after
 * an event again in 5, 25 and 125 ms while a socket that it concerns still listens (a process's
 * files are closed some time around its end).  However many events a turn had, it makes one dump.
 *
 * A socket that listens although every known holder has died is looked up in /proc, and the
 * processes that hold it are watched from then on, so that their death is seen at once too.  When
 * nobody can be found, the dumps decide.
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
	bool due;          /* now */
	bool failed;       /* the latest dump: a warning was logged */
	unsigned step;     /* of 5, 25, 125 ms */
	uint64_t again_ms; /* 0: not before the next event or second */
};

/* Fails with ETCDREG_E_NOMEM. */
int survey_init(struct survey *survey, struct model *model, struct loop *loop);

/* Every process must have been unwatched. */
void survey_release(struct survey *survey);

/* Something happened to the process: look at its sockets now, and again soon while they listen. */
void survey_suspect(struct survey *survey, struct process *process);

/*
 * Watch the process by its pidfd, which is taken over; its end is an event.  A process that is
 * watched stays watched.
 */
void survey_watch(struct survey *survey, struct process *process, int pidfd);

/* Stop watching it. */
void survey_unwatch(struct survey *survey, struct process *process);

/* The process is dead, or as good as dead. */
void survey_bury(struct survey *survey, struct process *process);

bool survey_is_due(const struct survey *survey, uint64_t now_ms);

/* Makes the dump, if it is due.  One that fails is logged, once, and changes nothing. */
void survey_run(struct survey *survey, uint64_t now_ms);

#endif
