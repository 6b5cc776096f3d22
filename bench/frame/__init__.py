# SPDX-License-Identifier: MIT
"""What the benchmarks share: what they run in, their figures, and what becomes of these."""
