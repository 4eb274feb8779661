"""What holds for entries one by one, whether the whole log is replayed or one consultation's part of it. Pure.

Checks 2 to 9 of `secure/log/verifier.py`; the tree around the entries is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from secure.log.certificate import DISPOSED, Certificate, certificate_of
from secure.log.encoding import ZERO, Author, Event, kid_of, natural, parse_event, unb64, verify_author
from secure.log.errors import LogError
from secure.log.leaves import EntryLeaf, Leaf, coarse_type, parse_leaf

PRUNED, WITHHELD = "pruned", "withheld"


@dataclass(frozen=True)
class Fault:
    """One thing that does not hold: the number of the check, where, and what, in words."""

    check: int
    where: str
    what: str


def certificates(raws: Iterable[bytes]) -> list[Certificate]:
    """The certificates among these events; one that cannot be read is none."""
    found = []
    for raw in raws:
        if DISPOSED.encode() in raw:
            with suppress(LogError):
                found.append(certificate_of(parse_event(raw)))
    return found


@dataclass
class Pruned:
    """The entries of a namespace without events, by a certificate. `hashes` are the events' own (`evh`), as the leaves hold them."""

    certificate: Certificate
    hashes: list[bytes] = field(default_factory=list)
    confirmed: bool = False
    """the certificate itself stands in the log, after them"""


@dataclass
class Series:
    """A namespace as read so far. `absent` counts events whose bytes are not there, for a reason that was given."""

    count: int = 0
    head: bytes = ZERO
    slot: int | None = None
    salt: bytes = b""
    absent: int = 0
    devices: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    kids: dict[str, bytes] = field(default_factory=dict)


class Entries:
    """Feed it entries in the order of the log; `faults` collects what does not hold.

    `public_keys` are the signature keys of all devices that were ever added. `seen` gives the root which the log had at a size, None
    if that cannot be said here. `disposed` are the certificates found in the log, beforehand: what one of them covers may be absent and
    is then `pruned`; whether both Co-Chairs signed that disposal is not for this file to know. `withheld` are indexes of events that the
    recipient does not get. `on_event` hears of every sound event, in order.
    """

    def __init__(
        self,
        *,
        public_keys: Iterable[bytes],
        seen: Callable[[int], bytes | None],
        disposed: Iterable[Certificate] = (),
        withheld: frozenset[int] = frozenset(),
        on_event: Callable[[int, Event], None] | None = None,
    ) -> None:
        self._found: list[Fault] = []
        self.absent: dict[int, str] = {}
        self.unlinked: list[int] = []
        self.signers: dict[int, bytes] = {}
        self.time = 0
        self.series: dict[str, Series] = {}
        self._slots: dict[int, str] = {}
        self._keys = tuple(public_keys)
        self._seen = seen
        self._pruned = {certificate.ns: Pruned(certificate) for certificate in disposed}
        self._withheld = withheld
        self._on_event = on_event

    @property
    def faults(self) -> list[Fault]:
        """Everything that does not hold so far; what was taken for pruned is missing until its certificate has been met."""
        loose = [each for each in self._pruned.values() if each.hashes and not each.confirmed]
        return [*self._found, *(Fault(5, f"entry {each.certificate.first}", "its event is missing") for each in loose)]

    @property
    def pruned(self) -> list[Pruned]:
        """What is missing by certificates that stand in the log."""
        return [each for each in self._pruned.values() if each.hashes and each.confirmed]

    def leaf(self, index: int, raw: bytes) -> Leaf | None:
        """Checks 2 and 3; None if it is no leaf."""
        try:
            leaf = parse_leaf(raw)
        except LogError:
            self.fault(2, index, "the entry is not in the form of the log")
            return None
        if leaf.t < self.time:
            self.fault(3, index, "its time is earlier than the entry's before it")
        self.time = max(self.time, leaf.t)
        return leaf

    def entry(self, index: int, leaf: EntryLeaf, hash_: bytes, raw: bytes | None) -> Event | None:
        """Checks 4 to 9; the event, if there is one that can be read."""
        series = self.series.setdefault(leaf.ns, Series())
        if leaf.cseq != series.count + 1 or leaf.cprev != series.head:
            self.fault(4, index, f"it does not follow entry {series.count} of its series")
        series.count, series.head = leaf.cseq, hash_
        if raw is None:
            self._missing(index, leaf, hash_, series)
            return None
        event = self._event(index, leaf, raw)
        if event is None:
            return None
        if event.type == DISPOSED:
            self._certify(index, event, leaf)
        self._place(index, event, series)
        if event.author is not None:
            self._author(index, event, event.author, series)
        if self._on_event:
            self._on_event(index, event)
        return event

    def fault(self, check: int, index: int, what: str) -> None:
        self._found.append(Fault(check, f"entry {index}", what))

    def _missing(self, index: int, leaf: EntryLeaf, hash_: bytes, series: Series) -> None:
        """Absent for a reason, or a fault."""
        series.absent += 1
        if self._prune(index, leaf, hash_, series):
            self.absent[index] = PRUNED
        elif index in self._withheld:
            self.absent[index] = WITHHELD
        else:
            self.fault(5, index, "its event is missing")

    def _prune(self, index: int, leaf: EntryLeaf, hash_: bytes, series: Series) -> bool:
        """Whether a certificate covers this entry, of which there is no event."""
        found = self._pruned.get(leaf.ns)
        if found is None or leaf.cseq > found.certificate.count:
            return False
        certificate = found.certificate
        found.hashes.append(leaf.evh)
        first, last = leaf.cseq == 1, leaf.cseq == certificate.count
        if (first and index != certificate.first) or (last and (index, hash_.hex()) != (certificate.last, certificate.head)):
            self.fault(5, index, "its event is missing, and the certificate of a disposal says something else")
        if series.slot is None:
            if self._slots.setdefault(certificate.map_slot, leaf.ns) != leaf.ns:
                self.fault(6, index, "its place in the state map is another's")
            series.slot = certificate.map_slot
        return True

    def _certify(self, index: int, event: Event, leaf: EntryLeaf) -> None:
        found = self._pruned.get(leaf.ns)
        try:
            certificate = certificate_of(event)
        except LogError:
            self.fault(5, index, "it is no certificate of a disposal")
            return
        if found is not None and found.certificate == certificate and leaf.cseq > certificate.count:
            found.confirmed = event.hash == leaf.evh

    def _event(self, index: int, leaf: EntryLeaf, raw: bytes) -> Event | None:
        try:
            event = parse_event(raw)
        except LogError:
            self.fault(5, index, "its event is not in the form of the log")
            return None
        if event.hash != leaf.evh:
            self.fault(5, index, "its event was changed")
        if event.ns != leaf.ns or coarse_type(event.type) != leaf.ty:
            self.fault(5, index, "its event belongs elsewhere")
        return event

    def _place(self, index: int, event: Event, series: Series) -> None:
        if (series.count == 1) != ("slot" in event.data):
            self.fault(6, index, "only the first entry of a series fixes its place in the state map")
        if "slot" not in event.data or series.slot is not None:
            return
        slot = natural(event.data["slot"])
        if self._slots.setdefault(slot, event.ns) != event.ns:
            self.fault(6, index, "its place in the state map is another's")
        series.slot, series.salt = slot, unb64(event.data["salt"])

    def _author(self, index: int, event: Event, author: Author, series: Series) -> None:
        if not series.kids:
            series.kids = {kid_of(salt=series.salt, public_key=key): key for key in self._keys}
        key = series.kids.get(author.kid)
        try:
            verify_author(event, public_key=key or b"")
        except LogError:
            self.fault(7, index, "it is not signed by a device that the log knows")
        else:
            self.signers[index] = key or b""
        dseq, last = series.devices.get(author.kid, (0, ZERO))
        if (author.dseq, author.dprev) != (dseq + 1, last) and not series.absent:
            what = f"it does not follow event {dseq} of its device: something of this device is missing or was moved"
            self.fault(8, index, what)
        series.devices[author.kid] = (author.dseq, event.hash)
        self._saw(index, author)

    def _saw(self, index: int, author: Author) -> None:
        size, root = author.seen
        known = self._seen(size) if size <= index else None
        if size <= index and known is None:
            self.unlinked.append(index)
        elif known != root:
            self.fault(9, index, "its device had seen a log that was not this one")
