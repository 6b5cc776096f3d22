# SPDX-License-Identifier: MIT
"""Programs that the loader gives no object, or that have no libc for it.  LD_PRELOAD and a name
change nothing for them, and nothing is registered."""
import os
import subprocess

import pytest
from harness import facts, product
from harness.process import free_port
from harness.programs import PATH, Program, skip_what_cannot_be
from harness.wait import settled

BUILD_TIMEOUT_S = 300
SETTLED_S = 5
GO_SOURCE = product.ROOT / "tests" / "hosts" / "server.go"
GO = Program("go", "go", None)
MOMENTARY = {"SigPnd", "ShdPnd", "SigBlk"}  # Go signals its threads, and blocks signals to clone
OTHER_CLASS = "' from LD_PRELOAD cannot be preloaded (wrong ELF class: ELFCLASSN): ignored.\n"


@pytest.fixture(scope="module", params=["pie", "exe"])
def go_server(request):
    """A build without cgo: as a PIE it is dynamic but has no libc, as an exe it is static."""
    skip_what_cannot_be(GO)
    binary = product.BUILD / "hosts-go" / request.param
    environment = {
        **product.clean_environment(),
        "PATH": PATH,
        "CGO_ENABLED": "0",
        "GO111MODULE": "off",
        "GOCACHE": str(product.BUILD / "go-cache"),
    }
    subprocess.run(
        ["go", "build", f"-buildmode={request.param}", "-o", binary, GO_SOURCE],
        env=environment,
        check=True,
        timeout=BUILD_TIMEOUT_S,
    )
    return binary


def run(launch, registry, program, preload):
    """Returns the visible facts of one run, and the services and agents during it.  Threads are
    compared by name only, because Go's scheduler decides their number."""
    port = free_port()
    settings = registry.preloaded("web") if preload else registry.settings("web")
    host = launch([program, port], settings, port).wait_listening()
    seen = settled(lambda: facts.while_running(host), SETTLED_S)
    answer = host.get()
    documents, agents = registry.documents(), registry.agents()
    host.stop()
    return {
        **seen,
        "threads": set(seen["threads"]),
        "status": {name: seen["status"][name] for name in seen["status"].keys() - MOMENTARY},
        "answer": answer,
        **facts.after_the_end(host),
    }, (documents, agents)


def compare(launch, registry, program, stderr=""):
    expected, _ = run(launch, registry, program, preload=False)
    seen, registered = run(launch, registry, program, preload=True)
    assert seen == {**expected, "stderr": stderr}
    assert expected["stderr"] == ""
    assert registered == ({}, [])


def test_a_static_program_is_as_without(v3_registry, launch):
    compare(launch, v3_registry, product.STATIC_LISTENER)


@pytest.mark.programs
def test_a_go_program_is_as_without(v3_registry, launch, go_server):
    compare(launch, v3_registry, go_server)


def test_the_object_of_the_other_word_size_is_a_warning_of_the_loader(v3_registry, launch):
    if not product.I386_LISTENER.exists():
        pytest.skip("32-bit host: gcc -m32 links none here")
    object_ = facts.anonymous(str(product.PRELOAD), os.devnull)
    warning = f"ERROR: ld.so: object '{object_}{OTHER_CLASS}"
    compare(launch, v3_registry, product.I386_LISTENER, warning)
