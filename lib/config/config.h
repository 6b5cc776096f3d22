/* SPDX-License-Identifier: MIT */
/*
 * config.h - all settings, as config.def lists them.
 *
 * struct config has one field for each row, and config_rows describes the rows.  Each field
 * remembers the source of its value.  A weaker source never replaces a stronger one, so the order
 * of the calls does not matter:
 *
 *	default < etcdctl's variable < our variable < connection string's query < set by the caller
 *
 * Texts are never NULL; the struct owns them.  Only this file reads the environment, and only in
 * config_load_env(), with secure_getenv().
 *
 * An error message names the variable if the value came from one.  It never quotes a SECRET.
 */
#ifndef ETCDREG_LIB_CONFIG_CONFIG_H
#define ETCDREG_LIB_CONFIG_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "lib/etcd-registry.h"

enum config_api {
	CONFIG_API_AUTO,
	CONFIG_API_V2,
	CONFIG_API_V3,
};

enum config_id {
#define SETTING(id, ...) CONFIG_##id,
#include "config.def"
#undef SETTING
	CONFIG_COUNT
};

enum config_type {
	CONFIG_TEXT,
	CONFIG_SECONDS,
	CONFIG_MS,
	CONFIG_FLAG,
	CONFIG_API,
};

enum config_scope {
	CONFIG_REGISTRY,
	CONFIG_AGENT,
	CONFIG_SERVICE,
	CONFIG_SHIM,
};

enum config_flags {
	CONFIG_SECRET = 1 << 0,
};

enum config_source {
	CONFIG_BY_DEFAULT,
	CONFIG_BY_FALLBACK,
	CONFIG_BY_ENV,
	CONFIG_BY_QUERY,
	CONFIG_BY_CALLER,
};

#define CONFIG_FIELD_TEXT char *
#define CONFIG_FIELD_SECONDS unsigned
#define CONFIG_FIELD_MS unsigned
#define CONFIG_FIELD_FLAG unsigned
#define CONFIG_FIELD_API enum config_api

struct config {
#define SETTING(id, option, env, fallback, type, ...) CONFIG_FIELD_##type id;
#include "config.def"
#undef SETTING
	unsigned char source[CONFIG_COUNT]; /* enum config_source */
};

/*
 * A row of config.def, which says which columns may be NULL.  min and max are the range of the
 * value; for CONFIG_TEXT they are the shortest and the longest length in bytes.
 */
struct config_row {
	const char *option;
	const char *env;
	const char *fallback;
	enum config_type type;
	const char *default_text;
	uint64_t min;
	uint64_t max;
	enum config_scope scope;
	unsigned flags;
	const char *help;
	size_t offset; /* of the field in struct config */
};

extern const struct config_row config_rows[CONFIG_COUNT];

/* Sets all fields to their defaults.  Fails with ETCDREG_E_NOMEM and then needs no release. */
int config_init(struct config *cfg, struct etcdreg_err *err);

/* Clears the secrets, and frees all texts.  Accepts a zeroed struct. */
void config_release(struct config *cfg);

/*
 * Reads the variables of all rows that still have their default.  If a variable is not set or
 * empty, reads its fallback.  Leaves out rows of scope SHIM, which only the preload object reads.
 * Fails with ETCDREG_E_CONFIG or _NOMEM.
 */
int config_load_env(struct config *cfg, struct etcdreg_err *err);

/*
 * Removes the variables of SECRET rows from /proc/PID/environ of this process and of its children.
 * getenv() still finds them, and programs that this process executes still get them.  Call it once,
 * before the first thread.  A variable stays if there is no memory for its copy.
 */
void config_hide_env(void);

/*
 * Set one field from text.  config_set() is for the caller's own values, which always win.
 * config_set_from() does nothing if the field has its value from a stronger source.  The message
 * does not name the setting: the caller knows the name that the user wrote.  Fail with
 * ETCDREG_E_CONFIG or _NOMEM.
 */
int config_set(struct config *cfg, enum config_id id, const char *value, struct etcdreg_err *err);
int config_set_from(struct config *cfg, enum config_id id, enum config_source source,
		    const char *value, struct etcdreg_err *err);

/* Returns the row whose option is the `len` bytes at `option`, or CONFIG_COUNT. */
enum config_id config_find_option(const char *option, size_t len);

/* Returns the value of a TEXT row. */
const char *config_text(const struct config *cfg, enum config_id id);

/*
 * Returns the source of a field's value by the name for messages: the variable, or "connection
 * string".  NULL: the caller set it, or it has its default.
 */
const char *config_origin(const struct config *cfg, enum config_id id);

/* As config_origin(), but returns `name`, the caller's own name of the setting, instead of NULL. */
const char *config_name(const struct config *cfg, enum config_id id, const char *name);

/*
 * Reads the settings of one process, as its hello carries them: NUL-terminated "VARIABLE=value"
 * strings, `len` bytes in all.  Takes only rows of scope SERVICE.  Fails with ETCDREG_E_CONFIG for
 * any other variable and for text of another form, or with _NOMEM.
 */
int config_load_block(struct config *cfg, const char *block, size_t len, struct etcdreg_err *err);

#endif
