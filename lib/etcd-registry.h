/* SPDX-License-Identifier: MIT */
/*
 * etcd-registry.h - libetcd-registry: join, leave, look up and list services in etcd.
 *
 * A registry handle holds a set of services that are wanted in etcd.  etcdreg_join() and
 * etcdreg_leave() change that set and return at once; one thread of the handle makes etcd agree
 * with it, for ever: it grants leases, writes, heartbeats, repairs what somebody else deleted,
 * fails over between the nodes of the cluster, and never gives up.  What happens is told through
 * the events callback.
 *
 * Threads: every function may be called from any thread, several at once on one handle.
 *          etcdreg_close() must be the last.
 * Fork:    a handle belongs to the process that opened it.  In a forked child it must not be used,
 *          not even closed.
 * Signals: the handle's thread blocks all signals.  No handler is installed, no disposition is
 *          changed.
 * Strings: UTF-8, NUL-terminated.  What is passed in is copied; what is handed out is owned as each
 *          function says.
 * Errors:  0 is success, a negative ETCDREG_E_* is failure; `err`, where not NULL, then holds the
 *          code and one line of text that names what, where and what to do, and never a secret.  On
 *          success it is untouched, on failure no other output is.
 * Sizes:   a struct that the program fills begins with its size, so that later versions can add
 *          members at its end.  Initialise it with its macro, which sets the size and leaves the
 *          rest 0, or set `.size = sizeof(...)`.  The library reads the members within the size
 *          and takes those beyond it for 0.  A function fails with ETCDREG_E_INVALID if the size is
 *          not set, or if a member is set that is newer than the library.
 *
 * Example: hold a service until a key is pressed.  The examples here are bodies of main(), with
 * <err.h>, <limits.h> and <stdio.h>.
 *
 * 	struct etcdreg_service web = ETCDREG_SERVICE_INIT;
 * 	struct etcdreg_err err;
 * 	struct etcdreg *reg;
 *
 * 	web.name = "web";
 * 	web.port = 8080;
 * 	if (etcdreg_open(NULL, &reg, &err) < 0 || etcdreg_join(reg, &web, &err) < 0)
 * 		errx(3, "%s", err.msg);
 * 	getchar();
 * 	etcdreg_leave(reg, &web, NULL);
 * 	etcdreg_close(reg, 1000);
 */
#ifndef ETCD_REGISTRY_H
#define ETCD_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define ETCDREG_VERSION "0.2.0"

/*
 * X(name, value, text)
 *
 *   NOMEM     an allocation failed
 *   INVALID   a service's name, port, hostname or meta; the size of a struct
 *   CONFIG    an option, a variable or the connection string, or a file that they name
 *   UNREACH   no node answered in time
 *   PROTO     an answer that is not JSON, is cut off, too large, or lacks a field
 *   DENIED    user, password, token or certificate refused
 *   NOTFOUND  no such service
 *   SERVER    any other error that etcd answered with
 *   TIMEOUT   the caller's time is up
 *   SYSTEM    a thread or a descriptor could not be had
 *   STOPPED   etcdreg_watch_stop() was called
 */
#define ETCDREG_ERRORS(X)                                  \
	X(ETCDREG_E_NOMEM, -1, "out of memory")            \
	X(ETCDREG_E_INVALID, -2, "invalid argument")       \
	X(ETCDREG_E_CONFIG, -3, "invalid configuration")   \
	X(ETCDREG_E_UNREACH, -4, "registry not reachable") \
	X(ETCDREG_E_PROTO, -5, "unexpected answer")        \
	X(ETCDREG_E_DENIED, -6, "permission denied")       \
	X(ETCDREG_E_NOTFOUND, -7, "not found")             \
	X(ETCDREG_E_SERVER, -8, "refused by etcd")         \
	X(ETCDREG_E_TIMEOUT, -9, "timed out")              \
	X(ETCDREG_E_SYSTEM, -10, "system error")           \
	X(ETCDREG_E_STOPPED, -11, "stopped")

enum etcdreg_error {
#define ETCDREG_ERROR_ENUM(name, value, text) name = (value),
	ETCDREG_ERRORS(ETCDREG_ERROR_ENUM)
#undef ETCDREG_ERROR_ENUM
};

#define ETCDREG_ERR_MAX 512

struct etcdreg_err {
	int code;                  /* ETCDREG_E_* */
	char msg[ETCDREG_ERR_MAX]; /* one line, no newline */
};

/* The text of an ETCDREG_E_* code; never NULL.  Static. */
const char *etcdreg_strerror(int code);

/* The version of the library that is loaded, as in ETCDREG_VERSION.  Static. */
const char *etcdreg_version(void);

/*
 * A service to join or leave.  Its identity is name and url (protocol://host:port), as in the npm
 * package: two joins of one identity are one service, the later document wins.
 */
struct etcdreg_service {
	size_t size;          /* of this struct: ETCDREG_SERVICE_INIT sets it */
	const char *name;     /* 1-255 bytes, no control characters */
	const char *hostname; /* address (IPv6 without brackets) or name; NULL: a local address */
	unsigned port;        /* 1-65535; 0: none, host is then the hostname alone */
	const char *protocol; /* of the url; NULL: "http" */
	const char *meta;     /* JSON object whose members are added; NULL: none */
	uint64_t tag;         /* the caller's own, handed back in events */
};

#define ETCDREG_SERVICE_INIT                                                 \
	{                                                                    \
		sizeof(struct etcdreg_service), NULL, NULL, 0, NULL, NULL, 0 \
	}

enum etcdreg_event_type {
	ETCDREG_REGISTERED, /* the service is in etcd (again) */
	ETCDREG_LOST,       /* it was found missing or its lease expired; being repaired */
	ETCDREG_LEFT,       /* after etcdreg_leave(): it is out of etcd */
	ETCDREG_RETRYING,   /* an attempt failed, and the library tries again: err says why */
	ETCDREG_UP,         /* without a service: etcd answers again after RETRYING */
	ETCDREG_FAILOVER,   /* without a service: a node failed, the next one did: err names it */
};

struct etcdreg_event {
	enum etcdreg_event_type type;
	const struct etcdreg_service *service; /* NULL: it concerns all of them */
	const struct etcdreg_err *err;         /* with RETRYING and FAILOVER, else NULL */
};

/*
 * Called on the handle's thread, one at a time, without any lock held; must return soon, since the
 * heartbeats wait for it.  May call etcdreg_join() and etcdreg_leave(), no other function of the
 * handle.  Everything it is given is valid until it returns.  event->service has the size that the
 * service was joined with: a copy of the struct can be joined or left.
 */
typedef void etcdreg_event_fn(const struct etcdreg_event *event, void *arg);

/*
 * How to reach etcd.  A field that is NULL or 0 is taken from the environment (ETCD_REGISTRY_URL,
 * ETCD_REGISTRY_CACERT, ...; then ETCDCTL_ENDPOINTS, ...), then from its default.  What the
 * connection string says in its query goes before the environment, what is set here before both.
 */
struct etcdreg_options {
	size_t size;        /* of this struct: ETCDREG_OPTIONS_INIT sets it */
	const char *url;    /* protocol://host1,host2,.../namespace?options */
	const char *api;    /* "auto", "v3" or "v2" */
	const char *cacert; /* files, PEM */
	const char *cert;
	const char *key;
	const char *user; /* "name" or "name:password" */
	const char *password;
	const char *password_file;
	const char *spread;  /* "0": begin with the first host, not with any of them */
	unsigned ttl_s;      /* 3-3600; 10.  Heartbeats come every ttl_s / 2 */
	unsigned timeout_ms; /* 100-60000; 3000: one operation over all nodes */
	etcdreg_event_fn *on_event;
	void *event_arg;
};

#define ETCDREG_OPTIONS_INIT                                                                    \
	{                                                                                       \
		sizeof(struct etcdreg_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
			NULL, 0, 0, NULL, NULL                                                  \
	}

struct etcdreg;

/*
 * Open a registry.  Only checks the options and reads the files they name: no network, so it
 * succeeds with etcd down.  `options` may be NULL.  Release *ret_reg with etcdreg_close().
 * Fails with ETCDREG_E_CONFIG, _INVALID, _SYSTEM or _NOMEM.
 */
int etcdreg_open(const struct etcdreg_options *options, struct etcdreg **ret_reg,
		 struct etcdreg_err *err);

/*
 * Want `service` in etcd from now on.  Returns at once; ETCDREG_REGISTERED follows, and
 * etcdreg_wait() waits for it.
 * Fails with ETCDREG_E_INVALID or _NOMEM.
 */
int etcdreg_join(struct etcdreg *reg, const struct etcdreg_service *service,
		 struct etcdreg_err *err);

/*
 * Want `service` (by name, hostname, port and protocol) out of etcd.  Returns at once; ETCDREG_LEFT
 * follows.  A key that another process has written over meanwhile is left alone.  While etcd is
 * down the delete is tried again for as long as the key can still be there.  Never joined through
 * this handle: the key is deleted if it exists.
 * Fails with ETCDREG_E_INVALID or _NOMEM.
 */
int etcdreg_leave(struct etcdreg *reg, const struct etcdreg_service *service,
		  struct etcdreg_err *err);

/*
 * Wait until etcd agrees with the wanted set, at most `timeout_ms`.  Not from the events callback.
 * Fails with the error of the latest attempt, or ETCDREG_E_TIMEOUT where there was none.
 */
int etcdreg_wait(struct etcdreg *reg, unsigned timeout_ms, struct etcdreg_err *err);

/*
 * A service found in etcd.  Text that the document lacks is "", never NULL.  Only the library makes
 * entries: later versions can add members at the end.
 */
struct etcdreg_entry {
	char *name;
	char *hostname;
	char *host; /* hostname:port */
	char *url;
	unsigned port; /* 0: none */
	char *json;    /* the whole document on one line, as the registry holds it */
};

/*
 * One service of that name, picked at random, all as likely.  It is among what the majority of the
 * cluster has at the time of the call: nothing is cached, and a member that is cut off is not
 * believed.  Blocks for at most timeout_ms of the options.
 * Release *ret_entry with etcdreg_entry_free().
 * Fails with ETCDREG_E_NOTFOUND, _UNREACH, _PROTO, _DENIED, _SERVER, _INVALID or _NOMEM.
 */
int etcdreg_lookup(struct etcdreg *reg, const char *name, struct etcdreg_entry **ret_entry,
		   struct etcdreg_err *err);

/*
 * All services of that name, or of the namespace if `name` is NULL, sorted by name and url.
 * *ret_entries is an array of pointers that ends with NULL.  *ret_len counts the entries; `ret_len`
 * may be NULL.  If there are none, the call succeeds with an empty array.
 * The list leaves out what is not a JSON object, other names that share the name's folder ("a.b"
 * and "a-b"; the npm package returns both), and namespaces inside the namespace.
 * Blocks for at most timeout_ms of the options.
 * Release *ret_entries, with all its entries, with etcdreg_list_free().  Fails as etcdreg_lookup()
 * does, without _NOTFOUND.
 */
int etcdreg_list(struct etcdreg *reg, const char *name, struct etcdreg_entry ***ret_entries,
		 size_t *ret_len, struct etcdreg_err *err);

/* Free what etcdreg_lookup() gave.  NULL is fine. */
void etcdreg_entry_free(struct etcdreg_entry *entry);

/* Free what etcdreg_list() gave: the array and its entries.  NULL is fine. */
void etcdreg_list_free(struct etcdreg_entry **entries);

enum etcdreg_change_type {
	ETCDREG_FOUND, /* it was there when the watch began */
	ETCDREG_ADDED,
	ETCDREG_CHANGED, /* it has another document */
	ETCDREG_REMOVED, /* left, expired or deleted; the entry is what it was */
};

struct etcdreg_change {
	enum etcdreg_change_type type;
	const struct etcdreg_entry *entry;
};

struct etcdreg_watch;

/*
 * Watch the services of that name, or of the namespace where `name` is NULL: those that
 * etcdreg_list() gives.  No network yet.  A watch has connections of its own and no thread: it
 * works while etcdreg_watch_next() is called.  One thread at a time, except etcdreg_watch_stop().
 * Release *ret_watch with etcdreg_watch_close(), before the handle is closed.
 * Fails with ETCDREG_E_INVALID, _CONFIG, _SYSTEM or _NOMEM.
 *
 * Example: say where each service is, and what failed, for as long as nobody stops the watch.
 *
 * 	static const char *const words[] = { "is at", "came to", "changed at", "left" };
 * 	const struct etcdreg_change *change;
 * 	struct etcdreg_watch *watch;
 * 	struct etcdreg_err err;
 * 	struct etcdreg *reg;
 * 	int r;
 *
 * 	if (etcdreg_open(NULL, &reg, &err) < 0 || etcdreg_watch(reg, NULL, &watch, &err) < 0)
 * 		errx(3, "%s", err.msg);
 * 	while ((r = etcdreg_watch_next(watch, UINT_MAX, &change, &err)) != ETCDREG_E_STOPPED)
 * 		if (r == 0)
 * 			printf("%s %s %s\n", change->entry->name, words[change->type],
 * 			       change->entry->url);
 * 		else
 * 			warnx("%s", err.msg);
 * 	etcdreg_watch_close(watch);
 * 	etcdreg_close(reg, 0);
 */
int etcdreg_watch(struct etcdreg *reg, const char *name, struct etcdreg_watch **ret_watch,
		  struct etcdreg_err *err);

/*
 * Wait for the next change, at most `timeout_ms` (UINT_MAX: for ever); a request that has begun may
 * take timeout_ms of the options longer.  First everything that is there is FOUND, then each change
 * comes once, in its order.  Over a disconnect none that etcd still has is lost or doubled; where
 * it no longer has them (compaction, v2: 1000 events), or has lost its data, the difference is
 * told.  A write of the document that is there already is no change.
 *
 * *ret_change and its entry are valid until the next call with this watch.
 *
 * Fails with ETCDREG_E_TIMEOUT, or _STOPPED, or as etcdreg_list() does for one attempt that failed:
 * it may be called again after each of the others, and goes on where it was, after a pause of its
 * own of up to 5 s.  Where the time is up in that pause it fails as the latest attempt did.
 */
int etcdreg_watch_next(struct etcdreg_watch *watch, unsigned timeout_ms,
		       const struct etcdreg_change **ret_change, struct etcdreg_err *err);

/*
 * From any thread: makes etcdreg_watch_next(), where it waits and ever after, fail with
 * ETCDREG_E_STOPPED.  Not from a signal handler.
 */
void etcdreg_watch_stop(struct etcdreg_watch *watch);

/* Free the watch.  NULL is fine. */
void etcdreg_watch_close(struct etcdreg_watch *watch);

/*
 * Take every service of the handle out of etcd, for at most `timeout_ms` (0: leave them to their
 * time to live), and free the handle.  NULL is fine.  Not from the events callback.
 */
void etcdreg_close(struct etcdreg *reg, unsigned timeout_ms);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
