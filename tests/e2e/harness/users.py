# SPDX-License-Identifier: MIT
"""etcd with users: root, who the tests are, and one who may do no more than the registry needs."""
import base64

ROOT = "root"
USER, PASSWORD = "registry", "r&d: 100% \"s3cret\""


def _encode(text):
    return base64.b64encode(text.encode()).decode()


def _add_user(etcd, name, password, role):
    etcd.call("auth/user/add", {"name": name, "password": password})
    etcd.call("auth/user/grant", {"user": name, "role": role})


def switch_users_on(etcd, password=PASSWORD):
    """USER may read and write what is below services/, and nothing else."""
    services = {
        "permType": "READWRITE",
        "key": _encode("/services/"),
        "range_end": _encode("/services0"),
    }
    for role in (ROOT, USER):
        etcd.call("auth/role/add", {"name": role})
    etcd.call("auth/role/grant", {"name": USER, "perm": services})
    _add_user(etcd, ROOT, ROOT, ROOT)
    _add_user(etcd, USER, password, USER)
    etcd.call("auth/enable", {})
    log_in(etcd)


def set_password(etcd, password):
    """Tokens of USER are no good from then on."""
    etcd.call("auth/user/changepw", {"name": USER, "password": password})


def log_in(etcd):
    """Tokens do not survive a restart of a node."""
    etcd.token = None
    etcd.token = etcd.call("auth/authenticate", {"name": ROOT, "password": ROOT})["token"]


def settings():
    """For Registry.settings()."""
    return {"USER": USER, "PASSWORD": PASSWORD}


def invalidate_tokens(etcd):
    """Those of USER, whose password stays what it was."""
    etcd.call("auth/user/changepw", {"name": USER, "password": PASSWORD})
