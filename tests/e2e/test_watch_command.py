# SPDX-License-Identifier: MIT
"""`etcd-registry watch` beside `etcd-registry join`, on a real etcd."""
import json
import signal

import pytest
from harness.process import free_port
from harness.product import COMMAND
from harness.registry import document
from harness.wait import wait_until, wait_until_equal

SEEN_S = 5
SEEN_AFTER_OUTAGE_S = 15
END_S = 3


def changes(watcher):
    """Returns the printed (change, service) pairs of complete lines."""
    lines = watcher.stdout.split("\n")[:-1]
    return [(change["change"], change["service"]) for change in map(json.loads, lines)]


@pytest.fixture
def hold(launch):
    """hold(registry, name) starts `join`, and returns it with its document."""

    def start(registry, name):
        port = free_port()
        holder = launch([COMMAND, "join", name, "--port", port], registry.settings())
        service = document(name, port)
        registry.wait_for(service)
        return holder, service

    return start


def end(holder):
    holder.process.send_signal(signal.SIGTERM)
    assert holder.process.wait(END_S) == 0


def test_each_change_is_a_line_until_a_signal(registry, launch, hold):
    there, web = hold(registry, "web")
    watcher = launch([COMMAND, "watch", "--json"], registry.settings())
    wait_until_equal(lambda: changes(watcher), [("found", web)], SEEN_S)
    coming, api = hold(registry, "api")
    expected = [("found", web), ("added", api)]
    wait_until_equal(lambda: changes(watcher), expected, SEEN_S)
    end(there)
    expected.append(("removed", web))
    wait_until_equal(lambda: changes(watcher), expected, SEEN_S)
    end(watcher)
    end(coming)
    assert changes(watcher) == expected
    assert watcher.stderr == ""


def test_of_one_name_for_people(registry, launch, hold):
    watcher = launch([COMMAND, "watch", "web"], registry.settings())
    other, _ = hold(registry, "web2")
    there, web = hold(registry, "web")
    line = f"added  web  {web['host']}  {web['url']}\n"
    wait_until_equal(lambda: watcher.stdout, line, SEEN_S)
    end(there)
    wait_until_equal(lambda: watcher.stdout, line + line.replace("added", "removed"), SEEN_S)
    end(other)
    end(watcher)


@pytest.mark.parametrize("api", ["v3", "v2"])
def test_goes_on_after_an_outage(absent_etcd, make_registry, launch, hold, api):
    registry = make_registry(absent_etcd.start(), api)
    there, web = hold(registry, "web")
    watcher = launch([COMMAND, "watch", "--json"], registry.settings())
    wait_until_equal(lambda: changes(watcher), [("found", web)], SEEN_S)
    absent_etcd.kill()
    wait_until(lambda: watcher.stderr, SEEN_AFTER_OUTAGE_S, "the line that says that etcd is down")
    absent_etcd.start()
    registry.wait_for(web)
    coming, other = hold(registry, "api")
    expected = [("found", web), ("added", other)]
    wait_until_equal(lambda: changes(watcher), expected, SEEN_AFTER_OUTAGE_S)
    end(there)
    expected.append(("removed", web))
    wait_until_equal(lambda: changes(watcher), expected, SEEN_S)
    end(coming)
    end(watcher)
    # An etcd that starts may refuse one more request, for another reason.
    told = watcher.stderr.splitlines()
    assert len(told) == len(set(told))
