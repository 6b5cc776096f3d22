/* SPDX-License-Identifier: MIT */
/* The etcd user and password, from the settings. */
#define _GNU_SOURCE
#include "credentials.h"

#include <string.h>

#include "file.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"

#define PASSWORD_MAX 1024

static int read_password(const struct config *cfg, char **ret, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf text = BUF_INIT(PASSWORD_MAX);
	CLEANUP(file) struct file file = {0};
	size_t len;
	int r;

	if (!file_init(&file, "password", cfg, CONFIG_password_file))
		return err_nomem(err);
	r = file_read(&file, true, &text, err);
	if (r < 0)
		return r;
	len = strcspn(text.s, "\r\n");
	if (len == 0)
		return file_fail(&file, err, "has an empty first line; write the password there");
	*ret = strndup(text.s, len);
	return *ret ? 0 : err_nomem(err);
}

static int load_password(struct credentials *c, const char *embedded, const struct config *cfg,
			 struct etcdreg_err *err)
{
	const char *password = cfg->password;

	if (embedded && cfg->source[CONFIG_password] <= cfg->source[CONFIG_user])
		password = embedded;
	if (password[0] == '\0' && cfg->password_file[0] != '\0')
		return read_password(cfg, &c->password, err);
	c->password = strdup(password);
	return c->password ? 0 : err_nomem(err);
}

int credentials_load(struct credentials *ret, const struct config *cfg, struct etcdreg_err *err)
{
	CLEANUP(credentials) struct credentials c = {0};
	size_t user_len = strcspn(cfg->user, ":");
	const char *embedded = cfg->user[user_len] == ':' ? cfg->user + user_len + 1 : NULL;
	int r;

	if (user_len == 0) {
		if (embedded || cfg->password[0] != '\0' || cfg->password_file[0] != '\0')
			return err_set(err, ETCDREG_E_CONFIG,
				       "a password is set, but no user; set user "
				       "(ETCD_REGISTRY_USER)");
		*ret = STEAL(c);
		return 0;
	}
	c.user = strndup(cfg->user, user_len);
	if (!c.user)
		return err_nomem(err);
	r = load_password(&c, embedded, cfg, err);
	if (r < 0)
		return r;
	*ret = STEAL(c);
	return 0;
}

void credentials_release(struct credentials *c)
{
	secret_free(c->user);
	secret_free(c->password);
	*c = (struct credentials){0};
}
