# SPDX-License-Identifier: MIT
"""https with client certificates, on a real etcd: every feature of the product, every source of its
settings, the message for each wrong setting, and certificates that are replaced at run time."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading

import pytest
from harness import certificates, other_user
from harness.certificates import Authority, Files
from harness.etcd import Etcd
from harness.process import free_port, has_capability
from harness.product import COMMAND
from harness.registry import document
from harness.tls_relay import TlsRelay, context
from harness.wait import wait_until, wait_until_equal

TTL_S = 3
SEEN_S = 5
LEFT_S = 2
REPAIRED_S = 2
BACK_S = 10
NOT_FOUND, WRONG_SETTING, REFUSED = 1, 2, 3
SYS_ADMIN = 21
LONG_AGO = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    """An authority that etcd does not trust."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="session")
def client(authority):
    return Files(authority.cacert, *authority.issue("client"))


@pytest.fixture(scope="session")
def secure_etcd(tmp_path_factory, authority):
    authority.issue("etcd")
    node = Etcd(tmp_path_factory.mktemp("secure-etcd"), authority.folder).start()
    yield node
    node.stop()


@pytest.fixture(params=["v3", "v2"])
def registry(request, secure_etcd, make_registry):
    return make_registry(secure_etcd, request.param)


@pytest.fixture
def v3_registry(secure_etcd, make_registry):
    return make_registry(secure_etcd, "v3")


def changes(watcher):
    lines = watcher.stdout.split("\n")[:-1]
    return [(change["change"], change["service"]) for change in map(json.loads, lines)]


def end(process):
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(SEEN_S) == 0


def test_every_command(registry, client, launch):
    env = {**registry.settings(), **client.variables()}
    service = document("web", port := free_port())
    holder = launch([COMMAND, "join", "web", "--port", port], env)
    registry.expect(service)
    watcher = launch([COMMAND, "watch", "--json"], env)
    wait_until_equal(lambda: changes(watcher), [("found", service)], SEEN_S)
    assert json.loads(registry.run("list", "--json", env=env).stdout) == [service]
    assert json.loads(registry.run("lookup", "web", "--json", env=env).stdout) == service
    end(holder)
    expected = [("found", service), ("removed", service)]
    wait_until_equal(lambda: changes(watcher), expected, SEEN_S)
    registry.store.put(registry.key(service), json.dumps(service))
    assert registry.run("leave", "web", service["host"], env=env).returncode == 0
    registry.expect()
    expected += [("added", service), ("removed", service)]
    wait_until_equal(lambda: changes(watcher), expected, SEEN_S)
    end(watcher)
    assert watcher.stderr == ""


def test_preloaded_host(registry, client, launch_listener):
    """If there is a watch (v3), a deleted key is back before the next heartbeat."""
    host = launch_listener(registry.preloaded("web", **client.settings()))
    web = document("web", host.port)
    registry.expect(web)
    with registry.watch() as watch:
        if registry.api == "v3":
            wait_until(registry.etcd.watches, SEEN_S, "the key is watched")
            registry.store.delete(registry.key(web))
            watch.wait("put", registry.key(web), REPAIRED_S)
        host.kill()
        watch.wait_last("delete", registry.key(web), LEFT_S)
    assert host.stderr == ""


@pytest.mark.parametrize("source", ["variables", "etcdctl's variables", "options", "query"])
def test_where_the_files_are_named(registry, client, source):
    env, options = {}, []
    if source == "variables":
        env = client.variables()
    elif source == "etcdctl's variables":
        env = client.variables("ETCDCTL_")
    elif source == "options":
        options = client.options()
    else:
        options = ["--url", registry.url + ("&" if "?" in registry.url else "?") + client.query()]
    result = registry.run("list", *options, env=env)
    assert (result.returncode, result.stderr) == (NOT_FOUND, "etcd-registry: no service found\n")


def assert_says(result, status, *texts):
    assert (result.returncode, result.stdout) == (status, "")
    assert len(result.stderr.splitlines()) == 1
    for text in texts:
        assert text in result.stderr


@pytest.fixture
def refused_files(request, authority, stranger, client):
    """Files with which a handshake fails, and the expected text."""
    cacert, cert, key = client.values.values()

    def of_client(files, *texts):
        return Files(cacert, *files), (f"cert file '{files[0]}'", *texts)

    return {
        "authority of another": lambda: (
            Files(stranger.cacert, cert, key),
            ("not of the authority", f"cacert file '{stranger.cacert}'"),
        ),
        "no authority": lambda: (
            Files(None, cert, key),
            ("authority that this system does not know", "ETCD_REGISTRY_CACERT"),
        ),
        "no client certificate": lambda: (
            Files(cacert),
            ("requires a client certificate", "ETCD_REGISTRY_CERT"),
        ),
        "client of another authority": lambda: of_client(
            stranger.issue("client"), "refuses", "authority that etcd trusts"
        ),
        "expired client": lambda: of_client(authority.issue("old", days=-1), "has expired"),
    }[request.param]()


REFUSED_FILES = (
    "authority of another",
    "no authority",
    "no client certificate",
    "client of another authority",
    "expired client",
)


@pytest.mark.parametrize("refused_files", REFUSED_FILES, indirect=True)
def test_files_that_are_refused(v3_registry, secure_etcd, refused_files):
    files, texts = refused_files
    result = v3_registry.run("list", *files.options())
    assert_says(result, REFUSED, secure_etcd.reached_at, "TLS: ", *texts)


def test_nothing_switches_verification_off(v3_registry, client, stranger):
    files = Files(stranger.cacert, *list(client.values.values())[1:])
    env = {
        f"{prefix}_{name}": "true"
        for prefix in ("ETCD_REGISTRY", "ETCDCTL")
        for name in ("INSECURE", "INSECURE_SKIP_TLS_VERIFY", "INSECURE_TRANSPORT")
    } | {"CURL_INSECURE": "1", "SSL_NO_VERIFY": "1"}
    assert_says(v3_registry.run("list", *files.options(), env=env), REFUSED, "not of the authority")
    for option in ("insecure", "insecure-skip-tls-verify"):
        assert v3_registry.run("list", f"--{option}").returncode == WRONG_SETTING
        url = f"{v3_registry.url}?{option}=1"
        assert_says(v3_registry.run("list", "--url", url), WRONG_SETTING, "unknown option")


@pytest.mark.skipif(not has_capability(SYS_ADMIN), reason="only root mounts")
@pytest.mark.parametrize("trusted", ["of the system", "named"])
def test_only_the_authority_that_is_named(v3_registry, authority, client, tmp_path, trusted):
    """The system trusts etcd's authority too, and OpenSSL looks authorities up by name."""
    other = Authority(tmp_path / "other", "other")
    (system := tmp_path / "certs").mkdir()
    shutil.copy(authority.cacert, system)
    certificates.rehash(system)
    named = authority if trusted == "named" else other
    files = Files(named.cacert, *list(client.values.values())[1:])
    script = 'mount --bind "$1" /etc/ssl/certs && shift && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", system, COMMAND, "list"]
    result = subprocess.run(
        [*command, *files.options()], env=v3_registry.settings(),
        capture_output=True, text=True, timeout=SEEN_S, check=False,
    )
    if trusted == "named":
        assert (result.returncode, result.stderr) == (NOT_FOUND, "etcd-registry: no service found\n")
    else:
        assert_says(result, REFUSED, "not of the authority", f"cacert file '{other.cacert}'")


@pytest.fixture
def serve():
    """serve(context) starts a server that only does the handshake, and returns its address."""
    listeners = []

    def answer(listener, tls):
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                tls.wrap_socket(plain, server_side=True).close()
            except OSError:
                plain.close()

    def start(tls):
        listeners.append(listener := socket.create_server(("127.0.0.1", 0)))
        threading.Thread(target=answer, args=(listener, tls), daemon=True).start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "issued, versions, text",
    [
        ({"name": "elsewhere", "san": "DNS:etcd.example"}, None, "certificate is for other names"),
        ({"name": "expired", "days": -1}, None, "its certificate has expired"),
        ({"name": "etcd-1.1"}, LONG_AGO, "no TLS 1.2 or later"),
    ],
    ids=["another host's", "expired", "TLS 1.1"],
)
def test_server_that_is_refused(v3_registry, authority, client, serve, issued, versions, text):
    tls = context(*authority.issue(**issued), *([versions] if versions else []))
    if versions:
        tls.set_ciphers("ALL:@SECLEVEL=0")
    host = serve(tls)
    result = v3_registry.run("list", "--url", f"https://{host}", *client.options())
    assert_says(result, REFUSED, f"https://{host}: TLS: ", text)


def test_server_without_tls(v3_registry, secure_etcd, client):
    result = v3_registry.run("list", "--url", f"https://{secure_etcd.host}", *client.options())
    assert_says(result, REFUSED, secure_etcd.host, "TLS: ", "check that it speaks TLS")


KINDS = {
    "missing": "cannot be read: No such file or directory",
    "a directory": "is a directory",
    "empty": "is empty",
    "a FIFO": "is not a regular file",
    "not PEM": "in PEM form",
    "of another kind": "in PEM form",
}


def make_bad(path, kind, other):
    if kind == "a directory":
        path.mkdir()
    elif kind == "a FIFO":
        os.mkfifo(path)
    elif kind != "missing":
        path.write_bytes({"empty": b"", "not PEM": b"\x30\x82\x01\x0a", "of another kind": other}[kind])


@pytest.fixture(params=[(name, kind) for name in ("CACERT", "CERT", "KEY") for kind in KINDS])
def bad_file(request, client, tmp_path):
    """Files of which one is bad, that one's setting and path, and the expected text."""
    name, kind = request.param
    path = tmp_path / "bad.pem"
    other = "CACERT" if name == "KEY" else "KEY"
    make_bad(path, kind, client.values[other].read_bytes())
    files = Files(**{n.lower(): p for n, p in (client.values | {name: path}).items()})
    return files, name, path, KINDS[kind]


def test_file_that_is_no_good(v3_registry, bad_file):
    files, name, path, text = bad_file
    what = f"{name.lower()} file '{path}'"
    assert_says(v3_registry.run("list", *files.options()), WRONG_SETTING, f"{what} ", text)
    for prefix in ("ETCD_REGISTRY_", "ETCDCTL_"):
        result = v3_registry.run("list", env=files.variables(prefix))
        assert_says(result, WRONG_SETTING, f"{what} ({prefix}{name}) ", text)


def test_key_of_another_certificate(v3_registry, authority, client):
    cacert, cert, _ = client.values.values()
    _, other = authority.issue("another")
    result = v3_registry.run("list", *Files(cacert, cert, other).options())
    assert_says(result, WRONG_SETTING, f"key file '{other}' is not the key of cert file '{cert}'")


def test_certificate_without_its_key_and_the_other_way_round(v3_registry, client):
    cacert, cert, key = client.values.values()
    lone_cert, lone_key = Files(cacert, cert), Files(cacert, None, key)
    assert_says(
        v3_registry.run("list", *lone_cert.options()), WRONG_SETTING, str(cert), "ETCD_REGISTRY_KEY"
    )
    assert_says(
        v3_registry.run("list", *lone_key.options()), WRONG_SETTING, str(key), "ETCD_REGISTRY_CERT"
    )


def test_certificate_and_key_in_one_file(v3_registry, client, tmp_path):
    cacert, cert, key = client.values.values()
    both = tmp_path / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    assert v3_registry.run("list", *Files(cacert, both).options()).returncode == NOT_FOUND


def test_encrypted_key_asks_nobody(v3_registry, client, tmp_path):
    """OpenSSL would ask for the passphrase on the user's terminal."""
    cacert, cert, key = client.values.values()
    certificates.encrypt_key(key, encrypted := tmp_path / "encrypted.pem", "passphrase")
    command = ["script", "--quiet", "--command", "exec \"$RUN\" list", "/dev/null"]
    env = {
        **v3_registry.settings(),
        **Files(cacert, cert, encrypted).variables(),
        "RUN": str(COMMAND),
    }
    result = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=SEEN_S, check=False
    )
    output = result.stdout.decode()
    assert "is encrypted" in output and "Enter" not in output


PASSWORD_KINDS = {kind: text for kind, text in KINDS.items() if "PEM" not in text}
PASSWORD_KINDS["a FIFO"] = "is empty"


@pytest.mark.parametrize("kind", PASSWORD_KINDS)
def test_password_file_that_is_no_good(v3_registry, tmp_path, kind):
    make_bad(path := tmp_path / "password", kind, b"")
    env = {"ETCD_REGISTRY_USER": "registry", "ETCD_REGISTRY_PASSWORD_FILE": str(path)}
    what = f"password file '{path}' (ETCD_REGISTRY_PASSWORD_FILE) "
    assert_says(v3_registry.run("list", env=env), WRONG_SETTING, what + PASSWORD_KINDS[kind])


def test_password_file_that_is_a_pipe(v3_registry, client):
    """The shell passes <(command) as a pipe."""
    words = ["list", *client.options(), "--user", "registry"]
    script = '"$0" "$@" --password-file <(sleep 0.1; echo password)'
    command = ["bash", "-c", script, COMMAND, *words]
    result = subprocess.run(
        command, env=v3_registry.settings(), capture_output=True, text=True, timeout=SEEN_S, check=False
    )
    assert (result.returncode, result.stderr) == (NOT_FOUND, "etcd-registry: no service found\n")


@pytest.mark.slow
def test_password_file_that_nobody_writes(v3_registry, tmp_path):
    os.mkfifo(path := tmp_path / "password")
    writer = os.open(path, os.O_RDWR)
    result = v3_registry.run("list", "--user", "registry", "--password-file", path)
    os.close(writer)
    assert_says(result, WRONG_SETTING, f"password file '{path}' ", "no process writes to this pipe")


@pytest.fixture
def other_users_client(client):
    """Files that every user may read."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        paths = {name: shutil.copy(path, folder) for name, path in client.values.items()}
        for path in paths.values():
            os.chmod(path, 0o644)
        yield Files(**{name.lower(): pathlib.Path(path) for name, path in paths.items()})


@pytest.mark.skipif(os.getuid() != 0, reason="only root has files that others cannot read")
@pytest.mark.parametrize("name", ["CACERT", "CERT", "KEY", "PASSWORD_FILE"])
def test_file_that_only_root_can_read(v3_registry, other_users_client, name):
    secret = other_users_client.values["CERT"].parent / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    settings = {**other_users_client.values, "USER": "registry", name: secret}
    env = v3_registry.settings(**settings)
    command = ["setpriv", "--reuid", str(other_user.NOBODY), "--clear-groups", COMMAND, "list"]
    result = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=SEEN_S, check=False
    )
    texts = f"'{secret}' (ETCD_REGISTRY_{name})", "Permission denied"
    assert_says(result, WRONG_SETTING, *texts)


def one_line_and_untouched(host, *texts):
    wait_until(lambda: "\n" in host.stderr, SEEN_S, "a line on stderr")
    assert host.get() == b"listener\n"
    assert host.stop() == 0
    assert len(host.stderr.splitlines()) == 1
    for text in texts:
        assert text in host.stderr


def test_host_with_a_file_that_is_no_good(v3_registry, client, launch_listener):
    settings = client.settings(KEY="/nonexistent/key.pem")
    host = launch_listener(v3_registry.preloaded("web", **settings))
    one_line_and_untouched(host, "key file '/nonexistent/key.pem' (ETCD_REGISTRY_KEY)")


def test_host_that_is_refused(v3_registry, client, stranger, launch_listener):
    settings = client.settings(CACERT=stranger.cacert)
    host = launch_listener(v3_registry.preloaded("web", **settings))
    one_line_and_untouched(host, "not of the authority", "(ETCD_REGISTRY_CACERT)")


def serial(cert):
    output = subprocess.run(
        ["openssl", "x509", "-in", cert, "-noout", "-serial"],
        check=True, capture_output=True, text=True, timeout=SEEN_S,
    ).stdout
    return output.strip().removeprefix("serial=")


@pytest.mark.slow
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=str)
def test_certificates_of_both_sides_are_replaced(
    etcd, make_registry, launch_listener, tmp_path, version
):
    """Each new connection uses the new certificates, and no registration is lost."""
    registry = make_registry(etcd, "v3")
    authority = Authority(tmp_path / "authority")
    files = Files(authority.cacert, *authority.issue("client"))
    with TlsRelay(etcd, authority, *authority.issue("etcd"), version) as relay:
        url = f"{relay.url}/{registry.namespace}"
        env = registry.preloaded("web", TTL=TTL_S, **files.settings(URL=url))
        host = launch_listener(env)
        registry.expect(document("web", host.port))
        lease, first = registry.leases(), serial(files.values["CERT"])
        assert set(relay.serials) == {first}
        relay.show(*authority.issue("etcd"))
        authority.issue("client")
        seen = len(relay.serials)
        relay.cut()
        new = serial(files.values["CERT"])
        wait_until(lambda: relay.serials[seen:], SEEN_S, "a connection is new")
        assert set(relay.serials[seen:]) == {new} != {first}
        wait_until(lambda: len(relay.serials) >= seen + 2, SEEN_S, "call and watch are back")
        assert not any(relay.resumed)
        assert registry.leases() == lease
        host.stop()
        registry.expect()


@pytest.mark.slow
@pytest.mark.parametrize("api", ["v3", "v2"])
def test_the_authority_is_exchanged(tmp_path, make_registry, launch_listener, api):
    """Both sides change, under the old file names.  etcd reads its authority at its start."""
    authority = Authority(tmp_path / "authority")
    files = Files(authority.cacert, *authority.issue("client"))
    authority.issue("etcd")
    etcd = Etcd(tmp_path / "etcd", authority.folder).start()
    try:
        registry = make_registry(etcd, api)
        host = launch_listener(registry.preloaded("web", TTL=TTL_S, **files.settings()))
        web = document("web", host.port)
        registry.expect(web)
        etcd.kill()
        wait_until(lambda: "still trying" in registry.log.read_text(), BACK_S, "etcd is away")
        new = Authority(tmp_path / "new", "new")
        etcd.certificates = new.folder
        new.issue("etcd")
        etcd.start()
        wait_until(lambda: "not of the authority" in registry.log.read_text(), BACK_S, "a refusal")
        issued = new.issue("client")
        for old, path in zip(files.values.values(), (new.cacert, *issued)):
            os.replace(path, old)
        wait_until(lambda: "answers again" in registry.log.read_text(), BACK_S, "etcd is back")
        registry.expect(web)
        with registry.watch() as watch:
            host.kill()
            watch.wait("delete", registry.key(web), LEFT_S)
        assert len(re.findall("warn: .*not of the authority", registry.log.read_text())) == 1
    finally:
        etcd.stop()
