/* SPDX-License-Identifier: MIT */
/* Errors, and the texts of their codes. */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control_chars.h"

int err_set(struct etcdreg_err *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	va_start(args, fmt);
	if (vsnprintf(err->msg, sizeof(err->msg), fmt, args) < 0)
		err->msg[0] = '\0';
	va_end(args);
	mask_controls(err->msg);
	return code;
}

int err_prefix(struct etcdreg_err *err, int code, const char *fmt, ...)
{
	char msg[ETCDREG_ERR_MAX];
	va_list args;
	size_t len;

	if (!err)
		return code;
	memcpy(msg, err->msg, sizeof(msg));
	va_start(args, fmt);
	if (vsnprintf(err->msg, sizeof(err->msg), fmt, args) < 0)
		err->msg[0] = '\0';
	va_end(args);
	mask_controls(err->msg);
	len = strlen(err->msg);
	for (const char *s = msg; *s != '\0' && len + 1 < sizeof(err->msg); s++)
		err->msg[len++] = *s;
	err->msg[len] = '\0';
	return code;
}

const char *etcdreg_strerror(int code)
{
	if (code == 0)
		return "success";
	switch ((enum etcdreg_error)code) {
	case ETCDREG_E_NOMEM:
		return "out of memory";
	case ETCDREG_E_INVALID:
		return "invalid argument";
	case ETCDREG_E_CONFIG:
		return "invalid configuration";
	case ETCDREG_E_UNREACH:
		return "registry not reachable";
	case ETCDREG_E_PROTO:
		return "unexpected answer";
	case ETCDREG_E_DENIED:
		return "permission denied";
	case ETCDREG_E_NOTFOUND:
		return "not found";
	case ETCDREG_E_SERVER:
		return "refused by etcd";
	case ETCDREG_E_TIMEOUT:
		return "timed out";
	case ETCDREG_E_SYSTEM:
		return "system error";
	case ETCDREG_E_STOPPED:
		return "stopped";
	}
	return "unknown error";
}

const char *etcdreg_version(void)
{
	return ETCDREG_VERSION;
}
