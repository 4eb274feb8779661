"""Refusals. Every one has a stable public `code`; its class says what kind it is, and the doors turn the kind into a status."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818  a refusal is expected; an error is not
    """Root of all expected refusals. `about` may name numbers and hashes that help the caller go on; never content."""

    def __init__(self, code: str, /, **about: str | int | None) -> None:
        super().__init__(code)
        self.code = code
        self.about = about


class BadInput(Refusal):
    """The bytes or fields are not what the protocol says."""


class Forbidden(Refusal):
    """The caller may see this, and may not do it."""


class NotFound(Refusal):
    """Not there, or not for this caller: the two look alike."""

    def __init__(self, code: str = "not_found", /) -> None:
        super().__init__(code)


class Conflict(Refusal):
    """The state has moved on since the caller looked."""


class Gone(Refusal):
    """Used up or expired."""


class TooLarge(Refusal):
    """Above a size limit of `secure/limits.py`."""


class TooMany(Refusal):
    """Above a rate limit of `secure/limits.py`."""
