# SPDX-License-Identifier: MIT
"""The paths of the product under test.  ETCD_REGISTRY_BUILD names another build folder than
build/."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("ETCD_REGISTRY_BUILD", ROOT / "build")).resolve()
PRELOAD = BUILD / "libetcd-registry-preload.so"
COMMAND = BUILD / "etcd-registry"
HOSTS = BUILD / "hosts"
LISTENER = HOSTS / "listener"
MUSL_LISTENER = BUILD / "hosts-musl" / "listener"
STATIC_LISTENER = BUILD / "hosts-static" / "listener"
# Exists if gcc can build for 32 bits.  The object that `make preload32` builds is for this program.
I386_LISTENER = BUILD / "hosts-i386" / "listener"


def clean_environment():
    """Returns this process's environment without variables that affect the product or etcd."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ETCD_", "ETCDCTL_", "LD_", "LISTEN_"))
    }
