# SPDX-License-Identifier: MIT
"""etcd with users.  A user that may only write below services/ can do everything that the product
needs.  The users of v2 are separate from those of v3, and have no tokens."""
import time

import pytest
from harness import users
from harness.agents import kill_worker
from harness.wait import wait_until

pytestmark = [pytest.mark.etcds, pytest.mark.slow]

TTL_S = 3
LONG_TTL_S = 6
LEFT_S = 2
REFUSED_S = 5
UNREACHABLE = 3
WRONG = "wr0ng-p455w0rd"


@pytest.fixture
def guarded_etcd(absent_etcd):
    users.switch_users_on(absent_etcd.start())
    return absent_etcd


@pytest.fixture
def registry(guarded_etcd, make_registry):
    return make_registry(guarded_etcd, "v3")


@pytest.fixture(params=["v3", "v2"])
def unguarded_registry(request, absent_etcd, make_registry):
    """A registry of either API, on an etcd whose users are not switched on yet."""
    return make_registry(absent_etcd.start(), request.param)


@pytest.fixture
def either_registry(unguarded_registry):
    users.switch_users_on(unguarded_registry.etcd, api=unguarded_registry.api)
    return unguarded_registry


def settings_of_user():
    return {f"ETCD_REGISTRY_{name}": value for name, value in users.settings().items()}


def test_a_service_is_held_and_deleted(either_registry, launch_registered):
    host, web = launch_registered(either_registry, TTL=TTL_S, **users.settings())
    either_registry.expect_held(web, host, 3 * TTL_S)


def test_the_user_sees_the_members(registry, guarded_etcd, launch_registered):
    launch_registered(registry, **users.settings())
    wait_until(lambda: guarded_etcd.lists_of_members() == 1, LEFT_S, "it asks for the members")


def test_a_restart_of_etcd_costs_a_new_login_at_most(registry, guarded_etcd, launch_registered):
    launch_registered(registry, TTL=TTL_S, **users.settings())
    lease = registry.leases()
    guarded_etcd.kill()
    guarded_etcd.start()
    users.log_in(guarded_etcd)
    time.sleep(3 * TTL_S)
    assert registry.leases() == lease


def is_one_line_without_secret(text):
    return len(text.splitlines()) == 1 and users.PASSWORD not in text and WRONG not in text


def test_the_command_needs_the_user(either_registry, launch_registered):
    host, _ = launch_registered(either_registry, **users.settings())
    listed = either_registry.run("list", env=settings_of_user())
    assert (listed.returncode, str(host.port) in listed.stdout) == (0, True)
    for who in ({}, {**settings_of_user(), "ETCD_REGISTRY_PASSWORD": WRONG}):
        refused = either_registry.run("list", env=who)
        assert (refused.returncode, refused.stdout) == (UNREACHABLE, "")
        assert is_one_line_without_secret(refused.stderr)


@pytest.mark.parametrize("who", [{}, {"USER": users.USER, "PASSWORD": WRONG}], ids=["none", "wrong"])
def test_a_host_needs_the_user(either_registry, launch_listener, who):
    host = launch_listener(either_registry.preloaded("web", **who))
    wait_until(lambda: "\n" in host.stderr, REFUSED_S, "a line on stderr")
    assert either_registry.documents() == {}
    assert host.stop() == 0
    assert is_one_line_without_secret(host.stderr)
    assert WRONG not in either_registry.log.read_text()


def test_users_switched_on_under_a_service(unguarded_registry, launch_registered):
    host, web = launch_registered(unguarded_registry, TTL=TTL_S, **users.settings())

    def switch_on():
        users.switch_users_on(unguarded_registry.etcd, api=unguarded_registry.api)

    unguarded_registry.expect_held(web, host, 3 * TTL_S, switch_on)


def test_password_that_is_changed_and_changed_back(registry, guarded_etcd, launch_registered):
    """The password changes while a new worker logs in.  The lease must survive that."""
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
