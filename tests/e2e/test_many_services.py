# SPDX-License-Identifier: MIT
"""Services that start and stop together share a few writes to etcd.  If etcd refuses one of them,
only that one fails."""
import pytest
from harness import users
from harness.process import free_port
from harness.registry import document
from harness.wait import wait_until

pytestmark = pytest.mark.etcds

MANY = 60
FEW = MANY / 2  # fewer if the machine lets the host listen faster
PATIENCE_S = 10
GONE_S = 1
REPAIRED_S = 2


@pytest.fixture
def registry(absent_etcd, make_registry):
    """A registry with its own etcd, so that the counters are this test's."""
    return make_registry(absent_etcd.start(), "v3")


@pytest.fixture
def launch_many(launch_listener):
    """launch(registry) starts a host with many sockets, and returns it with a service for each
    socket."""

    def launch(registry, **more):
        services = [document(f"web-{number}", free_port()) for number in range(MANY)]
        names = ",".join(f"{one['name']}:{one['port']}" for one in services)
        ports = [str(one["port"]) for one in services]
        return launch_listener(registry.preloaded(names, **more), *ports, count=MANY), services

    return launch


def test_they_come_and_go_in_few_writes(registry, launch_many):
    before = registry.etcd.writes()
    host, services = launch_many(registry)
    registry.expect(*services, timeout_s=PATIENCE_S)
    there = registry.etcd.writes()
    assert there - before <= FEW
    with registry.watch() as watch:
        killed = host.kill()
        wait_until(lambda: len(watch.events) == MANY, PATIENCE_S, "all are deleted")
        assert watch.events[-1][0] - killed <= GONE_S
    assert registry.etcd.writes() - there <= FEW
    registry.expect()


def test_what_somebody_deletes_at_once_is_back(registry, launch_many):
    _, services = launch_many(registry)
    registry.expect(*services, timeout_s=PATIENCE_S)
    wait_until(lambda: registry.etcd.watches() == MANY, PATIENCE_S, "all are watched")
    with registry.watch() as watch:
        registry.store.delete_all()
        wait_until(lambda: len(watch.events) == 2 * MANY, PATIENCE_S, "all are back")
        assert watch.events[-1][0] - watch.events[0][0] <= REPAIRED_S
    registry.expect(*services)


def test_one_that_etcd_refuses_is_alone_with_it(registry, launch_many):
    forbidden = f"/{registry.store.prefix}web-5"
    users.switch_users_on_without(registry.etcd, f"{forbidden}/", f"{forbidden}0")
    host, services = launch_many(registry, **users.settings())
    permitted = [one for one in services if one["name"] != "web-5"]
    registry.expect(*permitted, timeout_s=PATIENCE_S)
    wait_until(lambda: "permission denied" in registry.log.read_text(), PATIENCE_S, "a refusal")
    host.kill()
    registry.expect(timeout_s=PATIENCE_S)
