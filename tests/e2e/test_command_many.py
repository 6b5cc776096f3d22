# SPDX-License-Identifier: MIT
"""`etcd-registry list` with ten thousand services."""
import base64
import concurrent.futures
import http.client
import json
import resource
import time
import urllib.parse

import pytest
from harness.registry import document

pytestmark = pytest.mark.slow

COUNT = 10_000
NAMES = 100
OPERATIONS = 100  # in one transaction; etcd allows 128
WRITERS = 8
LIST_S = 20
MEMORY_MAX = 64 << 20


def services():
    return [
        {**document(f"web{n % NAMES:02}", 1 + n, f"10.0.{n >> 8}.{n & 255}"), "meta": "x" * 50}
        for n in range(COUNT)
    ]


def fill_v3(registry, made):
    def put(service):
        key, value = f"/{registry.key(service)}", json.dumps(service)
        encode = lambda text: base64.b64encode(text.encode()).decode()  # noqa: E731
        return {"request_put": {"key": encode(key), "value": encode(value)}}

    for at in range(0, COUNT, OPERATIONS):
        puts = [put(service) for service in made[at : at + OPERATIONS]]
        registry.etcd.call("kv/txn", {"success": puts})


def fill_v2(registry, made):
    def write(part):
        connection = http.client.HTTPConnection(registry.etcd.host)
        for service in part:
            form = urllib.parse.urlencode({"value": json.dumps(service)})
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            path = f"/v2/keys/{registry.key(service)}"
            connection.request("PUT", path, form, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (200, 201)
        connection.close()

    with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, [made[n::WRITERS] for n in range(WRITERS)]))


@pytest.fixture(params=["v3", "v2"])
def crowd(request, absent_etcd, make_registry):
    """A registry with COUNT services, and the services."""
    registry = make_registry(absent_etcd.start(), request.param)
    made = services()
    (fill_v3 if request.param == "v3" else fill_v2)(registry, made)
    yield registry, sorted(made, key=lambda service: (service["name"], service["url"]))
    absent_etcd.kill()


def measured(registry, *arguments):
    """Returns the output.  The command must end in time, and within a memory limit."""
    limit = (MEMORY_MAX, MEMORY_MAX)
    start = time.monotonic()
    result = registry.run(
        *arguments, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, limit)
    )
    took = time.monotonic() - start
    print(f"{registry.api} {' '.join(arguments)}: {took:.2f} s")
    assert result.returncode == 0, result.stderr
    assert took < LIST_S
    return result.stdout


def test_every_service_once_and_sorted(crowd):
    registry, expected = crowd
    assert json.loads(measured(registry, "list", "--json")) == expected
    rows = measured(registry, "list").splitlines()
    assert [row.split() for row in rows[1:]] == [[s["name"], s["host"], s["url"]] for s in expected]
    urls = measured(registry, "list", "--format", "{url}").splitlines()
    assert urls == [service["url"] for service in expected]
    assert len(set(urls)) == COUNT
    of_one = json.loads(measured(registry, "list", "--json", "web07"))
    assert of_one == [service for service in expected if service["name"] == "web07"]
