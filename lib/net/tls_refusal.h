/* SPDX-License-Identifier: MIT */
/*
 * tls_refusal.h - explain why a TLS handshake failed, and what to do about it.
 */
#ifndef ETCDREG_LIB_NET_TLS_REFUSAL_H
#define ETCDREG_LIB_NET_TLS_REFUSAL_H

#include "lib/etcd-registry.h"
#include "tls_files.h"

/*
 * Explains `words`, the error text of libcurl and OpenSSL.  If one of our files has become invalid,
 * the message is about that file.  Returns ETCDREG_E_DENIED, or _UNREACH if the connection broke,
 * which does not show which side is wrong.
 */
int tls_refusal(const struct tls_files *files, const char *words, struct etcdreg_err *err);

/*
 * Explains a connection that broke after its handshake and before any answer.  Returns
 * ETCDREG_E_UNREACH.
 */
int tls_broken(const struct tls_files *files, struct etcdreg_err *err);

#endif
