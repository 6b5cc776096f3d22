# SPDX-License-Identifier: MIT
"""`make install` into a folder: the installed files work from there, and `make uninstall` removes
them."""
import os
import pathlib
import re
import subprocess

import pytest
from harness import library, product
from harness.registry import document

GONE_S = 0.1
PATIENCE_S = 5


def agent_programs(registry):
    if os.getuid() != 0:
        pytest.skip("an agent lets only root see its program file")
    return {pathlib.Path(os.readlink(f"/proc/{pid}/exe")) for pid in registry.agents()}


def files_in(folder):
    """Links, too, to what is not there."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_the_tree(installed):
    files = files_in(installed)
    assert {
        "usr/bin/etcd-registry",
        "usr/lib/libetcd-registry-preload.so",
        "usr/lib/libetcd-registry.a",
        "usr/lib/libetcd-registry.so",
        "usr/include/etcd-registry.h",
        "usr/lib/pkgconfig/etcd-registry.pc",
        "usr/share/man/man1/etcd-registry.1",
    } <= files


def test_the_soname_has_the_minor_version(installed):
    """Programs that were built with an incompatible version must not start with this one."""
    header = (installed / "usr/include/etcd-registry.h").read_text()
    version = re.search(r'ETCDREG_VERSION "(0\.\d+)\.\d+"', header)[1]
    shared = installed / "usr/lib/libetcd-registry.so"
    dynamic = subprocess.run(["readelf", "-dW", shared], check=True, capture_output=True, text=True)
    soname = f"{shared.name}.{version}"
    assert re.search(r"SONAME.*\[(.*)\]", dynamic.stdout)[1] == soname
    assert (shared.parent / soname).resolve() == shared.resolve()
    assert shared.resolve().name.startswith(f"{soname}.")


def test_uninstall_leaves_no_file_but_those_of_others(tmp_path):
    """The 32-bit object is one of them, if gcc -m32 links."""
    library.install(tmp_path)
    files = files_in(tmp_path)
    objects = [name for name in files if name.endswith("libetcd-registry-preload.so")]
    assert len(objects) == (3 if product.I386_LISTENER.exists() else 1)
    (tmp_path / "usr/lib/libetcd-registry.so.99").touch()
    library.install(tmp_path, "uninstall")
    assert files_in(tmp_path) == {"usr/lib/libetcd-registry.so.99"}


def test_the_installed_object_starts_the_installed_agent(installed, v3_registry, launch_listener):
    preload = installed / "usr/lib/libetcd-registry-preload.so"
    host = launch_listener({**v3_registry.settings("web"), "LD_PRELOAD": str(preload)})
    v3_registry.expect(document("web", host.port))
    assert agent_programs(v3_registry) == {installed / "usr/bin/etcd-registry"}


@pytest.mark.parametrize("first", [product.I386_LISTENER, product.LISTENER], ids=["32", "64"])
def test_one_path_serves_programs_of_32_and_of_64_bits(
    installed, v3_registry, launch_listener, first
):
    """The first host, of either word size, finds the agent's file."""
    if not product.I386_LISTENER.exists():
        pytest.skip("32-bit host: gcc -m32 links none here")
    settings = {"LD_PRELOAD": f"{installed}/usr/$LIB/libetcd-registry-preload.so"}
    programs = {"i386": product.I386_LISTENER, "x86-64": product.LISTENER}
    hosts = {}
    for name in sorted(programs, key=lambda name: programs[name] != first):
        environment = {**v3_registry.settings(name), **settings}
        hosts[name] = launch_listener(environment, program=programs[name])
        v3_registry.wait_for(document(name, hosts[name].port))
    assert len(v3_registry.agents()) == 1
    for name, host in hosts.items():
        assert host.get() == b"listener\n"
        with v3_registry.watch() as watch:
            killed = host.kill()
            key = v3_registry.key(document(name, host.port))
            assert watch.wait("delete", key, PATIENCE_S) - killed <= GONE_S
        assert host.stderr == ""


def test_the_installed_command_runs_with_the_installed_object(installed, v3_registry, launch):
    command = [installed / "usr/bin/etcd-registry", "run", "--name", "web", "--", product.LISTENER]
    host = launch(command, v3_registry.settings())
    host.read_ports()
    v3_registry.expect(document("web", host.port))


def test_agent_is_where_the_environment_says(installed, v3_registry, launch_listener):
    agent = installed / "usr/bin/etcd-registry"
    host = launch_listener(v3_registry.preloaded("web", AGENT_BIN=str(agent)))
    v3_registry.expect(document("web", host.port))
    assert agent_programs(v3_registry) == {agent}


def test_the_manual_page_names_every_command(installed):
    page = (installed / "usr/share/man/man1/etcd-registry.1").read_text()
    for command in ("list", "lookup", "join", "leave", "run", "agent", "help", "version"):
        assert command in page
