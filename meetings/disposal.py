"""The end of a consultation's records: an officer of the secretariat asks for it, both Co-Chairs sign it, then it happens at once.

Before the retention period is over only an agreement of the parties or a legal order is a basis. The signature is over the list of what
goes, so nothing else can go: when the list has changed in between, both sign again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext

from meetings import enclosures, installation, journal, parties, roll
from meetings.models import Consultation
from meetings.register_words import BASES
from meetings.statements import DISPOSAL_BASES
from secure import cards, delivery, disposal, fanout
from secure.errors import BadInput, Conflict, Forbidden, NotFound
from secure.manifest import Whole, manifest_of

if TYPE_CHECKING:
    from meetings.act import Act
    from secure.log.certificate import Certificate
    from secure.models import Account

RETENTION_OVER = DISPOSAL_BASES[0]
_CONVENED = (Consultation.State.CONCURRED, Consultation.State.OPEN)
_SHOWN = (*_CONVENED, Consultation.State.DISPOSED)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a consultation is kept. `until` counts from the last thing that happened in it; `due` once that is past."""

    consultation: Consultation
    until: datetime
    due: bool
    requested_by: str
    """the secretariat and the officer's name, empty without a request"""


@dataclass(frozen=True, slots=True)
class Destroyed:
    """One certified namespace: the consultation's own or one of its rooms'. `number` is the certificate's place in the log."""

    number: int | None
    room: bool
    certificate: Certificate
    at: datetime


def may_see(account: Account) -> bool:
    """Officers of the secretariat, and the Co-Chairs."""
    return parties.is_officer(account) or (installation.current() is not None and parties.is_chair(account))


def all_kept(*, account: Account, now: datetime) -> list[Keeping]:
    """Every consultation that was convened, the one whose period ends first on top."""
    if not may_see(account):
        raise Forbidden("register_not_yours")
    found = [_keeping(each, now=now) for each in Consultation.objects.filter(state__in=_SHOWN)]
    return sorted(found, key=lambda each: (each.consultation.state == Consultation.State.DISPOSED, each.until, each.consultation.id))


def asked_for(*, account: Account) -> list[Consultation]:
    """Whose disposal the secretariat has asked for, the oldest request first; a Co-Chair's alone to decide."""
    if not (may_see(account) and parties.is_chair(account)):
        return []
    return list(Consultation.objects.filter(state__in=_CONVENED).exclude(disposal_basis="").order_by("disposal_requested_at", "id"))


def kept(*, account: Account, consultation_id: str, now: datetime) -> Keeping:
    """One of them; hidden and absent are one answer."""
    found = Consultation.objects.filter(id=consultation_id, state__in=_SHOWN).first()
    if found is None or not may_see(account):
        raise NotFound
    return _keeping(found, now=now)


def manifest_for(*, account: Account, consultation_id: str) -> tuple[str, bytes]:
    """(basis, list of what would go now), for the Co-Chair who signs. Refuses with `not_requested` before an officer has asked."""
    if not parties.is_chair(account):
        raise NotFound
    found = Consultation.objects.filter(id=consultation_id, state__in=_CONVENED).first()
    if found is None:
        raise NotFound
    if not found.disposal_basis:
        raise Conflict("not_requested")
    return found.disposal_basis, manifest_of(whole_of(found.id))


def destroyed(*, account: Account, consultation_id: str, now: datetime) -> list[Destroyed]:
    """The certificates, once it has been done: the consultation's own first."""
    found = kept(account=account, consultation_id=consultation_id, now=now).consultation
    if found.state != Consultation.State.DISPOSED:
        raise NotFound
    whole = whole_of(found.id)
    rows = disposal.certificates(whole)
    own = disposal.namespace_of(found.id)
    done = [Destroyed(number, certificate.ns != own, certificate, at) for number, certificate, at in rows]
    return sorted(done, key=lambda each: (each.room, each.certificate.first))


def stored_manifest(*, account: Account, consultation_id: str, now: datetime) -> bytes:
    """The list of what was destroyed, as it was signed."""
    return disposal.manifest_named(destroyed(account=account, consultation_id=consultation_id, now=now)[0].certificate.manifest)


def basis_words(basis: str) -> str:
    """The ground in words; nothing for none."""
    return gettext(BASES[basis]) if basis else ""


def bases_now(keeping: Keeping) -> dict[str, str]:
    """The grounds on which an officer may ask today, in words."""
    return {word: basis_words(word) for word in DISPOSAL_BASES if keeping.due or word != RETENTION_OVER}


# ------------------------------------------------------------------------------------------------------------------------ acts


@transaction.atomic(durable=True)
def request(*, account: Account, consultation_id: str, basis: str, now: datetime) -> None:
    """An officer asks for the disposal; a new request takes the place of the former. Nothing goes before both Co-Chairs have signed."""
    if not parties.is_officer(account):
        raise Forbidden("officers_only")
    keeping = kept(account=account, consultation_id=consultation_id, now=now)
    found = keeping.consultation
    if found.state == Consultation.State.DISPOSED:
        raise Conflict("not_due")
    if basis not in DISPOSAL_BASES:
        raise BadInput("bad_field", field="basis")
    _refuse_early(basis, found, now=now)
    card = parties.card_of(account)
    Consultation.objects.filter(id=found.id).update(disposal_basis=basis, disposal_requested_by=card, disposal_requested_at=now)
    journal.note(type="disposal.requested", about={"basis": basis}, now=now, by=card, scope=found.id)


def check(act: Act) -> None:
    """Before the first signature is kept, and again with the second: it was asked for, it is time, and the list is what would go now."""
    enclosures.refuse_others(act.enclosed)
    found = Consultation.objects.select_for_update().get(id=act.consultation.id)
    if found.disposal_basis != act.body["basis"]:
        raise Conflict("not_requested")
    _refuse_early(act.body["basis"], found, now=act.now, besides=act.signed.hash)
    if not act.late and hashlib.sha256(manifest_of(whole_of(found.id))).hexdigest() != act.body["manifest"]:
        raise Conflict("manifest_moved")


def dispose(act: Act) -> None:
    """Both have signed: everything goes in this transaction. Open rooms are told, and close."""
    check(act)
    whole = whole_of(act.consultation.id)
    body = act.body
    disposal.destroy(whole, basis=body["basis"], manifest=body["manifest"], disposal=act.signed.hash, now=act.now)
    Consultation.objects.filter(id=act.consultation.id).update(state=Consultation.State.DISPOSED, disposed_at=act.now)
    transaction.on_commit(lambda: fanout.notify_due(list(whole.rooms)))


def whole_of(consultation_id: str) -> Whole:
    return Whole(consultation_id, tuple(room.room for room in delivery.rooms_of(consultation_id)))


def _keeping(found: Consultation, *, now: datetime) -> Keeping:
    until = _kept_until(found)
    by = cards.card_named(found.disposal_requested_by)
    return Keeping(found, until, now >= until, f"{parties.SECRETARIAT_NAME} · {roll.name_of(by)}" if by else "")


def _kept_until(found: Consultation, *, besides: str = "") -> datetime:
    last = disposal.last_act(whole_of(found.id), besides=besides) or found.concurred_at or found.proposed_at
    return _years_later(last, found.retention_years)


def _years_later(at: datetime, years: int) -> datetime:
    """The same day that many years on; the last of February for a leap day."""
    try:
        return at.replace(year=at.year + years)
    except ValueError:
        return at.replace(year=at.year + years, day=28)


def _refuse_early(basis: str, found: Consultation, *, now: datetime, besides: str = "") -> None:
    if basis == RETENTION_OVER and now < _kept_until(found, besides=besides):
        raise Conflict("retention_runs")
