/* SPDX-License-Identifier: MIT */
/* The PEM files of TLS, read with libcrypto as libcurl will read them. */
#define _GNU_SOURCE
#include "tls_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/err.h"

#define PEM_MAX ((size_t)4 << 20) /* bytes; the authorities of a whole system are 0.2 MB */

static void x509_release(X509 **cert)
{
	X509_free(*cert);
}

static void pkey_release(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void bio_release(BIO **bio)
{
	BIO_free(*bio);
}

bool tls_files_init(struct tls_files *ret, const struct config *cfg)
{
	bool ok = file_init(&ret->cacert, "cacert", cfg, CONFIG_cacert);

	ok &= file_init(&ret->cert, "cert", cfg, CONFIG_cert);
	ok &= file_init(&ret->key, "key", cfg, CONFIG_key);
	return ok;
}

void tls_files_release(struct tls_files *files)
{
	file_release(&files->cacert);
	file_release(&files->cert);
	file_release(&files->key);
}

static int open_pem(const struct file *f, struct buf *text, BIO **ret, struct etcdreg_err *err)
{
	int r = file_read(f, false, text, err);

	if (r < 0)
		return r;
	*ret = BIO_new_mem_buf(text->s, (int)text->len);
	return *ret ? 0 : err_nomem(err);
}

/* Reads the first certificate, which the file is about; its chain may follow. */
static int read_cert(const struct file *f, X509 **ret, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf text = BUF_INIT(PEM_MAX);
	CLEANUP(bio) BIO *pem = NULL;
	int r = open_pem(f, &text, &pem, err);

	if (r < 0)
		return r;
	*ret = PEM_read_bio_X509_AUX(pem, NULL, NULL, NULL);
	ERR_clear_error();
	return *ret ? 0 : file_fail(f, err, "holds no certificate in PEM form");
}

/* Gives no passphrase: OpenSSL would ask for it on the terminal. */
static int note_passphrase(char *text, int size, int writes, void *arg)
{
	bool *is_encrypted = arg;

	(void)text;
	(void)size;
	(void)writes;
	*is_encrypted = true;
	return -1;
}

static int read_key(const struct file *f, EVP_PKEY **ret, struct etcdreg_err *err)
{
	CLEANUP(buf) struct buf text = BUF_INIT(PEM_MAX);
	CLEANUP(bio) BIO *pem = NULL;
	bool is_encrypted = false;
	int r = open_pem(f, &text, &pem, err);

	if (r < 0)
		return r;
	*ret = PEM_read_bio_PrivateKey(pem, NULL, note_passphrase, &is_encrypted);
	ERR_clear_error();
	if (is_encrypted)
		return file_fail(f, err,
				 "is encrypted, and nobody can type its passphrase here; store it "
				 "decrypted");
	return *ret ? 0 : file_fail(f, err, "holds no private key in PEM form");
}

static int check_key(const struct file *f, X509 *cert, const struct file *of,
		     struct etcdreg_err *err)
{
	CLEANUP(pkey) EVP_PKEY *key = NULL;
	CLEANUP(buf) struct buf name = BUF_INIT(FILE_NAME_MAX);
	int r = read_key(f, &key, err);

	if (r < 0 || X509_check_private_key(cert, key) == 1)
		return r;
	ERR_clear_error();
	file_name(of, &name);
	return file_fail(f, err, "is not the key of %s", name.s);
}

static int check_pair(const struct tls_files *files, struct etcdreg_err *err)
{
	CLEANUP(x509) X509 *cert = NULL;
	struct etcdreg_err why;
	int r;

	if (!file_is_given(&files->cert) && !file_is_given(&files->key))
		return 0;
	if (!file_is_given(&files->cert))
		return file_fail(&files->key, err,
				 "is set without a certificate; set cert (ETCD_REGISTRY_CERT)");
	r = read_cert(&files->cert, &cert, err);
	if (r < 0)
		return r;
	if (file_is_given(&files->key))
		return check_key(&files->key, cert, &files->cert, err);
	r = check_key(&files->cert, cert, &files->cert, &why);
	return r < 0 ? err_set(err, r, "%s; set key (ETCD_REGISTRY_KEY)", why.msg) : 0;
}

int tls_files_check(const struct tls_files *files, struct etcdreg_err *err)
{
	CLEANUP(x509) X509 *authority = NULL;
	int r = file_is_given(&files->cacert) ? read_cert(&files->cacert, &authority, err) : 0;

	return r < 0 ? r : check_pair(files, err);
}

bool tls_files_cert_expired(const struct tls_files *files)
{
	CLEANUP(x509) X509 *cert = NULL;

	return read_cert(&files->cert, &cert, NULL) == 0 &&
	       X509_cmp_current_time(X509_get0_notAfter(cert)) < 0;
}
