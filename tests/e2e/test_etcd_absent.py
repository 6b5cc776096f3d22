# SPDX-License-Identifier: MIT
"""etcd is not there: at the start, or for a while."""
import time

import pytest
from harness.registry import document

pytestmark = pytest.mark.etcds

REGISTERED_AFTER_ETCD_S = 2
EXIT_WITHOUT_ETCD_S = 2

both_apis = pytest.mark.parametrize("api", ["v3", "v2"])


@both_apis
def test_host_serves_and_registers_within_2_s_of_etcd_coming_up(
    absent_etcd, make_registry, launch_listener, api
):
    registry = make_registry(absent_etcd, api)
    host = launch_listener(registry.preloaded("web"))
    assert host.get() == b"listener\n"
    absent_etcd.start()
    registry.wait_for(document("web", host.port), REGISTERED_AFTER_ETCD_S)
    assert host.stderr.count("\n") <= 1


@both_apis
def test_etcd_restarts_and_has_the_service_again(absent_etcd, make_registry, launch_listener, api):
    registry = make_registry(absent_etcd.start(), api)
    host = launch_listener(registry.preloaded("web"))
    web = document("web", host.port)
    registry.expect(web)
    absent_etcd.kill()
    assert host.get() == b"listener\n"
    absent_etcd.start()
    registry.expect(web)
    with registry.watch() as watch:
        host.stop()
        watch.wait("delete", registry.key(web), REGISTERED_AFTER_ETCD_S)


def test_host_ends_soon_though_etcd_is_down(absent_etcd, make_registry, launch_listener):
    registry = make_registry(absent_etcd, "v3")
    host = launch_listener(registry.preloaded("web"))
    before = time.monotonic()
    assert host.stop() == 0
    assert time.monotonic() - before <= EXIT_WITHOUT_ETCD_S


def test_key_deleted_by_somebody_else_comes_back(registry, launch_listener):
    host = launch_listener(registry.preloaded("web"))
    web = document("web", host.port)
    registry.expect(web)
    registry.store.delete(registry.key(web))
    registry.expect(web, timeout_s=7)
