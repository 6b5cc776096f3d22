/* SPDX-License-Identifier: MIT */
/* The table of all settings, and reading their values from text. */
#define _GNU_SOURCE
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "lib/base/parse.h"

#define FLAGS_0 0
#define FLAGS_SECRET CONFIG_SECRET

const struct config_row config_rows[CONFIG_COUNT] = {
#define SETTING(id_, option_, env_, fallback_, type_, default_, min_, max_, scope_, flags_, help_) \
	[CONFIG_##id_] = {                                                                         \
		.option = (option_),                                                               \
		.env = (env_),                                                                     \
		.fallback = (fallback_),                                                           \
		.type = CONFIG_##type_,                                                            \
		.default_text = (default_),                                                        \
		.min = (min_),                                                                     \
		.max = (max_),                                                                     \
		.scope = CONFIG_##scope_,                                                          \
		.flags = FLAGS_##flags_,                                                           \
		.help = (help_),                                                                   \
		.offset = offsetof(struct config, id_),                                            \
	},
#include "config.def"
#undef SETTING
};

static const char *const api_names[] = {
	[CONFIG_API_AUTO] = "auto",
	[CONFIG_API_V2] = "v2",
	[CONFIG_API_V3] = "v3",
};

static void *field_of(struct config *cfg, enum config_id id)
{
	return (char *)cfg + config_rows[id].offset;
}

/* Returns what a message may show of a value. */
static const char *shown(const struct config_row *row, const char *value)
{
	return row->flags & CONFIG_SECRET ? "(hidden)" : value;
}

static int set_text(const struct config_row *row, char **field, const char *value,
		    struct etcdreg_err *err)
{
	size_t len = strlen(value);
	char *copy;

	if (len < row->min)
		return err_set(err, ETCDREG_E_CONFIG, "is empty");
	if (len > row->max)
		return err_set(err, ETCDREG_E_CONFIG, "is longer than %llu bytes",
			       (unsigned long long)row->max);
	copy = strdup(value);
	if (!copy)
		return err_nomem(err);
	secret_free(*field);
	*field = copy;
	return 0;
}

static int set_seconds(const struct config_row *row, unsigned *field, const char *value,
		       struct etcdreg_err *err)
{
	uint64_t n;

	if (!parse_uint(value, strlen(value), row->min, row->max, &n))
		return err_set(err, ETCDREG_E_CONFIG,
			       "'%s' is not a number of seconds from %llu to %llu",
			       shown(row, value), (unsigned long long)row->min,
			       (unsigned long long)row->max);
	*field = (unsigned)n;
	return 0;
}

static int set_ms(const struct config_row *row, unsigned *field, const char *value,
		  struct etcdreg_err *err)
{
	uint64_t ms;

	if (!parse_duration_ms(value, strlen(value), &ms))
		return err_set(err, ETCDREG_E_CONFIG, "'%s' is not a time like 3s, 1.5s or 200ms",
			       shown(row, value));
	if (ms < row->min || ms > row->max)
		return err_set(err, ETCDREG_E_CONFIG, "'%s' is not a time from %llums to %llums",
			       shown(row, value), (unsigned long long)row->min,
			       (unsigned long long)row->max);
	*field = (unsigned)ms;
	return 0;
}

static int set_flag(const struct config_row *row, unsigned *field, const char *value,
		    struct etcdreg_err *err)
{
	if (strcmp(value, "1") == 0 || strcmp(value, "true") == 0)
		*field = 1;
	else if (strcmp(value, "0") == 0 || strcmp(value, "false") == 0)
		*field = 0;
	else
		return err_set(err, ETCDREG_E_CONFIG, "'%s' is not 0, 1, false or true",
			       shown(row, value));
	return 0;
}

static int set_api(const struct config_row *row, enum config_api *field, const char *value,
		   struct etcdreg_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(api_names); i++) {
		if (strcmp(value, api_names[i]) == 0) {
			*field = (enum config_api)i;
			return 0;
		}
	}
	return err_set(err, ETCDREG_E_CONFIG, "'%s' is not auto, v3 or v2", shown(row, value));
}

static int set_field(struct config *cfg, enum config_id id, const char *value,
		     struct etcdreg_err *err)
{
	const struct config_row *row = &config_rows[id];
	void *field = field_of(cfg, id);

	switch (row->type) {
	case CONFIG_TEXT:
		return set_text(row, field, value, err);
	case CONFIG_SECONDS:
		return set_seconds(row, field, value, err);
	case CONFIG_MS:
		return set_ms(row, field, value, err);
	case CONFIG_FLAG:
		return set_flag(row, field, value, err);
	case CONFIG_API:
		return set_api(row, field, value, err);
	}
	return err_set(err, ETCDREG_E_CONFIG, "no such setting");
}

int config_set_from(struct config *cfg, enum config_id id, enum config_source source,
		    const char *value, struct etcdreg_err *err)
{
	int r;

	if (cfg->source[id] > source)
		return 0;
	r = set_field(cfg, id, value, err);
	if (r < 0)
		return r;
	cfg->source[id] = (unsigned char)source;
	return 0;
}

int config_set(struct config *cfg, enum config_id id, const char *value, struct etcdreg_err *err)
{
	return config_set_from(cfg, id, CONFIG_BY_CALLER, value, err);
}

int config_init(struct config *cfg, struct etcdreg_err *err)
{
	*cfg = (struct config){0};
	for (enum config_id id = 0; id < CONFIG_COUNT; id++) {
		int r = config_set_from(cfg, id, CONFIG_BY_DEFAULT, config_rows[id].default_text,
					err);

		if (r < 0) {
			config_release(cfg);
			return r;
		}
	}
	return 0;
}

void config_release(struct config *cfg)
{
	for (enum config_id id = 0; id < CONFIG_COUNT; id++) {
		if (config_rows[id].type == CONFIG_TEXT) {
			char **text = field_of(cfg, id);

			secret_free(*text);
		}
	}
	*cfg = (struct config){0};
}

const char *config_text(const struct config *cfg, enum config_id id)
{
	return *(char *const *)(const void *)((const char *)cfg + config_rows[id].offset);
}

const char *config_origin(const struct config *cfg, enum config_id id)
{
	switch ((enum config_source)cfg->source[id]) {
	case CONFIG_BY_FALLBACK:
		return config_rows[id].fallback;
	case CONFIG_BY_ENV:
		return config_rows[id].env;
	case CONFIG_BY_QUERY:
		return "connection string";
	case CONFIG_BY_DEFAULT:
	case CONFIG_BY_CALLER:
		break;
	}
	return NULL;
}

const char *config_name(const struct config *cfg, enum config_id id, const char *name)
{
	const char *origin = config_origin(cfg, id);

	return origin ? origin : name;
}

static const char *env_value(const char *variable)
{
	const char *value = variable ? secure_getenv(variable) : NULL;

	return value && value[0] != '\0' ? value : NULL;
}

static int load_variable(struct config *cfg, enum config_id id, struct etcdreg_err *err)
{
	const struct config_row *row = &config_rows[id];
	enum config_source source = CONFIG_BY_ENV;
	const char *variable = row->env;
	const char *value = env_value(variable);
	int r;

	if (!value) {
		source = CONFIG_BY_FALLBACK;
		variable = row->fallback;
		value = env_value(variable);
	}
	if (!value)
		return 0;
	r = config_set_from(cfg, id, source, value, err);
	if (r < 0)
		return err_prefix(err, r, "%s: ", variable);
	return 0;
}

int config_load_env(struct config *cfg, struct etcdreg_err *err)
{
	for (enum config_id id = 0; id < CONFIG_COUNT; id++) {
		int r;

		if (config_rows[id].scope == CONFIG_SHIM || cfg->source[id] != CONFIG_BY_DEFAULT)
			continue;
		r = load_variable(cfg, id, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_variable(const char *name, const char *text, size_t len)
{
	return name && strlen(name) == len && strncmp(name, text, len) == 0;
}

static bool is_secret(const char *variable, size_t len)
{
	for (enum config_id id = 0; id < CONFIG_COUNT; id++) {
		const struct config_row *row = &config_rows[id];

		if ((row->flags & CONFIG_SECRET) && (is_variable(row->env, variable, len) ||
						     is_variable(row->fallback, variable, len)))
			return true;
	}
	return false;
}

/* /proc shows the memory that the kernel filled at the start of the program. */
void config_hide_env(void)
{
	for (char **variable = environ; variable && *variable; variable++) {
		char *copy = NULL;

		if (is_secret(*variable, strcspn(*variable, "=")))
			copy = strdup(*variable);
		if (!copy)
			continue;
		explicit_bzero(*variable, strlen(*variable));
		*variable = copy;
	}
}

enum config_id config_find_option(const char *option, size_t len)
{
	enum config_id id;

	for (id = 0; id < CONFIG_COUNT; id++) {
		const char *name = config_rows[id].option;

		if (name && strlen(name) == len && memcmp(name, option, len) == 0)
			break;
	}
	return id;
}

static enum config_id find_variable(const char *variable, size_t len)
{
	enum config_id id;

	for (id = 0; id < CONFIG_COUNT; id++) {
		const char *name = config_rows[id].env;

		if (strlen(name) == len && memcmp(name, variable, len) == 0)
			break;
	}
	return id;
}

static int load_assignment(struct config *cfg, const char *text, struct etcdreg_err *err)
{
	size_t len = strcspn(text, "=");
	enum config_id id = find_variable(text, len);
	int r;

	if (text[len] != '=' || id == CONFIG_COUNT || config_rows[id].scope != CONFIG_SERVICE)
		return err_set(err, ETCDREG_E_CONFIG, "'%.*s' is not a setting of a service",
			       (int)len, text);
	r = config_set(cfg, id, text + len + 1, err);
	if (r < 0)
		return err_prefix(err, r, "%s: ", config_rows[id].env);
	return 0;
}

int config_load_block(struct config *cfg, const char *block, size_t len, struct etcdreg_err *err)
{
	size_t at = 0;

	if (len > 0 && block[len - 1] != '\0')
		return err_set(err, ETCDREG_E_CONFIG, "the last setting is cut off");
	while (at < len) {
		int r = load_assignment(cfg, block + at, err);

		if (r < 0)
			return r;
		at += strlen(block + at) + 1;
	}
	return 0;
}
