# SPDX-License-Identifier: MIT
"""A host: a server process, preloaded or plain."""
import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request

from .process import descriptors, holders, is_running, listening_inodes, parent
from .wait import wait_until

START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 10


class Host:
    """One program, with its output in files.  `port` is the port given to it, or None until
    read_ports()."""

    def __init__(self, command, env, folder, port=None):
        self.port = port
        self.folder = folder
        self._inodes = set()
        self.stdout_path = folder / "stdout"
        self.stderr_path = folder / "stderr"
        with open(self.stdout_path, "wb") as stdout, open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                list(map(str, command)),
                env=env,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )

    @property
    def stdout(self):
        return self.stdout_path.read_text()

    @property
    def stderr(self):
        return self.stderr_path.read_text()

    def _has_failed(self):
        return self.process.poll() not in (None, 0)

    def wait_listening(self):
        wait_until(
            lambda: listening_inodes(self.port) or self._has_failed(),
            START_TIMEOUT_S,
            f"port {self.port} listens",
        )
        assert not self._has_failed(), f"ended with {self.process.returncode}: {self.stderr}"
        self._note_sockets()
        return self

    def read_ports(self, count=1):
        """Reads the ports that the small hosts of tests/hosts print."""
        wait_until(
            lambda: self.stdout.count("\n") >= count or self._has_failed(),
            START_TIMEOUT_S,
            "the host prints its ports",
        )
        assert not self._has_failed(), f"ended with {self.process.returncode}: {self.stderr}"
        ports = [int(line) for line in self.stdout.splitlines()]
        self.port = ports[0]
        self._note_sockets()
        return ports

    def _note_sockets(self):
        self._inodes |= listening_inodes(self.port)

    def holders(self):
        """Returns the host's processes that hold the socket, without those of another host on the
        same port."""
        self._note_sockets()
        found = holders(self.port)
        if self.process.poll() is None:
            return [pid for pid in found if self.process.pid in (pid, parent(pid))]
        return found

    @property
    def main(self):
        """The process in charge: the one that was started, or the daemon that it left behind."""
        return self.process.pid if self.process.poll() is None else self.holders()[0]

    def close_first(self):
        """Makes tests/hosts/listener close its oldest socket."""
        os.kill(self.process.pid, signal.SIGUSR1)

    def tell(self):
        """Makes a small host of tests/hosts take its next step.  Returns when it was told
        (CLOCK_MONOTONIC)."""
        now = time.monotonic()
        os.kill(self.main, signal.SIGUSR1)
        return now

    def get(self, address="127.0.0.1"):
        """Returns the page that the host serves."""
        with urllib.request.urlopen(f"http://{address}:{self.port}/", timeout=5) as response:
            return response.read()

    def ping(self):
        """Returns the answer of a Redis server."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.makefile("rb").readline()

    def stop(self, how=signal.SIGTERM):
        """Asks the host to end.  Returns when every process that held the socket has ended."""
        main = self.main
        pids = {main, *self.holders()}
        os.kill(main, how)
        wait_until(lambda: not any(map(is_running, pids)), STOP_TIMEOUT_S, f"{pids} have ended")
        return self.process.wait(STOP_TIMEOUT_S)

    def kill(self):
        """Kills every process that holds the socket.  Returns the time of the last kill
        (CLOCK_MONOTONIC)."""
        for pid in self.holders():
            os.kill(pid, signal.SIGKILL)
        return time.monotonic()

    def _left_behind(self):
        """Processes of a host that has ended.  Its port may be another host's by now; its sockets
        are not."""
        if not self._inodes:
            self._note_sockets()
        sockets = {f"socket:[{inode}]" for inode in self._inodes}
        return [pid for pid in holders(self.port) if sockets & set(descriptors(pid).values())]

    def discard(self):
        """Removes the host, whatever its state.  A master is killed first, because it replaces its
        workers."""
        pids = [self.process.pid]
        if self.port:
            pids += self.holders() if self.process.poll() is None else self._left_behind()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(STOP_TIMEOUT_S)
        wait_until(lambda: not any(map(is_running, pids)), STOP_TIMEOUT_S, f"{pids} have ended")
