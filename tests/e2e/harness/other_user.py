# SPDX-License-Identifier: MIT
"""Programs of a hostile user.  Run as a module, this is such a program: it prints a line when it is
in place, and goes on until it is killed."""
import contextlib
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys

from . import wire

NOBODY = 65534
READY_TIMEOUT_S = 10
MANY = 5000
SETTINGS = b"ETCD_REGISTRY_NAME=web\0ETCD_REGISTRY_HOST=127.0.0.1\0"
GARBAGE = b"\xa5" * wire.LONGEST


def command(*words, uid=NOBODY):
    """Returns a command line and an environment that run `python3 -m harness.other_user` as that
    user."""
    setpriv = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
    environment = {"PYTHONPATH": str(pathlib.Path(__file__).parents[1]), "PATH": os.environ["PATH"]}
    return [*setpriv, "/usr/bin/python3", "-B", "-m", __name__, *map(str, words)], environment


@contextlib.contextmanager
def running(*words, uid=NOBODY):
    """running(deed, name) does that deed of DEEDS until the block ends."""
    line, environment = command(*words, uid=uid)
    process = subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n", "it cannot"
        yield process
        assert process.poll() is None, "the program did not run to the end"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _ready():
    print("ready", flush=True)


def _listen(name, backlog):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(name.replace("@", "\0", 1))
    if backlog is not None:
        listener.listen(backlog)
    return listener


def _accept_and_say_nothing(name):
    listener, held = _listen(name, 100), []
    _ready()
    while True:
        held.append(listener.accept())


def _accept_and_close(name):
    listener = _listen(name, 100)
    _ready()
    while True:
        listener.accept()[0].close()


def _fill_its_own_queue(name):
    _listener, held = _listen(name, 0), []
    with contextlib.suppress(BlockingIOError):
        while True:
            held.append(wire.connect(name, timeout_s=0))
    _ready()
    signal.pause()


def _bind_and_not_listen(name):
    _held = _listen(name, None)
    _ready()
    signal.pause()


def _hold_many_connections(name):
    held = []
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    for _ in range(MANY):
        with contextlib.suppress(OSError):
            held.append(wire.connect(name, timeout_s=0))
    _ready()
    signal.pause()


def _connect_and_close(name):
    wire.connect(name).close()
    _ready()
    while True:
        with contextlib.suppress(OSError):
            wire.connect(name, timeout_s=0).close()


def _send(name, message):
    while True:
        with contextlib.suppress(OSError), wire.connect(name) as connection:
            while True:
                connection.send(message)


def _send_garbage(name):
    _ready()
    _send(name, GARBAGE)


def _announce(name, described):
    """Announces another process's socket, its own with false fields, or (drop: true) one that it
    opened as root."""
    changes = json.loads(described)
    listener = socket.create_server(("127.0.0.2", 0))
    if changes.pop("drop", False):
        os.setgroups([])
        os.setresuid(NOBODY, NOBODY, NOBODY)
    with wire.connect(name) as connection:
        connection.send(wire.hello(SETTINGS))
        connection.send(wire.listen({**wire.describe(listener), **changes}))
        _ready()
        print(json.dumps(wire.outcome(connection)), flush=True)
        signal.pause()


DEEDS = {
    function.__name__.strip("_").replace("_", " "): function
    for function in (
        _accept_and_say_nothing,
        _accept_and_close,
        _fill_its_own_queue,
        _bind_and_not_listen,
        _hold_many_connections,
        _connect_and_close,
        _send_garbage,
        _announce,
    )
}
SQUATS = list(DEEDS)[:4]
FLOODS = list(DEEDS)[4:7]

if __name__ == "__main__":
    DEEDS[sys.argv[1]](*sys.argv[2:])
