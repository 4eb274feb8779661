"""Acts become events here, inside the transaction of the act: an act whose event cannot be written does not happen.

Nothing of this takes a lock on the log; the sequencer numbers the events afterwards (`secure/log/sequencer.py`).

`ns` is the name of what the act belongs to: the scope of a statement chain (an account, the installation, a consultation, a
room) or a word for a series of the host's own, such as `host`. The first event of a name makes its namespace.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction

from secure.errors import BadInput, Conflict
from secure.log import disclosures
from secure.log.device_events import DeviceEvents
from secure.log.disclosures import Personal
from secure.log.encoding import (
    SLOTS,
    ZERO,
    Event,
    b64,
    encode_event,
    parse_event,
)
from secure.log.jcs import Json
from secure.models import DeviceCounter, EventParty, EventPerson, LogEvent, Namespace, PendingEvent

HOST = "host"
"""The namespace of the host's own acts which belong to no chain."""


@dataclass(frozen=True)
class AuthorPlace:
    """What a device's next event in a namespace must carry: `ns` hex, `salt` and `dprev` base64, `dseq` counting from 1."""

    ns: str
    salt: str
    dseq: int
    dprev: str


def record_state(
    *, ns: str, type: str, statement: str, at: datetime, names: Sequence[Personal] = (), party: str = "", by: Sequence[str] = ()
) -> LogEvent:
    """Records that a signed statement was accepted. `by` are the cards that signed it; `party`, the code of the one it concerns,
    follows from the statement. Inside the caller's transaction."""
    return _record_own(ns=ns, type=type, src="state", data={"statement": statement}, at=at, names=names, party=party, by=by)


def record_host(
    *,
    ns: str,
    type: str,
    data: Mapping[str, Json],
    at: datetime,
    names: Sequence[Personal] = (),
    party: str = "",
    by: Sequence[str] = (),
) -> LogEvent:
    """Records an act on the host's word alone. What names a person goes into `names`, never into `data`.

    `party` is the code of the party it concerns, and stands in the event as `data.party`. `by` are the cards of whoever acted, if
    they have one. Inside the caller's transaction.
    """
    said = {**data, "party": party} if party else data
    return _record_own(ns=ns, type=type, src="host", data=said, at=at, names=names, party=party, by=by)


def record_client(
    *, raw: bytes, client_hash: str, public_key: bytes, at: datetime, expect_type: str, expect_ns: str | None = None
) -> Event:
    """Records an event which a device made and signed. Inside the caller's transaction.

    `expect_ns` is the name (not the tag) of the namespace it must stand in. What `data` must say is the caller's to check.

    Raises:
        BadInput: the bytes are no such event, or the signature is not this device's (`bad_event`, `bad_signature`, …);
            `seen_unknown` if the checkpoint it names is not one of ours.
        Conflict: `dseq_expected` with `expected`, if the device's count has gone elsewhere; see `author_place`.
    """
    _need_transaction()
    batch = DeviceEvents([raw], clients={client_hash})
    event = batch.take(raw=raw, client_hash=client_hash, public_key=public_key, expect_type=expect_type, expect_ns=expect_ns)
    batch.write(at)
    return event


def author_place(*, ns: str, client_hash: str) -> AuthorPlace:
    """Where a device stands in the namespace called `ns`.

    Raises:
        BadInput: nothing was recorded under this name yet (`bad_event`).
    """
    namespace = Namespace.objects.filter(scope=ns).first()
    if namespace is None:
        raise BadInput("bad_event")
    counter = DeviceCounter.objects.filter(namespace=namespace, client=client_hash).first()
    dseq, last = (counter.dseq, bytes.fromhex(counter.last)) if counter else (0, ZERO)
    return AuthorPlace(ns=namespace.tag, salt=b64(bytes(namespace.salt)), dseq=dseq + 1, dprev=b64(last))


def milliseconds(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _record_own(
    *,
    ns: str,
    type: str,
    src: str,
    data: Mapping[str, Json],
    at: datetime,
    names: Sequence[Personal],
    party: str,
    by: Sequence[str],
) -> LogEvent:
    _need_transaction()
    namespace, first = _namespace(ns)
    values = disclosures.boxed(names)
    members: dict[str, Json] = {**data, "_sd": sorted(value.digest for value in values)}
    if first:
        members |= {"slot": namespace.slot, "salt": b64(bytes(namespace.salt))}
    event_id = secrets.token_bytes(16)
    raw = encode_event(event_id=event_id, ns=namespace.tag, type=type, src=src, at=milliseconds(at), data=members)
    row = _insert(namespace, event=parse_event(raw), at=at, by=by)
    disclosures.keep(values, event=row, event_id=event_id)
    if party:
        EventParty.objects.create(event=row, party=party)
    return row


def _insert(namespace: Namespace, *, event: Event, at: datetime, by: Sequence[str]) -> LogEvent:
    row = LogEvent.objects.create(
        namespace=namespace,
        type=event.type,
        src=event.src,
        statement=event.statement or "",
        kid=event.author.kid if event.author else "",
        hash=event.hash.hex(),
        body=event.raw,
        at=at,
    )
    PendingEvent.objects.create(event=row)
    EventPerson.objects.bulk_create(EventPerson(event=row, card=card) for card in sorted(set(by)))
    return row


def _namespace(name: str) -> tuple[Namespace, bool]:
    """The namespace of this name and whether it was made just now. Two at once: the second waits, then finds the first one's."""
    for _attempt in range(8):
        found = Namespace.objects.filter(scope=name).first()
        if found is not None:
            return found, False
        slot = secrets.randbelow(SLOTS)
        try:
            with transaction.atomic():
                made = Namespace.objects.create(tag=secrets.token_hex(16), scope=name, slot=slot, salt=secrets.token_bytes(16))
        except IntegrityError:  # the slot is taken, or somebody else made the same namespace
            continue
        return made, True
    raise Conflict("head_moved")


def _need_transaction() -> None:
    """An event outside the act's transaction could exist without the act, or the act without it."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an act is recorded inside its own transaction")
