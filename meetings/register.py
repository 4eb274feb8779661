"""The secretariat's Register: the record in plain words, never content. Every look-up is itself recorded.

A consultation appears from concurrence on; a proposal which was returned or withdrawn never does. One entry is written for a search and
one for an opened entry; going on to the next page of a search carries the search's ticket and writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext

from meetings import journal, parties
from meetings.models import Consultation, Party
from meetings.register_words import (
    ANSWERS,
    BASES,
    CAPACITIES,
    PRUNED,
    PURPOSES,
    SENTENCES,
    SOMEBODY,
    SOMEONE,
    SOURCES,
    types_of,
)
from secure import delivery
from secure.codes import fingerprint
from secure.errors import BadInput, Forbidden, NotFound
from secure.log import record
from secure.log.disclosures import Personal

if TYPE_CHECKING:
    from secure.log.record import Entry, Proof
    from secure.models import Account

PAGE: Final = 50
TICKET_LASTS: Final = timedelta(hours=12)
FIRST_YEAR, LAST_YEAR = 2000, 2200
"""Days beyond these are slips of the keyboard, and some cannot be said in UTC."""
_SALT = "meetings.register"
_SHOWN = (Consultation.State.CONCURRED, Consultation.State.OPEN, Consultation.State.DISPOSED)


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for; empty means all. Days are days of the reader's zone, both included."""

    person: str = ""
    party: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def narrow(self) -> bool:
        return self != Search()


@dataclass(frozen=True, slots=True)
class Line:
    """One entry in words. `sealed` is when it got its number; `covered`, whether a signed checkpoint stands over it."""

    number: int
    at: datetime
    sealed: datetime
    covered: bool
    type: str
    kind: str
    text: str
    reference: str
    party: str
    who: str
    source: str
    erased: int


@dataclass(frozen=True, slots=True)
class Page:
    """`more` is the ticket for the entries after these, None at the end. `total` counts all that the search found."""

    lines: tuple[Line, ...]
    total: int
    more: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """One entry with its proof; no proof while no checkpoint covers it."""

    line: Line
    people: tuple[str, ...]
    statement: str | None
    proof: Proof | None


def may_read(account: Account) -> bool:
    """Officers of the secretariat, and the Co-Chairs."""
    return parties.is_officer(account) or parties.is_chair(account)


@transaction.atomic(durable=True)
def search(*, account: Account, wanted: Search, zone: tzinfo, now: datetime) -> Page:
    """The newest entries that match. A search is recorded; reading the register from its end, without a question, is none."""
    _refuse_strangers(account)
    if wanted.narrow:
        _record_search(account, wanted, now=now)
    return _page(account, _filter(wanted, zone), before=None)


def more(*, account: Account, ticket: str) -> Page:
    """The next page of a search. The ticket is this reader's own and says where to go on."""
    _refuse_strangers(account)
    try:
        told = signing.loads(ticket, salt=_SALT, max_age=TICKET_LASTS)
        if told["account"] != account.pk:
            raise BadInput("bad_ticket")
        return _page(account, _filter_told(told), before=int(told["before"]))
    except signing.BadSignature as error:
        raise BadInput("bad_ticket") from error


@transaction.atomic(durable=True)
def open_entry(*, account: Account, number: int, now: datetime) -> Opened:
    """One entry, with its proof. Opening it is recorded."""
    _refuse_strangers(account)
    entry = record.entry(number)
    if entry.scope in hidden_scopes():
        raise NotFound
    journal.note(type="register.opened", about={"number": number}, now=now, by=parties.card_of(account))
    speech = _Speech.read()
    people = tuple(speech.person(person.party, person.name) for person in entry.people)
    return Opened(line=speech.line(entry), people=people, statement=entry.statement, proof=record.proof(number))


def own_look_ups(*, account: Account) -> list[Line]:
    """What this reader looked up, newest first, for the foot of the page."""
    _refuse_strangers(account)
    wanted = record.Filter(types=types_of("register"), person=parties.card_of(account))
    speech = _Speech.read()
    return [speech.line(entry) for entry in record.entries(filter=wanted, limit=5)]


def hidden_scopes() -> list[str]:
    """Consultations that only the two Co-Chairs know of."""
    return list(Consultation.objects.exclude(state__in=_SHOWN).order_by("id").values_list("id", flat=True))


# ---------------------------------------------------------------------------------------------------------------------- reading


def _refuse_strangers(account: Account) -> None:
    if not may_read(account):
        raise Forbidden("register_not_yours")


def _record_search(account: Account, wanted: Search, *, now: datetime) -> None:
    """The question itself: a name that was asked for is personal, and erasable."""
    about = {"kind": wanted.kind, "party": wanted.party}
    days = {"since": wanted.since, "until": wanted.until}
    about |= {name: day.isoformat() for name, day in days.items() if day}
    names = [Personal("sought", wanted.person, record.sought_subject(wanted.person, parties.card_of(account)))] if wanted.person else []
    asked = {name: value for name, value in about.items() if value}
    journal.note(type="register.searched", about=asked, now=now, by=parties.card_of(account), names=names)


def _filter(wanted: Search, zone: tzinfo) -> record.Filter:
    if wanted.kind and not types_of(wanted.kind):
        raise BadInput("bad_field", field="kind")
    for name, day in (("since", wanted.since), ("until", wanted.until)):
        if day and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise BadInput("bad_field", field=name)
    since = datetime.combine(wanted.since, time.min, zone) if wanted.since else None
    until = datetime.combine(wanted.until + timedelta(days=1), time.min, zone) if wanted.until else None
    return record.Filter(types=types_of(wanted.kind), since=since, until=until, person=wanted.person.strip(), party=wanted.party)


def _page(account: Account, wanted: record.Filter, *, before: int | None) -> Page:
    shown = replace(wanted, hidden=hidden_scopes())
    found = record.entries(filter=shown, before=before, limit=PAGE + 1)
    speech = _Speech.read()
    ticket = _ticket(account, wanted, before=found[PAGE - 1].number) if len(found) > PAGE else None
    lines = tuple(speech.line(entry) for entry in found[:PAGE])
    return Page(lines=lines, total=record.count(shown), more=ticket)


def _ticket(account: Account, wanted: record.Filter, *, before: int) -> str:
    told = {
        "account": account.pk,
        "before": before,
        "types": list(wanted.types),
        "since": wanted.since.isoformat() if wanted.since else None,
        "until": wanted.until.isoformat() if wanted.until else None,
        "person": wanted.person,
        "party": wanted.party,
    }
    return signing.dumps(told, salt=_SALT, compress=True)


def _filter_told(told: Mapping[str, str]) -> record.Filter:
    return record.Filter(
        types=tuple(told["types"]),
        since=datetime.fromisoformat(told["since"]) if told["since"] else None,
        until=datetime.fromisoformat(told["until"]) if told["until"] else None,
        person=told["person"],
        party=told["party"],
    )


# ------------------------------------------------------------------------------------------------------------------------ words


@dataclass(frozen=True, slots=True)
class _Speech:
    """What turns entries into sentences: names of parties, references of consultations and of their rooms."""

    parties: Mapping[str, str]
    references: Mapping[str, str]

    @classmethod
    def read(cls) -> _Speech:
        named = dict(Party.objects.order_by("code").values_list("code", "name"))
        references = dict(Consultation.objects.filter(state__in=_SHOWN).order_by("id").values_list("id", "reference"))
        rooms = {room.room: references[room.scope] for room in delivery.rooms_of(*references)}
        return cls({**named, parties.SECRETARIAT: parties.SECRETARIAT_NAME}, {**references, **rooms})

    def person(self, party: str, name: str) -> str:
        """Party before person."""
        return " · ".join(part for part in (self.parties.get(party, party), name or gettext(SOMEBODY)) if part)

    def line(self, entry: Entry) -> Line:
        kind, _sentence = SENTENCES.get(entry.type, ("", None))
        first = entry.people[0] if entry.people else None
        return Line(
            number=entry.number,
            at=entry.at,
            sealed=entry.sealed,
            covered=entry.signed,
            type=entry.type,
            kind=kind,
            text=self._sentence(entry),
            reference=self.references.get(entry.scope, ""),
            party=first.party if first else entry.party,
            who="; ".join(self.person(person.party, person.name) for person in entry.people),
            source=gettext(SOURCES.get(entry.src, entry.src)),
            erased=entry.erased,
        )

    def _sentence(self, entry: Entry) -> str:
        """An act this table does not know is shown by its type, rather than left out."""
        if entry.pruned:
            return gettext(PRUNED)
        found = SENTENCES.get(entry.type)
        if found is None:
            return entry.type
        body = entry.body or {}
        party = entry.party or str(body.get("party") or entry.data.get("party") or "")
        about = entry.names.get(record.PERSON, "")
        who = "; ".join(self.person(person.party, person.name) for person in entry.people)
        return gettext(found[1]).format(
            who=who or gettext(SOMEONE),
            about=self.person(party, about),
            party=self.parties.get(party, party),
            answer=_word(ANSWERS, body.get("answer")),
            capacity=_word(CAPACITIES, body.get("capacity")),
            number=entry.data.get("number", ""),
            version=entry.data.get("version", ""),
            build=_fingerprint(entry.data.get("manifest")),
            basis=_word(BASES, entry.data.get("basis")),
            count=entry.data.get("count", ""),
            first=entry.data.get("first", ""),
            last=entry.data.get("last", ""),
            purpose=_word(PURPOSES, entry.data.get("purpose")),
        )


def _fingerprint(name: object) -> str:
    """A build as it is named at the foot of every page; what is no hash stays as it is."""
    return fingerprint(name) if isinstance(name, str) and re.fullmatch(r"[0-9a-f]{64}", name) else str(name or "")


def _word(table: Mapping[str, str], code: object) -> str:
    found = table.get(str(code))
    return gettext(found) if found else ""
