# SPDX-License-Identifier: MIT
"""https with client certificates together with users.  If the names in certificates are users of
etcd, the v3 gateway refuses a certificate with a common name.  The gateway of etcd 3.3 does not."""
import pytest
from harness import users
from harness.certificates import Authority, Files
from harness.etcd import Etcd
from harness.wait import wait_until

pytestmark = [pytest.mark.etcds, pytest.mark.slow]

TTL_S = 3
LEFT_S = 2
REFUSED_S = 5
REPAIRED_S = 2
BACK_S = 20
REFUSED = 3
WITH_NAME = f"/O=clients/CN={users.USER}"


@pytest.fixture
def authority(tmp_path):
    made = Authority(tmp_path / "authority")
    made.issue("etcd")
    return made


@pytest.fixture
def make_etcd(tmp_path, authority):
    """make_etcd(names_are_users=True) starts an etcd without users."""
    made = []

    def make(names_are_users=True):
        made.append(Etcd(tmp_path / "secure-etcd", authority.folder, names_are_users).start())
        return made[-1]

    yield make
    for node in made:
        node.stop()


def client(authority, subject):
    return Files(authority.cacert, *authority.issue("client", subject=subject))


@pytest.mark.parametrize(
    "api, subject, names_are_users",
    [("v3", None, True), ("v3", WITH_NAME, False), ("v2", WITH_NAME, True)],
    ids=["no name", "a name that is no user", "v2"],
)
def test_a_service_is_held_and_deleted(
    make_etcd, make_registry, launch_registered, authority, api, subject, names_are_users
):
    etcd = make_etcd(names_are_users)
    users.switch_users_on(etcd, api=api)
    registry = make_registry(etcd, api)
    files = client(authority, subject)
    host, web = launch_registered(registry, TTL=TTL_S, **files.settings(**users.settings()))
    if api == "v3":
        wait_until(etcd.watches, REFUSED_S, "the key is watched")
        registry.store.delete(registry.key(web))
        registry.expect(web, timeout_s=REPAIRED_S)
    registry.expect_held(web, host, 3 * TTL_S)


@pytest.fixture
def refusing_etcd(make_etcd):
    etcd = make_etcd()
    if etcd.version().startswith("3.3."):
        pytest.skip("etcd 3.3 takes any certificate")
    return etcd


def test_a_name_is_refused(refusing_etcd, make_registry, launch_listener, authority):
    """The refusal is one line, and says how to fix it."""
    users.switch_users_on(refusing_etcd)
    registry = make_registry(refusing_etcd, "v3")
    settings = client(authority, WITH_NAME).settings(**users.settings())
    listed = registry.run("list", env=registry.settings(**settings))
    host = launch_listener(registry.preloaded("web", **settings))
    wait_until(lambda: "\n" in host.stderr, REFUSED_S, "a line on stderr")
    assert host.stop() == 0
    assert (listed.returncode, listed.stdout) == (REFUSED, "")
    for text in (listed.stderr, host.stderr):
        assert len(text.splitlines()) == 1 and users.PASSWORD not in text
        assert "common name" in text and "--client-cert-auth" in text
        assert refusing_etcd.reached_at in text


def test_users_switched_on_under_a_certificate_with_a_name(
    refusing_etcd, make_registry, launch_registered, authority
):
    """A certificate without a common name replaces it, and new connections use it."""
    registry = make_registry(refusing_etcd, "v3")
    settings = client(authority, WITH_NAME).settings(**users.settings())
    host, web = launch_registered(registry, TTL=TTL_S, **settings)
    users.switch_users_on(refusing_etcd)
    wait_until(lambda: "common name" in registry.log.read_text(), BACK_S, "etcd refuses it")
    registry.expect(timeout_s=BACK_S)
    client(authority, None)
    registry.expect(web, timeout_s=BACK_S)
    with registry.watch() as watch:
        host.kill()
        watch.wait("delete", registry.key(web), LEFT_S)
