/* SPDX-License-Identifier: MIT */
/* The registry's events, from its thread to the event loop. */
#include "news.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

int news_init(struct news *news)
{
	list_init(&news->queue);
	news->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (news->fd < 0)
		return ETCDREG_E_SYSTEM;
	(void)pthread_mutex_init(&news->lock, NULL);
	return 0;
}

void news_item_free(struct news_item *item)
{
	if (item)
		free(item->error);
	free(item);
}

void news_release(struct news *news)
{
	struct news_item *item;

	if (news->fd < 0)
		return;
	while ((item = news_pop(news)))
		news_item_free(item);
	(void)pthread_mutex_destroy(&news->lock);
	close(news->fd);
	news->fd = -1;
}

void news_push(const struct etcdreg_event *event, void *arg)
{
	struct news *news = arg;
	struct news_item *item = calloc(1, sizeof(*item));

	if (!item)
		return;
	item->type = event->type;
	item->tag = event->service ? event->service->tag : 0;
	if (event->err) {
		item->error = strdup(event->err->msg);
		if (!item->error) {
			free(item);
			return;
		}
	}
	pthread_mutex_lock(&news->lock);
	list_append(&news->queue, &item->in_queue);
	(void)eventfd_write(news->fd, 1);
	pthread_mutex_unlock(&news->lock);
}

struct news_item *news_pop(struct news *news)
{
	struct news_item *item = NULL;
	eventfd_t count;

	pthread_mutex_lock(&news->lock);
	if (!list_empty(&news->queue)) {
		item = LIST_ENTRY(news->queue.next, struct news_item, in_queue);
		list_remove(&item->in_queue);
	} else {
		(void)eventfd_read(news->fd, &count);
	}
	pthread_mutex_unlock(&news->lock);
	return item;
}
