# SPDX-License-Identifier: MIT
"""The parts that the benchmarks share: their environment, their figures, and the output."""
