# SPDX-License-Identifier: MIT
"""Hosts that fork without end while the object's thread works, with tests/hosts/forkstorm."""
import pytest
from harness import product
from harness.process import children
from harness.registry import document
from harness.wait import wait_until

STORMS = (
    pytest.param(["1", "20000"], marks=pytest.mark.slow),
    ["4", "20000"],
    ["-l", "1", "2000"],
    ["-l", "4", "2000"],
)
STORM_S = 60
TTL_S = 3


def storm_is_over(host):
    return host.process.poll() is not None or host.stdout.count("\n") > 1


@pytest.mark.parametrize("storm", STORMS, ids=" ".join)
def test_no_fork_hangs_while_heartbeats_run(v3_registry, launch, storm):
    command = [product.HOSTS / "forkstorm", *storm]
    host = launch(command, v3_registry.preloaded("web", TTL=str(TTL_S)))
    host.read_ports()
    web = document("web", host.port)
    v3_registry.expect(web)
    with v3_registry.watch() as watch:
        host.tell()
        wait_until(lambda: storm_is_over(host), STORM_S, "the end of the storm")
        assert not watch.times("delete", v3_registry.key(web))
    assert host.process.poll() is None, host.stderr
    assert children(host.process.pid) == []
    assert v3_registry.documents() == {v3_registry.key(web): web}
    host.kill()
    v3_registry.expect()


def test_fork_right_after_every_listen(v3_registry, launch):
    """While the agent is still starting, each fork waits for it, but not for ever."""
    command = [product.HOSTS / "forkstorm", "-l", "4", "200"]
    host = launch(command, v3_registry.preloaded("web"))
    host.read_ports()
    host.tell()
    wait_until(lambda: storm_is_over(host), STORM_S, "the end of the storm")
    v3_registry.expect(document("web", host.port))
    host.kill()
    v3_registry.expect()
