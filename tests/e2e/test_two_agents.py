# SPDX-License-Identifier: MIT
"""Two agents serve one host and port under SO_REUSEPORT: the key is there as long as one process
listens."""
import os
import re
import signal
import time

import pytest
from harness import product
from harness.process import children, free_port, is_running
from harness.registry import document
from harness.wait import wait_until, wait_until_equal

CONTAINER = ["unshare", "--pid", "--mount", "--cgroup", "--fork", "--mount-proc"]
TTL_S = 3
BACK_S = 0.05
GONE_S = 0.1
PATIENCE_S = 5

pytestmark = pytest.mark.slow
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")


@pytest.fixture
def registry(absent_etcd, make_registry):
    """A registry with its own etcd, so that the counters are this test's."""
    return make_registry(absent_etcd.start(), "v3")


class Pair:
    """Two hosts on one port.  The first has put the key; the second also serves another name.  Each
    has an agent of its own: the settings differ, or each is in a container."""

    def __init__(self, registry, launch, in_containers):
        self.registry = registry
        port, other_port = free_port(), free_port()
        self.web, self.other = document("web", port), document("other", other_port)
        self.key = registry.key(self.web)
        self.first = self._launch(launch, in_containers, TTL_S, port)
        registry.expect(self.web)
        self.lease = self.current_lease()
        ttl_s = TTL_S if in_containers else TTL_S + 1
        self.second = self._launch(launch, in_containers, ttl_s, port, other_port)
        registry.expect(self.web, self.other)
        wait_until_equal(self._registered, 3, PATIENCE_S)
        wait_until_equal(registry.etcd.watches, 3, PATIENCE_S)
        assert self.current_lease() == self.lease

    def _launch(self, launch, in_containers, ttl_s, *ports):
        names = ",".join(f"{name}:{port}" for name, port in zip(("web", "other"), ports))
        command = [*(CONTAINER if in_containers else []), product.LISTENER, "-r", *ports]
        host = launch(command, self.registry.preloaded(names, TTL=str(ttl_s)))
        host.read_ports(len(ports))
        return host

    def _registered(self):
        """Returns how many services the agents have reported as registered."""
        return len(re.findall("registered$", self.registry.log.read_text(), re.MULTILINE))

    def current_lease(self):
        return self.registry.store.rows()[self.key][1]

    def expect_last(self, host, *services):
        """Checks that these services are there, and that they leave with the host."""
        self.registry.expect(*services)
        os.kill(self.server(host), signal.SIGTERM)
        self.registry.expect()

    @staticmethod
    def server(host):
        """Returns the pid of the server.  In a container it is the child of unshare."""
        return (children(host.process.pid) or [host.process.pid])[0]


# If the first process of a container is killed, the kernel kills all of it.  A later test covers
# that.
@pytest.mark.parametrize(
    ("apart_by", "how"),
    [
        ("settings", signal.SIGTERM),
        ("settings", signal.SIGKILL),
        pytest.param("containers", signal.SIGTERM, marks=needs_root),
    ],
)
def test_one_leaves_and_the_key_is_there_again(registry, launch, apart_by, how):
    pair = Pair(registry, launch, apart_by == "containers")
    with registry.watch() as watch:
        os.kill(pair.server(pair.first), how)
        gone = watch.wait("delete", pair.key, PATIENCE_S)
        assert watch.wait("put", pair.key, PATIENCE_S) - gone <= BACK_S
        time.sleep(TTL_S)
        assert [kind for _, kind, _ in watch.events] == ["delete", "put"]
    registry.expect(pair.web, pair.other)
    assert pair.current_lease() not in (0, pair.lease)
    with registry.watch() as watch:
        told = time.monotonic()
        os.kill(pair.server(pair.second), signal.SIGTERM)
        assert watch.wait("delete", pair.key, PATIENCE_S) - told <= GONE_S
    registry.expect()


@pytest.mark.parametrize(
    ("apart_by", "how"),
    [
        ("settings", signal.SIGTERM),
        pytest.param("containers", signal.SIGTERM, marks=needs_root),
        pytest.param("containers", signal.SIGKILL, marks=needs_root),
    ],
)
def test_the_second_ends_and_nothing_happens_to_the_key(registry, launch, apart_by, how):
    """The second host's own service leaves: at once, or after the TTL if its agent was killed
    too."""
    pair = Pair(registry, launch, apart_by == "containers")
    with registry.watch() as watch:
        os.kill(pair.server(pair.second), how)
        watch.wait("delete", registry.key(pair.other), 2 * TTL_S)
        time.sleep(TTL_S)
        assert len(watch.events) == 1
    assert pair.current_lease() == pair.lease
    pair.expect_last(pair.first, pair.web)


@needs_root
def test_a_container_is_killed_as_a_whole_and_the_other_is_unharmed(registry, launch):
    """Host and agent are killed.  The other agent takes the key over before the first lease
    expires."""
    pair = Pair(registry, launch, True)
    with registry.watch() as watch:
        os.kill(pair.server(pair.first), signal.SIGKILL)
        wait_until(lambda: pair.current_lease() != pair.lease, 2 * TTL_S, "it has another lease")
        time.sleep(TTL_S + 1)
        assert {(kind, key) for _, kind, key in watch.events} == {("put", pair.key)}
        assert is_running(pair.server(pair.second))
    pair.expect_last(pair.second, pair.web, pair.other)
