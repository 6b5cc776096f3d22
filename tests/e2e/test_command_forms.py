# SPDX-License-Identifier: MIT
"""The forms in which the command prints services: --format, --verbose and JSON, to a terminal and
to a pipe."""
import json
import os
import signal
import subprocess

import pytest
from harness import process
from harness.product import COMMAND
from harness.registry import COMMAND_TIMEOUT_S, document
from harness.terminal import run_on_terminal
from harness.wait import wait_until_equal

FOUND, NOTHING, USAGE, FAILED = range(4)
ESCAPE = "\x1b"
SEEN_S = 5
FIELDS = {"zone": "b", "owner": {"team": "x", "ids": [1, None]}, "on": True}
EVIL = "a\nb\tc\x1b[31m\x7f\x9b2J\u2028é"
TERMINAL = {"TERM": "xterm", "LC_ALL": "C.UTF-8"}

FORMATS = {
    "{host}": "127.0.0.1:80",
    "{name} {hostname} {port}": "web 127.0.0.1 80",
    "url={url}": "url=http://127.0.0.1:80",
    r"{name}\t{port}\\": "web\t80\\",
    "{{{port}}}": "{80}",
    "{.zone}{.missing}{.zone.deeper}{.owner.nobody}.": "b.",
    "{.owner.team} {.owner.ids} {.on} {.port}": "x [1,null] true 80",
    "": "",
    "é%s%n": "é%s%n",
}

WRONG_FORMATS = {
    "{hots}": "hots",
    "{}": "{}",
    "{.}": "{.}",
    "{.a..b}": "{.a..b}",
    "{.a.}": "{.a.}",
    "{host": "{host",
    "{host{name}": "{host",
    "host}": "}",
    r"{host}\n": r"\n",
    "{host}\n": "newline",
    "{host}\\": "backslash",
    "{change}": "{change}",
}


def put(registry, *services):
    for service in services:
        text = json.dumps(service, ensure_ascii=False)
        registry.store.put(registry.key(service), text)


@pytest.fixture
def hold(registry):
    """hold(*services) puts documents without a holder."""
    held = []

    def start(*services):
        put(registry, *services)
        held.extend(services)

    yield start
    for service in held:
        registry.store.delete(registry.key(service))


@pytest.fixture
def web(hold):
    service = {**document("web", 80), **FIELDS}
    hold(service)
    return service


def test_format_is_a_line_for_each_service(registry, web):
    for text, line in FORMATS.items():
        result = registry.run("lookup", "web", "--format", text)
        assert (result.returncode, result.stdout, result.stderr) == (FOUND, line + "\n", ""), text
    whole = registry.run("lookup", "web", "--format", "{json}").stdout
    assert json.loads(whole) == web


def test_format_of_a_list(registry, web, hold):
    hold(document("api", 81), document("web", 82))
    result = registry.run("list", "--format", "{name}:{port}")
    assert result.stdout == "api:81\nweb:80\nweb:82\n"
    result = registry.run("list", "db", "--format", "{name}")
    assert (result.returncode, result.stdout) == (NOTHING, "")


@pytest.mark.parametrize("text, quoted", WRONG_FORMATS.items())
def test_wrong_format_is_refused_before_any_request(v3_registry, text, quoted):
    nowhere = {"ETCD_REGISTRY_URL": f"http://127.0.0.1:{process.free_port()}"}
    result = v3_registry.run("list", "--format", text, env=nowhere)
    assert (result.returncode, result.stdout) == (USAGE, "")
    assert "--format" in result.stderr and quoted in result.stderr


def test_one_form_at_a_time(v3_registry):
    for forms in (["--json", "-v"], ["--json", "--format", ""], ["--format", "", "--verbose"]):
        assert v3_registry.run("list", *forms).returncode == USAGE


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_values_off_a_terminal_are_one_line_and_exact(registry, hold, locale):
    """A script can pass the printed values back to the command."""
    hold({**document("web", 80), "hostname": EVIL})
    command = [COMMAND, "lookup", "web", "--format", "{hostname}|{.hostname}"]
    output = subprocess.run(
        command,
        env={**registry.settings(), "LC_ALL": locale},
        capture_output=True,
        timeout=COMMAND_TIMEOUT_S,
        check=True,
    ).stdout.decode()
    value = "a?b?c?[31m??2J?é"
    assert output == f"{value}|{value}\n"


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("form", [["--format", "{hostname}"], ["-v"], ["--json"], []])
def test_nothing_steers_a_terminal(registry, hold, locale, form):
    evil = {**document("web", 80), "hostname": EVIL, "host": EVIL, EVIL: [EVIL]}
    hold(evil)
    env = {**registry.settings(), **TERMINAL, "LC_ALL": locale, "NO_COLOR": "1"}
    output, status = run_on_terminal([COMMAND, "lookup", "web", *form], env)
    assert status == FOUND
    assert output.replace("\n", "").isprintable()
    assert output.isascii() or locale == "C.UTF-8"
    if form == ["--json"]:
        assert json.loads(output) == evil


def test_verbose_prints_what_the_document_says(registry, web, hold):
    hold(document("api", 8080))
    expected = """\
api
  port      8080
  hostname  127.0.0.1
  host      127.0.0.1:8080
  url       http://127.0.0.1:8080
web
  port      80
  hostname  127.0.0.1
  host      127.0.0.1:80
  url       http://127.0.0.1:80
  zone      b
  owner     {"team":"x","ids":[1,null]}
  on        true
"""
    for option in ("-v", "--verbose"):
        result = registry.run("list", option)
        assert (result.returncode, result.stderr) == (FOUND, "")
        assert result.stdout == expected
    assert registry.run("lookup", "api", "-v").stdout == expected.partition("web\n")[0]


def test_watch_has_a_format_too(registry, launch, web):
    watcher = launch(
        [COMMAND, "watch", "--format", "{change} {name} {.zone}"], registry.settings()
    )
    wait_until_equal(lambda: watcher.stdout, "found web b\n", SEEN_S)
    put(registry, {**web, "zone": "c"})
    wait_until_equal(lambda: watcher.stdout, "found web b\nchanged web c\n", SEEN_S)
    watcher.process.send_signal(signal.SIGTERM)
    assert watcher.process.wait(SEEN_S) == 0


NO_COLOURS = {
    "NO_COLOR": {"NO_COLOR": "1"},
    "dumb": {"TERM": "dumb"},
    "no TERM": {"TERM": ""},
}


def test_colours_on_a_terminal(registry, web):
    env = {**registry.settings(), **TERMINAL, "NO_COLOR": ""}
    output, _ = run_on_terminal([COMMAND, "list"], env)
    heading, row = output.splitlines()
    assert heading.startswith(f"{ESCAPE}[1mNAME") and heading.endswith(f"URL{ESCAPE}[0m")
    assert ESCAPE not in row
    output, status = run_on_terminal([COMMAND, "lookup", "db"], env, "stderr")
    assert (status, output.count(f"{ESCAPE}[31m")) == (NOTHING, 1)
    # Each stream is judged by itself: a pipe gets no colours.
    assert ESCAPE not in registry.run("lookup", "db", env=env).stderr


@pytest.mark.parametrize("more", NO_COLOURS.values(), ids=NO_COLOURS)
def test_no_colours_where_they_are_not_wanted(registry, web, more):
    env = {**registry.settings(), **TERMINAL, **more}
    for command in (["list"], ["list", "-v"]):
        assert ESCAPE not in run_on_terminal([COMMAND, *command], env)[0]
    assert ESCAPE not in run_on_terminal([COMMAND, "lookup", "db"], env, "stderr")[0]


def test_no_colours_off_a_terminal(registry, web):
    for command in (["list"], ["list", "-v"], ["lookup", "db"]):
        result = registry.run(*command, env=TERMINAL)
        assert ESCAPE not in result.stdout + result.stderr


WRITERS = (["list"], ["list", "-v"], ["list", "--json"], ["lookup", "web"], ["watch"], ["help"])


@pytest.mark.parametrize("command", WRITERS, ids=" ".join)
def test_a_full_disk_is_an_error(registry, web, command):
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [COMMAND, *command],
            env=registry.settings(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    assert result.returncode == FAILED
    assert b"standard output: No space left" in result.stderr


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("command", ["list", "watch"])
def test_a_reader_that_has_gone(registry, web, command, ignored):
    """A reader that has gone ends the command like any filter: by SIGPIPE or, if that is ignored,
    with an error."""
    reading, writing = os.pipe()
    os.close(reading)
    action = signal.SIG_IGN if ignored else signal.SIG_DFL
    result = subprocess.run(
        [COMMAND, command],
        env=registry.settings(),
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=COMMAND_TIMEOUT_S,
        check=False,
        restore_signals=False,
        preexec_fn=lambda: signal.signal(signal.SIGPIPE, action),
    )
    os.close(writing)
    if ignored:
        assert result.returncode == FAILED
        assert b"standard output: Broken pipe" in result.stderr
    else:
        assert (result.returncode, result.stderr) == (-signal.SIGPIPE, b"")
