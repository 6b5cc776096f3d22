# SPDX-License-Identifier: MIT
"""etcd is upgraded under a service, version by version.  TEST_ETCDS names the binaries, oldest
first."""
import os

import pytest
from harness.registry import document

pytestmark = pytest.mark.upgrade

BACK_S = 5
LEFT_S = 2


@pytest.mark.parametrize("api", ["v3", "v2"])
def test_the_service_is_there_after_each_upgrade(absent_etcd, make_registry, launch_listener, api):
    first, *others = os.environ["TEST_ETCDS"].split(":")
    registry = make_registry(absent_etcd.start(first), api)
    host = launch_listener(registry.preloaded("web"))
    web = document("web", host.port)
    registry.expect(web)
    for binary in others:
        absent_etcd.kill()
        absent_etcd.start(binary)
        registry.expect(web, timeout_s=BACK_S)
        assert str(host.port) in registry.run("list").stdout
        with registry.watch() as watch:
            registry.store.delete(registry.key(web))
            watch.wait("delete", registry.key(web), LEFT_S)
            watch.wait("put", registry.key(web), 2 * BACK_S)
    with registry.watch() as watch:
        host.kill()
        watch.wait("delete", registry.key(web), LEFT_S)
