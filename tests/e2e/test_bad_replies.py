# SPDX-License-Identifier: MIT
"""An etcd node that answers nonsense: the error names the node, then the next node is tried."""
import pytest
from harness.fake_etcd import ANSWERS, FakeEtcd
from harness.registry import document
from harness.wait import wait_until

FAILOVER_S = 10
LOGGED_S = 1
ANSWER_MAX = 128 << 20

every_answer = pytest.mark.parametrize("answer", ANSWERS)
both_apis = pytest.mark.parametrize("api", ["v3", "v2"])


@both_apis
@every_answer
def test_the_next_node_is_used(etcd, make_registry, launch_listener, api, answer):
    with FakeEtcd(answer) as fake:
        registry = make_registry(etcd, api, nodes=[fake.host])
        host = launch_listener(registry.preloaded("web"))
        registry.expect(document("web", host.port), timeout_s=FAILOVER_S)
        result = registry.run("list")
        assert result.returncode == 0
        assert str(host.port) in result.stdout
        assert fake.requests > 0
        assert fake.largest_answer < ANSWER_MAX


@every_answer
def test_the_log_names_the_node(etcd, make_registry, launch_listener, answer):
    with FakeEtcd(answer) as fake:
        registry = make_registry(etcd, "v3", nodes=[fake.host])
        host = launch_listener(registry.preloaded("web"))
        registry.expect(document("web", host.port), timeout_s=FAILOVER_S)
        wait_until(
            lambda: fake.host in registry.log.read_text(),
            LOGGED_S,
            f"{fake.host} in the agent's log",
        )


@both_apis
@every_answer
def test_the_command_names_the_node(v3_registry, api, answer):
    with FakeEtcd(answer) as fake:
        result = v3_registry.run(
            "list", env={"ETCD_REGISTRY_URL": f"http://{fake.host}/ns?api={api}&timeout=1s"}
        )
    assert result.returncode == 3
    assert result.stdout == ""
    assert fake.host in result.stderr
    assert len(result.stderr.splitlines()) == 1
