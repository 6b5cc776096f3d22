/* SPDX-License-Identifier: MIT */
/*
 * tls_files.h - the PEM files that etcd is reached with: whether they are any good.
 *
 * libcurl reads them anew for each connection; nothing of them is kept here.
 */
#ifndef ETCDREG_LIB_NET_TLS_FILES_H
#define ETCDREG_LIB_NET_TLS_FILES_H

#include <stdbool.h>

#include "lib/config/config.h"
#include "lib/config/file.h"
#include "lib/etcd-registry.h"

struct tls_files {
	struct file cacert; /* a path "": none */
	struct file cert;
	struct file key; /* "": it is in `cert` */
};

/* False: no memory.  Release it in either case; a zeroed struct is fine. */
bool tls_files_init(struct tls_files *ret, const struct config *cfg);
void tls_files_release(struct tls_files *files);

/*
 * Fails with ETCDREG_E_CONFIG where one cannot be read, is no PEM file of its kind, or cert and key
 * do not belong together; or with _NOMEM.  The message names the file.
 */
int tls_files_check(const struct tls_files *files, struct etcdreg_err *err);

/* Whether the certificate can be read and its time is over. */
bool tls_files_cert_expired(const struct tls_files *files);

#endif
