# SPDX-License-Identifier: MIT
"""The settings of an agent that an operator runs: options, connection string and environment."""
import contextlib
import subprocess

import pytest
from harness import product
from harness.agents import kill_worker, worker_of
from harness.process import command_line, parent
from harness.registry import document
from harness.wait import wait_until

PATIENCE_S = 5
USAGE = 2
NOWHERE = "http://127.0.0.1:1/nowhere"


@pytest.fixture
def run_agent(v3_registry, tmp_path):
    """run_agent(*options, **environment): the path of the socket of an agent that listens.  Its
    environment is ETCD_REGISTRY_ and no more than that."""
    path = tmp_path / "agent.sock"

    @contextlib.contextmanager
    def run(*options, **environment):
        command = [product.COMMAND, "agent", "--socket", path, *options]
        variables = {f"ETCD_REGISTRY_{name}": value for name, value in environment.items()}
        with subprocess.Popen(command, env={**product.clean_environment(), **variables}) as agent:
            try:
                wait_until(path.exists, PATIENCE_S, "its socket")
                yield path
            finally:
                agent.terminate()
        assert agent.returncode == 0

    return run


def granted_ttl(registry, service):
    lease = registry.leases()[registry.key(service)]
    answer = registry.etcd.call("lease/timetolive", {"ID": lease})
    return int(answer["grantedTTL"])


def ttl_of_a_service(registry, path, launch_listener):
    host = launch_listener(registry.preloaded("web", AGENT=path, URL=None))
    registry.expect(document("web", host.port))
    return granted_ttl(registry, document("web", host.port))


def test_options_are_enough(v3_registry, run_agent, launch_listener):
    registry = v3_registry
    log = f"debug:{registry.log}"
    with run_agent("--url", registry.url, "--ttl=5", "--log", log) as path:
        assert ttl_of_a_service(registry, path, launch_listener) == 5
        worker = worker_of(registry)
        for pid in (worker, parent(worker)):
            assert registry.namespace not in " ".join(command_line(pid))


@pytest.mark.parametrize(
    "options, query, environment, ttl",
    [
        ([], "", {}, 10),
        ([], "", {"TTL": "6"}, 6),
        ([], "?ttl=7", {"TTL": "6"}, 7),
        (["--ttl", "8"], "?ttl=7", {"TTL": "6"}, 8),
    ],
    ids=["default", "environment", "connection string", "option"],
)
def test_precedence(v3_registry, run_agent, launch_listener, options, query, environment, ttl):
    registry = v3_registry
    environment = {**environment, "URL": registry.url + query, "LOG": f"debug:{registry.log}"}
    with run_agent(*options, **environment) as path:
        assert ttl_of_a_service(registry, path, launch_listener) == ttl


def test_a_url_as_option_replaces_that_of_the_environment(
    v3_registry, run_agent, launch_listener
):
    """The next worker has it too, although nobody can read it from the arguments any more."""
    registry = v3_registry
    options = ["--ttl", "9", "--url", f"{registry.url}?ttl=7", "--log", f"debug:{registry.log}"]
    with run_agent(*options, URL=NOWHERE, LOG="off") as path:
        assert ttl_of_a_service(registry, path, launch_listener) == 9
        kill_worker(registry)
        host = launch_listener(registry.preloaded("api", AGENT=path, URL=None))
        registry.wait_for(document("api", host.port))
        assert granted_ttl(registry, document("api", host.port)) == 9


@pytest.mark.parametrize(
    "options, environment, named",
    [
        (["--url", "ftp://a"], {}, "--url: protocol 'ftp'"),
        ([], {"URL": "ftp://a"}, "ETCD_REGISTRY_URL: protocol 'ftp'"),
        ([], {"TTL": "2"}, "ETCD_REGISTRY_TTL: '2'"),
        (["--log", "loud"], {}, "--log: "),
        ([], {"LOG": "loud"}, "ETCD_REGISTRY_LOG: "),
        (["--cacert", "/nonexistent"], {}, "cacert file '/nonexistent'"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named_as_it_was_given(
    v3_registry, tmp_path, options, environment, named
):
    variables = {f"ETCD_REGISTRY_{name}": value for name, value in environment.items()}
    result = v3_registry.run("agent", "--socket", tmp_path / "agent.sock", *options, env=variables)
    assert (result.returncode, result.stdout) == (USAGE, "")
    assert result.stderr.startswith(f"etcd-registry: {named}")
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "agent.sock").exists()
