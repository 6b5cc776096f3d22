/* SPDX-License-Identifier: MIT */
/* The settings of a handle. */
#define _GNU_SOURCE
#include "settings.h"

#include <stdio.h>

#include "lib/base/array.h"
#include "lib/base/err.h"

static int set_option(struct config *cfg, enum config_id id, const char *value,
		      struct etcdreg_err *err)
{
	const struct config_row *row = &config_rows[id];
	int r = value ? config_set(cfg, id, value, err) : 0;

	if (r < 0)
		return err_prefix(err, r, "%s: ", row->option ? row->option : row->env);
	return 0;
}

static int set_number(struct config *cfg, enum config_id id, unsigned value, const char *unit,
		      struct etcdreg_err *err)
{
	char text[16];

	if (value == 0)
		return 0;
	snprintf(text, sizeof(text), "%u%s", value, unit);
	return set_option(cfg, id, text, err);
}

static int set_options(struct config *cfg, const struct etcdreg_options *options,
		       struct etcdreg_err *err)
{
	const struct {
		enum config_id id;
		const char *value;
	} texts[] = {
		{CONFIG_url, options->url},
		{CONFIG_api, options->api},
		{CONFIG_spread, options->spread},
		{CONFIG_cacert, options->cacert},
		{CONFIG_cert, options->cert},
		{CONFIG_key, options->key},
		{CONFIG_user, options->user},
		{CONFIG_password, options->password},
		{CONFIG_password_file, options->password_file},
	};
	int r;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		r = set_option(cfg, texts[i].id, texts[i].value, err);
		if (r < 0)
			return r;
	}
	r = set_number(cfg, CONFIG_ttl_s, options->ttl_s, "", err);
	return r < 0 ? r : set_number(cfg, CONFIG_timeout_ms, options->timeout_ms, "ms", err);
}

int settings_load(struct config *cfg, struct connstr *cs, const struct etcdreg_options *options,
		  struct etcdreg_err *err)
{
	int r = config_init(cfg, err);

	if (r < 0)
		return r;
	r = set_options(cfg, options, err);
	if (r < 0)
		return r;
	r = config_load_env(cfg, err);
	if (r < 0)
		return r;
	r = connstr_parse(cfg->url, cs, cfg, err);
	return r < 0 ? err_prefix(err, r, "connection string: ") : 0;
}
