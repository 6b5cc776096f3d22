/* SPDX-License-Identifier: MIT */
/* Tests of lib/net/cluster.c and lib/net/http.c against servers that misbehave. */
#include "fake_etcd.h"

#include <signal.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/net/cluster.h"
#include "lib/net/http.h"

static struct fake_etcd *fake;

static int set_up(void **state)
{
	(void)state;
	fake = fake_start();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_stop(fake);
	return 0;
}

/* A port on which nobody listens.  It is bound, so that nobody else takes it. */
static unsigned closed_port(int *ret_fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*ret_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

/* Whether a cluster starts with a random host instead of the first one. */
static bool spread;

__attribute__((format(printf, 1, 2))) static struct cluster *cluster_of(const char *format, ...)
{
	CLEANUP(connstr) struct connstr cs = {0};
	CLEANUP(config) struct config cfg = {0};
	struct cluster *c;
	char url[256];
	va_list args;

	va_start(args, format);
	vsnprintf(url, sizeof(url), format, args);
	va_end(args);
	assert_int_equal(config_init(&cfg, NULL), 0);
	assert_true(cfg.spread);
	cfg.spread = spread;
	assert_int_equal(connstr_parse(url, &cs, &cfg, NULL), 0);
	assert_int_equal(cluster_new(&cs, &cfg, &c, NULL), 0);
	return c;
}

/* Accepts an answer that has "ok".  Refuses one that has "no", without another try. */
static int read_ok(const struct cluster_answer *answer, void *arg, struct etcdreg_err *err)
{
	(void)arg;
	if (json_get(answer->json, "no"))
		return err_set(err, ETCDREG_E_SERVER, "no");
	if (answer->status != 200)
		return err_set(err, ETCDREG_E_UNREACH, "status %u", answer->status);
	return json_get(answer->json, "ok") ? 0 : err_set(err, ETCDREG_E_PROTO, "lacks 'ok'");
}

static int call_of(struct cluster *c, const char *path, size_t max, struct etcdreg_err *err)
{
	struct cluster_request rq = {.method = "GET", .path = path, .answer_max = max};

	return cluster_call(c, &rq, read_ok, NULL, err);
}

static void says_what_is_wrong_with_a_node(void **state)
{
	static const struct {
		struct fake_rule rule;
		int code;
		const char *message;
	} rows[] = {
		{{"/x", 200, "{\"ok\":1}", 0}, 0, NULL},
		{{"/x", 200, "{\"no\":1}", 0}, ETCDREG_E_SERVER, "no"},
		{{"/x", 200, "{}", 0}, ETCDREG_E_PROTO, "lacks 'ok'"},
		{{"/x", 200, "not JSON", 0}, ETCDREG_E_PROTO, "lacks 'ok'"},
		{{"/x", 200, "", 0}, ETCDREG_E_PROTO, "lacks 'ok'"},
		{{"/x", 503, "{\"ok\":1}", 0}, ETCDREG_E_UNREACH, "status 503"},
		{{"/x", 0, "", 0}, ETCDREG_E_UNREACH, "closed the connection without an answer"},
		{{"/x", 0, "SSH-2.0-x\r\n\r\n", 0}, ETCDREG_E_PROTO, "does not speak HTTP"},
		{{"/x", 0, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"ok\"", 0},
		 ETCDREG_E_PROTO,
		 "cut off"},
		{{"/x", 0, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"ok\"", 0},
		 ETCDREG_E_PROTO,
		 "cut off"},
		{{"/x", 0, "HTTP/1.1 302 X\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n", 0},
		 ETCDREG_E_UNREACH,
		 "status 302"},
		{{"/x", 200, "{\"ok\":\"12345678901234567890123456789012345678901234567890\"}", 0},
		 ETCDREG_E_PROTO,
		 "larger than 40 bytes"},
		{{"/x", 0,
		  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n"
		  "4\r\n{\"ok\r\n4\r\n\":1}\r\n0\r\nT: 1\r\n\r\n",
		  0},
		 0,
		 NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake_rule rules[] = {rows[i].rule, {0}};
		struct cluster *c = cluster_of("127.0.0.1:%u", fake->port);
		struct etcdreg_err err = {0};
		char base[64];
		int r;

		fake_rules(fake, rules);
		r = call_of(c, "/x", 40, &err);
		ROW("%zu: %s", i, err.msg);
		assert_int_equal(r, rows[i].code);
		if (rows[i].message) {
			snprintf(base, sizeof(base), "http://127.0.0.1:%u: ", fake->port);
			assert_ptr_equal(strstr(err.msg, base), err.msg);
			assert_non_null(strstr(err.msg, rows[i].message));
		}
		assert_int_equal(cluster_answered(c), r == 0 || r == ETCDREG_E_SERVER);
		cluster_free(c);
	}
}

/* The rule decides how the first node answers; the second node works. */
static void goes_to_the_next_node(void **state)
{
	static const struct fake_rule first[] = {
		{"/x", 0, "", 0},
		{"/x", 500, "{}", 0},
		{"/x", 200, "garbage", 0},
		{"/x", 0, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		struct fake_rule rules[] = {first[i], {"/x", 200, "{\"ok\":1}", 0}, {0}};
		struct cluster *c = cluster_of("127.0.0.1:%u,localhost:%u", fake->port, fake->port);
		struct etcdreg_err failover;

		rules[0].times = 1;
		fake_rules(fake, rules);
		ROW("%zu", i);
		assert_int_equal(call_of(c, "/x", 1000, NULL), 0);
		assert_int_equal(fake_count(fake, "/x"), 2);
		assert_true(cluster_take_failover(c, &failover));
		assert_non_null(strstr(failover.msg, "http://127.0.0.1:"));
		assert_false(cluster_take_failover(c, &failover));
		assert_int_equal(call_of(c, "/x", 1000, NULL), 0);
		assert_false(cluster_take_failover(c, &failover));
		cluster_free(c);
	}
}

static bool begins_with_second(void)
{
	struct cluster *c = cluster_of("a:1,b:1");
	bool is_second = strcmp(cluster_node(c), "http://b:1") == 0;

	cluster_free(c);
	return is_second;
}

/* The chance that a hundred clusters all start with the same node is negligible. */
static void begins_with_any_node(void **state)
{
	size_t seconds = 0, first_only = 0;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		first_only += begins_with_second();
	spread = true;
	for (size_t i = 0; i < 100; i++)
		seconds += begins_with_second();
	spread = false;
	assert_int_equal(first_only, 0);
	assert_in_range(seconds, 1, 99);
}

static void stays_with_the_node_that_works(void **state)
{
	static const struct fake_rule rules[] = {{"/x", 200, "{\"ok\":1}", 0}, {0}};
	int fd;
	unsigned refused = closed_port(&fd);
	struct cluster *c = cluster_of("127.0.0.1:%u,127.0.0.1:%u", refused, fake->port);

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(call_of(c, "/x", 1000, NULL), 0);
	close(fd);
	for (int i = 0; i < 5; i++) {
		uint64_t started = now_ms();

		assert_int_equal(call_of(c, "/x", 1000, NULL), 0);
		assert_true(now_ms() - started < SLOW_MACHINE_MS);
	}
	assert_int_equal(fake_count(fake, "/x"), 6);
	cluster_free(c);
}

static void names_every_node_that_failed(void **state)
{
	static const struct fake_rule rules[] = {{"/x", 500, "{}", 0}, {0}};
	int fd;
	unsigned refused = closed_port(&fd);
	struct cluster *c = cluster_of("127.0.0.1:%u,127.0.0.1:%u", refused, fake->port);
	struct etcdreg_err err;
	char expected[200];

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(call_of(c, "/x", 1000, &err), ETCDREG_E_UNREACH);
	snprintf(expected, sizeof(expected),
		 "http://127.0.0.1:%u: cannot connect: Connection refused; "
		 "http://127.0.0.1:%u: status 500",
		 refused, fake->port);
	assert_string_equal(err.msg, expected);
	close(fd);
	cluster_free(c);
}

static void takes_the_no_of_all_for_an_answer(void **state)
{
	static const struct fake_rule rules[] = {{"/x", 200, "{\"no\":1}", 0}, {0}};
	struct cluster *c = cluster_of("127.0.0.1:%u,localhost:%u", fake->port, fake->port);
	struct etcdreg_err err;

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(call_of(c, "/x", 1000, &err), ETCDREG_E_SERVER);
	assert_true(cluster_answered(c));
	assert_int_equal(fake_count(fake, "/x"), 2);
	assert_non_null(strstr(cluster_node(c), "127.0.0.1"));
	assert_non_null(strstr(err.msg, "127.0.0.1"));
	assert_null(strstr(err.msg, "localhost"));
	assert_false(cluster_take_failover(c, &err));
	cluster_free(c);
}

static void leaves_a_node_that_is_alone_with_its_no(void **state)
{
	static const struct fake_rule rules[] = {
		{"/x", 200, "{\"no\":1}", 1}, {"/x", 200, "{\"ok\":1}", 0}, {0}};
	struct cluster *c = cluster_of("127.0.0.1:%u,localhost:%u", fake->port, fake->port);
	struct etcdreg_err err;

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(call_of(c, "/x", 1000, NULL), 0);
	assert_non_null(strstr(cluster_node(c), "localhost"));
	assert_true(cluster_take_failover(c, &err));
	assert_int_equal(err.code, ETCDREG_E_SERVER);
	cluster_free(c);
}

/* A node that cannot be reached does not count against one that answered "no". */
static void takes_the_no_of_those_that_answer(void **state)
{
	static const struct fake_rule rules[] = {
		{"/x", 200, "{\"no\":1}", 1}, {"/x", 0, "", 0}, {0}};
	struct cluster *c = cluster_of("127.0.0.1:%u,localhost:%u", fake->port, fake->port);

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(call_of(c, "/x", 1000, NULL), ETCDREG_E_SERVER);
	assert_true(cluster_answered(c));
	assert_non_null(strstr(cluster_node(c), "127.0.0.1"));
	cluster_free(c);
}

static void shares_its_time(void **state)
{
	static const struct fake_rule rules[] = {
		{"/x", 200, NULL, 1}, {"/x", 200, "{\"ok\":1}", 0}, {0}};
	static const struct fake_rule silent[] = {{"/x", 200, NULL, 0}, {0}};
	struct cluster *c = cluster_of("127.0.0.1:%u,localhost:%u", fake->port, fake->port);
	struct etcdreg_err err;
	uint64_t started = now_ms();

	(void)state;
	cluster_set_timeout(c, 400);
	fake_rules(fake, rules);
	assert_int_equal(call_of(c, "/x", 1000, &err), ETCDREG_E_UNREACH);
	assert_non_null(strstr(err.msg, "no answer in time"));
	assert_true(now_ms() - started >= 390);
	assert_true(now_ms() - started < 400 + SLOW_MACHINE_MS);
	cluster_set_timeout(c, 4000);
	fake_rules(fake, rules);
	if (call_of(c, "/x", 1000, &err) < 0)
		fail_msg("%s", err.msg);
	cluster_set_timeout(c, 2400);
	fake_rules(fake, silent);
	started = now_ms();
	assert_int_equal(call_of(c, "/x", 1000, &err), ETCDREG_E_UNREACH);
	assert_int_equal(fake_count(fake, "/x"), 2);
	assert_true(now_ms() - started < 2400 + SLOW_MACHINE_MS);
	cluster_free(c);
}

/* A node that used up the whole time of one call must not use up the next one. */
static void begins_with_those_that_were_not_tried(void **state)
{
	static const struct fake_rule rules[] = {
		{"/x", 200, NULL, 1}, {"/x", 200, "{\"ok\":1}", 0}, {0}};
	struct cluster *c = cluster_of("127.0.0.1:%u,localhost:%u", fake->port, fake->port);

	(void)state;
	cluster_set_timeout(c, 1000);
	fake_rules(fake, rules);
	assert_int_equal(call_of(c, "/x", 1000, NULL), ETCDREG_E_UNREACH);
	assert_int_equal(fake_count(fake, "/x"), 1);
	assert_non_null(strstr(cluster_node(c), "http://localhost:"));
	assert_int_equal(call_of(c, "/x", 1000, NULL), 0);
	assert_non_null(strstr(cluster_node(c), "http://localhost:"));
	cluster_free(c);
}

static void tries_the_members_too(void **state)
{
	static const struct fake_rule rules[] = {{"/x", 200, "{\"ok\":1}", 0}, {0}};
	int fd;
	unsigned refused = closed_port(&fd);
	struct members *members = members_new();
	struct member_list list = {.len = 1};
	struct cluster *c = cluster_of("127.0.0.1:%u", refused);

	(void)state;
	fake_rules(fake, rules);
	cluster_share_members(c, members);
	assert_int_equal(call_of(c, "/x", 1000, NULL), ETCDREG_E_UNREACH);
	assert_true(asprintf(&list.bases[0], "http://127.0.0.1:%u", fake->port) > 0);
	members_publish(members, cluster_node(c), &list);
	assert_int_equal(call_of(c, "/x", 1000, NULL), 0);
	assert_int_equal(fake_count(fake, "/x"), 1);
	members_publish(members, cluster_node(c), &list);
	assert_int_equal(call_of(c, "/x", 1000, NULL), ETCDREG_E_UNREACH);
	close(fd);
	cluster_free(c);
	members_free(members);
}

static void keeps_the_connection(void **state)
{
	static const struct fake_rule rules[] = {{"/x", 200, "{\"ok\":1}", 0}, {0}};
	struct cluster *c = cluster_of("127.0.0.1:%u", fake->port);
	uint64_t started = now_ms();

	(void)state;
	fake_rules(fake, rules);
	for (int i = 0; i < 200; i++)
		assert_int_equal(call_of(c, "/x", 1000, NULL), 0);
	/* A delayed acknowledgement of 40 ms each would add up to 8 s. */
	assert_true(now_ms() - started < 2 * SLOW_MACHINE_MS);
	cluster_free(c);
}

/* It is not a failure if the server has closed a kept-alive connection meanwhile. */
static void survives_a_closed_connection(void **state)
{
	static const struct fake_rule rules[] = {
		{"/x", 0, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"ok\":1}", 0},
		{0},
	};
	struct cluster *c = cluster_of("127.0.0.1:%u", fake->port);

	(void)state;
	fake_rules(fake, rules);
	for (int i = 0; i < 5; i++)
		assert_int_equal(call_of(c, "/x", 1000, NULL), 0);
	cluster_free(c);
}

static void *interrupt(void *arg)
{
	while (fake_count(fake, "/x") == 0)
		usleep(1000);
	cluster_interrupt(arg);
	return NULL;
}

static void can_be_interrupted(void **state)
{
	static const struct fake_rule rules[] = {{"/x", 200, NULL, 0}, {0}};
	struct cluster *c = cluster_of("127.0.0.1:%u", fake->port);
	uint64_t started = now_ms();
	pthread_t thread;

	(void)state;
	fake_rules(fake, rules);
	assert_int_equal(pthread_create(&thread, NULL, interrupt, c), 0);
	assert_int_equal(call_of(c, "/x", 1000, NULL), ETCDREG_E_TIMEOUT);
	assert_true(now_ms() - started < SLOW_MACHINE_MS);
	pthread_join(thread, NULL);
	assert_int_equal(call_of(c, "/x", 1000, NULL), ETCDREG_E_TIMEOUT);
	cluster_free(c);
}

static void ignores_a_proxy_in_the_environment(void **state)
{
	static const struct fake_rule rules[] = {{"/x", 200, "{\"ok\":1}", 0}, {0}};
	struct cluster *c = cluster_of("127.0.0.1:%u", fake->port);

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	fake_rules(fake, rules);
	assert_int_equal(call_of(c, "/x", 1000, NULL), 0);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	cluster_free(c);
}

static void speaks_no_tls_to_a_plain_server(void **state)
{
	static const struct fake_rule rules[] = {{"", 200, "{\"ok\":1}", 0}, {0}};
	struct cluster *c = cluster_of("https://127.0.0.1:%u?timeout=500ms", fake->port);
	struct etcdreg_err err;

	(void)state;
	fake_rules(fake, rules);
	assert_true(call_of(c, "/x", 1000, &err) < 0);
	assert_false(cluster_answered(c));
	assert_int_equal(fake_count(fake, "/x"), 0);
	cluster_free(c);
}

static void says_which_file_cannot_be_read(void **state)
{
	static const char *const options[] = {"cacert", "cert"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		CLEANUP(connstr) struct connstr cs = {0};
		CLEANUP(config) struct config cfg = {0};
		struct cluster *c;
		struct etcdreg_err err;
		char url[100], expected[100];

		snprintf(url, sizeof(url), "https://a?%s=/nonexistent", options[i]);
		snprintf(expected, sizeof(expected),
			 "%s file '/nonexistent' (connection string) cannot be read: "
			 "No such file or directory",
			 options[i]);
		assert_int_equal(config_init(&cfg, NULL), 0);
		assert_int_equal(connstr_parse(url, &cs, &cfg, NULL), 0);
		assert_int_equal(cluster_new(&cs, &cfg, &c, &err), ETCDREG_E_CONFIG);
		assert_string_equal(err.msg, expected);
	}
}

static void escapes(void **state)
{
	CLEANUP(buf) struct buf b = BUF_INIT(100);

	(void)state;
	http_escape(&b, "a-Z_9.~/ &=+%\xc3\xbc", "/");
	assert_string_equal(b.s, "a-Z_9.~/%20%26%3D%2B%25%C3%BC");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(says_what_is_wrong_with_a_node),
		TEST(goes_to_the_next_node),
		TEST(begins_with_any_node),
		TEST(stays_with_the_node_that_works),
		TEST(names_every_node_that_failed),
		TEST(takes_the_no_of_all_for_an_answer),
		TEST(leaves_a_node_that_is_alone_with_its_no),
		TEST(takes_the_no_of_those_that_answer),
		TEST(shares_its_time),
		TEST(begins_with_those_that_were_not_tried),
		TEST(tries_the_members_too),
		TEST(keeps_the_connection),
		TEST(survives_a_closed_connection),
		TEST(can_be_interrupted),
		TEST(ignores_a_proxy_in_the_environment),
		TEST(speaks_no_tls_to_a_plain_server),
		cmocka_unit_test(says_which_file_cannot_be_read),
		cmocka_unit_test(escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
