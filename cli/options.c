/* SPDX-License-Identifier: MIT */
/* Parse a command line, and describe its options. */
#define _GNU_SOURCE
#include "options.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "lib/config/connstr.h"
#include "output.h"
#include "own_options.h"

#define ENV_PREFIX "ETCD_REGISTRY_"
#define HELP_COLUMN 26

bool options_setting_name(const struct config_row *row, char ret[static OPTION_NAME_MAX])
{
	const char *s = row->env + strlen(ENV_PREFIX);
	size_t i;

	/* Every user can read a password in argv.  A disabled object needs no `run`. */
	if (row == &config_rows[CONFIG_password] || row == &config_rows[CONFIG_disable])
		return false;
	for (i = 0; s[i] != '\0' && i + 1 < OPTION_NAME_MAX; i++)
		ret[i] = s[i] == '_' ? '-' : (char)tolower((unsigned char)s[i]);
	ret[i] = '\0';
	return true;
}

/* Whether the setting is an option of the command; writes the option's name. */
static bool takes_setting(const struct command *command, enum config_id id,
			  char ret[static OPTION_NAME_MAX])
{
	const struct config_row *row = &config_rows[id];

	if (!(command->scopes >> row->scope & 1) && !(command->settings >> id & 1))
		return false;
	return options_setting_name(row, ret);
}

static bool takes_own(const struct command *command, const struct own_option *own)
{
	return own->bit == OWN_HELP || (command->own & own->bit);
}

static bool equals(const char *name, const char *s, size_t len)
{
	return strlen(name) == len && memcmp(name, s, len) == 0;
}

static const struct own_option *find_own(const struct command *command, const char *name,
					 size_t len)
{
	for (size_t i = 0; i < own_options_len; i++) {
		if (takes_own(command, &own_options[i]) && equals(own_options[i].name, name, len))
			return &own_options[i];
	}
	return NULL;
}

/* Returns CONFIG_COUNT if there is none. */
static enum config_id find_setting(const struct command *command, const char *name, size_t len)
{
	char candidate[OPTION_NAME_MAX];
	enum config_id id;

	for (id = 0; id < CONFIG_COUNT; id++) {
		if (takes_setting(command, id, candidate) && equals(candidate, name, len))
			break;
	}
	return id;
}

static int set_setting(struct options *opts, enum config_id id, char *value,
		       struct etcdreg_err *err)
{
	char name[OPTION_NAME_MAX];
	int r = config_set(&opts->config, id, value, err);

	options_setting_name(&config_rows[id], name);
	if (r < 0)
		return err_prefix(err, r, "--%s: ", name);
	opts->given[id] = value;
	return 0;
}

/* Takes the option argv[*at], and the next argument if that is its value. */
static int take_option(struct options *opts, char **argv, int *at, struct etcdreg_err *err)
{
	char *name = argv[*at] + 2;
	size_t len = strcspn(name, "=");
	char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct own_option *own = find_own(opts->command, name, len);
	enum config_id id = find_setting(opts->command, name, len);

	if (!own && id == CONFIG_COUNT)
		return err_set(err, ETCDREG_E_CONFIG, "unknown option '--%.*s'", (int)len, name);
	if (own)
		opts->own |= own->bit;
	if (own && !own->value)
		return value ? err_set(err, ETCDREG_E_CONFIG, "--%s takes no value", own->name) : 0;
	if (!value)
		value = argv[++*at];
	if (!value)
		return err_set(err, ETCDREG_E_CONFIG, "--%s needs a value", name);
	return own ? own->set(opts, value, err) : set_setting(opts, id, value, err);
}

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] != '\0';
}

static const struct own_option *find_letter(const struct command *command, const char *arg)
{
	for (size_t i = 0; i < own_options_len; i++) {
		const struct own_option *own = &own_options[i];

		if (own->letter && takes_own(command, own) && strcmp(own->letter, arg) == 0)
			return own;
	}
	return NULL;
}

static int take_letter(struct options *opts, const char *arg, struct etcdreg_err *err)
{
	const struct own_option *own = find_letter(opts->command, arg);

	if (!own)
		return err_set(err, ETCDREG_E_CONFIG, "unknown option '%s'", arg);
	opts->own |= own->bit;
	return 0;
}

static int take_arguments(struct options *opts, int argc, char **argv, struct etcdreg_err *err)
{
	bool literal = false;

	for (int i = 1; i < argc; i++) {
		int r = 0;

		if (literal || !is_option(argv[i])) {
			literal |= opts->command->wraps;
			opts->operands[opts->operands_len++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			literal = true;
		} else if (argv[i][1] != '-') {
			r = take_letter(opts, argv[i], err);
		} else {
			r = take_option(opts, argv, &i, err);
		}
		if (r < 0)
			return r;
	}
	opts->operands[opts->operands_len] = NULL;
	return 0;
}

static int check_operands(const struct options *opts, struct etcdreg_err *err)
{
	const struct command *command = opts->command;

	if (opts->operands_len < command->operands_min)
		return err_set(err, ETCDREG_E_CONFIG, "too few arguments");
	if (opts->operands_len > command->operands_max)
		return err_set(err, ETCDREG_E_CONFIG, "unexpected argument '%s'",
			       opts->operands[command->operands_max]);
	return 0;
}

static int check_forms(const struct options *opts, struct etcdreg_err *err)
{
	if (__builtin_popcount(opts->own & (OWN_JSON | OWN_FORMAT | OWN_VERBOSE)) > 1)
		return err_set(err, ETCDREG_E_CONFIG,
			       "give only one of --verbose, --format and --json");
	return 0;
}

int options_parse(struct options *ret, const struct command *command, int argc, char **argv,
		  struct etcdreg_err *err)
{
	int r;

	*ret = (struct options){
		.command = command, .operands = argv + 1, .agent = AGENT_OPTIONS_INIT};
	r = config_init(&ret->config, err);
	if (r < 0)
		return r;
	r = take_arguments(ret, argc, argv, err);
	if (r < 0 || (ret->own & OWN_HELP))
		return r;
	r = check_operands(ret, err);
	return r < 0 ? r : check_forms(ret, err);
}

void options_release(struct options *opts)
{
	config_release(&opts->config);
}

void options_wipe_secrets(const struct options *opts)
{
	for (enum config_id id = 0; id < CONFIG_COUNT; id++) {
		if (opts->given[id] && (config_rows[id].flags & CONFIG_SECRET))
			explicit_bzero(opts->given[id], strlen(opts->given[id]));
	}
}

int options_complete(struct options *opts, struct etcdreg_err *err)
{
	CLEANUP(connstr) struct connstr connstr = {0};

	return connstr_load(&connstr, &opts->config, "--url", err);
}

int options_open(struct options *opts, etcdreg_event_fn *on_event, void *arg,
		 struct etcdreg **ret_reg, struct etcdreg_err *err)
{
	const struct config *cfg = &opts->config;
	char *const *given = opts->given;
	struct etcdreg_options options = {
		.size = sizeof(options),
		.url = given[CONFIG_url],
		.api = given[CONFIG_api],
		.cacert = given[CONFIG_cacert],
		.cert = given[CONFIG_cert],
		.key = given[CONFIG_key],
		.user = given[CONFIG_user],
		.password_file = given[CONFIG_password_file],
		.spread = given[CONFIG_spread],
		.ttl_s = given[CONFIG_ttl_s] ? cfg->ttl_s : 0,
		.timeout_ms = given[CONFIG_timeout_ms] ? cfg->timeout_ms : 0,
		.on_event = on_event,
		.event_arg = arg,
	};
	int r = options_complete(opts, err);

	if (r == 0)
		r = etcdreg_open(&options, ret_reg, err);
	options_wipe_secrets(opts);
	return r;
}

void options_usage(const struct command *command, FILE *out)
{
	fprintf(out, "usage: etcd-registry %s%s%s%s\n", command->name,
		command->scopes | command->settings | command->own ? " [OPTION]..." : "",
		*command->operands != '\0' ? " " : "", command->operands);
}

int options_refuse(const struct command *command, const struct etcdreg_err *err)
{
	int status = output_error(err);

	if (status == STATUS_USAGE)
		options_usage(command, stderr);
	return status;
}

static void describe(FILE *out, const char *name, const char *more, const char *help,
		     const char *default_text)
{
	int width = fprintf(out, "  --%s%s%s", name, more ? " " : "", more ? more : "");

	fprintf(out, "%*s%s", width < HELP_COLUMN ? HELP_COLUMN - width : 2, "", help);
	if (*default_text != '\0')
		fprintf(out, " [%s]", default_text);
	putc('\n', out);
}

static const char *value_name(const struct config_row *row)
{
	switch (row->type) {
	case CONFIG_SECONDS:
		return "SECONDS";
	case CONFIG_MS:
		return "TIME";
	default:
		return "TEXT";
	}
}

static void describe_settings(const struct command *command, FILE *out)
{
	char name[OPTION_NAME_MAX];

	fputs("\nSettings, with [defaults].  An option overrides its variable: --ttl "
	      "overrides " ENV_PREFIX "TTL.\n",
	      out);
	for (enum config_id id = 0; id < CONFIG_COUNT; id++) {
		const struct config_row *row = &config_rows[id];

		if (takes_setting(command, id, name))
			describe(out, name, value_name(row), row->help, row->default_text);
	}
}

void options_describe(const struct command *command, FILE *out)
{
	for (size_t i = 0; i < own_options_len; i++) {
		const struct own_option *own = &own_options[i];

		if (takes_own(command, own))
			describe(out, own->name, own->value ? own->value : own->letter, own->help,
				 "");
	}
	if (command->scopes != 0)
		describe_settings(command, out);
}
