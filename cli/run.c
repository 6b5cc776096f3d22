/* SPDX-License-Identifier: MIT */
/* `etcd-registry run`: execute a server with the preload object and the settings. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/services/names.h"
#include "command.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "options.h"
#include "output.h"

#define OBJECT "libetcd-registry-preload.so"
#define STATUS_CANNOT_EXECUTE 126
#define STATUS_COMMAND_NOT_FOUND 127

/* A variable that the command would inherit; "": not set.  It does not configure this program. */
static const char *inherited(const char *variable)
{
	size_t len = strlen(variable);

	for (char **entry = environ; entry && *entry; entry++) {
		if (strncmp(*entry, variable, len) == 0 && (*entry)[len] == '=')
			return *entry + len + 1;
	}
	return "";
}

/* The real path of the file `name` in the folder; NULL: there is none. */
static char *existing(const char *dir, const char *name)
{
	CLEANUP(free) char *path = NULL;

	if (!dir)
		return NULL;
	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return NULL;
	}
	return realpath(path, NULL);
}

/* `path` with `tail` in place of its last component. */
static char *beside(const char *path, const char *tail)
{
	char *ret;

	if (!path || asprintf(&ret, "%.*s%s", (int)(strrchr(path, '/') - path), path, tail) < 0)
		return NULL;
	return ret;
}

/* Looks in the build tree, in an unpacked package, and where `make install` puts the object. */
static char *find_object(const char *self)
{
	CLEANUP(free) char *dir = beside(self, "");
	CLEANUP(free) char *lib = beside(self, "/../lib");
	const char *const dirs[] = {dir, lib, LIBDIR};
	char *path = NULL;

	for (size_t i = 0; i < ARRAY_LEN(dirs) && !path; i++)
		path = existing(dirs[i], OBJECT);
	return path;
}

/* Whether the object by itself finds this program, and no other, as its agent.  False if unsure. */
static bool agent_is_found(const char *object, const char *self)
{
	CLEANUP(free) char *dir = beside(object, "");
	CLEANUP(free) char *bin = beside(object, "/../bin");
	const char *const dirs[] = {dir, bin, BINDIR};
	CLEANUP(free) char *path = NULL;

	for (size_t i = 0; i < ARRAY_LEN(dirs) && !path; i++)
		path = existing(dirs[i], "etcd-registry");
	return path && self && strcmp(path, self) == 0;
}

static int set_variable(const char *name, const char *value, struct etcdreg_err *err)
{
	if (setenv(name, value, 1) < 0)
		return err_set(err, ETCDREG_E_NOMEM, "cannot set %s: %s", name, strerror(errno));
	return 0;
}

static int set_preload(const char *object, struct etcdreg_err *err)
{
	const char *before = inherited("LD_PRELOAD");
	CLEANUP(free) char *list = NULL;

	if (strpbrk(object, ": \t\n$"))
		return err_set(
			err, ETCDREG_E_SYSTEM,
			"cannot preload '%s': its path has a colon, a blank or a '$'; move it",
			object);
	if (asprintf(&list, "%s%s%s", object, *before != '\0' ? ":" : "", before) < 0) {
		list = NULL;
		return err_nomem(err);
	}
	return set_variable("LD_PRELOAD", list, err);
}

static int set_settings(const struct options *opts, struct etcdreg_err *err)
{
	int r = 0;

	for (enum config_id id = 0; id < CONFIG_COUNT && r == 0; id++) {
		if (opts->given[id])
			r = set_variable(config_rows[id].env, opts->given[id], err);
	}
	return r;
}

static int set_environment(const struct options *opts, struct etcdreg_err *err)
{
	const char *agent_bin = config_rows[CONFIG_agent_bin].env;
	CLEANUP(free) char *self = realpath("/proc/self/exe", NULL);
	CLEANUP(free) char *object = find_object(self);
	int r;

	if (!object)
		return err_set(err, ETCDREG_E_SYSTEM,
			       "cannot find %s beside this program, in ../lib or in %s; install it",
			       OBJECT, LIBDIR);
	r = set_settings(opts, err);
	if (r == 0 && *inherited(agent_bin) == '\0' && self && !agent_is_found(object, self))
		r = set_variable(agent_bin, self, err);
	return r < 0 ? r : set_preload(object, err);
}

static int check_settings(struct options *opts, struct etcdreg_err *err)
{
	const char *source = opts->given[CONFIG_name] ? "--name" : config_rows[CONFIG_name].env;
	struct names names;
	int r = options_complete(opts, err);

	if (r < 0)
		return r;
	if (*opts->config.name == '\0')
		return err_set(err, ETCDREG_E_CONFIG, "no name to register; give --name or set %s",
			       config_rows[CONFIG_name].env);
	r = names_parse(opts->config.name, &names, err);
	if (r < 0)
		return err_prefix(err, r, "%s: ", source);
	names_release(&names);
	return 0;
}

int run_command(struct options *opts)
{
	struct etcdreg_err err;

	if (check_settings(opts, &err) < 0 || set_environment(opts, &err) < 0)
		return output_error(&err);
	execvp(opts->operands[0], opts->operands);
	return output_failure(errno == ENOENT ? STATUS_COMMAND_NOT_FOUND : STATUS_CANNOT_EXECUTE,
			      "cannot run '%s': %s", opts->operands[0], strerror(errno));
}
