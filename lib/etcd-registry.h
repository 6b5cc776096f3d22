/* SPDX-License-Identifier: MIT */
/*
 * etcd-registry.h - join, leave, look up, list and watch services in etcd.
 *
 * A program opens a handle, which holds a set of wanted services.  etcdreg_join() and
 * etcdreg_leave() change the set.  One thread of the handle makes etcd agree with it until the
 * handle is closed: it grants leases, writes keys, sends keepalives, restores keys that somebody
 * else deleted, and fails over between the nodes of the cluster.  It retries after every failure
 * and never gives up.  A callback reports what happens.
 *
 * etcdreg_lookup(), etcdreg_list() and watches work in the caller's thread, on connections of their
 * own.
 *
 * Threads: Any thread may call any function, and several may use one handle at the same time.  A
 *          watch takes one thread at a time, except for etcdreg_watch_stop().  No other call may
 *          overlap or follow etcdreg_close().
 * Fork:    A handle belongs to the process that opened it.  A forked child must not use it, and
 *          must not close it.
 * Signals: The handle's thread blocks all signals.  The library does not install handlers and does
 *          not change dispositions.
 * Strings: UTF-8, NUL-terminated.  The library copies what it is given, so the caller may free it
 *          after the call.  Each function says who owns what it returns.
 * Errors:  A function returns 0, or a negative ETCDREG_E_* on failure.  On failure it fills *err
 *          and leaves all other outputs as they were; on success it leaves *err as it was.  `err`
 *          may be NULL.
 * Sizes:   A struct that the program fills begins with its size, so that later versions can add
 *          members at its end.  Initialise it with its macro, which sets the size and zeroes the
 *          rest, or set `.size = sizeof(...)`.  The library treats members beyond the size as 0.
 *          A function fails with ETCDREG_E_INVALID if the size is not set.  It also fails if the
 *          program sets a member that this version of the library does not have.
 *
 * Example: keep a service in etcd until a key is pressed.  The examples in this header are bodies
 * of main(); they need <err.h>, <limits.h> and <stdio.h>.
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
 * Errors
 * ------
 */
enum etcdreg_error {
	ETCDREG_E_NOMEM = -1,    /* an allocation failed */
	ETCDREG_E_INVALID = -2,  /* an argument is invalid: part of a service, or a size */
	ETCDREG_E_CONFIG = -3,   /* a setting is invalid, or a file that it names */
	ETCDREG_E_UNREACH = -4,  /* no node of the cluster answered in time */
	ETCDREG_E_PROTO = -5,    /* an answer is not JSON, cut off or too large, or lacks a field */
	ETCDREG_E_DENIED = -6,   /* etcd or TLS refused the user, password, token or certificate */
	ETCDREG_E_NOTFOUND = -7, /* no service has this name */
	ETCDREG_E_SERVER = -8,   /* etcd answered with another error */
	ETCDREG_E_TIMEOUT = -9,  /* the caller's time limit has passed */
	ETCDREG_E_SYSTEM = -10,  /* the system or a library lacks a thread, an option, SHA-1 */
	ETCDREG_E_STOPPED = -11  /* etcdreg_watch_stop() was called */
};

#define ETCDREG_ERR_MAX 512

struct etcdreg_err {
	int code;                  /* ETCDREG_E_* */
	char msg[ETCDREG_ERR_MAX]; /* one line that says what failed and why; never a secret */
};

/* Returns the text of an ETCDREG_E_* code as a static string; never NULL. */
const char *etcdreg_strerror(int code);

/* Returns the version of the loaded library as a static string, in the form of ETCDREG_VERSION. */
const char *etcdreg_version(void);

/*
 * Services
 * --------
 *
 * A service to join or leave.  Its name and its url (protocol://hostname:port) identify it, as in
 * the npm package.  If a service is joined twice, the later meta and tag replace the earlier ones.
 *
 * If `hostname` is NULL, the handle chooses an IPv4 address of this machine, once, in this order:
 *
 *   1. the local address of the route to etcd, if etcd is on another machine
 *   2. the first private address
 *   3. the first global address
 *   4. 127.0.0.1
 *
 * `meta` adds its members to the document.  The library drops members named port, name, hostname,
 * host or url, which it writes itself.
 */
struct etcdreg_service {
	size_t size;          /* ETCDREG_SERVICE_INIT sets it */
	const char *name;     /* 1-255 bytes without control characters */
	const char *hostname; /* an address (IPv6 without brackets) or a name; NULL: see above */
	unsigned port;        /* 1-65535; 0: none, the url is then protocol://hostname */
	const char *protocol; /* 1-32 of A-Z a-z 0-9 + - . with a letter first; NULL: "http" */
	const char *meta;     /* a JSON object of at most 4096 bytes; NULL: none */
	uint64_t tag;         /* for the caller's use; events return it */
};

#define ETCDREG_SERVICE_INIT                                                 \
	{                                                                    \
		sizeof(struct etcdreg_service), NULL, NULL, 0, NULL, NULL, 0 \
	}

/*
 * Events
 * ------
 *
 * RETRYING without a service concerns etcd as a whole, for example if no node answers.  The library
 * reports it once, and again when the error changes.  RETRYING with a service then follows for each
 * service that waits.  It also comes alone, if etcd refuses this one service.
 */
enum etcdreg_event_type {
	ETCDREG_REGISTERED, /* the service is in etcd (again) */
	ETCDREG_LOST,       /* its key is missing or changed, or its lease expired; restoring it */
	ETCDREG_LEFT,       /* the service is out of etcd, after etcdreg_leave() or _close() */
	ETCDREG_RETRYING,   /* an attempt failed, and the library will try again; err says why */
	ETCDREG_UP,         /* no service: etcd answers again after RETRYING */
	ETCDREG_FAILOVER    /* no service: a node failed, another one answered; err names it */
};

struct etcdreg_event {
	enum etcdreg_event_type type;
	const struct etcdreg_service *service; /* NULL: the event concerns all of them */
	const struct etcdreg_err *err;         /* of RETRYING and FAILOVER; else NULL */
};

/*
 * Receives an event.  The handle's thread makes one call at a time and holds no lock meanwhile.
 * The callback must return soon, because the keepalives wait for it.  It may call etcdreg_join()
 * and etcdreg_leave(), but no other function of the handle.
 *
 * The event and all that it points to are valid until the callback returns.  event->service has the
 * values of etcdreg_join() or etcdreg_leave(), with the defaults filled in, and the same size.  The
 * program may copy the struct, and join or leave the copy.  That is safe even if the program was
 * built for a newer version: members that the library does not have are 0.
 */
typedef void etcdreg_event_fn(const struct etcdreg_event *event, void *arg);

/*
 * Opening and closing
 * -------------------
 *
 * The settings of a handle.  A member that is NULL or 0 is not set.  Members override the query of
 * the connection string, which overrides the environment.
 *
 * The environment is ETCD_REGISTRY_URL, ETCD_REGISTRY_CACERT and so on.  If one is unset, the
 * library reads the variable of etcdctl, such as ETCDCTL_ENDPOINTS.  A process with raised
 * privileges does not read the environment (secure_getenv(3)).
 */
struct etcdreg_options {
	size_t size;                /* ETCDREG_OPTIONS_INIT sets it */
	const char *url;            /* protocol://host1,host2,.../namespace?options */
	const char *api;            /* "auto", "v3" or "v2"; default "auto" */
	const char *cacert;         /* PEM file: the authority that signed etcd's certificate */
	const char *cert;           /* PEM file: the client certificate */
	const char *key;            /* PEM file: its key; default: the key is in `cert` */
	const char *user;           /* "name" or "name:password" */
	const char *password;       /* used if `user` has none */
	const char *password_file;  /* its first line is used if no password is given */
	const char *spread;         /* "0": start with the first host, not with a random one */
	unsigned ttl_s;             /* 3-3600, default 10; a keepalive every ttl_s / 2 */
	unsigned timeout_ms;        /* 100-60000, default 3000; one operation on all nodes */
	etcdreg_event_fn *on_event; /* NULL: no events */
	void *event_arg;            /* passed to on_event */
};

#define ETCDREG_OPTIONS_INIT                                                                    \
	{                                                                                       \
		sizeof(struct etcdreg_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, \
			NULL, 0, 0, NULL, NULL                                                  \
	}

struct etcdreg;

/*
 * Opens a handle and starts its thread.  Reads the files that the settings name, but makes no
 * request, so it succeeds while etcd is down.  `options` may be NULL.
 * Release *ret_reg with etcdreg_close().
 * Fails with ETCDREG_E_CONFIG, _INVALID, _SYSTEM or _NOMEM.
 */
int etcdreg_open(const struct etcdreg_options *options, struct etcdreg **ret_reg,
		 struct etcdreg_err *err);

/*
 * Removes all services of the handle from etcd, for at most `timeout_ms`, then frees the handle.
 * Services that are left then stay in etcd until their lease or TTL expires.  If `timeout_ms` is 0,
 * all of them are left.  Close the watches of the handle first.  Do not call it from the callback.
 * Does nothing if `reg` is NULL.
 */
void etcdreg_close(struct etcdreg *reg, unsigned timeout_ms);

/*
 * Joining and leaving
 * -------------------
 *
 * etcdreg_join() and etcdreg_leave() do not wait for etcd: the handle's thread does the work.  The
 * first call for a service without a hostname may block, since it resolves the name of etcd's host.
 */

/*
 * Adds the service to the wanted set, and keeps it in etcd from now on.  ETCDREG_REGISTERED
 * follows; etcdreg_wait() waits for it.
 * Fails with ETCDREG_E_INVALID, _SYSTEM or _NOMEM.
 */
int etcdreg_join(struct etcdreg *reg, const struct etcdreg_service *service,
		 struct etcdreg_err *err);

/*
 * Removes the service from the wanted set and from etcd.  Name, hostname, port and protocol
 * identify it; meta must be valid but has no effect.  ETCDREG_LEFT follows.
 *
 * If another process has overwritten the key since, the library does not delete it.  If the service
 * never joined through this handle, the library deletes its key, whoever wrote it.  While etcd is
 * down the library retries until the key must have expired.
 * Fails with ETCDREG_E_INVALID, _SYSTEM or _NOMEM.
 */
int etcdreg_leave(struct etcdreg *reg, const struct etcdreg_service *service,
		  struct etcdreg_err *err);

/*
 * Waits until etcd agrees with the wanted set, for at most `timeout_ms`.  Do not call it from the
 * callback.
 * Fails with the error of the latest failed attempt, or with ETCDREG_E_TIMEOUT if none has failed.
 */
int etcdreg_wait(struct etcdreg *reg, unsigned timeout_ms, struct etcdreg_err *err);

/*
 * Looking up
 * ----------
 *
 * Both functions read what the majority of the cluster has at the time of the call: they cache
 * nothing, and a member that is cut off cannot answer.  They block for at most timeout_ms of the
 * options.
 */

/*
 * A service found in etcd.  A text that the document does not have is "", never NULL.  Only the
 * library makes entries, so later versions can add members at the end.
 */
struct etcdreg_entry {
	char *name;
	char *hostname;
	char *host; /* hostname:port, with brackets around IPv6 */
	char *url;
	unsigned port; /* 0: none */
	char *json;    /* the whole document, on one line */
};

/*
 * Picks one of the services of this name at random; each is equally likely.
 * Release *ret_entry with etcdreg_entry_free().
 * Fails with ETCDREG_E_NOTFOUND, or as etcdreg_list() does.
 */
int etcdreg_lookup(struct etcdreg *reg, const char *name, struct etcdreg_entry **ret_entry,
		   struct etcdreg_err *err);

/*
 * Lists all services of this name, or of the namespace if `name` is NULL, sorted by name and url.
 * *ret_entries is an array of pointers that ends with NULL, and *ret_len their number.  `ret_len`
 * may be NULL.  If there are none, the call succeeds with an empty array.
 *
 * The list leaves out:
 *
 *   - documents that are not JSON objects
 *   - other names that share the folder of this name, as "a.b" and "a-b" do; the npm package lists
 *     both
 *   - services of namespaces inside the namespace
 *
 * Release *ret_entries and all its entries with etcdreg_list_free().
 * Fails with ETCDREG_E_UNREACH, _PROTO, _DENIED, _SERVER, _INVALID, _CONFIG (a TLS file that cannot
 * be read any more), _SYSTEM or _NOMEM.
 */
int etcdreg_list(struct etcdreg *reg, const char *name, struct etcdreg_entry ***ret_entries,
		 size_t *ret_len, struct etcdreg_err *err);

/* Frees the entry of etcdreg_lookup().  Does nothing if it is NULL. */
void etcdreg_entry_free(struct etcdreg_entry *entry);

/* Frees the array of etcdreg_list() and its entries.  Does nothing if it is NULL. */
void etcdreg_list_free(struct etcdreg_entry **entries);

/*
 * Watching
 * --------
 *
 * A watch has no thread and works only while etcdreg_watch_next() runs.  It covers the services
 * that etcdreg_list() returns for the same name.
 */
enum etcdreg_change_type {
	ETCDREG_FOUND,   /* the service was there when the watch began */
	ETCDREG_ADDED,   /* the service joined */
	ETCDREG_CHANGED, /* the service has another document */
	ETCDREG_REMOVED  /* the service left or expired; the entry is its latest document */
};

struct etcdreg_change {
	enum etcdreg_change_type type;
	const struct etcdreg_entry *entry;
};

struct etcdreg_watch;

/*
 * Creates a watch on the services of this name, or of the namespace if `name` is NULL.  Makes no
 * request.
 * Release *ret_watch with etcdreg_watch_close(), before the handle is closed.
 * Fails with ETCDREG_E_INVALID, _CONFIG, _SYSTEM or _NOMEM.
 *
 * Example: print each service and each change, and each error.
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
 * Waits for the next change, for at most `timeout_ms`; UINT_MAX: without limit.  If the time ends
 * during an attempt, the call returns after it.  Each request of an attempt takes at most
 * timeout_ms of the options.
 *
 * The watch first reports each existing service as FOUND, then each change exactly once and in
 * order.  A write of the same document again is no change.  Across a disconnect the watch continues
 * after the latest change that it reported.  If etcd has dropped later changes (v3: by compaction;
 * v2: after 1000 events) or has lost its data, the watch lists again and reports the differences.
 *
 * *ret_change and its entry belong to the watch and are valid until the next call with it.
 *
 * Fails with ETCDREG_E_TIMEOUT or _STOPPED.  A failed attempt fails with ETCDREG_E_UNREACH, _PROTO,
 * _DENIED, _SERVER, _SYSTEM or _NOMEM.  After any error but _STOPPED the caller may call again: the
 * watch continues where it was.  It pauses for up to 5 s after a failed attempt.  If the time ends
 * in this pause, the call fails with the error of that attempt.
 */
int etcdreg_watch_next(struct etcdreg_watch *watch, unsigned timeout_ms,
		       const struct etcdreg_change **ret_change, struct etcdreg_err *err);

/*
 * Makes etcdreg_watch_next() fail with ETCDREG_E_STOPPED: the call that waits now, and all later
 * ones.  Any thread may call it, but not a signal handler.
 */
void etcdreg_watch_stop(struct etcdreg_watch *watch);

/* Frees the watch.  Does nothing if it is NULL. */
void etcdreg_watch_close(struct etcdreg_watch *watch);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
