# SPDX-License-Identifier: MIT
"""An agent that refuses a host and closes the connection at once.  The host must read the refusal,
whatever it was sending meanwhile.

A script plays the agent here, because the real one does not close at a chosen moment.
"""
import os
import socket

from harness import wire
from harness.wait import wait_until

LINE_S = 5
TEXT = b"etcd-registry: not today"


def refuse_with_a_message_unread(listener):
    connection, _ = listener.accept()
    with connection:
        assert connection.recv(wire.LONGEST)[6] == wire.HELLO
        assert connection.recv(wire.LONGEST, socket.MSG_PEEK)[6] == wire.LISTEN
        connection.send(wire.refused(TEXT))


def test_refusal_is_read_behind_an_unread_message(v3_registry, launch_listener):
    name = f"etcd-registry-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(f"\0{name}")
        listener.listen()
        listener.settimeout(wire.ANSWER_TIMEOUT_S)
        host = launch_listener(v3_registry.preloaded("web", AGENT=f"@{name}"))
        refuse_with_a_message_unread(listener)
        wait_until(lambda: "\n" in host.stderr, LINE_S, "a line on stderr")
    assert host.stop() == 0
    assert host.stderr == f"{TEXT.decode()}\n"
