# SPDX-License-Identifier: MIT
"""Faults of a cluster of three nodes in which twenty services are registered.

The node in use leads the cluster, and the fault hits that node.  The tests look through another
one.
"""
import contextlib
import dataclasses
import os
import re
import time
import typing

import pytest
from harness import users
from harness.blackhole import BlackHole
from harness.fake_etcd import ANSWERS, ERRORS, MORE_ANSWERS, FakeEtcd
from harness.fleet import Fleet
from harness.store import ClusterStore
from harness.wait import wait_until
from harness.watch import Watch

pytestmark = pytest.mark.slow

TTL_S = 4
BEYOND_TTL_S = 10
REGISTERED_S = 10
GONE_S = TTL_S
TURN_S = 3
FAKED_TTL_S = 3
WRONG_S = 10
TRIES = 5

# Answers that only one node gives.  If all nodes gave them: "slow" takes longer than the TTL, and
# the others tell the client that the lease is gone or that the service is forbidden.
ALONE = ("slow", "no such lease", "permission denied", "no user", "invalid token")


@contextlib.contextmanager
def leader_killed(cluster, leader):
    leader.kill()
    yield
    leader.start()


@contextlib.contextmanager
def leader_stopped(cluster, leader):
    with leader.stopped():
        yield


@contextlib.contextmanager
def leader_unreachable(cluster, leader):
    with BlackHole(leader.pid):
        yield


@contextlib.contextmanager
def rolling_restart(cluster, leader):
    yield
    for node in (leader, *(node for node in cluster.nodes if node is not leader)):
        node.kill()
        time.sleep(TURN_S)
        node.start()


@contextlib.contextmanager
def all_down(cluster, leader):
    cluster.kill()
    yield
    cluster.start()


@contextlib.contextmanager
def all_lost(cluster, leader):
    cluster.kill()
    cluster.lose_data()
    yield
    cluster.start()


@contextlib.contextmanager
def users_switched_on(cluster, leader):
    users.switch_users_on(leader)
    for node in cluster.nodes:
        users.log_in(node)
    yield


@contextlib.contextmanager
def tokens_invalidated(cluster, leader):
    with users_switched_on(cluster, leader):
        time.sleep(TTL_S)
        users.invalidate_tokens(leader)
        yield


@dataclasses.dataclass(frozen=True)
class Fault:
    """`happens` is the fault while its context is open.  When it has closed, etcd is back."""

    happens: typing.Callable
    lasts_s: float = BEYOND_TTL_S
    keeps_majority: bool = True
    needs_root: bool = False


FAULTS = {
    "leader is killed": Fault(leader_killed),
    "leader is stopped": Fault(leader_stopped, 20),
    "leader cannot be reached": Fault(leader_unreachable, needs_root=True),
    "each is restarted in turn": Fault(rolling_restart, 0),
    "all are down": Fault(all_down, 15, keeps_majority=False),
    "all data is lost": Fault(all_lost, 0, keeps_majority=False),
    "users are switched on": Fault(users_switched_on, 2 * TTL_S),
    "tokens are invalidated": Fault(tokens_invalidated, TTL_S),
}


@pytest.fixture
def leader(etcd_cluster):
    return etcd_cluster.leader()


@pytest.fixture
def registry(etcd_cluster, leader, make_registry):
    """The leader is the first node in the connection string."""
    witness, other = (node for node in etcd_cluster.nodes if node is not leader)
    return make_registry(witness, "v3", nodes=[leader.host, other.host])


@pytest.fixture
def fleet(registry, launch_listener, launch_server):
    with Fleet(registry, launch_listener, launch_server, TTL=TTL_S, **users.settings()) as fleet:
        yield fleet


@pytest.fixture
def watch(etcd_cluster, registry, leader):
    """Watches through the other nodes, if they answer."""
    nodes = sorted(etcd_cluster.nodes, key=lambda node: (node is leader, node is not registry.etcd))
    with Watch(ClusterStore(nodes, registry.store.prefix)) as watch:
        yield watch


def expect_unharmed(fleet, watch, gone):
    """Checks that no key but `gone` was ever deleted."""
    assert {key for _, kind, key in watch.events if kind == "delete"} <= {gone}
    fleet.expect_undisturbed()
    fleet.stop()
    fleet.registry.expect()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            fault,
            marks=pytest.mark.skipif(
                fault.needs_root and os.geteuid() != 0, reason="the node's sockets need root"
            ),
        )
        for fault in FAULTS.values()
    ],
    ids=FAULTS,
)
def test_hosts_notice_nothing_and_all_is_registered(etcd_cluster, leader, fleet, watch, fault):
    with fault.happens(etcd_cluster, leader):
        gone = fleet.kill_one()
        newcomer = fleet.join("newcomer")
        if fault.keeps_majority:
            watch.wait("delete", gone, GONE_S)
            fleet.expect_registered(timeout_s=REGISTERED_S)
        time.sleep(fault.lasts_s)
    fleet.expect_registered(timeout_s=REGISTERED_S)
    newcomer.note()
    time.sleep(TTL_S)
    fleet.expect_registered(timeout_s=0)
    expect_unharmed(fleet, watch, gone)


@pytest.fixture
def fakes(etcd_cluster):
    """One fake before each node.  It passes requests on."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(FakeEtcd(node=node)) for node in etcd_cluster.nodes]


@pytest.fixture
def faked_fleet(etcd_cluster, fakes, make_registry, launch_listener, launch_server):
    """A fleet that knows only the fakes."""
    registry = make_registry(etcd_cluster.nodes[0], "v3")
    url = f"http://{','.join(fake.host for fake in fakes)}/{registry.namespace}"
    settings = {"URL": url, "TTL": FAKED_TTL_S}
    with Fleet(registry, launch_listener, launch_server, **settings) as fleet:
        yield fleet


def next_asked(fakes):
    since = time.monotonic()

    def asked():
        return next((fake for fake in fakes if fake.latest_call_s > since), None)

    return wait_until(asked, WRONG_S, "a node is asked")


def spoil_node_in_use(fakes, answer):
    """Returns the node when it has answered wrongly.  A new watch takes the calls along to its
    node, so the node that was asked last need not be the next one."""
    fake = max(fakes, key=lambda fake: fake.latest_call_s)
    for _ in range(TRIES):
        before = fake.wrong_answers
        fake.answer = answer
        asked = next_asked(fakes)
        if fake.wrong_answers > before:
            return fake
        fake.answer = None
        fake = asked
    pytest.fail("no node is asked twice in a row")


def wait_for_wrong_answers(fakes, count):
    before = sum(fake.wrong_answers for fake in fakes)
    wait_until(
        lambda: sum(fake.wrong_answers for fake in fakes) - before >= count, WRONG_S, "bad answers"
    )


def test_nodes_that_answer_wrongly(etcd_cluster, fakes, faked_fleet):
    """Faults hit the node in use first, then all nodes.  The node in use recovers last."""
    fleet = faked_fleet
    nodes = etcd_cluster.nodes
    gone = fleet.kill_one()
    with Watch(ClusterStore(nodes, fleet.registry.store.prefix)) as watch:
        for answer in (*ANSWERS, *MORE_ANSWERS, *ERRORS):
            in_use = spoil_node_in_use(fakes, answer)
            others = [fake for fake in fakes if fake is not in_use]
            if answer not in ALONE:
                for fake in others:
                    fake.answer = answer
                wait_for_wrong_answers(fakes, 1)
            newcomer = fleet.join(re.sub(r"\W+", "-", answer))
            if answer not in ALONE:
                wait_for_wrong_answers(fakes, 3)
            for fake in others:
                fake.answer = None
            fleet.expect_registered(timeout_s=REGISTERED_S)
            newcomer.note()
            in_use.answer = None
        time.sleep(FAKED_TTL_S)
        fleet.expect_registered(timeout_s=0)
        expect_unharmed(fleet, watch, gone)
