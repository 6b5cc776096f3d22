# SPDX-License-Identifier: MIT
"""A node without a network: every packet to its sockets vanishes, without an error.

Every TCP socket of the process gets a filter that lets nothing through, the listening ones too.  So
a SYN is dropped as by a firewall's DROP rule.
"""
import contextlib
import ctypes
import os
import socket
import struct
import threading

from .process import descriptors

SYS_PIDFD_GETFD = 438
SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
BPF_RET_K = 6
LOOK_INTERVAL_S = 0.02

_libc = ctypes.CDLL(None, use_errno=True)


def _socket_of(pidfd, number):
    """Returns a copy of that file descriptor; None if it is not a TCP socket, or closed by now."""
    copy = _libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
    if copy < 0:
        return None
    opened = socket.socket(fileno=copy)
    if opened.family in (socket.AF_INET, socket.AF_INET6) and opened.type == socket.SOCK_STREAM:
        return opened
    opened.close()
    return None


class BlackHole:
    """Surrounds a process, with the sockets that it opens later."""

    def __init__(self, pid):
        self._pid = pid
        self._pidfd = os.pidfd_open(pid)
        self._instruction = ctypes.create_string_buffer(struct.pack("=HBBI", BPF_RET_K, 0, 0, 0))
        self._program = struct.pack("HP", 1, ctypes.addressof(self._instruction))
        self._sockets = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._swallow()
        assert self._sockets, "found no TCP socket of the process"
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._ended.set()
        self._thread.join()
        for opened in self._sockets.values():
            opened.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
            opened.close()
        os.close(self._pidfd)

    def _swallow(self):
        for number, target in descriptors(self._pid).items():
            if not target.startswith("socket:") or target in self._sockets:
                continue
            opened = _socket_of(self._pidfd, number)
            if opened:
                opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, self._program)
                self._sockets[target] = opened

    def _run(self):
        while not self._ended.wait(LOOK_INTERVAL_S):
            with contextlib.suppress(OSError):
                self._swallow()
