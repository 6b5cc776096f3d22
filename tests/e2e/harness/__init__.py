# SPDX-License-Identifier: MIT
"""The parts of the end-to-end tests: etcd, the registry's content, hosts, agents."""
