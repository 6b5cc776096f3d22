/* SPDX-License-Identifier: MIT */
/* fake_store.h - a session with a fake etcd, and answers that a real etcd gives. */
#ifndef ETCDREG_TESTS_UNIT_FAKE_STORE_H
#define ETCDREG_TESTS_UNIT_FAKE_STORE_H

#include "fake_etcd.h"

#include "lib/config/credentials.h"
#include "lib/store/session.h"

#define VERSION_34 "{\"etcdserver\":\"3.4.23\",\"etcdcluster\":\"3.4.0\"}"
#define HEADER "\"header\":{\"revision\":\"5\"}"
#define GRANTED(id) "{" HEADER ",\"ID\":\"" id "\",\"TTL\":\"10\"}"
#define KEPT "{\"result\":{" HEADER ",\"ID\":\"5\",\"TTL\":\"10\"}}\n"
#define KEEPALIVE_LOST "{\"result\":{" HEADER ",\"ID\":\"5\"}}\n"
#define WRITTEN "{" HEADER ",\"responses\":[{\"response_put\":{" HEADER "}}]}"
#define FOUND(lease)                                                                 \
	"{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_range\":{" HEADER \
	",\"kvs\":[{\"key\":\"L2s=\",\"lease\":\"" lease "\"}],\"count\":\"1\"}}]}"
#define RANGE_FOUND(lease)                                                                      \
	"{\"response_range\":{\"kvs\":[{\"key\":\"L2s=\",\"value\":\"e30=\",\"lease\":\"" lease \
	"\",\"mod_revision\":\"4\"}]}}"
#define RANGE_NOTHING "{\"response_range\":{}}"
#define COMPARED_NOT(responses) "{" HEADER ",\"responses\":[" responses "]}"
#define COMPARED "{" HEADER ",\"succeeded\":true}"
#define DONE "{" HEADER "}"
#define TTL_LEFT(ttl) "{" HEADER ",\"ID\":\"9\",\"TTL\":\"" ttl "\",\"grantedTTL\":\"10\"}"
#define V3_ERROR(code, text) "{\"error\":\"" text "\",\"message\":\"" text "\",\"code\":" #code "}"

#define CREATED "{\"result\":{" HEADER ",\"created\":true}}\n"
#define EVENT(type, key64, revision)                                            \
	"{\"result\":{" HEADER ",\"events\":[{" type "\"kv\":{\"key\":\"" key64 \
	"\",\"mod_revision\":\"" revision "\"}}]}}\n"
#define DELETE "\"type\":\"DELETE\","
#define PUT ""

/* These occur only in requests for several keys. */
#define PUT_NEW "\"target\":\"CREATE\""
#define DELETE_TWO "\"}},{\"request_delete_range\""
#define RULE_REFUSED(request)                                                 \
	{                                                                     \
		request, 403, V3_ERROR(7, "etcdserver: permission denied"), 0 \
	}
#define RULE_VERSION                           \
	{                                      \
		"/version", 200, VERSION_34, 0 \
	}

/* Everything that a session borrows. */
struct line {
	struct config config;
	struct connstr connstr;
	struct credentials credentials;
	struct session *session;
};

/* `options` is the rest of the URL after host and port: "/namespace?api=v2". */
static inline struct line *line_new(struct fake_etcd *fake, const char *options)
{
	struct line *line = calloc(1, sizeof(*line));
	struct etcdreg_err err = {0};
	char url[256];

	assert_non_null(line);
	snprintf(url, sizeof(url), "127.0.0.1:%u%s", fake->port, options);
	assert_int_equal(config_init(&line->config, &err), 0);
	assert_int_equal(connstr_parse(url, &line->connstr, &line->config, &err), 0);
	assert_int_equal(credentials_load(&line->credentials, &line->config, &err), 0);
	assert_int_equal(session_new(&line->connstr, &line->config, &line->credentials,
				     &line->session, &err),
			 0);
	return line;
}

static inline void line_free(struct line *line)
{
	session_free(line->session);
	credentials_release(&line->credentials);
	connstr_release(&line->connstr);
	config_release(&line->config);
	free(line);
}

/* Counts the requests except those for the watch, whose time varies. */
static inline size_t fake_calls(struct fake_etcd *fake)
{
	return fake_count(fake, "") - fake_count(fake, "/watch");
}

#endif
