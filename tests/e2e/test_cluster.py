# SPDX-License-Identifier: MIT
"""A cluster of three nodes, of which the product is told one."""
import contextlib
import time

import pytest
from harness.registry import REGISTERED_TIMEOUT_S, document
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
def told_of_one(nodes, make_registry):
    """told_of_one(name): the environment of a host that knows the first node alone, and the
    registry, which looks at etcd through the second."""
    registry = make_registry(nodes[1], "v3")
    url = f"{nodes[0].url}/{registry.namespace}"

    def environment(name, **more):
        return registry.preloaded(name, URL=url, TTL=TTL_S, **more)

    return registry, environment


def start_listed(launch_listener, registry, environment, node):
    """A host whose agent has the list of members, and its document."""
    host = launch_listener(environment("web"))
    web = document("web", host.port)
    registry.expect(web)
    wait_until(lambda: node.lists_of_members() > 0, LISTED_S, "the agent asks for the members")
    return host, web


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_the_only_node_that_is_known_fails(nodes, told_of_one, launch_listener, fault):
    registry, environment = told_of_one
    host, web = start_listed(launch_listener, registry, environment, nodes[0])
    lease = registry.leases()
    with registry.watch() as watch, fault(nodes[0]):
        time.sleep(3 * TTL_S)
        assert registry.leases() == lease
        assert not watch.events
        other = launch_listener(environment("other"))
        registry.wait_for(document("other", other.port), REGISTERED_TIMEOUT_S)
        for ended, name in ((host, "web"), (other, "other")):
            ended.kill()
            watch.wait("delete", registry.key(document(name, ended.port)), LEFT_S)


def test_every_node_is_restarted_in_turn(nodes, told_of_one, launch_listener):
    registry, environment = told_of_one
    start_listed(launch_listener, registry, environment, nodes[0])
    lease = registry.leases()
    for node in (*nodes, nodes[0]):
        node.kill()
        time.sleep(TTL_S)
        node.start()
    assert registry.leases() == lease


def test_members_cost_one_request_and_no_write(nodes, told_of_one, launch_listener):
    registry, environment = told_of_one
    start_listed(launch_listener, registry, environment, nodes[0])
    revision = registry.store.revision()
    time.sleep(3 * TTL_S)
    assert sum(node.lists_of_members() for node in nodes) == 1
    assert registry.store.revision() == revision
