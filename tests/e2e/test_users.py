# SPDX-License-Identifier: MIT
"""etcd with users switched on: who may write below services/ alone can do all that the product
does."""
import time

import pytest
from harness import users
from harness.agents import kill_worker
from harness.wait import wait_until

pytestmark = [pytest.mark.etcds, pytest.mark.slow]

TTL_S = 3
LONG_TTL_S = 6
LEFT_S = 2
UNREACHABLE = 3


@pytest.fixture
def guarded_etcd(absent_etcd):
    users.switch_users_on(absent_etcd.start())
    return absent_etcd


@pytest.fixture
def registry(guarded_etcd, make_registry):
    return make_registry(guarded_etcd, "v3")


def settings_of_user():
    return {f"ETCD_REGISTRY_{name}": value for name, value in users.settings().items()}


def test_a_service_is_held_and_deleted(registry, launch_registered):
    host, web = launch_registered(registry, TTL=TTL_S, **users.settings())
    lease = registry.leases()
    with registry.watch() as watch:
        time.sleep(3 * TTL_S)
        assert registry.leases() == lease
        assert not watch.events
        host.kill()
        watch.wait("delete", registry.key(web), LEFT_S)


def test_the_user_sees_the_members(registry, guarded_etcd, launch_registered):
    launch_registered(registry, **users.settings())
    wait_until(lambda: guarded_etcd.lists_of_members() == 1, LEFT_S, "a list of members")


def test_a_restart_of_etcd_costs_a_new_login_at_most(registry, guarded_etcd, launch_registered):
    launch_registered(registry, TTL=TTL_S, **users.settings())
    lease = registry.leases()
    guarded_etcd.kill()
    guarded_etcd.start()
    users.log_in(guarded_etcd)
    time.sleep(3 * TTL_S)
    assert registry.leases() == lease


def test_the_command_needs_the_user(registry, launch_registered):
    host, _ = launch_registered(registry, **users.settings())
    listed = registry.run("list", env=settings_of_user())
    assert (listed.returncode, str(host.port) in listed.stdout) == (0, True)
    for who in ({}, {**settings_of_user(), "ETCD_REGISTRY_PASSWORD": "wrong"}):
        refused = registry.run("list", env=who)
        assert (refused.returncode, refused.stdout) == (UNREACHABLE, "")
        assert len(refused.stderr.splitlines()) == 1
        assert users.PASSWORD not in refused.stderr


def test_users_switched_on_under_a_service(absent_etcd, make_registry, launch_registered):
    registry = make_registry(absent_etcd.start(), "v3")
    launch_registered(registry, TTL=TTL_S, **users.settings())
    lease = registry.leases()
    users.switch_users_on(absent_etcd)
    time.sleep(3 * TTL_S)
    assert registry.leases() == lease


def test_password_that_is_changed_and_changed_back(registry, guarded_etcd, launch_registered):
    """While a new worker logs in, which the lease has to survive."""
    launch_registered(registry, TTL=LONG_TTL_S, **users.settings())
    lease = registry.leases()
    users.set_password(guarded_etcd, "another")
    kill_worker(registry)
    wait_until(lambda: "authentication failed" in registry.log.read_text(), LONG_TTL_S, "a refusal")
    users.set_password(guarded_etcd, users.PASSWORD)
    time.sleep(2 * LONG_TTL_S)
    assert registry.leases() == lease


def test_users_switched_off_and_on_again(registry, guarded_etcd, launch_registered):
    launch_registered(registry, TTL=TTL_S, **users.settings())
    lease = registry.leases()
    for _ in range(2):
        guarded_etcd.call("auth/disable", {})
        guarded_etcd.token = None
        time.sleep(TTL_S)
        assert registry.leases() == lease
        guarded_etcd.call("auth/enable", {})
        users.log_in(guarded_etcd)
        time.sleep(TTL_S)
        assert registry.leases() == lease
