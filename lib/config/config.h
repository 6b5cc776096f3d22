/* SPDX-License-Identifier: MIT */
/*
 * config.h - all settings, as config.def lists them: struct config has one field per row,
 * config_rows describes them.
 *
 * Each field remembers where its value came from, and a weaker source never replaces a stronger
 * one:
 *
 *	default < etcdctl's variable < our own < connection string's query < set by the caller
 *
 * so the order of the calls does not matter.  Texts are never NULL and owned by the struct.  This
 * is the only file that reads the environment; it does so in config_load_env() alone, with
 * secure_getenv().
 *
 * Error messages name the variable where a value came from one, and never quote a SECRET.
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
 * As in config.def; NULL where it says so.  min and max: the range, for CONFIG_TEXT the shortest
 * and longest length.
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

/* Every field at its default.  Fails with ETCDREG_E_NOMEM; the struct needs no release then. */
int config_init(struct config *cfg, struct etcdreg_err *err);

/* Clears the secrets.  A zeroed struct is fine. */
void config_release(struct config *cfg);

/*
 * The environment, and where a variable is not set (or empty) its fallback, for the rows that are
 * still at their default. Rows of scope SHIM are left out: the preload object reads them, alone.
 * Fails with ETCDREG_E_CONFIG or _NOMEM.
 */
int config_load_env(struct config *cfg, struct etcdreg_err *err);

/*
 * From then on neither /proc/PID/environ of this process nor that of a child has the variables of
 * SECRET rows; getenv() and what this process executes still do.  Before there are threads, once.
 * Without memory for it they stay.
 */
void config_hide_env(void);

/*
 * Set one field from text.  config_set() is the caller's own word and always wins;
 * config_set_from() does nothing where the field has its value from a stronger source.  The
 * message does not name the setting: the caller knows under which name it was given.  Fail with
 * ETCDREG_E_CONFIG or _NOMEM.
 */
int config_set(struct config *cfg, enum config_id id, const char *value, struct etcdreg_err *err);
int config_set_from(struct config *cfg, enum config_id id, enum config_source source,
		    const char *value, struct etcdreg_err *err);

/* The row whose option is the `len` bytes at `option`; CONFIG_COUNT: there is none. */
enum config_id config_find_option(const char *option, size_t len);

/* What a TEXT row is set to. */
const char *config_text(const struct config *cfg, enum config_id id);

/*
 * Who has set a field, as a message may name it: a variable, or "connection string"; NULL: the
 * caller, or nobody.
 */
const char *config_origin(const struct config *cfg, enum config_id id);

/*
 * A process's settings as they travel in its hello: NUL-terminated "VARIABLE=value" strings,
 * `len` bytes.  Only rows of scope SERVICE; any other variable, or text that is not of that form,
 * is refused with ETCDREG_E_CONFIG.
 */
int config_load_block(struct config *cfg, const char *block, size_t len, struct etcdreg_err *err);

#endif
