/* SPDX-License-Identifier: MIT */
/* Calls of the v3 API: errors and logins. */
#define _GNU_SOURCE
#include "v3_call.h"

#include <string.h>

#include "lib/base/array.h"
#include "lib/base/backoff.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/control_chars.h"
#include "lib/base/err.h"

#define LOGIN_PAUSE_MIN_MS 500
#define LOGIN_PAUSE_MAX_MS 30000

struct attempt {
	struct v3_access *access;
	v3_read_fn *read;
	void *arg;
	bool token_refused;
	bool not_found;
	bool name_refused;
};

static bool says(const struct json_error *e, const char *text)
{
	return strstr(e->message, text);
}

/* Versions of etcd use different codes for these errors, but the same words. */
static bool is_token_refused(const struct json_error *e)
{
	return e->code == V3_UNAUTHENTICATED || says(e, "invalid auth token") ||
	       says(e, "user name is empty") || says(e, "revision of auth store is old");
}

/* Errors that another node may not have. */
static bool is_node_trouble(const struct json_error *e)
{
	static const char *const texts[] = {
		"no leader",       "leader changed",    "request timed out", "server stopped",
		"corrupt cluster", "too many requests", "not capable",       "not a primary lessor",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (says(e, texts[i]))
			return true;
	}
	return e->code == V3_UNAVAILABLE || e->code == V3_DEADLINE || e->code == V3_CANCELLED ||
	       e->code == V3_INTERNAL;
}

static int read_error(struct attempt *a, const struct cluster_answer *answer,
		      struct etcdreg_err *err)
{
	const struct json_error *e = &answer->error;

	a->token_refused = is_token_refused(e);
	a->not_found = e->code == V3_NOT_FOUND || says(e, "lease not found") ||
		       says(e, "has been compacted") || says(e, "future revision");
	if (is_node_trouble(e) || (e->code == 0 && answer->status >= 500))
		return err_set(err, ETCDREG_E_UNREACH, "%s (code %lld)", e->message,
			       (long long)e->code);
	if (a->token_refused || e->code == V3_DENIED || says(e, "permission denied") ||
	    says(e, "authentication failed"))
		return err_set(err, ETCDREG_E_DENIED, "%s", e->message);
	return err_set(err, ETCDREG_E_SERVER, "%s (code %lld)", e->message, (long long)e->code);
}

/*
 * An etcd with users takes the common name of a client certificate for a user.  Its gateway cannot
 * act as a user, so it answers every request with a plain text that says so.
 */
static bool is_name_refused(const struct cluster_answer *answer)
{
	return !answer->json && strstr(answer->text, "CommonName of client");
}

static int read_status(struct attempt *a, const struct cluster_answer *answer,
		       struct etcdreg_err *err)
{
	if (answer->status == 404 || answer->status == 405) {
		a->access->store->gone = true;
		return err_set(err, ETCDREG_E_PROTO,
			       "has no %s API; check --enable-grpc-gateway of etcd, and any proxy "
			       "before it",
			       a->access->prefix + 1);
	}
	if (is_name_refused(answer)) {
		a->name_refused = true;
		return err_set(
			err, ETCDREG_E_DENIED,
			"refuses the client certificate: an etcd with users accepts none that "
			"has a common name (CN); use one without (ETCD_REGISTRY_CERT), or "
			"start etcd without --client-cert-auth");
	}
	if (answer->status >= 500)
		return err_set(err, ETCDREG_E_UNREACH, "answers with status %u", answer->status);
	return err_set(err, ETCDREG_E_PROTO,
		       "answers with status %u and without etcd's JSON; check host and port",
		       answer->status);
}

static int read_answer(const struct cluster_answer *answer, void *arg, struct etcdreg_err *err)
{
	struct attempt *a = arg;

	if (answer->failed)
		return read_error(a, answer, err);
	if (!json_is_object(answer->json) || answer->status != 200)
		return read_status(a, answer, err);
	a->access->store->gone = false;
	a->access->store->worked = true;
	return a->read ? a->read(answer->json, a->arg, err) : 0;
}

/* `target` holds the text of ret->path. */
static int make_request(const struct v3_access *s, const struct v3_request *rq, struct buf *target,
			struct cluster_request *ret, struct etcdreg_err *err)
{
	buf_printf(target, "%s%s", s->prefix, rq->path);
	if (buf_failed(target))
		return err_nomem(err);
	*ret = (struct cluster_request){
		.method = "POST",
		.path = target->s,
		.body = rq->body->s,
		.content_type = "application/json",
		.authorization = s->token,
		.answer_max = rq->answer_max,
	};
	return 0;
}

/*
 * One node alone may lack a lease or a revision.  So read_error() calls that a refusal, for which
 * the cluster asks the other nodes.  If that is still the result, it becomes ETCDREG_E_NOTFOUND.
 */
static int word_of(const struct attempt *a, int r, struct etcdreg_err *err)
{
	if (r != ETCDREG_E_SERVER || !a->not_found)
		return r;
	if (err)
		err->code = ETCDREG_E_NOTFOUND;
	return ETCDREG_E_NOTFOUND;
}

static int request(struct attempt *a, const struct v3_request *rq, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf target = BUF_INIT(V3_TEXT_MAX);
	struct cluster_request made;
	int r = make_request(a->access, rq, &target, &made, err);

	if (r < 0)
		return r;
	r = cluster_call(a->access->store->cluster, &made, read_answer, a, err);
	/* Only a new connection shows etcd a certificate that was replaced. */
	cluster_keep_connections(a->access->store->cluster, !a->name_refused);
	return word_of(a, r, err);
}

/* A token goes into a header of every later request, and of those to other nodes. */
static bool is_token(const char *text)
{
	for (const char *s = text; s && *s != '\0'; s++) {
		if (is_control(*s))
			return false;
	}
	return text && text[0] != '\0';
}

static int read_token(const struct json *answer, void *arg, struct etcdreg_err *err)
{
	const char *token = json_text(json_get(answer, "token"));
	char **ret = arg;

	if (!is_token(token))
		return err_set(err, ETCDREG_E_PROTO, "the answer to a login lacks a valid 'token'");
	*ret = strdup(token);
	return *ret ? 0 : err_nomem(err);
}

/*
 * Each login costs etcd a bcrypt, so a refused one is followed by a pause.  The first pauses are
 * short: a password that was changed and changed back must work again before a lease can expire.
 */
static int refuse_logins(struct v3_access *s, const struct etcdreg_err *why)
{
	s->login_pause_ms = longer_ms(s->login_pause_ms, LOGIN_PAUSE_MIN_MS, LOGIN_PAUSE_MAX_MS);
	s->login_err = *why;
	s->login_at_ms = now_ms() + s->login_pause_ms;
	return why->code;
}

static int login(struct v3_access *s, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf body = BUF_INIT(V3_TEXT_MAX);
	const struct v3_request rq = {"/auth/authenticate", &body, CLUSTER_ANSWER_MAX};
	struct attempt a = {.access = s, .read = read_token, .arg = &s->token};
	struct etcdreg_err why;
	int r;

	if (now_ms() < s->login_at_ms)
		return err_set(err, s->login_err.code, "%s", s->login_err.msg);
	buf_puts(&body, "{\"name\":");
	json_quote(&body, s->store->credentials->user);
	buf_puts(&body, ",\"password\":");
	json_quote(&body, s->store->credentials->password);
	buf_puts(&body, "}");
	if (buf_failed(&body))
		return err_nomem(err);
	r = request(&a, &rq, &why);
	if (r < 0 && strstr(why.msg, "authentication is not enabled")) {
		s->auth_off = true;
		return 0;
	}
	if (r == ETCDREG_E_DENIED && !a.name_refused)
		r = refuse_logins(s, &why);
	else if (r == 0)
		s->login_pause_ms = 0;
	return r < 0 ? err_set(err, r, "%s", why.msg) : 0;
}

static int login_if_needed(struct v3_access *s, struct etcdreg_err *err)
{
	return s->store->credentials->user && !s->token && !s->auth_off ? login(s, err) : 0;
}

void v3_drop_token(struct v3_access *s)
{
	secret_free(s->token);
	s->token = NULL;
	s->auth_off = false;
}

int v3_call(struct v3_access *s, const struct v3_request *rq, v3_read_fn *read, void *arg,
	    struct etcdreg_err *err)
{
	bool has_user = s->store->credentials->user;

	if (buf_failed(rq->body))
		return err_nomem(err);
	for (bool again = false;; again = true) {
		struct attempt a = {.access = s, .read = read, .arg = arg};
		int r = login_if_needed(s, err);

		if (r < 0)
			return r;
		r = request(&a, rq, err);
		/* Some versions 3.4 and 3.5 close the connection instead of refusing a token. */
		if (r < 0 && s->token && !cluster_answered(s->store->cluster))
			a.token_refused |= cluster_was_silent(s->store->cluster);
		if (r == 0 || again || !has_user || !a.token_refused)
			return r;
		v3_drop_token(s);
	}
}

int v3_stream_open(struct v3_access *s, const struct v3_request *rq, struct cluster_stream **ret,
		   struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf target = BUF_INIT(V3_TEXT_MAX);
	struct cluster_request made;
	int r = buf_failed(rq->body) ? err_nomem(err) : login_if_needed(s, err);

	if (r == 0)
		r = make_request(s, rq, &target, &made, err);
	if (r < 0)
		return r;
	return cluster_stream_open(s->store->cluster, &made, ret, err);
}

int v3_stream_read(struct v3_access *s, struct cluster_stream *stream, v3_read_fn *read, void *arg,
		   struct etcdreg_err *err)
{
	struct attempt a = {.access = s, .read = read, .arg = arg};
	bool gone = s->store->gone;
	int r = cluster_stream_read(stream, read_answer, &a, err);

	/* A 404 for the path of a stream says nothing about the other paths. */
	s->store->gone = gone;
	if (a.token_refused)
		v3_drop_token(s);
	return word_of(&a, r, err);
}

void v3_access_release(struct v3_access *s)
{
	v3_drop_token(s);
}
