# SPDX-License-Identifier: MIT
"""What the end-to-end tests are made of: etcd, the registry's content, hosts, agents."""
