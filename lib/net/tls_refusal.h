/* SPDX-License-Identifier: MIT */
/*
 * tls_refusal.h - why a TLS handshake failed, in words that say what to do about it.
 */
#ifndef ETCDREG_LIB_NET_TLS_REFUSAL_H
#define ETCDREG_LIB_NET_TLS_REFUSAL_H

#include "lib/etcd-registry.h"
#include "tls_files.h"

/*
 * `words` are libcurl's and OpenSSL's.  If by now a file is no good, it is that.  Returns the code:
 * ETCDREG_E_DENIED, or _UNREACH where the connection broke, which says nothing about either side.
 */
int tls_refusal(const struct tls_files *files, const char *words, struct etcdreg_err *err);

/* Of a connection that broke after its handshake, before any answer.  Returns ETCDREG_E_UNREACH. */
int tls_broken(const struct tls_files *files, struct etcdreg_err *err);

#endif
