# SPDX-License-Identifier: MIT
"""What all tests together leave behind."""
import pytest
from harness.wait import wait_until

AGENT_OUTLIVES_HOSTS_S = 8  # a worker that the keeper started waits 5 s for hosts to come back


@pytest.mark.stage(2)
def test_no_agent_outlives_its_last_host(agent_watch):
    wait_until(
        lambda: not agent_watch.still_running(), AGENT_OUTLIVES_HOSTS_S, "all agents have ended"
    )
    late = {
        test: time for test, time in agent_watch.lifetimes.items() if time > AGENT_OUTLIVES_HOSTS_S
    }
    assert not late
