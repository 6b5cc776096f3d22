/* SPDX-License-Identifier: MIT */
/* USER[:GROUP]. */
#include "owner.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "lib/base/parse.h"

/* The highest number is no id: it means "unchanged". */
static bool parse_id(const char *text, uint32_t *ret)
{
	uint64_t number;

	if (!parse_uint(text, strlen(text), 0, UINT32_MAX - 1, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

static int parse_user(const char *name, uid_t *ret, struct etcdreg_err *err)
{
	const struct passwd *user;

	if (parse_id(name, ret))
		return 0;
	user = getpwnam(name);
	if (!user)
		return err_set(err, ETCDREG_E_CONFIG, "there is no user '%s'", name);
	*ret = user->pw_uid;
	return 0;
}

static int parse_group(const char *name, gid_t *ret, struct etcdreg_err *err)
{
	const struct group *group;

	if (parse_id(name, ret))
		return 0;
	group = getgrnam(name);
	if (!group)
		return err_set(err, ETCDREG_E_CONFIG, "there is no group '%s'", name);
	*ret = group->gr_gid;
	return 0;
}

int owner_parse(const char *text, struct owner *ret, struct etcdreg_err *err)
{
	struct owner owner = {OWNER_SAME_UID, OWNER_SAME_GID};
	size_t len = strcspn(text, ":");
	CLEANUP(free) char *user = strndup(text, len);
	int r;

	if (!user)
		return err_nomem(err);
	r = parse_user(user, &owner.uid, err);
	if (r == 0 && text[len])
		r = parse_group(text + len + 1, &owner.gid, err);
	if (r == 0)
		*ret = owner;
	return r;
}
