/* SPDX-License-Identifier: MIT */
/*
 * news.h - carry the registry's events from the library's thread to the event loop.
 *
 * news_push() is the events callback: it only queues a copy and makes the file descriptor readable.
 * The loop's thread calls all other functions.  An event is lost if memory is exhausted.
 */
#ifndef ETCDREG_AGENT_WORKER_NEWS_H
#define ETCDREG_AGENT_WORKER_NEWS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/base/list.h"
#include "lib/etcd-registry.h"

struct news {
	pthread_mutex_t lock;
	struct list queue; /* protected by lock */
	int fd;            /* readable while the queue is not empty */
};

struct news_item {
	struct list in_queue;
	enum etcdreg_event_type type;
	uint64_t tag; /* 0: about no single service */
	char *error;  /* with RETRYING and FAILOVER, else NULL */
};

/* Fails with ETCDREG_E_SYSTEM. */
int news_init(struct news *news);

/* The library's thread must have ended. */
void news_release(struct news *news);

/* `news` is the struct news. */
void news_push(const struct etcdreg_event *event, void *news);

/* Takes the oldest event; NULL: none.  Free it with news_item_free(). */
struct news_item *news_pop(struct news *news);

void news_item_free(struct news_item *item);

#endif
