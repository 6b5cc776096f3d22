# SPDX-License-Identifier: MIT
"""The installed library in programs outside the tree behaves as etcd-registry.h says."""
import json
import os
import re
import signal
import subprocess

import pytest
from harness import library, product
from harness.process import free_port
from harness.registry import document
from harness.wait import wait_until, wait_until_equal

JOINED_S = 5
BACK_S = 0.2
PATIENCE_S = 10
HELD_S = 3
EXPIRED_S = 10
TTL = {"TTL": 3}

BUILDS = {
    "C, shared": ("cc", library.SHARED),
    "C, static": ("cc", library.STATIC),
    "C++, shared": ("c++ -x c++ -std=c++14", library.SHARED),
    "C++, static": ("c++ -x c++ -std=c++14", library.STATIC),
}


@pytest.fixture
def settings(v3_registry, installed):
    return {**v3_registry.settings(), **library.environment_of(installed)}


def join_example():
    return library.examples(library.HEADER.read_text())[0]


def watch_example():
    return library.examples(library.HEADER.read_text())[1]


def readme_example():
    readme = (product.ROOT / "README.md").read_text()
    return re.search(r"```c\n(.*?)```", readme, re.DOTALL)[1]


def start(program, settings):
    return subprocess.Popen(
        ["stdbuf", "-oL", program],
        env=settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def joined(registry, name="web"):
    return json.loads(registry.run("list", name, "--json").stdout or "[]")


def test_the_header_has_two_examples():
    found = library.examples(library.HEADER.read_text())
    assert ["etcdreg_join(" in text for text in found] == [True, False]
    assert ["etcdreg_watch(" in text for text in found] == [False, True]


STANDARDS = ["c89", "c99", "c11", "c17", "c2x", "c++98", "c++11", "c++14", "c++17", "c++20"]
INITIALISED = """
#include <etcd-registry.h>

int main(void)
{
	struct etcdreg_options options = ETCDREG_OPTIONS_INIT;
	struct etcdreg_service service = ETCDREG_SERVICE_INIT;

	options.url = service.name = "web";
	return options.size < sizeof(service) || options.event_arg || service.tag > 0;
}
"""


@pytest.mark.parametrize("standard", STANDARDS)
def test_the_header_is_good_c_and_good_cxx(installed, tmp_path, standard):
    source, program = tmp_path / "program.c", tmp_path / "program"
    source.write_text(INITIALISED)
    language = "c++" if "++" in standard else "c"
    compiler = f"cc -x {language} -std={standard} -Wpedantic"
    library.build(installed, source, program, compiler, "$(pkg-config --cflags etcd-registry)")
    assert subprocess.run([program], check=False).returncode == 0


@pytest.mark.parametrize("how", BUILDS)
def test_a_program_joins_and_leaves(installed, v3_registry, settings, tmp_path, how):
    """The header's example compiles unchanged as C and as C++."""
    compiler, flags = BUILDS[how]
    source = tmp_path / "example.c"
    source.write_text(join_example())
    if how.startswith("C++"):
        flags = f"-x none {flags}"
    program = library.build(installed, source, tmp_path / "example", compiler, flags)
    needed = subprocess.run(
        ["readelf", "-dW", program], check=True, capture_output=True, text=True
    ).stdout
    assert ("libetcd-registry.so" in needed) == ("shared" in how)
    with start(program, settings) as process:
        wait_until(lambda: joined(v3_registry), JOINED_S, "the service is registered")
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait(PATIENCE_S) == 0
    v3_registry.expect()


@pytest.fixture
def web(v3_registry, drive):
    """web.join(port) and web.leave(port), done by another program."""

    class Web:
        holder = drive(v3_registry.settings())

        def join(self, port):
            assert self.holder.ask("join", "web", port) == ["done", "0"]
            v3_registry.wait_for(document("web", port))
            return document("web", port)["url"]

        def leave(self, port):
            key = v3_registry.key(document("web", port))
            assert self.holder.ask("leave", "web", port) == ["done", "0"]
            wait_until(lambda: key not in v3_registry.documents(), PATIENCE_S, "the service left")

    return Web()


def test_a_program_watches(installed, v3_registry, settings, web, tmp_path):
    """Builds and runs the header's example."""
    source, ports = tmp_path / "example.c", [free_port(), free_port()]
    source.write_text(watch_example())
    program = library.build(installed, source, tmp_path / "example")
    url = web.join(ports[0])
    with start(program, settings) as process:
        assert process.stdout.readline() == f"web is at {url}\n"
        other = web.join(ports[1])
        assert process.stdout.readline() == f"web came to {other}\n"
        web.leave(ports[0])
        assert process.stdout.readline() == f"web left {url}\n"
        process.kill()
    web.leave(ports[1])


def test_the_program_of_the_readme(installed, v3_registry, settings, web, tmp_path):
    source, port = tmp_path / "reader.c", free_port()
    source.write_text(readme_example())
    program = library.build(installed, source, tmp_path / "reader")
    with start(program, settings) as process:
        wait_until(lambda: joined(v3_registry, "reader"), JOINED_S, "the program's own service")
        url = web.join(port)
        assert process.stdout.readline() == f"+ {url}\n"
        web.leave(port)
        assert process.stdout.readline() == f"- {url}\n"
        assert process.wait(PATIENCE_S) == 0


def test_it_exports_what_the_header_declares(installed):
    """The header also declares all that the library exports."""
    listed = subprocess.run(
        ["nm", "-D", "-P", "--defined-only", installed / "usr/lib/libetcd-registry.so"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    exported = {line.split()[0] for line in listed.splitlines()}
    header = re.sub(r"/\*.*?\*/", "", library.HEADER.read_text(), flags=re.DOTALL)
    assert exported == set(re.findall(r"\b(etcdreg_\w+)\([^;{}]*\);", header)) - {
        "etcdreg_event_fn"
    }


def is_watched(registry):
    wait_until(lambda: registry.etcd.watches() > 0, PATIENCE_S, "the key is watched")


DAMAGES = {
    "deleted": lambda store, key: store.delete(key),
    "written over": lambda store, key: store.put(key, "{}"),
    "lease revoked": lambda store, key: store.revoke(store.rows()[key][1]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_lost_is_told_and_comes_back(absent_etcd, make_registry, drive, damage):
    registry = make_registry(absent_etcd.start(), "v3")
    driver, port = drive(registry.settings()), free_port()
    driver.ask("join", "web", port)
    driver.wait_for_event("registered", "web")
    is_watched(registry)
    with registry.watch() as watch:
        key = registry.key(document("web", port))
        DAMAGES[damage](registry.store, key)
        back = driver.wait_for_event("registered", "web", after=1)
        wait_until(lambda: watch.events, PATIENCE_S, "the watch reports the damage")
        assert back - watch.events[0][0] <= BACK_S
    registry.expect(document("web", port))
    driver.ask("leave", "web", port)
    driver.wait_for_event("left", "web")
    assert [kind for _, kind in driver.events("web")] == [
        "registered",
        "lost",
        "registered",
        "left",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("api", ["v3", "v2"])
def test_an_outage_is_told_once_and_its_end(absent_etcd, make_registry, drive, api):
    registry = make_registry(absent_etcd.start(), api)
    driver, port = drive(registry.settings()), free_port()
    driver.ask("join", "web", port)
    driver.wait_for_event("registered", "web")
    absent_etcd.kill()
    driver.wait_for_event("retrying")
    assert driver.ask("wait", 1000)[0] == "done"
    absent_etcd.start()
    driver.wait_for_event("up")
    registry.expect(document("web", port))
    assert [kind for _, kind in driver.events()] == ["retrying", "up"]
    assert driver.ask("close", 3000)[0] == "closed"
    registry.expect()


def by_way_of(relay, registry):
    query = "?api=v2" if registry.api == "v2" else ""
    return registry.settings(URL=f"http://{relay.host}/{registry.namespace}{query}", **TTL)


@pytest.mark.slow
@pytest.mark.parametrize("api", ["v3", "v2"])
def test_an_expired_service_comes_back(absent_etcd, make_registry, drive, relay, api):
    registry = make_registry(absent_etcd, api)
    driver, port = drive(by_way_of(relay, registry)), free_port()
    driver.ask("join", "web", port)
    driver.wait_for_event("registered", "web")
    with relay.broken():
        wait_until_equal(registry.documents, {}, EXPIRED_S)
    registry.expect(document("web", port), timeout_s=PATIENCE_S)
    driver.wait_for_event("registered", "web", after=1)
    assert [kind for _, kind in driver.events("web")] == ["registered", "lost", "registered"]
    driver.ask("close", 3000)


@pytest.mark.slow
@pytest.mark.parametrize("api", ["v3", "v2"])
def test_a_successor_is_not_deleted(absent_etcd, make_registry, drive, relay, api):
    """A client leaves while it is cut off.  Its key expires, and another client registers the same
    service."""
    registry = make_registry(absent_etcd, api)
    first, second, port = drive(by_way_of(relay, registry)), None, free_port()
    first.ask("join", "web", port)
    first.wait_for_event("registered", "web")
    with relay.broken():
        first.ask("leave", "web", port)
        wait_until_equal(registry.documents, {}, EXPIRED_S)
        second = drive(registry.settings(**TTL))
        second.ask("join", "web", port)
        second.wait_for_event("registered", "web")
    with registry.watch() as watch:
        first.wait_for_event("left", "web")
        first.ask("close", 3000)
        assert [kind for _, kind, _ in watch.events if kind == "delete"] == []
    assert [kind for _, kind in second.events("web")] == ["registered"]
    second.ask("close", 3000)


@pytest.mark.parametrize("api", ["v3", "v2"])
def test_lost_data_is_put_again(absent_etcd, make_registry, drive, api):
    registry = make_registry(absent_etcd.start(), api)
    driver, port = drive(registry.settings(**TTL)), free_port()
    driver.ask("join", "web", port)
    driver.wait_for_event("registered", "web")
    absent_etcd.kill()
    absent_etcd.lose_data()
    absent_etcd.start()
    registry.expect(document("web", port), timeout_s=PATIENCE_S)
    driver.wait_for_event("registered", "web", after=1)
    driver.ask("close", 3000)


@pytest.mark.slow
def test_a_node_that_dies_is_told(etcd_cluster, make_registry, drive):
    """The node that dies is not the leader: that would cost an election too."""
    second, first, _ = etcd_cluster.leader_first()
    registry = make_registry(second, "v3", nodes=[first.host])
    driver, port = drive(registry.settings(**TTL)), free_port()
    driver.ask("join", "web", port)
    driver.wait_for_event("registered", "web")
    first.kill()
    driver.wait_for_event("failover")
    text = next(line for _, line in driver.lines if line[1] == "failover")
    assert first.host in " ".join(text)
    registry.expect(document("web", port))
    assert [kind for _, kind in driver.events("web")] == ["registered"]
    assert [kind for _, kind in driver.events()] == ["failover"], driver.lines
    driver.ask("close", 3000)


def test_the_callback_may_join(v3_registry, drive):
    driver, port = drive(v3_registry.settings()), free_port()
    driver.ask("join", "first", port)
    v3_registry.expect(document("first", port), document("second", port + 1))
    driver.wait_for_event("registered", "second")
    assert driver.ask("close", 3000)[0] == "closed"


def test_a_child_that_only_ends_disturbs_nothing(v3_registry, drive):
    driver, port = drive(v3_registry.settings(**TTL)), free_port()
    driver.ask("join", "web", port)
    driver.wait_for_event("registered", "web")
    before = v3_registry.leases()
    for _ in range(5):
        assert driver.ask("fork") == ["done", "0"]
    with v3_registry.watch() as watch:
        with pytest.raises(AssertionError):
            watch.wait("delete", v3_registry.key(document("web", port)), HELD_S + 1)
    assert v3_registry.leases() == before
    driver.ask("leave", "web", port)
    driver.wait_for_event("left", "web")


@pytest.mark.slow
def test_close_ends_in_its_time_where_etcd_is_silent(absent_etcd, make_registry, drive, relay):
    registry = make_registry(absent_etcd, "v3")
    url = f"http://{relay.host}/{registry.namespace}"
    driver, port = drive(registry.settings(URL=url, **TTL)), free_port()
    driver.ask("join", "web", port)
    driver.wait_for_event("registered", "web")
    relay.fall_silent()
    closed = driver.ask("close", 500)
    assert 490 <= int(closed[1]) < 2500
    assert driver.process.wait(PATIENCE_S) == 0
    wait_until_equal(registry.documents, {}, PATIENCE_S)


def test_lookup_picks_each_as_often(registry, drive):
    """Of 300 lookups among three services, each is picked 59 to 141 times: five standard
    deviations."""
    driver, ports = drive(registry.settings()), sorted({free_port() for _ in range(3)})
    for port in ports:
        driver.ask("join", "web", port)
    assert driver.ask("wait", 5000) == ["done", "0"]
    driver.tell("lookup", "web", 300)
    wait_until(
        lambda: sum(int(line[2]) for _, line in driver.lines if line[0] == "picked") == 300,
        PATIENCE_S,
        "300 lookups are done",
    )
    picked = {int(line[1]): int(line[2]) for _, line in driver.lines if line[0] == "picked"}
    assert sorted(picked) == ports
    assert all(59 <= count <= 141 for count in picked.values())
    driver.ask("close", 3000)


@pytest.mark.slow
@pytest.mark.parametrize("api", ["v3", "v2"])
def test_a_minority_does_not_answer_lookups(etcd_cluster, make_registry, api):
    """The minority still has the service, and cannot know whether it has left."""
    alone, *others = etcd_cluster.nodes
    registry = make_registry(alone, api)
    service = document("web", free_port())
    key = registry.key(service)
    registry.store.put(key, json.dumps(service))
    assert joined(registry) == [service]
    for node in others:
        os.kill(node.pid, signal.SIGSTOP)
    try:
        found = registry.run("lookup", "web")
    finally:
        for node in others:
            os.kill(node.pid, signal.SIGCONT)
    assert (found.returncode, found.stdout) == (3, "")
    wait_until(lambda: joined(registry) == [service], PATIENCE_S, "the majority answers")
    registry.store.delete(key)


@pytest.mark.slow
@pytest.mark.parametrize("api", ["v3", "v2"])
def test_a_node_that_was_away_answers_with_what_is(etcd_cluster, make_registry, api):
    late, other, _ = etcd_cluster.nodes
    writer, reader = make_registry(other, api), make_registry(late, api)
    old, new = document("web", free_port()), document("web", free_port())
    reader.namespace = writer.namespace
    key = writer.key(old)
    writer.store.put(key, json.dumps(old))
    assert joined(reader) == [old]
    with late.stopped():
        wait_until(lambda: joined(writer) == [old], PATIENCE_S, "the others have a leader")
        writer.store.delete(key)
        writer.store.put(writer.key(new), json.dumps(new))
    assert joined(reader) == [new]
    writer.store.delete(writer.key(new))
