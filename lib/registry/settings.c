/* SPDX-License-Identifier: MIT */
/* The settings of a handle. */
#define _GNU_SOURCE
#include "settings.h"

#include <stdio.h>

#include "lib/base/array.h"
#include "lib/base/err.h"

/* A member of struct etcdreg_options, under its name. */
struct member {
	enum config_id id;
	const char *name;
	const char *value; /* NULL: not set */
};

#define MEMBER(name, value)                 \
	{                                   \
		CONFIG_##name, #name, value \
	}

static int set_member(struct config *cfg, const struct member *member, struct etcdreg_err *err)
{
	int r = member->value ? config_set(cfg, member->id, member->value, err) : 0;

	return r < 0 ? err_prefix(err, r, "%s: ", member->name) : 0;
}

/* Writes the value as text.  NULL: it is 0, not set. */
static const char *number(unsigned value, const char *unit, char text[static 16])
{
	snprintf(text, 16, "%u%s", value, unit);
	return value != 0 ? text : NULL;
}

static int set_options(struct config *cfg, const struct etcdreg_options *options,
		       struct etcdreg_err *err)
{
	char ttl[16], timeout[16];
	const struct member members[] = {
		MEMBER(url, options->url),
		MEMBER(api, options->api),
		MEMBER(spread, options->spread),
		MEMBER(cacert, options->cacert),
		MEMBER(cert, options->cert),
		MEMBER(key, options->key),
		MEMBER(user, options->user),
		MEMBER(password, options->password),
		MEMBER(password_file, options->password_file),
		MEMBER(ttl_s, number(options->ttl_s, "", ttl)),
		MEMBER(timeout_ms, number(options->timeout_ms, "ms", timeout)),
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		int r = set_member(cfg, &members[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

int settings_load(struct config *cfg, struct connstr *cs, const struct etcdreg_options *options,
		  struct etcdreg_err *err)
{
	int r = config_init(cfg, err);

	if (r < 0)
		return r;
	r = set_options(cfg, options, err);
	return r < 0 ? r : connstr_load(cs, cfg, "url", err);
}
