"""Handing out the evidence of a consultation: asked for, approved by a Co-Chair who did not ask, received. Each step is an entry."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, Final

from django.db import transaction
from django.db.models import Q

from meetings import access, exporting, journal
from meetings.models import Consultation, EvidenceExport
from secure.errors import BadInput, Conflict, Forbidden, Gone, NotFound, TooMany
from secure.log.disclosures import Personal

if TYPE_CHECKING:
    from meetings.access import EvidencePlace
    from secure.models import Account

APPROVAL_LASTS: Final = timedelta(days=7)
MOST_A_DAY: Final = 20
"""Requests of one person for one consultation."""
State = EvidenceExport.State
Purpose = EvidenceExport.Purpose


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a reader sees it. `own`: the reader's; `decidable`: the reader may approve or decline it."""

    row: EvidenceExport
    own: bool
    decidable: bool
    until: datetime | None
    """when the approval ends, if there is one"""
    expired: bool

    @property
    def ready(self) -> bool:
        """The file can be had now."""
        return self.row.state == State.APPROVED and not self.expired

    @property
    def open(self) -> bool:
        return self.row.state == State.REQUESTED or self.ready


@transaction.atomic(durable=True)
def request(*, account: Account, consultation_id: str, purpose: str, now: datetime) -> EvidenceExport:
    """Ask for the evidence. One request at a time; an approval is used, not asked for again."""
    place = access.access_evidence(account=account, consultation_id=consultation_id)
    if purpose not in Purpose.values:
        raise BadInput("bad_field", field="purpose")
    # the lock makes two requests at once one after the other
    Consultation.objects.select_for_update().get(id=consultation_id)
    before = [_request(row, place, now) for row in EvidenceExport.objects.filter(consultation_id=consultation_id, account=account)]
    if any(each.open for each in before):
        raise Conflict("export_open")
    if sum(now - each.row.requested_at < timedelta(days=1) for each in before) >= MOST_A_DAY:
        raise TooMany("too_many_exports")
    row = EvidenceExport.objects.create(
        id=secrets.token_hex(16),
        consultation=place.consultation,
        account=account,
        card=place.card.hash,
        party=place.card.party,
        whole=place.whole,
        purpose=purpose,
        requested_at=now,
    )
    about = {"export": row.id, "by": row.card, "purpose": purpose, "names": "all" if row.whole else "own"}
    journal.note(type="export.requested", about=about, now=now, by=row.card, scope=consultation_id)
    return row


@transaction.atomic(durable=True)
def approve(*, account: Account, export_id: str, now: datetime) -> None:
    """A Co-Chair who did not ask lets the requester have it, for `APPROVAL_LASTS`."""
    _decide(account, export_id, State.APPROVED, now)


@transaction.atomic(durable=True)
def decline(*, account: Account, export_id: str, now: datetime) -> None:
    _decide(account, export_id, State.DECLINED, now)


@transaction.atomic(durable=True)
def withdraw(*, account: Account, export_id: str, now: datetime) -> None:
    """The requester no longer asks. What was approved lapses by itself."""
    row, place = _found(account, export_id)
    if row.account_id != account.pk:
        raise Forbidden("export_not_yours")
    _move(row, State.WITHDRAWN)
    journal.note(
        type="export.withdrawn", about={"export": row.id, "by": place.card.hash}, now=now, by=place.card.hash, scope=row.consultation_id
    )


def download(*, account: Account, export_id: str, out: BinaryIO, now: datetime) -> EvidenceExport:
    """Writes the file for its requester into `out`, which can be sought in; recorded with the file's hash before anybody has it.

    It goes up to the newest point that enough witnesses have agreed to; to the newest signed one while there is none.
    """
    row, place = _found(account, export_id)
    _refuse_undue(row, account, place, now)
    size = exporting.write(out, consultation_id=row.consultation_id, recipient=None if row.whole else row.card)
    digest = _sha256(out)
    with transaction.atomic(durable=True):
        row = EvidenceExport.objects.select_for_update().get(id=export_id)
        row.downloads, row.downloaded_at = row.downloads + 1, now
        row.save(update_fields=["downloads", "downloaded_at"])
        about: dict[str, journal.Value] = {"export": row.id, "by": row.card, "size": size, "sha256": digest}
        journal.note(type="export.created", about=about, now=now, by=row.card, scope=row.consultation_id)
    return row


# ------------------------------------------------------------------------------------------------------------------------ reading


def may_ask(*, account: Account, consultation_id: str) -> bool:
    try:
        access.access_evidence(account=account, consultation_id=consultation_id)
    except NotFound:
        return False
    return True


def of_consultation(*, account: Account, consultation_id: str, now: datetime) -> list[Request]:
    """The requests this person may see, newest first: Co-Chairs and officers all of them, others their own."""
    place = access.access_evidence(account=account, consultation_id=consultation_id)
    rows = EvidenceExport.objects.filter(consultation_id=consultation_id).select_related("account", "consultation")
    shown = rows if place.whole else rows.filter(account=account)
    return [_request(row, place, now) for row in shown.order_by("-requested_at", "id")]


def due(*, account: Account, now: datetime) -> list[Request]:
    """What waits for this person: requests to decide, and files that are approved and not fetched yet."""
    waiting = Q(state=State.REQUESTED) | Q(state=State.APPROVED, decided_at__gt=now - APPROVAL_LASTS, downloads=0)
    asked = set(EvidenceExport.objects.filter(waiting).values_list("consultation_id", flat=True))
    places = [place for place in access.evidence_of(account) if place.consultation.id in asked] if asked else []
    requests = [each for place in places for each in of_consultation(account=account, consultation_id=place.consultation.id, now=now)]
    return [each for each in requests if each.decidable or (each.own and each.ready and not each.row.downloads)]


def _request(row: EvidenceExport, place: EvidencePlace, now: datetime) -> Request:
    own = row.account_id == place.card.account_id
    until = row.decided_at + APPROVAL_LASTS if row.state == State.APPROVED and row.decided_at else None
    return Request(
        row=row,
        own=own,
        decidable=place.chair and not own and row.state == State.REQUESTED,
        until=until,
        expired=until is not None and now >= until,
    )


# ----------------------------------------------------------------------------------------------------------------------- deciding


def _found(account: Account, export_id: str) -> tuple[EvidenceExport, EvidencePlace]:
    """The request and the reader's place; another delegate's request is not there."""
    row = EvidenceExport.objects.select_related("account", "consultation").filter(id=export_id).first()
    if row is None:
        raise NotFound
    place = access.access_evidence(account=account, consultation_id=row.consultation_id)
    if not place.whole and row.account_id != account.pk:
        raise NotFound
    return row, place


def _decide(account: Account, export_id: str, state: EvidenceExport.State, now: datetime) -> None:
    row, place = _found(account, export_id)
    if not place.chair:
        raise Forbidden("chairs_only")
    if row.account_id == account.pk:
        raise Forbidden("own_request")
    _move(row, state, decided_by=place.card.hash, decided_at=now)
    names = [Personal("person", row.account.name, row.card)]
    about = {"export": row.id, "by": place.card.hash, "card": row.card}
    journal.note(type=f"export.{state}", about=about, now=now, by=place.card.hash, scope=row.consultation_id, names=names, party=row.party)


def _move(row: EvidenceExport, state: EvidenceExport.State, **columns: object) -> None:
    """From `requested`, once: of two decisions at the same moment the second is refused."""
    if EvidenceExport.objects.filter(id=row.id, state=State.REQUESTED).update(state=state, **columns) != 1:
        raise Conflict("export_decided")


def _refuse_undue(row: EvidenceExport, account: Account, place: EvidencePlace, now: datetime) -> None:
    if row.account_id != account.pk:
        raise Forbidden("export_not_yours")
    # who left the secretariat since keeps no right to all names
    if row.state != State.APPROVED or (row.whole and not place.whole):
        raise Conflict("export_not_approved")
    if _request(row, place, now).expired:
        raise Gone("export_expired")


def _sha256(file: BinaryIO) -> str:
    """Of the whole file, in hex."""
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(1 << 16):
        digest.update(piece)
    return digest.hexdigest()
