/* SPDX-License-Identifier: MIT */
/*
 * loop.h - an event loop: epoll, with one function per file descriptor.
 *
 * A turn waits for events.  Then it polls without waiting, until no descriptor is readable or a
 * limit of rounds is reached.  So a decision after the turn considers everything that had arrived.
 *
 * A ready() function may remove any source in a turn; the loop then calls its ready() no more.  The
 * memory of a source may be freed only between turns.
 */
#ifndef ETCDREG_AGENT_BASE_LOOP_H
#define ETCDREG_AGENT_BASE_LOOP_H

#include <stdbool.h>

struct source;

typedef void source_ready_fn(struct source *source);

/* Embedded in the object that owns the descriptor. */
struct source {
	int fd;
	source_ready_fn *ready; /* NULL: removed */
	void *arg;              /* for ready() */
};

struct loop {
	int epoll_fd;
};

/* Fails with ETCDREG_E_SYSTEM. */
int loop_init(struct loop *loop);

void loop_release(struct loop *loop);

/*
 * Watches `fd`: each turn in which it is readable calls ready(source).  Fills *source, which the
 * caller keeps in place until it is removed.  Fails with ETCDREG_E_SYSTEM.
 */
int loop_add(struct loop *loop, struct source *source, int fd, source_ready_fn *ready, void *arg);

/*
 * Stops watching.  Must be called before the descriptor is closed.  Does nothing for a source that
 * is zeroed or removed already.
 */
void loop_remove(struct loop *loop, struct source *source);

/*
 * Runs one turn.  Waits at most `timeout_ms` for the first event (< 0: without limit), or until a
 * signal.  Returns false if it stopped at the limit of rounds, so that more may be readable.
 */
bool loop_turn(struct loop *loop, int timeout_ms);

#endif
