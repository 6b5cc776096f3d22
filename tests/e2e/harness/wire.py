# SPDX-License-Identifier: MIT
"""Messages of lib/wire.h, right and wrong, and a connection to an agent."""
import os
import socket
import struct

MAGIC = 0x47455245
VERSION = 1
LONGEST = 16384
HELLO, LISTEN, BEAT, BYE = 1, 2, 3, 4
REFUSED = 66
ANSWER_TIMEOUT_S = 5


def header(kind, magic=MAGIC, version=VERSION):
    return struct.pack("=IHH", magic, version, kind)


def hello(settings=b"ETCD_REGISTRY_NAME=web\0", settings_len=None):
    length = len(settings) if settings_len is None else settings_len
    return header(HELLO) + struct.pack("=II", os.getpid(), length) + settings


def refused(text):
    return header(REFUSED) + struct.pack("=I", len(text) + 1) + text + b"\0"


BAD_MESSAGES = {
    "one byte": b"x",
    "half a header": header(BEAT)[:4],
    "garbage": bytes(range(256)) * 4,
    "other magic": header(HELLO, magic=0x12345678) + hello()[8:],
    "other version": header(HELLO, version=VERSION + 1) + hello()[8:],
    "unknown type": header(999),
    "hello without its fields": header(HELLO),
    "hello that promises more than it has": hello(settings_len=4000),
    "hello whose settings do not end": hello(settings=b"ETCD_REGISTRY_NAME=web"),
    "hello with a setting of the registry": hello(
        settings=b"ETCD_REGISTRY_URL=http://127.0.0.1:1\0"
    ),
    "listen before hello": header(LISTEN) + bytes(40),
    "listen cut short": header(LISTEN) + bytes(8),
    "longer than any message": hello(settings=b"ETCD_REGISTRY_NAME=" + b"x" * LONGEST + b"\0"),
}


def connect(name, timeout_s=ANSWER_TIMEOUT_S):
    """`name` as in /proc/net/unix."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(timeout_s)
    connection.connect(name.replace("@", "\0", 1))
    return connection


def is_refused(name, message):
    """Sends one message; true if the agent closes the connection, whatever it says before."""
    with connect(name) as connection:
        try:
            connection.send(message)
            while connection.recv(LONGEST):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
    return True
