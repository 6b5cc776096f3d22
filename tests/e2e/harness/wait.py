# SPDX-License-Identifier: MIT
"""Bounded waiting for a condition."""
import time


def wait_until(predicate, timeout_s, what, interval_s=0.01):
    """Returns the first true value of predicate().  Raises an AssertionError that names `what` if
    the time is up."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what}; last seen: {value!r}")
        time.sleep(interval_s)


def wait_until_equal(read, expected, timeout_s, interval_s=0.01):
    """Waits until read() equals `expected`.  If that does not happen, shows the last difference."""
    deadline = time.monotonic() + timeout_s
    while (value := read()) != expected and time.monotonic() < deadline:
        time.sleep(interval_s)
    assert value == expected


def settled(read, timeout_s, still_s=0.5):
    """Returns the value of read() once it has not changed for still_s."""
    last, since = read(), time.monotonic()

    def has_settled():
        nonlocal last, since
        if (value := read()) != last:
            last, since = value, time.monotonic()
        return time.monotonic() - since >= still_s

    wait_until(has_settled, timeout_s, "the value stays the same")
    return last
