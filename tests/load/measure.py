"""One measured number and its target."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measure:
    """`target` is the least that is wanted, or with `most` the most; without one the number is only told."""

    name: str
    value: float
    unit: str
    target: float | None = None
    most: bool = False

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value <= self.target if self.most else self.value >= self.target


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def best(work: Callable[[], float], times: int = 3) -> float:
    """The median of a few runs: the machine has other work too."""
    return sorted(work() for _ in range(times))[times // 2]


def resident() -> float:
    """MB of this process in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6
