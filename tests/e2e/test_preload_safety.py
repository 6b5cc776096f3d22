# SPDX-License-Identifier: MIT
"""Failures that other preloaded objects have caused.  docs/preload-safety.md has the whole list."""
import glob
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from harness import product
from harness.process import read_proc, threads
from harness.registry import document

CALLER = product.HOSTS / "caller"
PASSING = product.HOSTS / "preload" / "passing.so"
RUN_S = 20
NOBODY = "65534"
LIBC = next(iter(glob.glob("/lib/*/libc.so.6")), None)
OTHERS = {
    "another interposer": str(PASSING),
    "eatmydata": next(iter(glob.glob("/usr/lib/*/libeatmydata.so*")), None),
    "faketime": next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None),
}
SAYS = {"another interposer": "bind\nlisten\n"}
DLCLOSE = """
import ctypes, _ctypes, socket, sys
handle = ctypes.CDLL(sys.argv[1])._handle
listener = socket.create_server(("0.0.0.0", 0))
_ctypes.dlclose(handle)
listener.listen()
print("served")
"""


def run(command, env):
    result = subprocess.run(
        command, env=env, capture_output=True, timeout=RUN_S, check=False, stdin=subprocess.DEVNULL
    )
    return result.returncode, result.stdout, result.stderr


ODD = ["vfork", "clone", "handler", "cancel", "fork", "ignore", "pthread_exit", "folders"]
ODD += ["signal", "again"]


@pytest.mark.parametrize("how", ODD)
@pytest.mark.parametrize("thread", ["1", "0"])
def test_listen_from_odd_places_harms_nothing(v3_registry, launch, how, thread):
    host = launch([CALLER, how], v3_registry.preloaded("web", THREAD=thread))
    port, found = host.read_ports(count=2)
    assert found == 0
    v3_registry.expect(document("web", port))
    assert host.stderr == ""


@pytest.mark.parametrize("thread, refused", [("1", 1), ("0", 0)])
def test_user_namespace_after_listen_needs_a_host_without_the_thread(
    v3_registry, launch, thread, refused
):
    host = launch([CALLER, "unshare"], v3_registry.preloaded("web", THREAD=thread))
    assert host.read_ports(count=2)[1] == refused
    v3_registry.expect(document("web", host.port))


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
def test_beside_other_preloaded_objects(v3_registry, launch_listener, name, is_first):
    assert OTHERS[name], f"no object for {name} is installed"
    objects = [str(product.PRELOAD), OTHERS[name]]
    objects = objects if is_first else objects[::-1]
    host = launch_listener(v3_registry.preloaded("web") | {"LD_PRELOAD": ":".join(objects)})
    v3_registry.expect(document("web", host.port))
    host.stop()
    v3_registry.expect()
    assert host.stderr == SAYS.get(name, "")


PROGRAMS = {
    "true": ["/bin/true"],
    "libc": [LIBC],
    "loader": [LIBC and str(pathlib.Path(LIBC).with_name("ld-linux-x86-64.so.2")), "/bin/true"],
    "bash, with a getenv of its own": ["bash", "-c", "export A=1; unset A; (exit 3)"],
    "pipes": ["sh", "-c", "echo a | cat | tr a b"],
    "python": ["/usr/bin/python3", "-c", "import subprocess; subprocess.run('true')"],
    "perl": ["perl", "-e", "system('true'); print qx(echo b)"],
    "a file that is no program": ["/etc/passwd"],
}


@pytest.mark.parametrize("bind_now", [{}, {"LD_BIND_NOW": "1"}], ids=["lazy", "bind now"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_that_do_not_listen(v3_registry, name, bind_now):
    command = ["env", *PROGRAMS[name]]
    plain, preloaded = v3_registry.settings("web"), v3_registry.preloaded("web")
    assert run(command, preloaded | bind_now) == run(command, plain | bind_now)
    assert not v3_registry.agents()


def test_object_that_is_opened_and_closed(v3_registry):
    command = ["/usr/bin/python3", "-c", DLCLOSE, product.PRELOAD]
    assert run(command, v3_registry.settings("web")) == (0, b"served\n", b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a setuid program")
def test_setuid_program_is_left_alone(v3_registry, launch_listener):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        program = shutil.copy(product.LISTENER, folder)
        os.chmod(program, 0o4755)
        host = launch_listener(
            v3_registry.preloaded("web"), "--clear-groups", f"--reuid={NOBODY}", program,
            program=shutil.which("setpriv"),
        )
    assert threads(host.process.pid) == ["listener"]
    assert str(product.PRELOAD).encode() not in read_proc(host.process.pid, "maps")
    assert v3_registry.documents() == {}
