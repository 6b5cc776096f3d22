# SPDX-License-Identifier: MIT
"""The real servers that the tests register: how each gets its port, how a test asks it for an
answer, and how it ends."""
import dataclasses
import shutil
import signal
import typing

from .host import Host
from .product import ROOT

NODE_SERVER = ROOT / "tests" / "hosts" / "server.js"
NGINX_WORKERS = 2
NGINX_CONFIG = """\
daemon {daemon};
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 0.0.0.0:{port}; return 200 "nginx\\n"; }}
}}
"""


def _python(port, _folder):
    return ["/usr/bin/python3", "-m", "http.server", "--bind", "0.0.0.0", str(port)]


def _redis(port, folder):
    options = {"port": port, "bind": "0.0.0.0", "protected-mode": "no", "save": "", "dir": folder}
    return [
        "redis-server",
        *(word for key, value in options.items() for word in (f"--{key}", str(value))),
    ]


def _nginx(daemon):
    def command(port, folder):
        config = folder / "nginx.conf"
        config.write_text(
            NGINX_CONFIG.format(daemon=daemon, workers=NGINX_WORKERS, folder=folder, port=port)
        )
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        return [nginx, "-e", folder / "error.log", "-p", folder, "-c", config]

    return command


def _node(port, _folder):
    return ["node", NODE_SERVER, str(port)]


@dataclasses.dataclass(frozen=True)
class Server:
    name: str
    command: typing.Callable
    stop_signal: signal.Signals
    children: int = 0
    daemonises: bool = False
    ask: typing.Callable = Host.get


NGINX_DAEMON = Server(
    "nginx-daemon-on", _nginx("on"), signal.SIGQUIT, NGINX_WORKERS, daemonises=True
)
SERVERS = (
    Server("python-http-server", _python, signal.SIGINT),
    Server("redis-server", _redis, signal.SIGTERM, ask=Host.ping),
    NGINX_DAEMON,
    Server("nginx-daemon-off", _nginx("off"), signal.SIGQUIT, NGINX_WORKERS),
    Server("node-http-server", _node, signal.SIGTERM),
)
