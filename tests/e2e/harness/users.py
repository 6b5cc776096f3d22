# SPDX-License-Identifier: MIT
"""etcd with users: root for the tests, and a user with no more rights than the registry needs.

The v2 API has users of its own, whose passwords go with every request.
"""
import base64
import json
import urllib.request

from .etcd import REQUEST_TIMEOUT_S

ROOT = "root"
SERVICES = "/services/", "/services0"
USER, PASSWORD = "registry", "r&d: 100% \"s3cret\""


def _encode(text):
    return base64.b64encode(text.encode()).decode()


def _add_user(etcd, name, password, role):
    etcd.call("auth/user/add", {"name": name, "password": password})
    etcd.call("auth/user/grant", {"user": name, "role": role})


def _put_v2(etcd, what, body):
    headers = {"Content-Type": "application/json", **etcd.headers()}
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{etcd.url}/v2/auth/{what}", data, headers, method="PUT")
    with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_S):
        pass


def _switch_v2_users_on(etcd, password):
    """Switches v2 users on.  Guests, that is, requests without a user, lose all rights."""
    services = {"read": ["/services/*"], "write": ["/services/*"]}
    everything = {"read": ["/*"], "write": ["/*"]}
    _put_v2(etcd, f"users/{ROOT}", {"user": ROOT, "password": ROOT})
    _put_v2(etcd, f"roles/{USER}", {"role": USER, "permissions": {"kv": services}})
    _put_v2(etcd, f"users/{USER}", {"user": USER, "password": password, "roles": [USER]})
    _put_v2(etcd, "enable", {})
    etcd.token = f"Basic {_encode(f'{ROOT}:{ROOT}')}"
    _put_v2(etcd, "roles/guest", {"role": "guest", "revoke": {"kv": everything}})


def _grant(etcd, first, end):
    keys = {"key": _encode(first), "range_end": _encode(end)}
    etcd.call("auth/role/grant", {"name": USER, "perm": {"permType": "READWRITE", **keys}})


def _switch_v3_users_on(etcd, password, permitted=(SERVICES,)):
    for role in (ROOT, USER):
        etcd.call("auth/role/add", {"name": role})
    for first, end in permitted:
        _grant(etcd, first, end)
    _add_user(etcd, ROOT, ROOT, ROOT)
    _add_user(etcd, USER, password, USER)
    etcd.call("auth/enable", {})
    log_in(etcd)


def switch_users_on(etcd, password=PASSWORD, api="v3"):
    """Switches users on.  USER may read and write below services/ only."""
    {"v2": _switch_v2_users_on, "v3": _switch_v3_users_on}[api](etcd, password)


def switch_users_on_without(etcd, first, end):
    """Does the same, but USER may not use the keys from `first` up to `end`."""
    _switch_v3_users_on(etcd, PASSWORD, ((SERVICES[0], first), (end, SERVICES[1])))


def set_password(etcd, password):
    """Changes USER's password, which makes USER's tokens invalid."""
    etcd.call("auth/user/changepw", {"name": USER, "password": password})


def log_in(etcd):
    """Gets a new token, which a restart of a node makes necessary."""
    etcd.token = None
    etcd.token = etcd.call("auth/authenticate", {"name": ROOT, "password": ROOT})["token"]


def settings():
    """Settings for Registry.settings()."""
    return {"USER": USER, "PASSWORD": PASSWORD}


def invalidate_tokens(etcd):
    """Makes USER's tokens invalid, and keeps the password."""
    etcd.call("auth/user/changepw", {"name": USER, "password": PASSWORD})
