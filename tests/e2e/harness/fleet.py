# SPDX-License-Identifier: MIT
"""Twenty preloaded hosts at once.  They must not notice anything that happens to etcd."""
import contextlib
import os
import signal
import threading

from .host import STOP_TIMEOUT_S, Host
from .process import holders_of, is_running
from .registry import document
from .servers import SERVERS
from .wait import wait_until, wait_until_equal

LISTENERS = 14
SERVERS_OF_EACH = {
    "redis-server": 2,
    "nginx-daemon-on": 1,
    "nginx-daemon-off": 1,
    "node-http-server": 2,
}
REGISTERED_S = 10
ROUND_INTERVAL_S = 0.2
LOOK_INTERVAL_S = 0.1


class Member:
    def __init__(self, name, host, ask, stop_signal):
        self.host = host
        self.service = document(name, host.port)
        self.ask = ask
        self.stop_signal = stop_signal
        self.before = None

    def state(self, pids):
        """Returns the facts that must not change."""
        return pids, self.host.stdout, self.host.stderr

    def note(self):
        """Takes the current state as the expected one.  A host that starts while etcd is away may
        print one line."""
        self.before = self.state(self.host.holders())
        assert self.host.stderr.count("\n") <= 1

    def stop(self):
        pids = self.before[0]
        os.kill(pids[0], self.stop_signal)
        assert self.host.process.wait(STOP_TIMEOUT_S) == 0
        wait_until(lambda: not any(map(is_running, pids)), STOP_TIMEOUT_S, f"{pids} have ended")


class Fleet:
    """Hosts in a registry.  While the context is open, each host is asked for an answer again and
    again."""

    def __init__(self, registry, launch_listener, launch_server, **settings):
        self.registry = registry
        self._settings = settings
        self._launch_listener = launch_listener
        self.members = [self._listener(f"listener-{n}") for n in range(LISTENERS)]
        for server in SERVERS:
            for n in range(SERVERS_OF_EACH.get(server.name, 0)):
                name = f"{server.name}-{n}"
                host = launch_server(server, registry.preloaded(name, **settings))
                self.members.append(Member(name, host, server.ask, server.stop_signal))
        self.mortal = self._listener("mortal")
        self.refusals = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask_all, daemon=True)

    def _listener(self, name):
        host = self._launch_listener(self.registry.preloaded(name, **self._settings))
        return Member(name, host, Host.get, signal.SIGTERM)

    def __enter__(self):
        self.expect_registered(self.mortal)
        for member, state in self._states():
            member.before = state
            assert member.host.stderr == ""
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._ended.set()
        self._thread.join()

    def _ask_all(self):
        while not self._ended.wait(ROUND_INTERVAL_S):
            for member in self.members:
                try:
                    assert member.ask(member.host)
                except Exception as error:
                    self.refusals.append((member.service["name"], error))

    def _states(self):
        pids = holders_of([member.host.port for member in self.members])
        return [(member, member.state(pids[member.host.port])) for member in self.members]

    def join(self, name):
        """Starts one more host, which stays.  It may print one line that it is not registered
        yet."""
        newcomer = self._listener(name)
        self.members.append(newcomer)
        return newcomer

    def kill_one(self):
        """Kills the host that is there for this.  Returns its key."""
        self.mortal.host.kill()
        return self.registry.key(self.mortal.service)

    def expect_registered(self, *others, timeout_s=REGISTERED_S):
        services = (member.service for member in (*self.members, *others))
        expected = {self.registry.key(service): service for service in services}
        wait_until_equal(self._documents, expected, timeout_s, LOOK_INTERVAL_S)

    def _documents(self):
        """Returns the documents, None while etcd does not answer."""
        with contextlib.suppress(OSError):
            return self.registry.documents()

    def expect_undisturbed(self):
        for member, state in self._states():
            assert state == member.before
        assert not self.refusals

    def stop(self):
        """Stops every host, and checks that it ends as it does without etcd."""
        self.__exit__()
        for member in self.members:
            member.stop()
