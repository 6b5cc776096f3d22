# SPDX-License-Identifier: MIT
"""The npm package etcd-registry, kept in the build folder from one run to the next."""
import fcntl
import shutil
import subprocess

from .product import BUILD

PACKAGE = "etcd-registry@2.1.1"
TIMEOUT_S = 180


def _install():
    folder = BUILD / "npm"
    manifest = folder / "node_modules" / "etcd-registry" / "package.json"
    if not manifest.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        options = ["--no-audit", "--no-fund", "--no-save", "--prefix", folder]
        result = subprocess.run(
            ["npm", "install", *options, PACKAGE],
            check=False,
            cwd=folder,
            timeout=TIMEOUT_S,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
    return folder / "node_modules"


def npm_modules():
    """Returns the package's folder, for NODE_PATH.  One pytest worker installs it for all."""
    with open(BUILD / "npm.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _install()
