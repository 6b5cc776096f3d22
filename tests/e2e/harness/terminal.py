# SPDX-License-Identifier: MIT
"""A command with one of its streams on a terminal."""
import contextlib
import os
import pty
import subprocess
import threading

TIMEOUT_S = 20


def _read(descriptor, chunks):
    with contextlib.suppress(OSError):  # EIO: the other side has closed it
        while chunk := os.read(descriptor, 4096):
            chunks.append(chunk)


def run_on_terminal(command, env, stream="stdout"):
    """Returns the output on that stream and the exit status.  The other stream is a pipe."""
    master, slave = pty.openpty()
    chunks = []
    reader = threading.Thread(target=_read, args=(master, chunks))
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: slave}
    try:
        with subprocess.Popen(
            list(map(str, command)), env=env, stdin=subprocess.DEVNULL, **streams
        ) as process:
            os.close(slave)
            reader.start()
            process.communicate(timeout=TIMEOUT_S)
        reader.join(TIMEOUT_S)
    finally:
        os.close(master)
    return b"".join(chunks).decode().replace("\r\n", "\n"), process.returncode
