# SPDX-License-Identifier: MIT
"""A cluster of three nodes.  The product knows only one of them at first."""
import contextlib
import time

import pytest
from harness.wait import wait_until

pytestmark = [pytest.mark.etcds, pytest.mark.slow]

TTL_S = 4
LEFT_S = 3
LISTED_S = 2


@contextlib.contextmanager
def killed(node):
    node.kill()
    yield


FAULTS = {"killed": killed, "stopped": lambda node: node.stopped()}


@pytest.fixture
def nodes(etcd_cluster):
    return etcd_cluster.nodes


@pytest.fixture
def registry(nodes, make_registry):
    """The registry, seen through the second node."""
    return make_registry(nodes[1], "v3")


@pytest.fixture
def launch_told_of_one(nodes, registry, launch_registered):
    """launch_told_of_one(name) works as launch_registered, but names only the first node."""

    def launch(name):
        url = f"{nodes[0].url}/{registry.namespace}"
        return launch_registered(registry, name, URL=url, TTL=TTL_S)

    return launch


@pytest.fixture
def web(nodes, launch_told_of_one):
    """A host whose agent has fetched the member list, and its document."""
    launched = launch_told_of_one("web")
    wait_until(lambda: nodes[0].lists_of_members() > 0, LISTED_S, "the agent asks for the members")
    return launched


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_only_node_that_is_known_fails(nodes, registry, launch_told_of_one, web, fault):
    lease = registry.leases()
    with registry.watch() as watch, fault(nodes[0]):
        time.sleep(3 * TTL_S)
        assert registry.leases() == lease
        assert not watch.events
        for host, service in (web, launch_told_of_one("other")):
            host.kill()
            watch.wait("delete", registry.key(service), LEFT_S)


@pytest.mark.usefixtures("web")
def test_every_node_is_restarted_in_turn(nodes, registry):
    lease = registry.leases()
    for node in (*nodes, nodes[0]):
        node.kill()
        time.sleep(TTL_S)
        node.start()
    assert registry.leases() == lease


@pytest.mark.usefixtures("web")
def test_members_cost_one_request_and_no_write(nodes, registry):
    revision = registry.store.revision()
    time.sleep(3 * TTL_S)
    assert sum(node.lists_of_members() for node in nodes) == 1
    assert registry.store.revision() == revision
