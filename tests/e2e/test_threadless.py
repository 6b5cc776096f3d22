# SPDX-License-Identifier: MIT
"""Hosts that announce their sockets without a thread: if no thread is wanted, or if nobody calls
listen()."""
import os
import signal

import pytest
from harness import product
from harness.activation import ACTIVATED
from harness.process import free_port
from harness.registry import document
from harness.wait import settled

GONE_S = 2
STILL_S = 4


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


@pytest.mark.parametrize("program", [product.LISTENER, product.MUSL_LISTENER], ids=["glibc", "musl"])
def test_host_without_a_thread(v3_registry, launch_listener, program):
    host = launch_listener(v3_registry.preloaded("web", THREAD="0"), program=program)
    web = document("web", host.port)
    v3_registry.expect(web)
    assert threads(host.process.pid) == 1
    with v3_registry.watch() as watch:
        assert settled(v3_registry.documents, 2 * STILL_S, still_s=STILL_S) == {v3_registry.key(web): web}
        host.kill()
        watch.wait("delete", v3_registry.key(web), GONE_S)


def test_host_without_a_thread_stops_listening(v3_registry, launch_listener):
    host = launch_listener(v3_registry.preloaded("web", THREAD="0"))
    v3_registry.expect(document("web", host.port))
    host.close_first()
    v3_registry.expect()
    assert host.process.poll() is None


@pytest.mark.parametrize("thread", ["0", "1"])
def test_socket_that_a_service_manager_passed(v3_registry, launch, thread):
    port = free_port()
    environment = v3_registry.settings("web", THREAD=thread)
    host = launch([*ACTIVATED, port], environment, port).wait_listening()
    web = document("web", port)
    v3_registry.expect(web)
    assert host.get() == b"activated\n"
    assert threads(host.process.pid) == 1
    with v3_registry.watch() as watch:
        host.process.send_signal(signal.SIGTERM)
        watch.wait("delete", v3_registry.key(web), GONE_S)


def test_passed_sockets_of_another_process_are_not_ours(v3_registry, launch_listener):
    host = launch_listener(v3_registry.preloaded("web") | {"LISTEN_PID": "1", "LISTEN_FDS": "1"})
    v3_registry.expect(document("web", host.port))
