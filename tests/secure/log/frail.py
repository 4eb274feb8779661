"""A storage and a signer that stop at any step one likes, as a process does that is killed there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Stops(Exception):  # noqa: N818
    """The process ends here."""


class Steps:
    """Counts steps, before and after each call, and stops at the n-th."""

    def __init__(self, stop_at: int) -> None:
        self._left = stop_at
        self.stopped_at = ""

    def take(self, name: str) -> None:
        if self._left == 0:
            self.stopped_at = name
            raise Stops(name)
        self._left -= 1


class Frail:
    """Passes everything on to what it stands for."""

    def __init__(self, inner: Any, steps: Steps) -> None:
        self._inner = inner
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found
        return self._transaction(found) if name == "transaction" else self._call(name, found)

    def _call(self, name: str, found: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            self._steps.take(f"before {name}")
            answer = found(*args, **named)
            self._steps.take(f"after {name}")
            return answer

        return call

    def _transaction(self, found: Callable[[], Any]) -> Callable[[], Any]:
        @contextmanager
        def transaction() -> Iterator[None]:
            with found():
                yield
                self._steps.take("before commit")
            self._steps.take("after commit")

        return transaction
