# SPDX-License-Identifier: MIT
"""The harness: tests that run side by side do not end each other's hosts."""
import os
import subprocess

from harness import process, product


def test_a_host_on_the_port_of_one_that_has_ended_is_not_discarded_with_it(launch, launch_listener):
    first = launch_listener(product.clean_environment())
    first.kill()
    first.process.wait()
    second = launch([product.LISTENER, first.port], product.clean_environment(), first.port)
    second.wait_listening()
    first.discard()
    assert second.get() == b"listener\n"


def test_no_worker_is_given_a_port_of_another(monkeypatch):
    given = {}
    monkeypatch.setattr(process, "WORKERS", 4)
    for worker in range(4):
        monkeypatch.setattr(process, "WORKER", worker)
        given[worker] = {process.free_port() % 4 for _ in range(20)}
    assert given == {worker: {(process.PORTS[0] + worker) % 4} for worker in range(4)}


def test_the_scripts_give_ports_of_their_worker_and_none_twice():
    script = f'. "{product.ROOT}/scripts/common.sh"; free_ports 20'
    worker = {"PYTEST_XDIST_WORKER": "gw3", "PYTEST_XDIST_WORKER_COUNT": "400"}
    ports = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, **worker},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert len(set(ports)) == 20
    assert {int(port) % 400 for port in ports} == {(process.PORTS[0] + 3) % 400}
