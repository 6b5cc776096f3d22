# SPDX-License-Identifier: MIT
"""Programs of Debian that `make test-hosts` registers, and how each gets its port.

A command is a function of port and folder.  It writes the program's configuration to that folder.
"""
import contextlib
import dataclasses
import glob
import os
import pathlib
import shutil
import tempfile
import typing

import pytest

from .host import Host
from .process import free_port, listening_inodes
from .product import LISTENER, PRELOAD, ROOT
from .registry import Registry, document
from .servers import SERVERS
from .wait import wait_until
from .watch import Watch

STARTS_S = 30
TTL_S = 3

PATH = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"))
PYTHON_SERVER = ["/usr/bin/python3", "-m", "http.server", "--bind", "0.0.0.0"]

APACHE = """\
ServerName localhost
ServerRoot {folder}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
Mutex file:{folder}
ErrorLog {folder}/error.log
Listen 0.0.0.0:{port}
LoadModule mpm_{mpm}_module /usr/lib/apache2/modules/mod_mpm_{mpm}.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
User daemon
Group daemon
"""
HAPROXY = """\
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend main
    bind 0.0.0.0:{port}
"""
LIGHTTPD = """\
server.document-root = "{folder}"
server.bind = "0.0.0.0"
server.port = {port}
"""
MOSQUITTO = """\
listener {port} 0.0.0.0
allow_anonymous true
user root
"""
PHP_FPM = """\
[global]
error_log = {folder}/error.log
[www]
user = daemon
listen = 0.0.0.0:{port}
pm = static
pm.max_children = 2
"""
SSHD = """\
ListenAddress 0.0.0.0:{port}
HostKey {folder}/key
PidFile none
"""
VSFTPD = """\
listen=YES
listen_port={port}
background=NO
secure_chroot_dir={folder}
"""
WSGI = """\
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"wsgi"]
"""
JAVA = """\
class Server {{
    public static void main(String[] arguments) throws Exception {{
        try (var server = new java.net.ServerSocket({port})) {{
            while (true)
                server.accept().close();
        }}
    }}
}}
"""
POSTGRES = """\
set -e
chown postgres .
as="setpriv --reuid=postgres --regid=postgres --clear-groups"
$as {bin}/initdb -D data >initdb.out
exec $as {bin}/postgres -D data -p {port} -h 0.0.0.0 -k "$PWD" -N {connections}
"""
MARIADB = """\
mkdir data
exec mariadbd --no-defaults --user=root --datadir="$PWD/data" --port={port} \\
    --bind-address=0.0.0.0 --socket="$PWD/socket" --pid-file="$PWD/pid" --skip-grant-tables
"""


@dataclasses.dataclass(frozen=True)
class Program:
    """`needs` is a file or a command's name.  Without it the program is skipped.

    `service` is ETCD_REGISTRY_NAME.  `preload` is the value of LD_PRELOAD, None if the command sets
    it.
    """

    name: str
    needs: str
    command: typing.Callable
    service: str = "web"
    preload: typing.Optional[str] = str(PRELOAD)
    needs_root: bool = False

    def missing(self):
        """Returns the reason why the program cannot be started, or None."""
        if not (shutil.which(self.needs, path=PATH) or glob.glob(self.needs)):
            return f"no {self.needs} here"
        if self.needs_root and os.geteuid() != 0:
            return "needs root"
        return None


def skip_what_cannot_be(program):
    if missing := program.missing():
        pytest.skip(f"{program.name}: {missing}")


@dataclasses.dataclass
class Instance:
    """A program that was started, and its registry, which is watched."""

    registry: Registry
    host: Host
    watch: Watch

    @property
    def web(self):
        return document("web", self.host.port)

    @property
    def key(self):
        return self.registry.key(self.web)

    def expect_registered(self):
        wait_until(lambda: listening_inodes(self.host.port), STARTS_S, "the program listens")
        self.registry.expect(self.web)


@contextlib.contextmanager
def running(etcd, program):
    """Yields an Instance in a folder of its own, just started.

    Every user may use the folder and the log, since some programs become other users.  It runs in a
    session of its own, since apache2 signals its process group.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        registry = Registry(etcd, "v3", folder.name, folder)
        registry.log.touch()
        registry.log.chmod(0o666)
        port = free_port()
        settings = registry.settings(program.service.format(port=port), TTL=str(TTL_S))
        settings["PATH"] = PATH
        if program.preload:
            settings["LD_PRELOAD"] = program.preload
        host = Host(["setsid", *program.command(port, folder)], settings, folder, port)
        try:
            with registry.watch() as watch:
                yield Instance(registry, host, watch)
        finally:
            host.discard()


def _write(folder, name, text, **values):
    path = folder / name
    path.write_text(text.format(port=values.pop("port", None), folder=folder, **values))
    return path


def _configured(*words, text, **values):
    """Returns a command: the words, with "CONFIG" replaced by the path of a file with the text."""

    def command(port, folder):
        config = _write(folder, "config", text, port=port, **values)
        return [config if word == "CONFIG" else word for word in words]

    return command


def _scripted(text, **values):
    return lambda port, folder: ["sh", "-c", text.format(port=port, folder=folder, **values)]


def _plain(*words):
    return lambda port, folder: [word.format(port=port, folder=folder) for word in map(str, words)]


def _java(port, folder):
    return ["java", _write(folder, "Server.java", JAVA, port=port)]


def _wsgi(*words):
    def command(port, folder):
        (folder / "app.py").write_text(WSGI)
        return [word.format(port=port) for word in words]

    return command


def _find(pattern):
    """Returns the newest match, or the pattern if nothing matches."""
    return max(glob.glob(pattern), default=pattern)


def _allocator(library):
    path = _find(f"/usr/lib/*/{library}")
    orders = {"first": f"{path}:{PRELOAD}", "last": f"{PRELOAD}:{path}"}
    command = _plain(*PYTHON_SERVER, "{port}")
    return [
        Program(f"{library} {order}", path, command, preload=preload)
        for order, preload in orders.items()
    ]


GDB = ["gdb", "-q", "-batch", "-ex", f"set exec-wrapper env LD_PRELOAD={PRELOAD}"]
POSTGRES_BIN = _find("/usr/lib/postgresql/*/bin")
PHP_FPM_COMMAND = _find("/usr/sbin/php-fpm*")
SSHD_SCRIPT = 'mkdir -p /run/sshd; ssh-keygen -q -N "" -f key; exec /usr/sbin/sshd -D -e -f config'


def _sshd(port, folder):
    _write(folder, "config", SSHD, port=port)
    return ["sh", "-c", SSHD_SCRIPT]


POSTGRES_CONNECTIONS = 500
POSTGRES_PROGRAM = Program(
    "postgres",
    POSTGRES_BIN,
    _scripted(POSTGRES, bin=POSTGRES_BIN, connections=POSTGRES_CONNECTIONS + 20),
    needs_root=True,
)
VALGRIND_ERRORS = 99
VALGRIND = Program(
    "under valgrind",
    "valgrind",
    _plain("valgrind", "-q", f"--error-exitcode={VALGRIND_ERRORS}", LISTENER, "{port}"),
)
NGINX = Program(
    "nginx",
    "nginx",
    next(server.command for server in SERVERS if server.name == "nginx-daemon-off"),
)
PROGRAMS = (
    Program("memcached", "memcached", _plain("memcached", "-u", "root", "-p", "{port}")),
    Program("haproxy", "haproxy", _configured("haproxy", "-db", "-f", "CONFIG", text=HAPROXY)),
    Program(
        "haproxy master-worker",
        "haproxy",
        _configured("haproxy", "-W", "-f", "CONFIG", text=HAPROXY),
    ),
    Program("lighttpd", "lighttpd", _configured("lighttpd", "-D", "-f", "CONFIG", text=LIGHTTPD)),
    *(
        Program(
            f"apache2 {mpm}",
            "apache2",
            _configured("apache2", "-DFOREGROUND", "-f", "CONFIG", text=APACHE, mpm=mpm),
        )
        for mpm in ("event", "prefork")
    ),
    Program("gunicorn", "gunicorn", _wsgi("gunicorn", "-w", "2", "-b", "0.0.0.0:{port}", "app")),
    Program(
        "uwsgi",
        "/usr/lib/uwsgi/plugins/python3_plugin.so",
        _wsgi(
            *("uwsgi-core", "--plugin", "python3", "--http-socket", "0.0.0.0:{port}"),
            *("--wsgi-file", "app.py", "--master", "-p", "2", "--die-on-term"),
        ),
    ),
    Program(
        "php-fpm",
        PHP_FPM_COMMAND,
        _configured(PHP_FPM_COMMAND, "-F", "-y", "CONFIG", text=PHP_FPM),
    ),
    POSTGRES_PROGRAM,
    Program("mariadb", "mariadbd", _scripted(MARIADB)),
    Program(
        "dnsmasq",
        "dnsmasq",
        _plain("dnsmasq", "-k", "-p", "{port}", "--no-resolv", "--user=root", "--pid-file"),
        service="web:{port}/udp",
    ),
    Program("node cluster", "node", _plain("node", ROOT / "tests/hosts/cluster.js", "{port}")),
    Program("java", "javac", _java),
    Program("sshd", "sshd", _sshd),
    Program(
        "vsftpd", "vsftpd", _configured("vsftpd", "CONFIG", text=VSFTPD), needs_root=True
    ),
    Program(
        "rsyncd",
        "rsync",
        _configured(
            *("rsync", "--daemon", "--no-detach", "--config", "CONFIG"),
            text="port = {port}\nuse chroot = no\n",
        ),
    ),
    Program("mosquitto", "mosquitto", _configured("mosquitto", "-c", "CONFIG", text=MOSQUITTO)),
    Program(
        "openbsd-inetd",
        "inetd",
        _configured("inetd", "-i", "CONFIG", text="{port} stream tcp nowait root /bin/cat cat\n"),
    ),
    Program(
        "under gdb",
        "gdb",
        _plain(*GDB, "-ex", "run", "--args", LISTENER, "{port}"),
        preload=None,
    ),
    VALGRIND,
    *_allocator("libjemalloc.so.2"),
    *_allocator("libtcmalloc_minimal.so.4"),
)
