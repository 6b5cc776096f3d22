/* SPDX-License-Identifier: MIT */
/*
 * tls_files.h - check the PEM files for TLS connections to etcd.
 *
 * libcurl reads the files again for each connection.  This module keeps nothing of them.
 */
#ifndef ETCDREG_LIB_NET_TLS_FILES_H
#define ETCDREG_LIB_NET_TLS_FILES_H

#include <stdbool.h>

#include "lib/config/config.h"
#include "lib/config/file.h"
#include "lib/etcd-registry.h"

struct tls_files {
	struct file cacert; /* path "": none */
	struct file cert;   /* path "": none */
	struct file key;    /* path "": the key is in `cert` */
};

/* Returns false if there is no memory.  Release the struct in either case, or a zeroed one. */
bool tls_files_init(struct tls_files *ret, const struct config *cfg);
void tls_files_release(struct tls_files *files);

/*
 * Fails with ETCDREG_E_CONFIG if a file cannot be read, is no PEM file of its kind, or if cert and
 * key do not belong together; or with _NOMEM.  The message names the file.
 */
int tls_files_check(const struct tls_files *files, struct etcdreg_err *err);

/* Returns whether the certificate is readable and has expired. */
bool tls_files_cert_expired(const struct tls_files *files);

#endif
