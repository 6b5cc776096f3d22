# SPDX-License-Identifier: MIT
"""`etcd-registry lookup --wait` waits until a service appears or the time is up."""
import json
import signal
import time

import pytest
from harness.product import COMMAND
from harness.registry import document
from harness.wait import wait_until

FOUND, NOTHING, USAGE, UNREACHABLE = range(4)
WEB = document("web", 80)
WAIT_S = 30
SHORT_S = 0.5
SLACK_S = 1.5
SEEN_S = 5
AFTER_OUTAGE_S = 10


def put(registry, service):
    registry.store.put(registry.key(service), json.dumps(service))


@pytest.fixture
def wait_for_web(launch):
    def start(registry, *options):
        command = [COMMAND, "lookup", "web", "--wait", WAIT_S, "--json", *options]
        return launch(command, registry.settings())

    return start


def test_is_there_already(registry):
    put(registry, WEB)
    result = registry.run("lookup", "web", "--wait", WAIT_S, "--json")
    registry.store.delete(registry.key(WEB))
    assert (result.returncode, json.loads(result.stdout), result.stderr) == (FOUND, WEB, "")


def test_picks_at_random_where_there_are_several(v3_registry):
    services = [document("web", port) for port in (80, 81, 82)]
    for service in services:
        put(v3_registry, service)
    seen = set()

    def all_seen():
        result = v3_registry.run("lookup", "web", "--wait", WAIT_S, "--format", "{port}")
        seen.add(int(result.stdout))
        return len(seen) == len(services)

    wait_until(all_seen, 20, "each of the services was picked")
    for service in services:
        v3_registry.store.delete(v3_registry.key(service))


def test_comes(etcd, registry, wait_for_web):
    before = etcd.watches()
    command = wait_for_web(registry)
    other = document("web2", 80)
    put(registry, other)
    if registry.api == "v3":
        wait_until(lambda: etcd.watches() > before, SEEN_S, "the watch has begun")
    assert command.process.poll() is None
    start = time.monotonic()
    put(registry, WEB)
    assert command.process.wait(SEEN_S) == FOUND
    took = time.monotonic() - start
    registry.store.delete(registry.key(WEB))
    registry.store.delete(registry.key(other))
    print(f"answered {took * 1000:.0f} ms after the put")
    assert json.loads(command.stdout) == WEB
    assert command.stderr == ""


def test_does_not_come(registry):
    start = time.monotonic()
    result = registry.run("lookup", "web", "--wait", f"{SHORT_S}s")
    assert SHORT_S <= time.monotonic() - start < SHORT_S + SLACK_S
    assert (result.returncode, result.stdout) == (NOTHING, "")
    assert "no service 'web' appeared" in result.stderr


def test_zero_looks_once(registry):
    result = registry.run("lookup", "web", "--wait", 0)
    assert (result.returncode, result.stdout) == (NOTHING, "")


def test_etcd_is_down_until_the_time_is_up(absent_etcd, make_registry):
    start = time.monotonic()
    result = make_registry(absent_etcd, "v3").run("lookup", "web", "--wait", SHORT_S)
    assert SHORT_S <= time.monotonic() - start < SHORT_S + SLACK_S
    assert (result.returncode, result.stdout) == (UNREACHABLE, "")
    assert absent_etcd.host in result.stderr.splitlines()[-1]
    assert result.stderr.count("trying again") == 1


@pytest.mark.parametrize("api", ["v3", "v2"])
def test_an_etcd_that_hangs_does_not_make_it_late(absent_etcd, make_registry, api):
    registry = make_registry(absent_etcd.start(), api)
    with absent_etcd.stopped():
        start = time.monotonic()
        result = registry.run("lookup", "web", "--wait", SHORT_S, "--timeout", "30s")
        assert SHORT_S <= time.monotonic() - start < SHORT_S + SLACK_S
    assert result.returncode == UNREACHABLE


@pytest.mark.parametrize("api", ["v3", "v2"])
def test_goes_on_when_etcd_is_back(absent_etcd, make_registry, wait_for_web, api):
    registry = make_registry(absent_etcd, api)
    command = wait_for_web(registry)
    wait_until(lambda: "trying again" in command.stderr, SEEN_S, "it says that etcd is down")
    absent_etcd.start()
    put(registry, WEB)
    assert command.process.wait(AFTER_OUTAGE_S) == FOUND
    registry.store.delete(registry.key(WEB))
    assert json.loads(command.stdout) == WEB
    # An etcd that starts may refuse one more request, for another reason.
    told = command.stderr.splitlines()
    assert len(told) == len(set(told))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once(etcd, v3_registry, wait_for_web, how):
    before = etcd.watches()
    command = wait_for_web(v3_registry)
    wait_until(lambda: etcd.watches() > before, SEEN_S, "the command waits")
    command.process.send_signal(how)
    assert command.process.wait(SLACK_S) == -how


def test_wrong_time(v3_registry):
    for text in ("", "-1", "soon", "86401"):
        result = v3_registry.run("lookup", "web", f"--wait={text}")
        assert result.returncode == USAGE, text
        assert f"'{text}'" in result.stderr
