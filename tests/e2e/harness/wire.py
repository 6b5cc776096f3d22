# SPDX-License-Identifier: MIT
"""Messages of lib/wire.h, right and wrong, and a connection to an agent."""
import os
import socket
import struct
import sys

MAGIC = 0x47455245
VERSION = 1
LONGEST = 16384
HELLO, LISTEN, BEAT, BYE = 1, 2, 3, 4
REFUSED, OUTCOME = 66, 67
REGISTERED, UNNAMED, FAILED, GONE = 1, 2, 3, 4
SOCKET = struct.Struct("=QQHHHH16s")  # cookie, inode, port, family, protocol, v6only, address
ANSWER_TIMEOUT_S = 5
SO_COOKIE = 57


def header(kind, magic=MAGIC, version=VERSION):
    return struct.pack("=IHH", magic, version, kind)


def hello(settings=b"ETCD_REGISTRY_NAME=web\0", settings_len=None):
    length = len(settings) if settings_len is None else settings_len
    return header(HELLO) + struct.pack("=II", os.getpid(), length) + settings


def describe(listener):
    """Returns the fields of struct wire_socket for an IPv4 socket, by name."""
    address, port = listener.getsockname()
    cookie = listener.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8)
    return {
        "cookie": int.from_bytes(cookie, sys.byteorder),
        "inode": os.fstat(listener.fileno()).st_ino,
        "port": port,
        "family": socket.AF_INET,
        "protocol": listener.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL),
        "v6only": 0,
        "address": socket.inet_aton(address).hex(),
    }


def listen(described):
    fields = {**described, "address": bytes.fromhex(described["address"])}
    return header(LISTEN) + SOCKET.pack(*fields.values())


def outcome(connection):
    """Returns the agent's next outcome and its text."""
    while message := connection.recv(LONGEST):
        if struct.unpack_from("=H", message, 6)[0] == OUTCOME:
            what, length = struct.unpack_from("=II", message, 24)
            return what, message[32 : 32 + length].rstrip(b"\0").decode()
    raise EOFError("the agent has closed the connection")


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
    """Connects to `name`, written as in /proc/net/unix."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(timeout_s)
    connection.connect(name.replace("@", "\0", 1))
    return connection


def is_refused(name, message):
    """Sends one message.  Returns whether the agent closes the connection, after any answer."""
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
