# SPDX-License-Identifier: MIT
"""Others change the keys of a server that listens.  The watch notices it, and the agent repairs the
key at once."""
import time

import pytest
from harness.process import free_port
from harness.registry import document
from harness.relay import Relay
from harness.wait import settled, wait_until, wait_until_equal

TTL_S = 3
INTERVAL_S = TTL_S / 2
BACK_S = 0.2
PATIENCE_S = 5
SILENCE_NOTICED_S = 2 * INTERVAL_S + PATIENCE_S
MANY = 60
STREAMS_MAX = 6  # log2(MANY)


def write_without_lease(store, key):
    store.put(key, store.texts()[key])


# A change by somebody else, and the events that follow.  Our repair is the last one.
DAMAGES = {
    "deleted": (lambda store, key: store.delete(key), ["delete", "put"]),
    "written over": (lambda store, key: store.put(key, "{}"), ["put", "put"]),
    "written over with the same, to stay for ever": (write_without_lease, ["put", "put"]),
    "its lease revoked": (
        lambda store, key: store.revoke(store.rows()[key][1]),
        ["delete", "put"],
    ),
}


@pytest.fixture
def registry(absent_etcd, make_registry):
    """A registry with its own etcd, so that the counters are this test's."""
    return make_registry(absent_etcd.start(), "v3")


def is_watched(registry, watches=1):
    wait_until_equal(registry.etcd.watches, watches, PATIENCE_S)


def kinds(watch, key):
    return [kind for _, kind, this_key in watch.events if this_key == key]


def time_away(watch, key, expected):
    """Returns the time from the first event to our repair."""
    wait_until(lambda: kinds(watch, key) == expected, PATIENCE_S, f"{expected} of {key}")
    times = [when for when, _, this_key in watch.events if this_key == key]
    return times[-1] - times[0]


@pytest.mark.parametrize("damage", DAMAGES)
def test_back_at_once(registry, launch_listener, damage):
    act, events = DAMAGES[damage]
    host = launch_listener(registry.preloaded("web", TTL=str(TTL_S)))
    web = document("web", host.port)
    key = registry.key(web)
    registry.expect(web)
    is_watched(registry)
    with registry.watch() as watch:
        act(registry.store, key)
        assert time_away(watch, key, events) <= BACK_S
        time.sleep(2 * INTERVAL_S)
        assert kinds(watch, key) == events
    registry.expect(web)
    assert registry.store.rows()[key][1] != 0
    host.stop()


def test_own_delete_is_not_repaired(registry, launch_listener):
    host, other = (launch_listener(registry.preloaded("web", TTL=str(TTL_S))) for _ in range(2))
    web, stays = document("web", host.port), document("web", other.port)
    registry.expect(web, stays)
    is_watched(registry, 2)
    with registry.watch() as watch:
        host.stop()
        watch.wait("delete", registry.key(web), PATIENCE_S)
        is_watched(registry, 3)  # this test's and both services': the first one's may stay
        time.sleep(2 * INTERVAL_S)
        assert [kind for _, kind, _ in watch.events] == ["delete"]
    registry.expect(stays)


@pytest.fixture
def many(registry, launch_listener):
    """Many services of one agent, all watched."""
    ports = [free_port() for _ in range(MANY)]
    names = ",".join(f"web-{port}:{port}" for port in ports)
    launch_listener(registry.preloaded(names, TTL=str(TTL_S)), *map(str, ports), count=MANY)
    services = [document(f"web-{port}", port) for port in ports]
    registry.expect(*services)
    is_watched(registry, MANY)
    assert registry.etcd.watch_streams() <= STREAMS_MAX
    settled(lambda: registry.etcd.calls().get("LeaseTimeToLive"), PATIENCE_S, still_s=INTERVAL_S)
    return services


def test_steady_state_is_one_request_an_interval(registry, many):
    before = registry.etcd.calls()
    time.sleep(4 * INTERVAL_S)
    after = registry.etcd.calls()
    made = {name: after[name] - before.get(name, 0) for name in after}
    assert {name for name, count in made.items() if count} == {"LeaseKeepAlive"}
    assert 3 <= made["LeaseKeepAlive"] <= 5


@pytest.mark.etcds
def test_each_of_many_is_back_at_once(registry, many):
    with registry.watch() as watch:
        for service in many:
            key = registry.key(service)
            registry.store.delete(key)
            assert time_away(watch, key, ["delete", "put"]) <= BACK_S
    registry.expect(*many)


def test_nothing_is_told_of_others(registry, many):
    key = registry.key(many[0])
    before = registry.etcd.watch_messages()
    for i in range(MANY):
        registry.store.put(f"{key}{i}", "{}")
        registry.store.delete(f"{key}{i}")
    registry.store.delete(key)
    wait_until(lambda: key in registry.store.texts(), PATIENCE_S, "the key is back")
    told = settled(registry.etcd.watch_messages, PATIENCE_S) - before
    assert told == 2  # the delete, and the put that repairs it


@pytest.mark.slow
def test_many_are_watched_again_with_etcd(registry, many):
    registry.etcd.kill()
    registry.etcd.start()
    is_watched(registry, MANY)
    assert registry.etcd.watch_streams() <= STREAMS_MAX
    with registry.watch() as watch:
        for service in many[::10]:
            key = registry.key(service)
            registry.store.delete(key)
            assert time_away(watch, key, ["delete", "put"]) <= BACK_S


def test_two_that_want_different_documents_do_not_race(registry, launch_listener):
    """Each agent overwrites the other's document four times at once, then once per interval."""
    port = free_port()
    key = registry.key(document("web", port))
    with registry.watch() as watch:
        for ttl_s in (TTL_S, TTL_S + 1):  # two agents, because the settings differ
            settings = registry.preloaded("web", TTL=str(ttl_s), META=f'{{"of": {ttl_s}}}')
            launch_listener(settings, "-r", port)
        watch.wait("put", key, PATIENCE_S)
        time.sleep(4 * INTERVAL_S)
        assert 4 <= len(kinds(watch, key)) <= 2 * (4 + 4) + 2


@pytest.mark.parametrize("how", ["cut", "fall_silent"])
def test_the_watch_follows_to_another_node(absent_etcd, make_registry, launch_listener, how):
    etcd = absent_etcd.start()
    with Relay(etcd) as relay:
        registry = make_registry(etcd, "v3", nodes=(relay.host,))
        host = launch_listener(registry.preloaded("web", TTL=str(TTL_S)))
        web = document("web", host.port)
        key = registry.key(web)
        registry.expect(web)
        is_watched(registry)
        with registry.watch() as watch:
            getattr(relay, how)()
            registry.store.delete(key)
            away = time_away(watch, key, ["delete", "put"])
            assert away <= (1 if how == "cut" else SILENCE_NOTICED_S)
        is_watched(registry, 1 if how == "cut" else 2)
        with registry.watch() as watch:
            registry.store.delete(key)
            assert time_away(watch, key, ["delete", "put"]) <= BACK_S
        host.stop()


def test_the_watch_comes_back_with_etcd(registry, launch_listener):
    host = launch_listener(registry.preloaded("web", TTL="10"))
    web = document("web", host.port)
    registry.expect(web)
    is_watched(registry)
    registry.etcd.kill()
    registry.etcd.start()
    is_watched(registry)
    with registry.watch() as watch:
        registry.store.delete(registry.key(web))
        assert time_away(watch, registry.key(web), ["delete", "put"]) <= BACK_S
    host.stop()
