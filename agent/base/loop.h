/* SPDX-License-Identifier: MIT */
/*
 * loop.h - wait for descriptors, epoll with one function per descriptor.  A turn waits, then goes
 * on collecting without waiting until nothing is readable any more (or many rounds have passed), so
 * that what is decided after it is decided on everything that had arrived.
 *
 * An element that owns a source must outlive the turn: a source may be removed in a turn (its
 * ready() is not called any more), but the memory may be freed only between turns.
 */
#ifndef ETCDREG_AGENT_BASE_LOOP_H
#define ETCDREG_AGENT_BASE_LOOP_H

#include <stdbool.h>

struct source;

typedef void source_ready_fn(struct source *source);

/* Lives inside what it is about. */
struct source {
	int fd;                 /* owned by who embeds the source */
	source_ready_fn *ready; /* NULL: removed */
	void *arg;              /* for ready() */
};

struct loop {
	int epoll_fd;
};

/* Fails with ETCDREG_E_SYSTEM. */
int loop_init(struct loop *loop);

void loop_release(struct loop *loop);

/* Calls `ready` in every turn in which source->fd is readable.  Fails with ETCDREG_E_SYSTEM. */
int loop_add(struct loop *loop, struct source *source, int fd, source_ready_fn *ready, void *arg);

/* Must come before the descriptor is closed.  Not added or removed already: nothing happens. */
void loop_remove(struct loop *loop, struct source *source);

/* Returns whether everything was read dry.  `timeout_ms` < 0: no limit. */
bool loop_turn(struct loop *loop, int timeout_ms);

#endif
