# SPDX-License-Identifier: MIT
"""All kinds of sockets and libcs, with tests/hosts/listener and one and the same preload object."""
import pytest
from harness import process, product
from harness.registry import REGISTERED_TIMEOUT_S, document
from harness.wait import settled, wait_until

GONE_S = 2
AGENT_ENDS_S = 5
LOOKED_AROUND_S = 1  # the object's thread checks this often whether it has an agent
KNOWN = "5s"  # listen() returns when the agent knows the socket
IPV6_ADDRESS = "fd00::7"

both_libcs = pytest.mark.parametrize(
    "program", [product.LISTENER, product.MUSL_LISTENER], ids=["glibc", "musl"]
)


@both_libcs
def test_one_object_registers_hosts_of_either_libc(registry, launch_listener, program):
    host = launch_listener(registry.preloaded("web"), program=program)
    web = document("web", host.port)
    registry.expect(web)
    assert host.get() == b"listener\n"
    with registry.watch() as watch:
        assert host.stop() == 0
        watch.wait("delete", registry.key(web), GONE_S)


def test_glibc_and_musl_hosts_share_one_agent(v3_registry, launch_listener):
    hosts = [
        launch_listener(v3_registry.preloaded(name), program=program)
        for name, program in (("glibc", product.LISTENER), ("musl", product.MUSL_LISTENER))
    ]
    v3_registry.expect(document("glibc", hosts[0].port), document("musl", hosts[1].port))
    assert len(v3_registry.agents()) == 1


def test_port_0_registers_the_port_that_the_kernel_chose(registry, launch_listener):
    host = launch_listener(registry.preloaded("web"), "0")
    assert host.port > 0
    registry.expect(document("web", host.port))


def test_ipv6_only(registry, launch_listener):
    host = launch_listener(registry.preloaded("web", HOST=IPV6_ADDRESS), "-6", "-o")
    registry.expect(document("web", host.port, IPV6_ADDRESS))
    assert host.get("[::1]") == b"listener\n"


def test_dual_stack_is_one_service(registry, launch_listener):
    host = launch_listener(registry.preloaded("web"), "-6")
    registry.expect(document("web", host.port))
    assert host.get("127.0.0.1") == host.get("[::1]") == b"listener\n"


def test_reuseport_twice_the_second_exit_leaves_the_first_registered(registry, launch_listener):
    first = launch_listener(registry.preloaded("web"), "-r")
    web = document("web", first.port)
    registry.expect(web)
    with registry.watch() as watch:
        second = launch_listener(registry.preloaded("web", WAIT=KNOWN), "-r", str(first.port))
        assert len(process.listening_inodes(first.port)) == 2
        second.stop()
        # The agent sees exits in order: when it knows of this one, it has seen the second's.
        other = launch_listener(registry.preloaded("probe"))
        probe = document("probe", other.port)
        registry.expect(web, probe)
        other.stop()
        watch.wait("delete", registry.key(probe), GONE_S)
        assert not watch.times("delete", registry.key(web))
        registry.expect(web)
        first.stop()
        watch.wait("delete", registry.key(web), GONE_S)


def test_reuseport_twice_the_first_exit_leaves_the_second_registered(registry, launch_listener):
    first = launch_listener(registry.preloaded("web"), "-r")
    second = launch_listener(registry.preloaded("web", WAIT=KNOWN), "-r", str(first.port))
    web = document("web", first.port)
    registry.expect(web)
    with registry.watch() as watch:
        first.stop()
        other = launch_listener(registry.preloaded("probe"))
        registry.expect(web, document("probe", other.port))
        assert not watch.times("delete", registry.key(web))
        second.kill()
        watch.wait("delete", registry.key(web), GONE_S)


def test_named_ports_register_each_under_its_name(registry, launch_listener):
    ports = [process.free_port() for _ in range(3)]
    name = f"web:{ports[0]},admin:{ports[1]}/tcp"
    launch_listener(registry.preloaded(name), *map(str, ports), count=3)
    registry.expect(document("web", ports[0]), document("admin", ports[1]))


def test_named_udp_port_registers_when_it_is_bound(registry, launch_listener):
    port = process.free_port()
    host = launch_listener(registry.preloaded(f"dns:{port}/udp"), "-u", str(port))
    dns = document("dns", port)
    registry.expect(dns)
    with registry.watch() as watch:
        host.process.kill()
        watch.wait("delete", registry.key(dns), GONE_S)


def test_bare_name_passes_to_the_next_listener_when_the_oldest_closes(registry, launch_listener):
    host = launch_listener(registry.preloaded("web"), "0", "0", count=2)
    first, second = host.read_ports(2)
    registry.expect(document("web", first))
    host.close_first()
    registry.expect(document("web", second))


def test_host_that_listens_no_more_has_no_agent(v3_registry, launch_listener):
    host = launch_listener(v3_registry.preloaded("web"))
    v3_registry.expect(document("web", host.port))
    host.close_first()
    wait_until(lambda: not v3_registry.agents(), AGENT_ENDS_S, "the agent has ended")
    assert settled(v3_registry.agents, AGENT_ENDS_S, still_s=2 * LOOKED_AROUND_S) == []
    assert host.process.poll() is None


def test_fields_of_the_user_come_into_the_document(registry, launch_listener):
    settings = registry.preloaded(
        "web.api", META='{"version": "1.2", "weight": 3}', PROTOCOL="https"
    )
    host = launch_listener(settings)
    registry.expect(
        {"version": "1.2", "weight": 3, **document("web.api", host.port, protocol="https")}
    )


def test_listen_waits_for_the_registration_where_asked(registry, launch_listener):
    host = launch_listener(registry.preloaded("web", WAIT="5s"))
    assert registry.documents() == {
        registry.key(document("web", host.port)): document("web", host.port)
    }


def test_default_address_is_one_of_this_machine(v3_registry, launch_listener):
    addresses = process.local_addresses()
    if not addresses:
        pytest.skip("this machine has no address but loopback")
    host = launch_listener(v3_registry.preloaded("web", HOST=None))
    possible = [document("web", host.port, address) for address in addresses]
    (found,) = wait_until(v3_registry.documents, REGISTERED_TIMEOUT_S, "a document").values()
    assert found in possible
    assert host.get(found["hostname"]) == b"listener\n"


def test_listener_on_loopback_registers_only_when_told_so(v3_registry, launch_listener):
    silent = launch_listener(v3_registry.preloaded("silent", HOST=None), "-a", "127.0.0.1")
    told = launch_listener(v3_registry.preloaded("told"), "-a", "127.0.0.1")
    v3_registry.expect(document("told", told.port))
    assert silent.get() == b"listener\n"


def test_disabled_or_other_program_does_nothing(v3_registry, launch_listener):
    for settings in ({"DISABLE": "1"}, {"EXE": "nginx*"}):
        host = launch_listener(v3_registry.preloaded("web", **settings))
        assert "etcd-registry" not in process.threads(host.process.pid)
    assert not v3_registry.agents()
    assert v3_registry.documents() == {}
