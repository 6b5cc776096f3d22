/* SPDX-License-Identifier: MIT */
/* Tests of lib/config/config.c and lib/config/credentials.c. */
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/config/config.h"
#include "lib/config/connstr.h"
#include "lib/config/credentials.h"

static struct config config;

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONFIG_COUNT; i++) {
		unsetenv(config_rows[i].env);
		if (config_rows[i].fallback)
			unsetenv(config_rows[i].fallback);
	}
	return config_init(&config, NULL);
}

static int tear_down(void **state)
{
	config_release(&config);
	return set_up(state) < 0 ? -1 : (config_release(&config), 0);
}

static void has_defaults(void **state)
{
	(void)state;
	assert_string_equal(config.url, "http://127.0.0.1:2379");
	assert_int_equal(config.api, CONFIG_API_AUTO);
	assert_int_equal(config.ttl_s, 10);
	assert_int_equal(config.timeout_ms, 3000);
	assert_string_equal(config.cacert, "");
	assert_string_equal(config.protocol, "http");
	assert_int_equal(config.exit_timeout_ms, 1000);
	assert_int_equal(config.disable, 0);
}

static void checks_every_value(void **state)
{
	static const struct {
		enum config_id id;
		const char *value;
		const char *message; /* NULL: accepted */
	} rows[] = {
		{CONFIG_ttl_s, "3", NULL},
		{CONFIG_ttl_s, "3600", NULL},
		{CONFIG_ttl_s, "2", "'2' is not a number of seconds from 3 to 3600"},
		{CONFIG_ttl_s, "10s", "'10s' is not a number of seconds from 3 to 3600"},
		{CONFIG_timeout_ms, "0.1", NULL},
		{CONFIG_timeout_ms, "60s", NULL},
		{CONFIG_timeout_ms, "99ms", "'99ms' is not a time from 100ms to 60000ms"},
		{CONFIG_timeout_ms, "x", "'x' is not a time like 3s, 1.5s or 200ms"},
		{CONFIG_api, "v2", NULL},
		{CONFIG_api, "v3", NULL},
		{CONFIG_api, "V3", "'V3' is not auto, v3 or v2"},
		{CONFIG_disable, "true", NULL},
		{CONFIG_disable, "0", NULL},
		{CONFIG_disable, "yes", "'yes' is not 0, 1, false or true"},
		{CONFIG_url, "", "is empty"},
		{CONFIG_host, "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct etcdreg_err err;
		int r = config_set(&config, rows[i].id, rows[i].value, &err);

		ROW("'%s'", rows[i].value);
		assert_int_equal(r, rows[i].message ? ETCDREG_E_CONFIG : 0);
		if (rows[i].message)
			assert_string_equal(err.msg, rows[i].message);
	}
	assert_int_equal(config.ttl_s, 3600);
	assert_int_equal(config.timeout_ms, 60000);
	assert_int_equal(config.api, CONFIG_API_V3);
}

static void refuses_a_text_that_is_too_long(void **state)
{
	char text[400];
	struct etcdreg_err err;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(config_set(&config, CONFIG_host, text, &err), ETCDREG_E_CONFIG);
	assert_string_equal(err.msg, "is longer than 255 bytes");
	assert_string_equal(config.host, "");
}

/* The stronger source wins, whatever the order of the calls. */
static void ranks_the_sources(void **state)
{
	struct connstr cs;

	(void)state;
	setenv("ETCD_REGISTRY_TTL", "20", 1);
	setenv("ETCD_REGISTRY_TIMEOUT", "2s", 1);
	setenv("ETCD_REGISTRY_CERT", "env", 1);
	assert_int_equal(config_set(&config, CONFIG_ttl_s, "40", NULL), 0);
	assert_int_equal(config_load_env(&config, NULL), 0);
	assert_int_equal(connstr_parse("a?ttl=30&timeout=1s", &cs, &config, NULL), 0);
	connstr_release(&cs);
	assert_int_equal(config.ttl_s, 40);
	assert_int_equal(config.timeout_ms, 1000);
	assert_string_equal(config.cert, "env");
	assert_int_equal(config_load_env(&config, NULL), 0);
	assert_int_equal(config.timeout_ms, 1000);
	assert_int_equal(config_set(&config, CONFIG_timeout_ms, "4s", NULL), 0);
	assert_int_equal(config.timeout_ms, 4000);
}

static void falls_back_to_the_variables_of_etcdctl(void **state)
{
	(void)state;
	setenv("ETCDCTL_ENDPOINTS", "http://b:1", 1);
	setenv("ETCDCTL_CACERT", "/ca", 1);
	setenv("ETCD_REGISTRY_URL", "", 1);
	setenv("ETCD_REGISTRY_CACERT", "/own", 1);
	assert_int_equal(config_load_env(&config, NULL), 0);
	assert_string_equal(config.url, "http://b:1");
	assert_string_equal(config.cacert, "/own");
}

static void tells_who_has_set_a_field(void **state)
{
	struct connstr cs;

	(void)state;
	setenv("ETCDCTL_CACERT", "/ca", 1);
	setenv("ETCDCTL_CERT", "/cert", 1);
	setenv("ETCD_REGISTRY_CERT", "/own", 1);
	assert_int_equal(config_load_env(&config, NULL), 0);
	assert_int_equal(connstr_parse("a?password-file=/p", &cs, &config, NULL), 0);
	connstr_release(&cs);
	assert_int_equal(config_set(&config, CONFIG_user, "bob", NULL), 0);
	assert_string_equal(config_origin(&config, CONFIG_cacert), "ETCDCTL_CACERT");
	assert_string_equal(config_origin(&config, CONFIG_cert), "ETCD_REGISTRY_CERT");
	assert_string_equal(config_origin(&config, CONFIG_password_file), "connection string");
	assert_null(config_origin(&config, CONFIG_user));
	assert_null(config_origin(&config, CONFIG_key));
}

static void names_the_url_that_is_wrong(void **state)
{
	struct connstr cs;
	struct etcdreg_err err;

	(void)state;
	setenv("ETCDCTL_ENDPOINTS", "a?ttl=2", 1);
	assert_int_equal(connstr_load(&cs, &config, "--url", &err), ETCDREG_E_CONFIG);
	assert_string_equal(err.msg, "ETCDCTL_ENDPOINTS: option 'ttl': "
				     "'2' is not a number of seconds from 3 to 3600");
	config_release(&config);
	assert_int_equal(config_init(&config, NULL), 0);
	setenv("ETCD_REGISTRY_URL", "ftp://a", 1);
	assert_int_equal(connstr_load(&cs, &config, "--url", &err), ETCDREG_E_CONFIG);
	assert_string_equal(err.msg, "ETCD_REGISTRY_URL: protocol 'ftp' is not http or https");
	assert_int_equal(config_set(&config, CONFIG_url, "ftp://a", NULL), 0);
	assert_int_equal(connstr_load(&cs, &config, "--url", &err), ETCDREG_E_CONFIG);
	assert_string_equal(err.msg, "--url: protocol 'ftp' is not http or https");
}

static void completes_the_settings(void **state)
{
	CLEANUP(connstr) struct connstr cs = {0};

	(void)state;
	setenv("ETCD_REGISTRY_URL", "a/n?timeout=1s", 1);
	setenv("ETCD_REGISTRY_TTL", "20", 1);
	assert_int_equal(connstr_load(&cs, &config, "--url", NULL), 0);
	assert_string_equal(cs.hosts[0].host, "a");
	assert_string_equal(cs.namespace, "n");
	assert_int_equal(config.ttl_s, 20);
	assert_int_equal(config.timeout_ms, 1000);
}

static void names_the_variable_that_is_wrong(void **state)
{
	struct etcdreg_err err;

	(void)state;
	setenv("ETCD_REGISTRY_TTL", "soon", 1);
	assert_int_equal(config_load_env(&config, &err), ETCDREG_E_CONFIG);
	assert_string_equal(err.msg,
			    "ETCD_REGISTRY_TTL: 'soon' is not a number of seconds from 3 to 3600");
}

/*
 * Returns a value just outside the range of the row, with its unit; NULL if there is no such value.
 */
static const char *out_of_range(const struct config_row *row, bool above, char text[static 32])
{
	const char *unit = row->type == CONFIG_MS ? "ms" : "";

	if (row->type != CONFIG_MS && row->type != CONFIG_SECONDS)
		return NULL;
	if (!above && row->min == 0)
		return NULL;
	snprintf(text, 32, "%ju%s", (uintmax_t)(above ? row->max + 1 : row->min - 1), unit);
	return text;
}

static void assert_range_told(const struct config_row *row, const char *value, const char *message)
{
	uintmax_t min = row->min, max = row->max;
	char expected[128];

	if (row->type == CONFIG_MS)
		snprintf(expected, sizeof(expected), "'%s' is not a time from %jums to %jums",
			 value, min, max);
	else
		snprintf(expected, sizeof(expected),
			 "'%s' is not a number of seconds from %ju to %ju", value, min, max);
	assert_non_null(strstr(message, expected));
}

/*
 * From every source, the message gives the name as the user wrote it, the value, the range and its
 * unit.
 */
static void tells_every_range(void **state)
{
	unsigned told = 0;

	(void)state;
	for (size_t i = 0; i < 2 * (size_t)CONFIG_COUNT; i++) {
		const struct config_row *row = &config_rows[i / 2];
		char text[32], name[64], url[96];
		const char *value = out_of_range(row, i % 2, text);
		struct etcdreg_err err;
		struct connstr cs;

		if (!value || row->scope == CONFIG_SHIM)
			continue;
		ROW("%s=%s", row->env, value);
		setenv(row->env, value, 1);
		assert_int_equal(config_load_env(&config, &err), ETCDREG_E_CONFIG);
		unsetenv(row->env);
		snprintf(name, sizeof(name), "%s: ", row->env);
		assert_ptr_equal(strstr(err.msg, name), err.msg);
		assert_range_told(row, value, err.msg);
		snprintf(url, sizeof(url), "a?%s=%s", row->option, value);
		assert_int_equal(connstr_parse(url, &cs, &config, &err), ETCDREG_E_CONFIG);
		snprintf(name, sizeof(name), "option '%s': ", row->option);
		assert_ptr_equal(strstr(err.msg, name), err.msg);
		assert_range_told(row, value, err.msg);
		told++;
	}
	assert_int_equal(told, 4);
}

/* No message shows a secret, whatever is wrong with its value. */
static void shows_no_secret(void **state)
{
	char value[4096];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	memcpy(value, "hush", 4);
	value[sizeof(value) - 1] = '\0';
	for (enum config_id id = 0; id < CONFIG_COUNT; id++) {
		const struct config_row *row = &config_rows[id];
		struct etcdreg_err err;

		if (!(row->flags & CONFIG_SECRET))
			continue;
		ROW("%s", row->env);
		setenv(row->env, value, 1);
		assert_int_equal(config_load_env(&config, &err), ETCDREG_E_CONFIG);
		unsetenv(row->env);
		assert_ptr_equal(strstr(err.msg, row->env), err.msg);
		assert_null(strstr(err.msg, "hush"));
	}
}

static void tells_the_code_without_an_error_object(void **state)
{
	struct connstr cs;

	(void)state;
	setenv("ETCD_REGISTRY_TTL", "soon", 1);
	assert_int_equal(config_load_env(&config, NULL), ETCDREG_E_CONFIG);
	assert_int_equal(config_load_block(&config, "ETCD_REGISTRY_PROTOCOL=", 24, NULL),
			 ETCDREG_E_CONFIG);
	assert_int_equal(connstr_parse("a?ttl=soon", &cs, &config, NULL), ETCDREG_E_CONFIG);
}

static void leaves_the_settings_of_the_preload_object_alone(void **state)
{
	(void)state;
	setenv("ETCD_REGISTRY_WAIT", "nonsense", 1);
	assert_int_equal(config_load_env(&config, NULL), 0);
	assert_int_equal(config.wait_ms, 0);
}

static void loads_a_block(void **state)
{
	static const char block[] =
		"ETCD_REGISTRY_NAME=web:80\0ETCD_REGISTRY_META={\"a\":\"=\"}\0ETCD_REGISTRY_HOST=";

	(void)state;
	assert_int_equal(config_load_block(&config, block, sizeof(block), NULL), 0);
	assert_string_equal(config.name, "web:80");
	assert_string_equal(config.meta, "{\"a\":\"=\"}");
	assert_string_equal(config.host, "");
	assert_int_equal(config_load_block(&config, "", 0, NULL), 0);
}

static void refuses_a_block(void **state)
{
	static const struct {
		const char *block;
		size_t len;
	} rows[] = {
		{"ETCD_REGISTRY_NAME=web", 22},     /* not terminated */
		{"ETCD_REGISTRY_URL=http://x", 27}, /* not a setting of a service */
		{"ETCD_REGISTRY_WAIT=1s", 22},
		{"ETCD_REGISTRY_NAME", 19},
		{"PATH=/bin", 10},
		{"=", 2},
		{"", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ROW("'%s'", rows[i].block);
		assert_int_equal(config_load_block(&config, rows[i].block, rows[i].len, NULL),
				 ETCDREG_E_CONFIG);
	}
	assert_string_equal(config.url, "http://127.0.0.1:2379");
}

static void finds_options(void **state)
{
	(void)state;
	assert_int_equal(config_find_option("password-file", 13), CONFIG_password_file);
	assert_int_equal(config_find_option("ttlx", 3), CONFIG_ttl_s);
	assert_int_equal(config_find_option("tt", 2), CONFIG_COUNT);
	assert_int_equal(config_find_option("password", 8), CONFIG_COUNT);
	assert_int_equal(config_find_option("", 0), CONFIG_COUNT);
}

static void assert_credentials(const char *user, const char *password)
{
	CLEANUP(credentials) struct credentials c = {0};

	assert_int_equal(credentials_load(&c, &config, NULL), 0);
	if (!user) {
		assert_null(c.user);
		return;
	}
	assert_string_equal(c.user, user);
	assert_string_equal(c.password, password);
}

static void reads_user_and_password(void **state)
{
	(void)state;
	assert_credentials(NULL, NULL);
	setenv("ETCD_REGISTRY_PASSWORD", "env", 1);
	config_set_from(&config, CONFIG_user, CONFIG_BY_ENV, "bob", NULL);
	assert_int_equal(config_load_env(&config, NULL), 0);
	assert_credentials("bob", "env");
	config_set_from(&config, CONFIG_user, CONFIG_BY_ENV, "bob:a:b", NULL);
	assert_credentials("bob", "a:b");
	config_set(&config, CONFIG_password, "own", NULL);
	assert_credentials("bob", "own");
	config_set(&config, CONFIG_user, "bob:word", NULL);
	assert_credentials("bob", "word");
}

/* The user that the caller sets must not be sent with a password from the connection string. */
static void keeps_user_and_password_together(void **state)
{
	struct connstr cs;

	(void)state;
	config_set(&config, CONFIG_user, "root", NULL);
	config_set(&config, CONFIG_password, "toor", NULL);
	assert_int_equal(connstr_parse("http://bob:word@a", &cs, &config, NULL), 0);
	connstr_release(&cs);
	assert_credentials("root", "toor");
}

static void reads_the_password_file(void **state)
{
	char path[] = "/tmp/etcdreg-test-XXXXXX";
	CLEANUP(credentials) struct credentials c = {0};
	struct etcdreg_err err;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "pass word\r\nx", 12), 12);
	close(fd);
	config_set(&config, CONFIG_user, "bob", NULL);
	config_set(&config, CONFIG_password_file, path, NULL);
	assert_credentials("bob", "pass word");
	unlink(path);
	assert_int_equal(credentials_load(&c, &config, &err), ETCDREG_E_CONFIG);
	assert_non_null(strstr(err.msg, path));
	assert_non_null(strstr(err.msg, "No such file"));
}

static void refuses_a_password_without_a_user(void **state)
{
	struct credentials c;

	(void)state;
	config_set(&config, CONFIG_password, "x", NULL);
	assert_int_equal(credentials_load(&c, &config, NULL), ETCDREG_E_CONFIG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(has_defaults),
		TEST(checks_every_value),
		TEST(refuses_a_text_that_is_too_long),
		TEST(ranks_the_sources),
		TEST(falls_back_to_the_variables_of_etcdctl),
		TEST(tells_who_has_set_a_field),
		TEST(names_the_url_that_is_wrong),
		TEST(completes_the_settings),
		TEST(names_the_variable_that_is_wrong),
		TEST(tells_every_range),
		TEST(shows_no_secret),
		TEST(tells_the_code_without_an_error_object),
		TEST(leaves_the_settings_of_the_preload_object_alone),
		TEST(loads_a_block),
		TEST(refuses_a_block),
		TEST(finds_options),
		TEST(reads_user_and_password),
		TEST(keeps_user_and_password_together),
		TEST(reads_the_password_file),
		TEST(refuses_a_password_without_a_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
