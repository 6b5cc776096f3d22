# SPDX-License-Identifier: MIT
"""A host that goes into the background right after listen(), before any thread could announce its
socket."""
import pytest
from harness import product
from harness.process import free_port
from harness.registry import document

DAEMONISER = product.BUILD / "hosts" / "daemoniser"
TIMES = 10


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
