/* SPDX-License-Identifier: MIT */
/* Chooses between the v2 and the v3 API. */
#define _GNU_SOURCE
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/parse.h"

struct session {
	struct cluster *cluster;
	const struct credentials *credentials;
	enum config_api api; /* as configured */
	unsigned ttl_s;
	struct leases *leases;   /* NULL: not kept for a later handle */
	struct members *members; /* NULL: the session does not ask for them */
	struct store *store;     /* NULL: not chosen yet */
	const char *prefix;      /* of the chosen v3 API; NULL: v2 */
	const char *missing;     /* the v3 API that did not answer once; NULL: none */
	bool had_v3;             /* v3 has answered before */
};

struct version {
	bool must_be_told;
	bool known; /* false: the server is too old to tell its version, or is not etcd */
	unsigned major;
	unsigned minor;
};

int session_new(const struct connstr *cs, const struct config *cfg,
		const struct credentials *credentials, struct session **ret,
		struct etcdreg_err *err)
{
	struct session *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_nomem(err);
	s->credentials = credentials;
	s->api = cfg->api;
	s->ttl_s = cfg->ttl_s;
	r = cluster_new(cs, cfg, &s->cluster, err);
	if (r < 0) {
		session_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	if (s->store)
		s->store->ops->free(s->store);
	cluster_free(s->cluster);
	free(s);
}

void session_keep_leases(struct session *s, struct leases *leases)
{
	s->leases = leases;
}

bool session_is_restored(const struct session *s)
{
	return s->leases && s->leases->restored;
}

void session_share_members(struct session *s, struct members *members)
{
	s->members = members;
	cluster_share_members(s->cluster, members);
}

uint64_t session_members_due_ms(const struct session *s)
{
	return s->members ? members_due_ms(s->members) : UINT64_MAX;
}

void session_refresh_members(struct session *s, unsigned budget_ms)
{
	CLEANUP(member_list) struct member_list list = {0};
	bool was_gone = s->store && s->store->gone;
	int r;

	if (!s->members || !s->store || !members_claim(s->members))
		return;
	cluster_set_deadline(s->cluster, now_ms() + budget_ms);
	r = s->store->ops->members(s->store, &list, NULL);
	cluster_set_deadline(s->cluster, UINT64_MAX);
	s->store->gone = was_gone;
	if (r == 0)
		members_publish(s->members, cluster_node(s->cluster), &list);
	else if (r == ETCDREG_E_UNREACH)
		members_retry(s->members);
}

unsigned session_ttl_s(const struct session *s)
{
	return s->ttl_s;
}

struct cluster *session_cluster(struct session *s)
{
	return s->cluster;
}

static bool parse_version(const char *text, struct version *ret)
{
	size_t major_len = strcspn(text, ".");
	size_t minor_len = text[major_len] ? strcspn(text + major_len + 1, ".") : 0;
	uint64_t major, minor;

	if (!parse_uint(text, major_len, 0, 1000, &major) ||
	    !parse_uint(text + major_len + 1, minor_len, 0, 1000, &minor))
		return false;
	ret->known = true;
	ret->major = (unsigned)major;
	ret->minor = (unsigned)minor;
	return true;
}

/*
 * The version of the cluster decides about the API.  A node that has not joined the cluster yet
 * does not have a number there.
 */
static int read_version(const struct cluster_answer *answer, void *arg, struct etcdreg_err *err)
{
	const char *text = json_text(json_get(answer->json, "etcdcluster"));
	const struct version *version = arg;

	if (answer->status >= 500)
		return err_set(err, ETCDREG_E_UNREACH, "answers with status %u", answer->status);
	if (answer->status != 200 && (answer->status != 404 || version->must_be_told))
		return err_set(err, ETCDREG_E_PROTO,
			       "answers the request for its version with status %u",
			       answer->status);
	if (!text)
		text = json_text(json_get(answer->json, "etcdserver"));
	if (!answer->json && answer->status == 200)
		return err_set(err, ETCDREG_E_PROTO,
			       "the answer to /version is not JSON; check host and port");
	if (text && !parse_version(text, arg))
		return err_set(err, ETCDREG_E_UNREACH,
			       "has not joined a cluster yet: its cluster version is '%s'", text);
	if (!text && answer->status == 200)
		return err_set(err, ETCDREG_E_PROTO,
			       "the answer to /version lacks 'etcdcluster'; check host and port");
	return 0;
}

static const char *v3_prefix(const struct version *version)
{
	if (!version->known || version->major < 3)
		return NULL;
	if (version->major > 3 || version->minor >= 4)
		return "/v3";
	return version->minor == 3 ? "/v3beta" : "/v3alpha";
}

/* *ret NULL: v2. */
static int choose_prefix(struct session *s, const char **ret, struct etcdreg_err *err)
{
	const struct cluster_request rq = {
		.method = "GET",
		.path = "/version",
		.answer_max = CLUSTER_ANSWER_MAX,
	};
	struct version version = {.must_be_told = s->had_v3};
	const char *prefix;
	int r = cluster_call(s->cluster, &rq, read_version, &version, err);

	if (r < 0)
		return r;
	prefix = v3_prefix(&version);
	if (s->api == CONFIG_API_V3 && !prefix)
		return err_set(err, ETCDREG_E_PROTO, "etcd has no v3 API; set 'api' to auto or v2");
	if (s->api == CONFIG_API_AUTO && prefix == s->missing)
		prefix = NULL;
	*ret = prefix;
	return 0;
}

static int make_store(struct session *s, const char *prefix, struct etcdreg_err *err)
{
	const struct store common = {
		.cluster = s->cluster,
		.credentials = s->credentials,
		.ttl_s = s->ttl_s,
		.leases = s->leases,
	};

	if (s->store)
		s->store->ops->free(s->store);
	s->prefix = prefix;
	s->store = prefix ? store_v3_new(&common, prefix) : store_v2_new(&common);
	return s->store ? 0 : err_nomem(err);
}

/*
 * An API that has worked may come back: a proxy in trouble answers 404 too.  So an API counts as
 * missing only if it has not answered once since it was chosen.
 */
static void note_missing(struct session *s)
{
	s->had_v3 |= s->prefix && s->store->worked;
	s->missing = s->store->worked ? NULL : s->prefix;
}

static int choose(struct session *s, bool *ret_new, struct etcdreg_err *err)
{
	const char *prefix = NULL;
	int r = 0;

	if (s->store)
		note_missing(s);
	if (s->api != CONFIG_API_V2)
		r = choose_prefix(s, &prefix, err);
	if (r < 0)
		return r;
	*ret_new = !s->store || prefix != s->prefix;
	if (*ret_new)
		return make_store(s, prefix, err);
	s->store->gone = false;
	s->store->worked = false;
	return 0;
}

int session_store(struct session *s, struct store **ret, bool *ret_new, struct etcdreg_err *err)
{
	bool is_new = false;
	int r = s->store && !s->store->gone ? 0 : choose(s, &is_new, err);

	if (r < 0)
		return r;
	if (ret_new)
		*ret_new = is_new;
	*ret = s->store;
	return 0;
}
