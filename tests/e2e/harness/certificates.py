# SPDX-License-Identifier: MIT
"""Certificates and authorities of a single test, made with openssl."""
import os
import subprocess

OPENSSL_TIMEOUT_S = 20
# etcd's JSON gateway is a client of etcd, and presents etcd's own certificate.
USAGES = "extendedKeyUsage=serverAuth,clientAuth"
HERE = "IP:127.0.0.1"


def _openssl(*words):
    command = ["openssl", *map(str, words)]
    subprocess.run(command, check=True, capture_output=True, timeout=OPENSSL_TIMEOUT_S)


def _make_key(path):
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    return path


def encrypt_key(key, encrypted, passphrase):
    _openssl("pkey", "-in", key, "-aes256", "-passout", f"pass:{passphrase}", "-out", encrypted)


def rehash(folder):
    """Links the folder's certificates under the names by which OpenSSL finds authorities."""
    _openssl("rehash", folder)


class Authority:
    """A certificate authority.  Its folder has ca.pem, and NAME.pem with NAME-key.pem for each
    certificate."""

    def __init__(self, folder, name="throwaway"):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.cacert = folder / "ca.pem"
        self._key = _make_key(folder / "ca-key.pem")
        words = ["-subj", f"/O={name}", "-addext", "keyUsage=critical,keyCertSign"]
        _openssl("req", "-x509", "-key", self._key, "-days", 1, *words, "-out", self.cacert)

    def issue(self, name, san=HERE, days=1, subject=None):
        """Returns (certificate, key).  With days=-1 it has expired.  etcd would take a common name
        in `subject` as a user, and its JSON gateway refuses that if users are switched on.  A
        certificate of the same name is replaced atomically."""
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}-key.pem"
        new_key, request, extensions, new = (
            self.folder / f".{name}.{what}" for what in ("key", "request", "extensions", "cert")
        )
        _make_key(new_key)
        subject = subject or f"/O={name}"
        _openssl("req", "-new", "-key", new_key, "-subj", subject, "-out", request)
        extensions.write_text(f"{USAGES}\nsubjectAltName={san}\n")
        words = ["-CA", self.cacert, "-CAkey", self._key, "-days", days, "-extfile", extensions]
        _openssl("x509", "-req", "-in", request, *words, "-out", new)
        os.replace(new_key, key)
        os.replace(new, cert)
        return cert, key


class Files:
    """The files in a client's settings."""

    def __init__(self, cacert=None, cert=None, key=None):
        self.values = {"CACERT": cacert, "CERT": cert, "KEY": key}

    def settings(self, **more):
        """Settings for Registry.preloaded()."""
        return {**self.values, **more}

    def variables(self, prefix="ETCD_REGISTRY_"):
        return {f"{prefix}{name}": str(path) for name, path in self.values.items() if path}

    def options(self):
        return [
            word for name, path in self.values.items() if path for word in (f"--{name.lower()}", path)
        ]

    def query(self):
        return "&".join(f"{name.lower()}={path}" for name, path in self.values.items() if path)
