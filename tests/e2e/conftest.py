# SPDX-License-Identifier: MIT
"""Fixtures of the end-to-end tests, their order, and their counts for scripts/test."""
import itertools
import os
import signal

import pytest

pytest.register_assert_rewrite("harness.wait", "harness.fleet")

from harness import library, npm, product
from harness.agents import AgentWatch
from harness.etcd import Etcd, EtcdCluster
from harness.host import START_TIMEOUT_S, Host
from harness.process import children, free_port
from harness.registry import Registry, document
from harness.relay import Relay
from harness.wait import wait_until, wait_until_equal

KEYS_GONE_TIMEOUT_S = 3
AGENT_OUTLIVES_HOSTS_S = 8  # a worker that the keeper started waits 5 s for hosts to come back

_numbers = itertools.count()


def pytest_configure(config):
    # A shell that starts the tests in the background makes them, and all that they start, ignore
    # SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # nohup does the same with SIGHUP.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    config.addinivalue_line(
        "markers", "stage(n): -1 runs before all others, which are at 0; 1 after them"
    )
    config.addinivalue_line(
        "markers", "xdist_group(name): such tests share a fixture, so one worker runs them all"
    )
    config.addinivalue_line("markers", "programs: not by default, but by scripts/test-hosts")
    config.addinivalue_line("markers", "slow: not by default, but by scripts/test-hosts")
    config.addinivalue_line("markers", "distros: not by default, but by scripts/test-distros")
    config.addinivalue_line(
        "markers", "etcds: what scripts/test-etcds runs against every etcd of Debian's releases"
    )
    config.addinivalue_line("markers", "upgrade: not by default, but by scripts/test-etcds")


def stage(item):
    marker = item.get_closest_marker("stage")
    return marker.args[0] if marker else 0


def pytest_collection_modifyitems(items):
    items.sort(key=stage)


def pytest_terminal_summary(terminalreporter):
    results = os.environ.get("TEST_RESULTS")
    if not results or hasattr(terminalreporter.config, "workerinput"):  # the main one counts
        return
    counts = {
        name: len(terminalreporter.getreports(name)) for name in ("passed", "failed", "error")
    }
    with open(results, "a", encoding="utf-8") as file:
        file.write(f"{counts['passed']} {counts['failed'] + counts['error']} end-to-end tests\n")


@pytest.fixture(scope="session", autouse=True)
def built_product():
    missing = [
        path for path in (product.PRELOAD, product.COMMAND, product.LISTENER) if not path.exists()
    ]
    assert not missing, f"not built: {missing}"


@pytest.fixture(scope="session")
def etcd(tmp_path_factory):
    """The node that all tests share, except those that stop their node."""
    node = Etcd(tmp_path_factory.mktemp("etcd")).start()
    yield node
    node.stop()


@pytest.fixture(scope="session")
def agent_watch():
    """One for each pytest worker.  After the worker's last test, no agent may have outlived its
    last host."""
    watch = AgentWatch()
    yield watch
    try:
        wait_until(
            lambda: not watch.still_running(), AGENT_OUTLIVES_HOSTS_S, "all agents have ended"
        )
        assert max(watch.lifetimes.values(), default=0) <= AGENT_OUTLIVES_HOSTS_S
    finally:
        watch.kill_all()


@pytest.fixture
def absent_etcd(tmp_path):
    """A node that is not started yet, for one test alone."""
    node = Etcd.with_port(tmp_path / "etcd", free_port(), free_port())
    yield node
    node.stop()


@pytest.fixture
def relay(absent_etcd):
    """The only way to the test's own node: the node advertises the relay's address."""
    with Relay(absent_etcd) as relay:
        absent_etcd.advertise(f"http://{relay.host}")
        absent_etcd.start()
        yield relay


@pytest.fixture
def etcd_cluster(tmp_path):
    """Three nodes, for one test alone."""
    cluster = EtcdCluster(tmp_path / "cluster").start()
    yield cluster
    cluster.stop()


@pytest.fixture
def make_registry(request, tmp_path, agent_watch):
    """make_registry(etcd, api, nodes=()) returns a registry with a new namespace.  The test must
    leave it empty and without an agent."""
    made = []

    def make(node, api, nodes=()):
        namespace = f"test-{os.getpid()}-{next(_numbers)}"
        made.append(Registry(node, api, namespace, tmp_path, nodes))
        return made[-1]

    yield make
    for registry in made:
        agent_watch.hosts_are_gone(f"{request.node.name} {registry.namespace}", registry)
        print(registry.log.read_text() if registry.log.exists() else "no agent has logged")
        if registry.etcd.is_running():
            wait_until_equal(registry.documents, {}, KEYS_GONE_TIMEOUT_S)


@pytest.fixture(params=["v3", "v2"])
def registry(request, etcd, make_registry):
    return make_registry(etcd, request.param)


@pytest.fixture
def v3_registry(etcd, make_registry):
    return make_registry(etcd, "v3")


@pytest.fixture
def launch(make_registry, tmp_path):
    """launch(command, env, port=None) starts a host.  `command` may be a function of port and
    folder."""
    hosts = []

    def start(command, env, port=None):
        folder = tmp_path / f"host-{len(hosts)}"
        folder.mkdir()
        words = command(port, folder) if callable(command) else command
        hosts.append(Host(words, env, folder, port))
        return hosts[-1]

    yield start
    for host in hosts:
        host.discard()


@pytest.fixture
def launch_server(launch):
    """launch_server(server, env, port=None) starts one of harness.servers.  It returns when the
    server listens and all its processes run."""

    def start(server, env, port=None):
        host = launch(server.command, env, port or free_port()).wait_listening()
        if server.daemonises:
            assert host.process.wait(START_TIMEOUT_S) == 0
        wait_until(
            lambda: len(children(host.main)) == server.children, START_TIMEOUT_S, "its children run"
        )
        return host

    return start


@pytest.fixture
def launch_listener(launch):
    """launch_listener(env, *arguments) starts tests/hosts/listener and reads its ports."""

    def start(env, *arguments, program=product.LISTENER, count=1):
        host = launch([program, *arguments], env)
        host.read_ports(count)
        return host

    return start


@pytest.fixture
def launch_registered(launch_listener):
    """launch_registered(registry, name="web", **settings) returns a listener that is in etcd, and
    its document."""

    def start(registry, name="web", **settings):
        host = launch_listener(registry.preloaded(name, **settings))
        service = document(name, host.port)
        registry.wait_for(service)
        return host, service

    return start


@pytest.fixture(scope="session")
def installed(tmp_path_factory):
    """The folder that `make install` used as the root folder."""
    folder = tmp_path_factory.mktemp("installed")
    library.install(folder)
    return folder


@pytest.fixture
def drive(installed, tmp_path):
    """drive(environment) starts tests/library/driver, built against the installed library."""
    program = installed / "driver"
    if not program.exists():
        library.build(installed, library.DRIVER, program)
    drivers = []

    def start(environment):
        environment = {**environment, **library.environment_of(installed)}
        drivers.append(library.Driver(program, environment, tmp_path))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.discard()


@pytest.fixture(scope="session")
def npm_modules():
    """The folder of the npm package."""
    return npm.npm_modules()
