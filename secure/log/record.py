"""What the Register asks of the record: numbered entries with the names that may still be known, and the proof of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from django.db.models import Q, QuerySet

from secure.errors import NotFound
from secure.log import jcs, store
from secure.log.disclosures import Opened, opened
from secure.log.encoding import b64, parse_event
from secure.log.jcs import Json
from secure.log.leaves import EntryLeaf, parse_leaf
from secure.log.own_series import BEGAN
from secure.models import Account, Card, Disclosure, Enrolment, EventParty, EventPerson, LogLeaf, StatementRow

PERSON: Final = "person"
"""The name of the disclosure that says whom an act is about."""
MOST_ENTRIES: Final = 200


@dataclass(frozen=True)
class Person:
    """Somebody by whose card an act was done, as the card and the account say today."""

    card: str
    party: str
    name: str


@dataclass(frozen=True)
class Entry:
    """One recorded act. `number` is its place in the whole log, `place` its place in its own namespace (from 1).

    `src` says whose word it is: `state` (signed statements), `client` (signed by a device) or `host`. `body` is the statement's
    body for `state`. `party` is the code of the party it concerns. `names` are the disclosures that can still be read, by name (of
    several with one name, one); `erased` counts the digests whose values are gone. `at` is when the server recorded it, `sealed`
    when the sequencer placed it, `signed` whether a checkpoint covers it; `pruned` whether its event went in a disposal.
    """

    number: int
    place: int
    scope: str
    type: str
    src: str
    at: datetime
    sealed: datetime
    signed: bool
    statement: str | None
    body: Mapping[str, Json] | None
    data: Mapping[str, Json]
    people: tuple[Person, ...]
    party: str
    names: Mapping[str, str]
    erased: int
    pruned: bool = False


@dataclass(frozen=True)
class Filter:
    """What to show; None or empty means all. `until` is not included. `person` is a card or a part of a name.

    `hidden` are chains whose entries are not shown whatever else is asked.
    """

    scopes: Sequence[str] = ()
    hidden: Sequence[str] = ()
    types: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    person: str = ""
    party: str = ""


@dataclass(frozen=True)
class Proof:
    """Everything needed to check one entry offline: SHA-256(0x00, leaf) at `number`, under the root which `note` signs."""

    number: int
    leaf: bytes
    event: bytes
    tree_size: int
    root: bytes
    hashes: list[bytes]
    note: bytes

    def as_object(self) -> dict[str, object]:
        """As doors for programs give it (docs/protocol.md, 8)."""
        path = [b64(each) for each in self.hashes]
        return {"index": self.number, "leaf": b64(self.leaf), "size": self.tree_size, "path": path, "note": self.note.decode()}


def entries(*, filter: Filter | None = None, before: int | None = None, limit: int = 50) -> list[Entry]:
    """The newest entries first; `before` (a number) goes on where an earlier page ended."""
    rows = _matching(filter or Filter())
    if before is not None:
        rows = rows.filter(index__lt=before)
    return _read(list(rows.order_by("-index")[: min(limit, MOST_ENTRIES)]))


def entry(number: int) -> Entry:
    """One entry. Raises `NotFound` for a number that is not (yet) an entry's."""
    found = _read(list(_rows().filter(index=number)))
    if not found:
        raise NotFound
    return found[0]


def count(filter: Filter | None = None) -> int:
    return _matching(filter or Filter()).count()


def types() -> list[str]:
    """Every type of act recorded so far, for the filter's choices."""
    return sorted(set(_rows().order_by().values_list("event__type", flat=True).distinct()))


def sought_subject(person: str, reader: str) -> str:
    """Whose a searched name is: the one person's whom it names, or else the reader's own (a card)."""
    cards = list(Card.objects.filter(account__name__icontains=person.strip(), current=True).values_list("hash", flat=True)[:2])
    return cards[0] if len(cards) == 1 else reader


def proof(number: int) -> Proof | None:
    """The proof of an entry under the newest checkpoint; None if no checkpoint covers it yet. Raises `NotFound` as `entry` does."""
    row = _rows().filter(index=number).first()
    if row is None or row.event is None:
        raise NotFound
    newest = store.published()
    if newest is None or number >= newest.size:
        return None
    return Proof(
        number=number,
        leaf=bytes(row.body),
        event=bytes(row.event.body),
        tree_size=newest.size,
        root=newest.root,
        hashes=store.inclusion(number, newest.size),
        note=newest.note,
    )


def proof_of_event(*, event: str, scope: str) -> Proof:
    """The proof of the event with this hash in the namespace called `scope`. Raises `NotFound` as long as no checkpoint covers it."""
    return _covered(_rows().filter(event__hash=event, event__namespace__scope=scope))


def proof_of_genesis() -> Proof:
    """The proof of the log's first entry, which names its keys. Raises `NotFound` as long as no checkpoint covers it."""
    return _covered(_rows().filter(index=0, event__type=BEGAN))


def _covered(rows: QuerySet[LogLeaf]) -> Proof:
    number = rows.values_list("index", flat=True).first()
    found = proof(number) if number is not None else None
    if found is None:
        raise NotFound
    return found


def _rows() -> QuerySet[LogLeaf]:
    return LogLeaf.objects.filter(event__isnull=False).select_related("event__namespace")


def _matching(wanted: Filter) -> QuerySet[LogLeaf]:
    rows = _rows()
    if wanted.scopes:
        rows = rows.filter(event__namespace__scope__in=wanted.scopes)
    if wanted.hidden:
        rows = rows.exclude(event__namespace__scope__in=wanted.hidden)
    if wanted.types:
        rows = rows.filter(event__type__in=wanted.types)
    if wanted.since:
        rows = rows.filter(event__at__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(event__at__lt=wanted.until)
    if wanted.person:
        cards = Card.objects.filter(Q(hash=wanted.person) | Q(account__name__icontains=wanted.person))
        rows = rows.filter(_by(cards) | _about(cards, wanted.person))
    if wanted.party:
        concerned = Q(event_id__in=EventParty.objects.filter(party=wanted.party).values("event_id"))
        rows = rows.filter(_by(Card.objects.filter(party=wanted.party)) | concerned)
    return rows


def _by(cards: QuerySet[Card]) -> Q:
    return Q(event_id__in=EventPerson.objects.filter(card__in=cards.values("hash")).values("event_id"))


def _about(cards: QuerySet[Card], person: str) -> Q:
    """Values in boxes cannot be searched: the people are found by their names of today, and their boxes by whose they are."""
    invited = Enrolment.objects.filter(name__icontains=person).values("id")
    accounts = [f"account-{pk}" for pk in Account.objects.filter(name__icontains=person).values_list("pk", flat=True)]
    whose = Q(subject__in=cards.values("hash")) | Q(subject__in=invited) | Q(subject__in=accounts)
    return Q(event_id__in=Disclosure.objects.filter(whose).values("event_id"))


def _read(rows: list[LogLeaf]) -> list[Entry]:
    """Six queries for any number of rows."""
    events = [row.event for row in rows if row.event is not None]
    ids = [event.pk for event in events]
    people: dict[int, list[str]] = {}
    for event_id, card in EventPerson.objects.filter(event_id__in=ids).order_by("pk").values_list("event_id", "card"):
        people.setdefault(event_id, []).append(card)
    cards = {
        card.hash: Person(card.hash, card.party, card.account.name)
        for card in Card.objects.filter(hash__in={card for found in people.values() for card in found}).select_related("account")
    }
    names: dict[int, list[Opened]] = {}
    for found in opened(Disclosure.objects.filter(event_id__in=ids).order_by("pk").select_related("event")):
        if found.name is not None and found.holds:
            names.setdefault(found.event_id, []).append(found)
    parties = dict(EventParty.objects.filter(event_id__in=ids).values_list("event_id", "party"))
    statements = StatementRow.objects.filter(hash__in={event.statement for event in events if event.statement})
    bodies = {row.hash: _statement_body(bytes(row.body)) for row in statements}
    newest = store.published()
    size = newest.size if newest else 0
    return [
        _entry(
            row,
            people=tuple(cards[card] for card in people.get(row.event_id or 0, []) if card in cards),
            party=parties.get(row.event_id or 0, ""),
            names=names.get(row.event_id or 0, []),
            bodies=bodies,
            size=size,
        )
        for row in rows
    ]


def _entry(
    row: LogLeaf,
    *,
    people: tuple[Person, ...],
    party: str,
    names: Sequence[Opened],
    bodies: Mapping[str, Mapping[str, Json]],
    size: int,
) -> Entry:
    stored = row.event
    leaf = parse_leaf(bytes(row.body))
    if stored is None or not isinstance(leaf, EntryLeaf):
        raise NotFound
    pruned = not bytes(stored.body)
    data = {} if pruned else parse_event(bytes(stored.body)).data
    digests = cast("list[str]", data.get("_sd", []))
    return Entry(
        number=row.index,
        place=leaf.cseq,
        scope=stored.namespace.scope,
        type=stored.type,
        src=stored.src,
        at=stored.at,
        sealed=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=leaf.t),
        signed=row.index < size,
        statement=stored.statement or None,
        body=bodies.get(stored.statement),
        data=data,
        people=people,
        party=party,
        names={str(found.name): found.value for found in names},
        erased=len(digests) - len(names),
        pruned=pruned,
    )


def _statement_body(raw: bytes) -> Mapping[str, Json]:
    signed = jcs.decode_object(raw)
    return cast("dict[str, dict[str, dict[str, Json]]]", signed)["statement"]["body"]
