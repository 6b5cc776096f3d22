/* SPDX-License-Identifier: MIT */
/* The meaning of the error texts of TLS handshakes. */
#define _GNU_SOURCE
#include "tls_refusal.h"

#include <string.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"

enum meaning {
	UNKNOWN_AUTHORITY, /* of etcd's certificate */
	CLIENT_REFUSED,
	EXPIRED,
	NOT_YET_VALID,
	OTHER_HOST,
	OLD_TLS,
	NO_TLS,
	BROKEN,
};

/* The words of OpenSSL 1.1 to 3.5 and of libcurl. */
static const struct {
	const char *words;
	enum meaning meaning;
} signs[] = {
	{"unable to get local issuer", UNKNOWN_AUTHORITY},
	{"unable to get issuer", UNKNOWN_AUTHORITY},
	{"self-signed certificate", UNKNOWN_AUTHORITY},
	{"self signed certificate", UNKNOWN_AUTHORITY},
	{"certificate signature failure", UNKNOWN_AUTHORITY},
	{"alert bad certificate", CLIENT_REFUSED},
	{"alert certificate", CLIENT_REFUSED},
	{"alert unknown ca", CLIENT_REFUSED},
	{"alert unsupported certificate", CLIENT_REFUSED},
	{"alert handshake failure", CLIENT_REFUSED},
	{"alert access denied", CLIENT_REFUSED},
	{"certificate has expired", EXPIRED},
	{"not yet valid", NOT_YET_VALID},
	{"subject name", OTHER_HOST},
	{"alert protocol version", OLD_TLS},
	{"unsupported protocol", OLD_TLS},
	{"wrong version number", NO_TLS},
	{"packet length too long", NO_TLS},
	{"http request", NO_TLS},
	{"SSL_ERROR_SYSCALL", BROKEN},
	{"unexpected eof", BROKEN},
	{"Connection reset", BROKEN},
};

static int explain_authority(const struct tls_files *files, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf name = BUF_INIT(FILE_NAME_MAX);

	if (!file_is_given(&files->cacert))
		return err_set(err, ETCDREG_E_DENIED,
			       "its certificate is of an authority that this system does not know; "
			       "set cacert (ETCD_REGISTRY_CACERT) to the file of that authority");
	file_name(&files->cacert, &name);
	return err_set(err, ETCDREG_E_DENIED,
		       "its certificate is not of the authority in %s; set cacert to the authority "
		       "of etcd's certificate",
		       name.s);
}

static int explain_client(const struct tls_files *files, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf name = BUF_INIT(FILE_NAME_MAX);

	if (!file_is_given(&files->cert))
		return err_set(err, ETCDREG_E_DENIED,
			       "it requires a client certificate; set cert and key "
			       "(ETCD_REGISTRY_CERT, ETCD_REGISTRY_KEY)");
	file_name(&files->cert, &name);
	return err_set(err, ETCDREG_E_DENIED, "it refuses the certificate in %s%s", name.s,
		       tls_files_cert_expired(files)
			       ? ": the certificate has expired"
			       : "; use a client certificate of an authority that etcd trusts");
}

static int explain(const struct tls_files *files, enum meaning meaning, struct etcdreg_err *err)
{
	static const char *const texts[] = {
		[EXPIRED] = "its certificate has expired; give etcd a new one",
		[NOT_YET_VALID] = "its certificate is not valid yet; check the clocks",
		[OTHER_HOST] = "its certificate is for other names; connect by one of them",
		[OLD_TLS] = "it has no TLS 1.2 or later; enable one there",
		[NO_TLS] = "it does not speak TLS; use http, or enable TLS there",
		[BROKEN] = "the connection broke in the handshake; check that it speaks TLS",
	};

	if (meaning == UNKNOWN_AUTHORITY)
		return explain_authority(files, err);
	if (meaning == CLIENT_REFUSED)
		return explain_client(files, err);
	return err_set(err, meaning == BROKEN ? ETCDREG_E_UNREACH : ETCDREG_E_DENIED, "%s",
		       texts[meaning]);
}

int tls_refusal(const struct tls_files *files, const char *words, struct etcdreg_err *err)
{
	struct etcdreg_err wrong;

	if (tls_files_check(files, &wrong) < 0)
		return err_set(err, ETCDREG_E_DENIED, "%s", wrong.msg);
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (strstr(words, signs[i].words))
			return explain(files, signs[i].meaning, err);
	}
	return err_set(err, ETCDREG_E_DENIED, "%s", words);
}

int tls_broken(const struct tls_files *files, struct etcdreg_err *err)
{
	struct etcdreg_err why;

	explain_client(files, &why);
	return err_set(err, ETCDREG_E_UNREACH, "the connection broke; perhaps %s", why.msg);
}
