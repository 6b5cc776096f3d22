# SPDX-License-Identifier: MIT
"""Settings that cannot be parsed: the host prints one line on stderr that quotes the wrong part,
and does nothing else."""
import pytest
from harness.process import command_line
from harness.wait import wait_until

LINE_S = 5
PASSWORD = "s3cret-pa55"

NAMES = {
    "port too large": ("web:99999", "99999"),
    "port 0": ("web:0", "0"),
    "port not a number": ("web:http", "http"),
    "port empty": ("web:", "web:"),
    "unknown transport": ("web:80/sctp", "sctp"),
    "name missing": (":8080", ":8080"),
    "one of several": ("web:8080,admin:90x", "90x"),
}
URLS = {
    "unknown scheme": ("ftp://127.0.0.1/ns", "ftp"),
    "port not a number": ("http://127.0.0.1:23x9/ns", "23x9"),
    "port too large": ("http://127.0.0.1:2379,127.0.0.2:99999/ns", "99999"),
    "no host": ("http:///ns", "missing before '/'"),
    "unknown option": ("http://127.0.0.1:2379/ns?colour=red", "colour"),
    "bad value of an option": ("http://127.0.0.1:2379/ns?api=v7", "v7"),
    "with a password": (f"http://user:{PASSWORD}@127.0.0.1:23x9/ns", "23x9"),
}


def cases(table):
    return pytest.mark.parametrize("value, quoted", table.values(), ids=table)


def assert_one_line_and_untouched(host, quoted):
    wait_until(lambda: "\n" in host.stderr, LINE_S, "a line on stderr")
    assert host.get() == b"listener\n"
    assert host.stop() == 0
    assert len(host.stderr.splitlines()) == 1
    assert quoted in host.stderr
    assert PASSWORD not in host.stderr
    assert host.stdout == f"{host.port}\n"


@cases(NAMES)
def test_name_that_cannot_be_parsed(v3_registry, launch_listener, value, quoted):
    assert_one_line_and_untouched(launch_listener(v3_registry.preloaded(value)), quoted)
    assert v3_registry.documents() == {}


@cases(URLS)
def test_url_that_cannot_be_parsed(v3_registry, launch_listener, value, quoted):
    assert_one_line_and_untouched(launch_listener(v3_registry.preloaded("web", URL=value)), quoted)
    wait_until(lambda: not v3_registry.agents(), LINE_S, "the agent has ended")


def test_settings_are_not_looked_at_without_a_name(v3_registry, launch_listener):
    host = launch_listener(v3_registry.preloaded(None, URL="ftp://nonsense"))
    assert host.stop() == 0
    assert host.stderr == ""


def test_password_is_in_no_argument_and_no_log(v3_registry, launch_listener):
    url = v3_registry.url.replace("http://", f"http://user:{PASSWORD}@")
    host = launch_listener(v3_registry.preloaded("web", URL=url))
    wait_until(v3_registry.log.exists, LINE_S, "the agent's log")
    agent = wait_until(v3_registry.agents, LINE_S, "an agent runs")[0]
    assert PASSWORD not in " ".join(command_line(agent))
    host.stop()
    wait_until(lambda: not v3_registry.agents(), LINE_S, "the agent has ended")
    assert PASSWORD not in v3_registry.log.read_text() + host.stderr


@pytest.mark.parametrize("agent", ["/nonexistent/agent", "/bin/false", "/dev/null"])
def test_agent_that_cannot_run_is_one_line_at_most(v3_registry, launch_listener, agent):
    host = launch_listener(v3_registry.preloaded("web", AGENT_BIN=agent))
    assert host.get() == b"listener\n"
    wait_until(lambda: "\n" in host.stderr, LINE_S, "a line on stderr")
    assert host.stop() == 0
    assert len(host.stderr.splitlines()) == 1
