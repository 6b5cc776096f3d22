# SPDX-License-Identifier: MIT
"""A host that goes into the background right after listen(), before any thread could announce its
socket."""
import pytest
from harness import product
from harness.process import free_port
from harness.registry import Registry, document

DAEMONISER = product.BUILD / "hosts" / "daemoniser"
RESIDENT = product.HOSTS / "resident"
TIMES = 10
AT_ONCE = 60
ALL_REGISTERED_S = 20


@pytest.mark.parametrize("end", ["exit", "_exit"])
@pytest.mark.parametrize("agent", ["that has to start", "that runs"])
def test_what_the_child_goes_on_serving_is_registered(
    v3_registry, launch, launch_listener, agent, end
):
    others = []
    if agent == "that runs":
        others.append(document("other", launch_listener(v3_registry.preloaded("other")).port))
        v3_registry.expect(*others)
    for _ in range(TIMES):
        port = free_port()
        host = launch([DAEMONISER, port, end], v3_registry.preloaded("web"), port)
        assert host.process.wait(5) == 0
        v3_registry.expect(document("web", port), *others)
        host.stop()
        v3_registry.expect(*others)


def test_daemons_that_start_at_once_with_an_agent_each(etcd, tmp_path, launch):
    """The processors are so busy that the kernel interrupts threads anywhere, also between the
    announcement and the start of the agent that is to hear it."""
    started = []
    for number in range(AT_ONCE):
        folder = tmp_path / str(number)
        folder.mkdir()
        registry = Registry(etcd, "v3", f"{tmp_path.name}-{number}", folder)
        started.append((registry, launch([RESIDENT, "double-fork"], registry.preloaded("web"))))
    for registry, host in started:
        (port,) = host.read_ports()
        registry.expect(document("web", port), timeout_s=ALL_REGISTERED_S)
