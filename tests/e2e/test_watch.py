# SPDX-License-Identifier: MIT
"""etcdreg_watch(), used by `etcd-registry watch`, on a real etcd that fails in every way.  Each
change is reported exactly once."""
import json
import time

import pytest
from harness import users
from harness.product import COMMAND
from harness.registry import document
from harness.wait import wait_until

SEEN_S = 5
RESUMED_S = 15
LISTED_S = 15
STILL_S = 1
MANY = 10_000

both_apis = pytest.mark.parametrize("api", ["v3", "v2"])


class Watcher:
    """`etcd-registry watch --json`, and services that the test itself puts."""

    def __init__(self, registry, host):
        self.registry = registry
        self.host = host
        self.expected = []

    def changes(self):
        """Returns (change, port) for each complete line."""
        lines = self.host.stdout.split("\n")[:-1]
        return [(line["change"], line["service"]["port"]) for line in map(json.loads, lines)]

    def put(self, port, **more):
        service = document("web", port)
        self.registry.store.put(self.registry.key(service), json.dumps({**service, **more}))

    def delete(self, port):
        self.registry.store.delete(self.registry.key(document("web", port)))

    def expect(self, *changes, timeout_s=SEEN_S):
        """Checks that exactly these changes come next."""
        self.expected += changes
        wait_until(lambda: len(self.changes()) >= len(self.expected), timeout_s, self.expected)
        time.sleep(STILL_S)
        assert self.changes() == self.expected

    def expect_in_any_order(self, *changes, timeout_s=SEEN_S):
        at = len(self.expected)
        wait_until(lambda: len(self.changes()) >= at + len(changes), timeout_s, changes)
        time.sleep(STILL_S)
        assert sorted(self.changes()[at:]) == sorted(changes)
        self.expected = self.changes()


@pytest.fixture
def watch(launch):
    """watch(registry, **settings) starts with a service on port 1.  Its keys are removed after the
    test."""
    made = []

    def start(registry, **settings):
        watcher = Watcher(registry, None)
        watcher.put(1)
        watcher.host = launch([COMMAND, "watch", "--json"], registry.settings(**settings))
        made.append(watcher)
        watcher.expect(("found", 1), timeout_s=RESUMED_S)
        return watcher

    yield start
    for watcher in made:
        if watcher.registry.etcd.is_running():
            for key in watcher.registry.store.texts():
                watcher.registry.store.delete(key)


def by_way_of(relay, registry):
    query = "?api=v2" if registry.api == "v2" else ""
    return {"URL": f"http://{relay.host}/{registry.namespace}{query}"}


@both_apis
def test_resumes_with_every_event_once(absent_etcd, make_registry, watch, relay, api):
    registry = make_registry(absent_etcd, api)
    watcher = watch(registry, **by_way_of(relay, registry))
    for port in (2, 3):
        with relay.broken():
            watcher.put(port)
            watcher.delete(port)
            watcher.put(1, round=port)
            watcher.put(port, again=True)
        watcher.expect(
            ("added", port),
            ("removed", port),
            ("changed", 1),
            ("added", port),
            timeout_s=RESUMED_S,
        )


@pytest.mark.slow
@both_apis
def test_tells_the_difference_where_etcd_has_forgotten(
    absent_etcd, make_registry, watch, relay, api
):
    """etcd forgets events: after a compaction, or after more than the 1,000 that v2 keeps (error
    401)."""
    registry = make_registry(absent_etcd, api)
    watcher = watch(registry, **by_way_of(relay, registry))
    watcher.put(2)
    watcher.expect(("added", 2))
    with relay.broken():
        watcher.put(3)
        watcher.delete(3)
        watcher.delete(2)
        watcher.put(1, other=True)
        watcher.put(4)
        registry.store.compact() if api == "v3" else registry.store.overflow()
    watcher.expect_in_any_order(
        ("removed", 2), ("changed", 1), ("added", 4), timeout_s=RESUMED_S
    )
    watcher.put(5)
    watcher.expect(("added", 5))


def test_a_compaction_under_a_standing_watch_is_nothing(etcd, make_registry, watch):
    watcher = watch(make_registry(etcd, "v3"))
    watcher.put(2)
    watcher.registry.store.compact()
    watcher.put(3)
    watcher.expect(("added", 2), ("added", 3))


@pytest.mark.slow
@both_apis
def test_a_restart_is_nothing(absent_etcd, make_registry, watch, api):
    watcher = watch(make_registry(absent_etcd.start(), api))
    absent_etcd.kill()
    absent_etcd.start()
    watcher.put(2)
    watcher.expect(("added", 2), timeout_s=RESUMED_S)


@pytest.mark.slow
@pytest.mark.parametrize("writes", [0, 50], ids=["behind", "as far"])
def test_lost_data_is_noticed(absent_etcd, make_registry, watch, relay, writes):
    """With later writes, etcd's revision alone does not show the loss."""
    registry = make_registry(absent_etcd, "v3")
    watcher = watch(registry, **by_way_of(relay, registry))
    for port in (2, 3, 4):
        watcher.put(port)
        watcher.expect(("added", port))
    with relay.broken():
        absent_etcd.kill()
        absent_etcd.lose_data()
        absent_etcd.start()
        for _ in range(writes):
            registry.store.put("elsewhere", "x")
        watcher.put(1)
        watcher.put(5)
    watcher.expect_in_any_order(
        *(("removed", port) for port in (2, 3, 4)), ("added", 5), timeout_s=RESUMED_S
    )
    watcher.put(6)
    watcher.expect(("added", 6))


@pytest.mark.slow
def test_a_silent_node_is_left(absent_etcd, make_registry, watch, relay):
    """The stream stays open, but nothing arrives."""
    registry = make_registry(absent_etcd, "v3", nodes=(relay.host,))
    watcher = watch(registry)
    relay.fall_silent()
    watcher.put(2)
    watcher.expect(("added", 2), timeout_s=RESUMED_S)


@pytest.mark.slow
def test_many_services(etcd, make_registry, launch):
    """The list has more than ten pages."""
    registry = make_registry(etcd, "v3")
    services = [document(f"web-{n % 100}", 10_000 + n) for n in range(MANY)]
    registry.store.put_many({registry.key(one): json.dumps(one) for one in services})
    watcher = Watcher(registry, launch([COMMAND, "watch", "--json"], registry.settings()))
    ports = [service["port"] for service in services]
    try:
        wait_until(lambda: watcher.host.stdout.count("\n") >= MANY, LISTED_S, "all are reported")
        assert sorted(watcher.changes()) == [("found", port) for port in ports]
    finally:
        registry.store.delete_all()
    wait_until(lambda: watcher.host.stdout.count("\n") >= 2 * MANY, LISTED_S, "all are removed")
    assert sorted(watcher.changes()[MANY:]) == [("removed", port) for port in ports]


@pytest.mark.slow
def test_the_member_that_it_was_told_of_is_removed(etcd_cluster, make_registry, watch):
    second, first, _ = etcd_cluster.leader_first()
    registry = make_registry(second, "v3")
    watcher = watch(registry, URL=f"{first.url}/{registry.namespace}")
    wait_until(lambda: first.lists_of_members() > 0, SEEN_S, "the watch asks for the members")
    wait_until(lambda: second.remove_member(first), RESUMED_S, "etcd has removed the member")
    watcher.put(2)
    watcher.expect(("added", 2), timeout_s=2 * RESUMED_S)


@pytest.mark.slow
@pytest.mark.etcds
def test_a_token_that_is_no_longer_good(absent_etcd, make_registry, watch):
    """etcd forgets the token when it restarts."""
    registry = make_registry(absent_etcd.start(), "v3")
    users.switch_users_on(absent_etcd)
    watcher = watch(registry, **users.settings())
    absent_etcd.kill()
    absent_etcd.start()
    users.log_in(absent_etcd)
    watcher.put(2)
    watcher.expect(("added", 2), timeout_s=RESUMED_S)
    assert "token" not in watcher.host.stderr
    assert "denied" not in watcher.host.stderr


@pytest.mark.etcds
@both_apis
def test_each_change_once(absent_etcd, make_registry, watch, api):
    watcher = watch(make_registry(absent_etcd.start(), api))
    watcher.put(2)
    watcher.put(2)
    watcher.put(2, other=True)
    watcher.delete(2)
    watcher.delete(1)
    watcher.expect(("added", 2), ("changed", 2), ("removed", 2), ("removed", 1))
