/* SPDX-License-Identifier: MIT */
/*
 * Tests of the public interface (registry.c, registration.c, thread.c, settings.c and queries.c of
 * lib/registry/) against a fake etcd.
 */
#include "fake_store.h"

#include <dirent.h>
#include <signal.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/etcd-registry.h"
#include "lib/registry/registry.h"

static struct fake_etcd *fake;
static char url[100];

static const struct fake_rule healthy[] = {
	RULE_VERSION,
	{"/lease/grant", 200, GRANTED("5"), 0},
	{"/kv/txn", 200, WRITTEN, 0},
	{"/kv/lease/revoke", 200, DONE, 0},
	{"/kv/deleterange", 200, DONE, 0},
	{"/kv/range", 200, DONE, 0},
	{"/watch", FAKE_STREAM, CREATED, 0},
	{0},
};

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		unsetenv(config_rows[i].env);
		if (config_rows[i].fallback)
			unsetenv(config_rows[i].fallback);
	}
	fake = fake_start();
	fake_rules(fake, healthy);
	snprintf(url, sizeof(url), "127.0.0.1:%u", fake->port);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_stop(fake);
	return 0;
}

static struct etcdreg *open_url(const char *text)
{
	struct etcdreg_options options = {.size = sizeof(options), .url = text};
	struct etcdreg *reg = NULL;

	assert_int_equal(etcdreg_open(&options, &reg, NULL), 0);
	return reg;
}

static void opens_without_the_network(void **state)
{
	struct etcdreg *reg = open_url(url);

	(void)state;
	etcdreg_close(reg, 1000);
	etcdreg_close(NULL, 1000);
	assert_int_equal(fake_count(fake, ""), 0);
}

static void checks_the_options(void **state)
{
	static const struct {
		struct etcdreg_options options;
		const char *message;
	} rows[] = {
		{{.url = ""}, "url: is empty"},
		{{.url = "http://a:x"}, "url: port 'x'"},
		{{.api = "v4"}, "api: 'v4'"},
		{{.ttl_s = 2}, "ttl_s: '2'"},
		{{.timeout_ms = 99}, "timeout_ms: '99ms'"},
		{{.spread = "x"}, "spread: 'x'"},
		{{.cacert = "/nonexistent"}, "cacert file '/nonexistent'"},
		{{.user = "bob", .password_file = "/nonexistent"}, "password file '/nonexistent'"},
		{{.password = "x"}, "no user"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct etcdreg_options options = rows[i].options;
		struct etcdreg *reg = NULL;
		struct etcdreg_err err = {0};

		ROW("%zu", i);
		options.size = sizeof(options);
		assert_int_equal(etcdreg_open(&options, &reg, &err), ETCDREG_E_CONFIG);
		assert_non_null(strstr(err.msg, rows[i].message));
		assert_int_equal(etcdreg_open(&options, &reg, NULL), ETCDREG_E_CONFIG);
		assert_null(reg);
	}
}

static void takes_what_is_not_given_from_the_environment(void **state)
{
	struct etcdreg_service service = {
		.size = sizeof(service), .name = "web", .hostname = "a", .port = 80};
	struct etcdreg *reg;

	(void)state;
	setenv("ETCD_REGISTRY_URL", url, 1);
	setenv("ETCD_REGISTRY_TTL", "20", 1);
	assert_int_equal(etcdreg_open(NULL, &reg, NULL), 0);
	assert_int_equal(etcdreg_join(reg, &service, NULL), 0);
	assert_int_equal(etcdreg_wait(reg, 3000, NULL), 0);
	assert_int_equal(fake_count(fake, "{\"TTL\":20}"), 1);
	etcdreg_close(reg, 1000);
}

/* As the agent does it. */
static void set_config(struct config *cfg, const char *text, const char *ttl)
{
	assert_int_equal(config_init(cfg, NULL), 0);
	assert_int_equal(config_set(cfg, CONFIG_url, text, NULL), 0);
	assert_int_equal(config_set(cfg, CONFIG_ttl_s, ttl, NULL), 0);
}

/* The environment, which would be refused, is not read. */
static void borrows_settings_that_are_loaded(void **state)
{
	CLEANUP(config) struct config cfg = {0};
	CLEANUP(connstr) struct connstr cs = {0};
	const struct registry_options options = {.config = &cfg, .connstr = &cs};
	struct etcdreg_service service = {
		.size = sizeof(service), .name = "web", .hostname = "a", .port = 80};
	struct etcdreg *reg = NULL;

	(void)state;
	set_config(&cfg, url, "20");
	assert_int_equal(connstr_parse(cfg.url, &cs, &cfg, NULL), 0);
	setenv("ETCD_REGISTRY_URL", "ftp://a", 1);
	setenv("ETCD_REGISTRY_TTL", "x", 1);
	assert_int_equal(registry_open(&options, &reg, NULL), 0);
	assert_int_equal(etcdreg_join(reg, &service, NULL), 0);
	assert_int_equal(etcdreg_wait(reg, 3000, NULL), 0);
	assert_int_equal(fake_count(fake, "{\"TTL\":20}"), 1);
	etcdreg_close(reg, 1000);
	/* Still the caller's: a second handle opens with the same. */
	assert_int_equal(registry_open(&options, &reg, NULL), 0);
	etcdreg_close(reg, 0);
	assert_int_equal(cs.hosts_len, 1);
	assert_string_equal(cfg.url, url);
}

/* The text of `config->url` is not looked at again: the parsed one counts. */
static void takes_the_parsed_connection_string(void **state)
{
	CLEANUP(config) struct config cfg = {0};
	CLEANUP(connstr) struct connstr cs = {0};
	const struct registry_options options = {.config = &cfg, .connstr = &cs};
	struct etcdreg *reg = NULL;
	struct etcdreg_service service = {
		.size = sizeof(service), .name = "web", .hostname = "a", .port = 80};

	(void)state;
	set_config(&cfg, "ftp://nobody-parses-this", "10");
	assert_int_equal(connstr_parse(url, &cs, &cfg, NULL), 0);
	assert_int_equal(registry_open(&options, &reg, NULL), 0);
	assert_int_equal(etcdreg_join(reg, &service, NULL), 0);
	assert_int_equal(etcdreg_wait(reg, 3000, NULL), 0);
	etcdreg_close(reg, 1000);
}

static void refuses_a_file_of_borrowed_settings(void **state)
{
	CLEANUP(config) struct config cfg = {0};
	CLEANUP(connstr) struct connstr cs = {0};
	const struct registry_options options = {.config = &cfg, .connstr = &cs};
	struct etcdreg *reg = NULL;
	struct etcdreg_err err = {0};

	(void)state;
	set_config(&cfg, url, "10");
	assert_int_equal(config_set(&cfg, CONFIG_cacert, "/nonexistent", NULL), 0);
	assert_int_equal(connstr_parse(cfg.url, &cs, &cfg, NULL), 0);
	assert_int_equal(registry_open(&options, &reg, &err), ETCDREG_E_CONFIG);
	assert_non_null(strstr(err.msg, "cacert file '/nonexistent'"));
	assert_null(reg);
	assert_string_equal(cfg.url, url);
}

static void joins_and_leaves(void **state)
{
	struct etcdreg_service service = {.size = sizeof(service), .name = "web", .port = 80};
	struct etcdreg *reg = open_url(url);

	(void)state;
	assert_int_equal(etcdreg_join(reg, &service, NULL), 0);
	assert_int_equal(etcdreg_wait(reg, 3000, NULL), 0);
	assert_int_equal(fake_count(fake, "/kv/txn"), 1);
	assert_int_equal(etcdreg_leave(reg, &service, NULL), 0);
	assert_int_equal(etcdreg_wait(reg, 3000, NULL), 0);
	assert_int_equal(fake_count(fake, "request_delete_range"), 1);
	etcdreg_close(reg, 1000);
}

static void refuses_services(void **state)
{
	struct etcdreg_service service = {.size = sizeof(service), .name = "", .port = 80};
	struct etcdreg *reg = open_url(url);
	struct etcdreg_err err;

	(void)state;
	assert_int_equal(etcdreg_join(reg, &service, &err), ETCDREG_E_INVALID);
	assert_int_equal(etcdreg_leave(reg, &service, &err), ETCDREG_E_INVALID);
	etcdreg_close(reg, 1000);
	assert_int_equal(fake_count(fake, ""), 0);
}

/* A program that was built for a newer version has one more member behind ours. */
struct newer_service {
	struct etcdreg_service known;
	const char *added;
};

static void takes_a_larger_service_if_what_it_does_not_know_is_zero(void **state)
{
	struct newer_service newer = {.known = {.size = sizeof(newer), .name = "web", .port = 80}};
	struct etcdreg *reg = open_url(url);
	struct etcdreg_err err;

	(void)state;
	assert_int_equal(etcdreg_join(reg, &newer.known, NULL), 0);
	assert_int_equal(etcdreg_wait(reg, 3000, NULL), 0);
	newer.added = "x";
	assert_int_equal(etcdreg_leave(reg, &newer.known, &err), ETCDREG_E_INVALID);
	assert_string_equal(
		err.msg,
		"struct etcdreg_service sets a member that library version " ETCDREG_VERSION
		" does not have; use a newer library");
	newer.added = NULL;
	assert_int_equal(etcdreg_leave(reg, &newer.known, NULL), 0);
	etcdreg_close(reg, 1000);
}

/* Reads all members of its own version, as the copy of a struct does. */
static void copy_newer(const struct etcdreg_event *event, void *arg)
{
	struct newer_service *copy = arg;

	memcpy(copy, event->service, sizeof(*copy));
}

static void a_newer_program_may_copy_the_service_of_an_event(void **state)
{
	struct newer_service newer = {.known = {.size = sizeof(newer), .name = "web", .port = 80}};
	struct newer_service copy = {.added = "x"};
	struct etcdreg_options options = {
		.size = sizeof(options), .url = url, .on_event = copy_newer, .event_arg = &copy};
	struct etcdreg *reg;

	(void)state;
	assert_int_equal(etcdreg_open(&options, &reg, NULL), 0);
	assert_int_equal(etcdreg_join(reg, &newer.known, NULL), 0);
	assert_int_equal(etcdreg_wait(reg, 3000, NULL), 0);
	etcdreg_close(reg, 0);
	assert_int_equal(copy.known.size, sizeof(newer));
	assert_int_equal(copy.known.port, 80);
	assert_null(copy.added);
}

static void refuses_what_has_no_size(void **state)
{
	struct etcdreg_service service = {.name = "web", .port = 80};
	struct etcdreg_options options = {.url = url};
	struct etcdreg *reg = open_url(url), *other = NULL;
	struct etcdreg_err err;

	(void)state;
	assert_int_equal(etcdreg_join(reg, &service, &err), ETCDREG_E_INVALID);
	assert_string_equal(err.msg, "struct etcdreg_service has size 0; "
				     "initialise it with ETCDREG_SERVICE_INIT");
	assert_int_equal(etcdreg_leave(reg, &service, NULL), ETCDREG_E_INVALID);
	assert_int_equal(etcdreg_open(&options, &other, &err), ETCDREG_E_INVALID);
	assert_string_equal(err.msg, "struct etcdreg_options has size 0; "
				     "initialise it with ETCDREG_OPTIONS_INIT");
	assert_null(other);
	etcdreg_close(reg, 0);
}

static void wait_tells_the_latest_error(void **state)
{
	static const struct fake_rule down[] = {{"", 503, "{}", 0}, {0}};
	struct etcdreg_service service = {
		.size = sizeof(service), .name = "web", .hostname = "a", .port = 80};
	struct etcdreg *reg = open_url(url);
	struct etcdreg_err err;

	(void)state;
	fake_rules(fake, down);
	assert_int_equal(etcdreg_join(reg, &service, NULL), 0);
	assert_int_equal(etcdreg_wait(reg, 300, &err), ETCDREG_E_UNREACH);
	assert_non_null(strstr(err.msg, "503"));
	fake_rules(fake, healthy);
	assert_int_equal(etcdreg_wait(reg, 3000, NULL), 0);
	etcdreg_close(reg, 1000);
}

static void wait_times_out(void **state)
{
	static const struct fake_rule silent[] = {{"", 200, NULL, 0}, {0}};
	struct etcdreg_service service = {
		.size = sizeof(service), .name = "web", .hostname = "a", .port = 80};
	struct etcdreg *reg = open_url(url);

	(void)state;
	fake_rules(fake, silent);
	assert_int_equal(etcdreg_wait(reg, 100, NULL), 0);
	assert_int_equal(etcdreg_join(reg, &service, NULL), 0);
	assert_int_equal(etcdreg_wait(reg, 100, NULL), ETCDREG_E_TIMEOUT);
	etcdreg_close(reg, 0);
}

static void close_takes_all_out(void **state)
{
	struct etcdreg_service a = {.size = sizeof(a), .name = "a", .port = 80};
	struct etcdreg_service b = {.size = sizeof(b), .name = "b", .port = 80};
	struct etcdreg *reg = open_url(url);

	(void)state;
	assert_int_equal(etcdreg_join(reg, &a, NULL), 0);
	assert_int_equal(etcdreg_join(reg, &b, NULL), 0);
	assert_int_equal(etcdreg_wait(reg, 3000, NULL), 0);
	etcdreg_close(reg, 3000);
	assert_int_equal(fake_count(fake, "/kv/lease/revoke"), 1);
}

/* A join that has not begun is dropped.  It must not make close hang either. */
static void close_waits_no_longer_than_it_is_told(void **state)
{
	static const struct fake_rule silent[] = {
		RULE_VERSION,
		{"/lease/grant", 200, GRANTED("5"), 0},
		{"", 200, NULL, 0},
		{0},
	};
	static const unsigned timeouts_ms[] = {0, 200};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(timeouts_ms); i++) {
		struct etcdreg_service service = {
			.size = sizeof(service), .name = "web", .hostname = "a", .port = 80};
		struct etcdreg *reg = open_url(url);
		uint64_t started;

		fake_rules(fake, silent);
		assert_int_equal(etcdreg_join(reg, &service, NULL), 0);
		while (fake_count(fake, "/kv/txn") == 0)
			usleep(1000);
		started = now_ms();
		etcdreg_close(reg, timeouts_ms[i]);
		assert_true(now_ms() - started >= timeouts_ms[i]);
		assert_true(now_ms() - started < timeouts_ms[i] + SLOW_MACHINE_MS);
	}
}

/* Joins a copy of what it is told of, under another name. */
static void rejoin(const struct etcdreg_event *event, void *arg)
{
	struct etcdreg **reg = arg;

	if (event->type == ETCDREG_REGISTERED && strcmp(event->service->name, "first") == 0) {
		struct etcdreg_service second = *event->service;

		assert_int_equal(event->service->size, sizeof(second));
		assert_int_equal(event->service->tag, 77);
		second.name = "second";
		assert_int_equal(etcdreg_join(*reg, &second, NULL), 0);
	}
}

static void the_callback_may_join(void **state)
{
	struct etcdreg_service first = {
		.size = sizeof(first), .name = "first", .hostname = "a", .port = 80, .tag = 77};
	struct etcdreg *reg;
	struct etcdreg_options options = {
		.size = sizeof(options), .url = url, .on_event = rejoin, .event_arg = &reg};

	(void)state;
	assert_int_equal(etcdreg_open(&options, &reg, NULL), 0);
	assert_int_equal(etcdreg_join(reg, &first, NULL), 0);
	for (int i = 0; i < 300 && fake_count(fake, "/kv/txn") < 2; i++)
		usleep(10000);
	assert_int_equal(etcdreg_wait(reg, 3000, NULL), 0);
	assert_int_equal(fake_count(fake, "/kv/txn"), 2);
	etcdreg_close(reg, 3000);
}

static void read_names(struct etcdreg *reg, const char *name)
{
	struct etcdreg_entry **entries, *entry;

	assert_int_equal(etcdreg_list(reg, NULL, &entries, NULL, NULL), 0);
	etcdreg_list_free(entries);
	assert_int_equal(etcdreg_lookup(reg, name, &entry, NULL), ETCDREG_E_NOTFOUND);
}

static void *watch_until_it_is_stopped(void *arg)
{
	const struct etcdreg_change *change;

	while (etcdreg_watch_next(arg, UINT32_MAX, &change, NULL) != ETCDREG_E_STOPPED)
		continue;
	return NULL;
}

static void *join_and_leave(void *arg)
{
	char name[16];
	struct etcdreg_service service = {
		.size = sizeof(service), .name = name, .hostname = "a", .port = 80};

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%d", i % 3);
		assert_int_equal(etcdreg_join(arg, &service, NULL), 0);
		assert_int_equal(etcdreg_leave(arg, &service, NULL), 0);
		etcdreg_wait(arg, 10, NULL);
		read_names(arg, name);
	}
	return NULL;
}

/* Eight threads run beside a watch and the callback.  `make SAN=thread unit` looks for races. */
static void takes_callers_from_many_threads(void **state)
{
	struct etcdreg *reg;
	struct etcdreg_options options = {
		.size = sizeof(options), .url = url, .on_event = rejoin, .event_arg = &reg};
	struct etcdreg_watch *watch;
	pthread_t threads[8], watcher;

	(void)state;
	assert_int_equal(etcdreg_open(&options, &reg, NULL), 0);
	assert_int_equal(etcdreg_watch(reg, NULL, &watch, NULL), 0);
	assert_int_equal(pthread_create(&watcher, NULL, watch_until_it_is_stopped, watch), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, join_and_leave, reg), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	etcdreg_watch_stop(watch);
	pthread_join(watcher, NULL);
	etcdreg_watch_close(watch);
	assert_int_equal(etcdreg_wait(reg, 5000, NULL), 0);
	etcdreg_close(reg, 3000);
}

/* Returns the signal mask of the handle's thread, read from the kernel. */
static unsigned long long blocked_signals(void)
{
	CLEANUP(buf) struct buf path = BUF_INIT(100);
	DIR *tasks = opendir("/proc/self/task");
	unsigned long long mask = 0;

	assert_non_null(tasks);
	for (struct dirent *task = readdir(tasks); task; task = readdir(tasks)) {
		char line[256], name[32] = "";
		FILE *status;

		buf_release(&path);
		buf_printf(&path, "/proc/self/task/%s/status", task->d_name);
		status = task->d_name[0] == '.' ? NULL : fopen(path.s, "re");
		while (status && fgets(line, sizeof(line), status)) {
			if (strncmp(line, "Name:\t", 6) == 0)
				snprintf(name, sizeof(name), "%.20s", line + 6);
			if (strncmp(line, "SigBlk:\t", 8) == 0 &&
			    strcmp(name, "etcd-registry\n") == 0)
				mask = strtoull(line + 8, NULL, 16);
		}
		if (status)
			fclose(status);
	}
	closedir(tasks);
	return mask;
}

static void its_thread_takes_no_signal(void **state)
{
	struct etcdreg *reg = open_url(url);
	unsigned long long mask = blocked_signals();

	(void)state;
	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		bool libc_own = signal == SIGKILL || signal == SIGSTOP ||
				(signal >= 32 && signal < SIGRTMIN);

		if (!libc_own)
			assert_true(mask >> (signal - 1) & 1);
	}
	etcdreg_close(reg, 0);
}

/* base64 of "/services/web/1", "/services/a-b/1" and "/services/ns/web/1" */
#define KV_WEB(value) "{\"key\":\"L3NlcnZpY2VzL3dlYi8x\",\"value\":\"" value "\"}"
#define KV_AB(value) "{\"key\":\"L3NlcnZpY2VzL2EtYi8x\",\"value\":\"" value "\"}"
#define KV_NS(value) "{\"key\":\"L3NlcnZpY2VzL25zL3dlYi8x\",\"value\":\"" value "\"}"
/* base64 of {"name":"web","url":"u2"}, the same with "u1", {"name":"a.b"}, [], {"port":80} */
#define WEB2 "eyJuYW1lIjoid2ViIiwidXJsIjoidTIifQ=="
#define WEB1 "eyJuYW1lIjoid2ViIiwidXJsIjoidTEifQ=="
#define AB "eyJuYW1lIjoiYS5iIn0="
#define ARRAY "W10="
#define NAMELESS "eyJwb3J0Ijo4MH0="
#define RANGE(kvs)                                                    \
	{                                                             \
		"/kv/range", 200, "{" HEADER ",\"kvs\":[" kvs "]}", 0 \
	}

static void lists_sorted(void **state)
{
	static const struct fake_rule rules[] = {
		RULE_VERSION,
		RANGE(KV_WEB(WEB2) "," KV_WEB(ARRAY) "," KV_AB(AB) "," KV_WEB(WEB1) "," KV_NS(
			WEB1) "," KV_AB(NAMELESS)),
		{0},
	};
	static const struct {
		const char *name, *url;
	} expected[] = {{"", ""}, {"a.b", ""}, {"web", "u1"}, {"web", "u2"}};
	struct etcdreg *reg = open_url(url);
	struct etcdreg_entry **entries;
	size_t len;

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(etcdreg_list(reg, NULL, &entries, &len, NULL), 0);
	assert_int_equal(len, ARRAY_LEN(expected));
	assert_null(entries[len]);
	for (size_t i = 0; i < len; i++) {
		assert_string_equal(entries[i]->name, expected[i].name);
		assert_string_equal(entries[i]->url, expected[i].url);
		assert_string_equal(entries[i]->hostname, "");
	}
	assert_string_equal(entries[0]->json, "{\"port\":80}");
	assert_int_equal(entries[0]->port, 80);
	etcdreg_list_free(entries);
	etcdreg_close(reg, 0);
}

/* "a.b" and "a-b" share a folder. */
static void lists_the_very_name(void **state)
{
	static const struct fake_rule rules[] = {
		RULE_VERSION, RANGE(KV_AB(AB) "," KV_AB(WEB1)), {0}};
	struct etcdreg *reg = open_url(url);
	struct etcdreg_entry **entries = NULL;
	size_t len = 9;

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(etcdreg_list(reg, "a.b", &entries, &len, NULL), 0);
	assert_int_equal(len, 1);
	assert_string_equal(entries[0]->name, "a.b");
	etcdreg_list_free(entries);
	assert_int_equal(etcdreg_list(reg, "a-b", &entries, &len, NULL), 0);
	assert_int_equal(len, 0);
	assert_null(entries[0]);
	etcdreg_list_free(entries);
	etcdreg_close(reg, 0);
}

static void frees_nothing(void **state)
{
	(void)state;
	etcdreg_entry_free(NULL);
	etcdreg_list_free(NULL);
}

static void looks_up_any_of_them(void **state)
{
	static const struct fake_rule rules[] = {
		RULE_VERSION, RANGE(KV_WEB(WEB1) "," KV_WEB(WEB2)), {0}};
	struct etcdreg *reg = open_url(url);
	unsigned seen[2] = {0};
	struct etcdreg_entry *entry;

	(void)state;
	fake_rules(fake, rules);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(etcdreg_lookup(reg, "web", &entry, NULL), 0);
		seen[entry->url[1] - '1']++;
		etcdreg_entry_free(entry);
	}
	assert_true(seen[0] > 10 && seen[1] > 10);
	etcdreg_close(reg, 0);
}

/* The version and the list are two requests that share one timeout. */
static void reads_within_its_time(void **state)
{
	static const struct fake_rule rules[] = {
		RULE_VERSION,
		{"/kv/range", 200, NULL, 0},
		{0},
	};
	char short_url[120];
	struct etcdreg_entry *entry;
	struct etcdreg *reg;
	uint64_t started = now_ms();

	(void)state;
	snprintf(short_url, sizeof(short_url), "%s?timeout=300ms", url);
	reg = open_url(short_url);
	fake_rules(fake, rules);
	assert_int_equal(etcdreg_lookup(reg, "web", &entry, NULL), ETCDREG_E_UNREACH);
	assert_true(now_ms() - started >= 290);
	assert_true(now_ms() - started < 300 + SLOW_MACHINE_MS);
	etcdreg_close(reg, 0);
}

static void says_that_there_is_none(void **state)
{
	static const struct fake_rule rules[] = {RULE_VERSION, RANGE(""), {0}};
	struct etcdreg *reg = open_url(url);
	struct etcdreg_entry *entry = NULL;
	struct etcdreg_err err;

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(etcdreg_lookup(reg, "web", &entry, &err), ETCDREG_E_NOTFOUND);
	assert_string_equal(err.msg, "no service 'web' is registered");
	assert_null(entry);
	assert_int_equal(etcdreg_lookup(reg, "", &entry, &err), ETCDREG_E_INVALID);
	assert_int_equal(etcdreg_lookup(reg, NULL, &entry, &err), ETCDREG_E_INVALID);
	etcdreg_close(reg, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(opens_without_the_network),
		TEST(checks_the_options),
		TEST(takes_what_is_not_given_from_the_environment),
		TEST(borrows_settings_that_are_loaded),
		TEST(takes_the_parsed_connection_string),
		TEST(refuses_a_file_of_borrowed_settings),
		TEST(joins_and_leaves),
		TEST(refuses_services),
		TEST(takes_a_larger_service_if_what_it_does_not_know_is_zero),
		TEST(a_newer_program_may_copy_the_service_of_an_event),
		TEST(refuses_what_has_no_size),
		TEST(wait_tells_the_latest_error),
		TEST(wait_times_out),
		TEST(close_takes_all_out),
		TEST(close_waits_no_longer_than_it_is_told),
		TEST(the_callback_may_join),
		TEST(takes_callers_from_many_threads),
		TEST(its_thread_takes_no_signal),
		TEST(lists_sorted),
		TEST(lists_the_very_name),
		TEST(frees_nothing),
		TEST(looks_up_any_of_them),
		TEST(reads_within_its_time),
		TEST(says_that_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
