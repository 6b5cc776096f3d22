# SPDX-License-Identifier: MIT
"""Programs that use the installed library, built with pkg-config as a user would."""
import os
import re
import subprocess
import threading
import time

from . import product
from .wait import wait_until

MAKE_TIMEOUT_S = 120
DRIVER = product.ROOT / "tests" / "library" / "driver.c"
HEADER = product.ROOT / "lib" / "etcd-registry.h"
EXAMPLE_HEADERS = ("err.h", "etcd-registry.h", "limits.h", "stdio.h")
ANSWER_S = 15


def install(folder, target="install"):
    """Runs `make install`, or uninstall, with `folder` as the root folder."""
    environment = {
        name: value
        for name, value in product.clean_environment().items()
        if not name.startswith("MAKE")
    }
    command = [
        "make",
        target,
        f"B={os.path.relpath(product.BUILD, product.ROOT)}",
        f"DESTDIR={folder}",
        "PREFIX=/usr",
    ]
    subprocess.run(
        command,
        cwd=product.ROOT,
        env=environment,
        check=True,
        capture_output=True,
        timeout=MAKE_TIMEOUT_S,
    )


def environment_of(installed):
    """Returns the variables with which pkg-config and the loader find the library."""
    return {
        "PKG_CONFIG_PATH": str(installed / "usr/lib/pkgconfig"),
        "PKG_CONFIG_SYSROOT_DIR": str(installed),
        "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1",
        "PKG_CONFIG_ALLOW_SYSTEM_LIBS": "1",
        "LD_LIBRARY_PATH": str(installed / "usr/lib"),
    }


SHARED = "$(pkg-config --cflags --libs etcd-registry)"
# Only this library is static: Debian has no static build of all that libcurl needs.
STATIC = (
    "$(pkg-config --cflags etcd-registry) "
    "$(pkg-config --libs etcd-registry | sed s/-letcd-registry/-l:libetcd-registry.a/) "
    "$(pkg-config --libs libcurl libcjson libcrypto) -pthread"
)


def build(installed, source, program, compiler="cc", how=SHARED):
    """Compiles the file `source` to `program`.  Any warning is an error."""
    subprocess.run(
        f"{compiler} -Wall -Wextra -Werror -o {program} {source} {how}",
        shell=True,
        env={**product.clean_environment(), **environment_of(installed)},
        check=True,
        timeout=MAKE_TIMEOUT_S,
    )
    return program


def examples(text):
    """Returns the examples in the header's comments, as whole programs."""
    found = re.findall(r"^ \* Example: .*\n((?: \*.*\n)*?)(?: \*/)", text, re.MULTILINE)
    headers = "".join(f"#include <{name}>\n" for name in EXAMPLE_HEADERS)
    bodies = ("".join(re.findall(r"^ \* (\t.*\n)", block, re.MULTILINE)) for block in found)
    return [f"{headers}int main(void)\n{{\n{body}\treturn 0;\n}}\n" for body in bodies]


class Driver:
    """tests/library/driver, running.  Its lines are (time by CLOCK_MONOTONIC, words)."""

    def __init__(self, program, environment, folder):
        self.lines = []
        self._errors = open(folder / "driver.stderr", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [program],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.split()))

    def tell(self, *words):
        """Sends a command.  Returns the number of lines before it."""
        count = len(self.lines)
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return count

    def ask(self, *words, timeout_s=ANSWER_S):
        """Sends a command.  Returns the answer's words."""
        count = self.tell(*words)

        def answer():
            return [line for _, line in self.lines[count:] if line[0] != "event"]

        return wait_until(answer, timeout_s, f"the answer to {words}")[0]

    def events(self, name=None):
        """Returns (time, type) for each event of one service, or of none."""
        return [
            (when, line[1])
            for when, line in list(self.lines)
            if line[0] == "event" and line[2] == (name or "-")
        ]

    def wait_for_event(self, kind, name=None, timeout_s=ANSWER_S, after=0):
        """Returns when the first event of this kind came, without counting the first `after` of
        them."""

        def times():
            return [when for when, this in self.events(name)[after:] if this == kind]

        return wait_until(times, timeout_s, f"'{kind}' of {name}; seen: {self.lines}")[0]

    def discard(self):
        self.process.kill()
        self.process.wait(ANSWER_S)
        self._reader.join(ANSWER_S)
        self._errors.close()
