"""The certificate of a disposal: the host event `consultation.disposed`, the last of its namespace (docs/protocol.md, section 8).

It says which entries have no event any more: those numbered 1 to `count` in their namespace, at the places `first` to `last` of the log,
of which the last has the leaf hash `head`. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from secure.log.encoding import SLOTS, Event, is_hash, natural
from secure.log.errors import LogError
from secure.log.jcs import Json

DISPOSED: Final = "consultation.disposed"
_MEMBERS: Final = {"basis", "first", "last", "count", "head", "map_slot", "manifest", "disposal", "_sd"}


@dataclass(frozen=True)
class Certificate:
    """`manifest` and `disposal` are hashes (hex): of the list of what was destroyed, and of the statement that both Co-Chairs signed.
    `map_slot` is the namespace's place in the state map, which its first event had fixed."""

    ns: str
    basis: str
    first: int
    last: int
    count: int
    head: str
    map_slot: int
    manifest: str
    disposal: str

    def value(self) -> dict[str, Json]:
        """What the event holds."""
        return {
            "basis": self.basis,
            "first": self.first,
            "last": self.last,
            "count": self.count,
            "head": self.head,
            "map_slot": self.map_slot,
            "manifest": self.manifest,
            "disposal": self.disposal,
        }


def certificate_of(event: Event) -> Certificate:
    """Raises `LogError("bad_event")` for an event that is no certificate."""
    data = event.data
    if event.type != DISPOSED or event.src != "host" or set(data) != _MEMBERS or not isinstance(data["basis"], str):
        raise LogError("bad_event")
    first, last, count, slot = (natural(data[name]) for name in ("first", "last", "count", "map_slot"))
    head, manifest, disposal = (str(data[name]) for name in ("head", "manifest", "disposal"))
    if not all(map(is_hash, (head, manifest, disposal))) or first > last or slot >= SLOTS:
        raise LogError("bad_event")
    return Certificate(event.ns, data["basis"], first, last, count, head, slot, manifest, disposal)
