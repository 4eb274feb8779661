"""Convening: one Co-Chair proposes, the other concurs or returns; then, and only then, a room may be opened."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from meetings import enclosures, installation, parties, seating
from meetings.models import Composition, Consultation, ProposalDraft
from secure import delivery, limits, mls_checks, sealed_texts
from secure.errors import Conflict, Forbidden, NotFound
from secure.mls_checks import PublicState

if TYPE_CHECKING:
    from meetings.act import Act
    from secure.models import Account

_ENDED = {"consultation.return": Consultation.State.RETURNED, "consultation.withdraw": Consultation.State.WITHDRAWN}


def propose(act: Act) -> None:
    """The proposal exists for the two Co-Chairs and nobody else: its brief is wrapped for exactly these two."""
    body = act.body
    installation.refuse_unknown_parties(row["party"] for row in body["composition"])
    consultation = Consultation.objects.create(
        id=act.signed.hash,
        reference=body["reference"],
        level=body["level"],
        urgency=body["urgency"],
        state=Consultation.State.PROPOSED,
        proposer=act.signed.cards[0],
        brief=body["brief"]["sha256"],
        marking=body["options"]["marking"],
        retention_years=body["options"]["retention_years"],
        undertaking=body["options"]["undertaking"],
        proposed_at=act.now,
    )
    Composition.objects.bulk_create(
        Composition(consultation=consultation, party_id=row["party"], capacity=row["capacity"], history=row["history"])
        for row in body["composition"]
    )
    _keep_sealed(act, "brief", body["brief"])


def end(act: Act) -> None:
    """Returned by the other Co-Chair, or withdrawn by the proposing one, with a sealed reason for the two."""
    _keep_sealed(act, "reason", act.body["reason"])
    Consultation.objects.filter(id=act.consultation.id).update(
        state=_ENDED[act.type], reason=act.body["reason"]["sha256"], ended_at=act.now
    )


def concur(act: Act) -> None:
    """The other Co-Chair agrees to exactly that proposal. Every invited party's focal point gets the brief with the same request.

    The chairing parties' own focal points may get it now too; if not, the next holder that is online serves them.
    """
    enclosures.refuse_others(act.enclosed, "wraps")
    consultation = Consultation.objects.get(id=act.consultation.id)
    boxes = enclosures.wraps(act.enclosed)
    focal_points = installation.established().focal_points
    has = sealed_texts.wrapped_for(consultation.brief)
    needed = {
        focal_points[party] for party, row in act.consultation.composition.items() if row.capacity != "chair" and party in focal_points
    }
    enclosures.refuse_incomplete(boxes, needed=needed - has, entitled=seating.entitled(act.after))
    sealed_texts.wrap(sha256=consultation.brief, boxes=boxes)
    Consultation.objects.filter(id=consultation.id).update(state=Consultation.State.CONCURRED, concurred_at=act.now)


def open_room(act: Act) -> None:
    """The opener's device is the room's first leaf. A second opening is refused, and its client joins instead."""
    enclosures.refuse_others(act.enclosed, "group_info", "tree")
    if act.consultation.state == "disposed":
        raise Conflict("not_due")
    state = PublicState(
        enclosures.octets(act.enclosed, "group_info", most=limits.GROUP_INFO_BYTES),
        enclosures.octets(act.enclosed, "tree", most=limits.TREE_BYTES),
    )
    founder = mls_checks.check_founding(room_id=act.signed.hash, state=state)
    if founder.card not in act.signed.cards:
        raise Forbidden("not_this_device")
    delivery.open_room(
        room_id=act.signed.hash,
        scope=act.consultation.id,
        kind=act.body["kind"],
        group_info=state.group_info,
        tree=state.tree,
        client_hash=founder.device,
        now=act.now,
    )
    Consultation.objects.filter(id=act.consultation.id).update(state=Consultation.State.OPEN, opened_at=act.now)


def _keep_sealed(act: Act, name: str, sealed: dict[str, str]) -> None:
    """The ciphertext the statement names, with a wrap for each Co-Chair."""
    enclosures.refuse_others(act.enclosed, name, "wraps")
    ciphertext = enclosures.octets(act.enclosed, name, most=sealed_texts.CIPHERTEXT_BYTES)
    boxes = enclosures.wraps(act.enclosed)
    chairs = set(installation.established().chairs.values())
    enclosures.refuse_incomplete(boxes, needed=chairs, entitled=chairs)
    sealed_texts.keep(ciphertext=ciphertext, sha256=sealed["sha256"], commitment=sealed["commitment"], scope=act.consultation.id)
    sealed_texts.wrap(sha256=sealed["sha256"], boxes=boxes)


# ------------------------------------------------------------------------------------------------------- proposals in preparation

DRAFT_BYTES = 256 * 1024
MOST_DRAFTS = 50


def keep_draft(*, account: Account, draft: str, box: bytes, now: datetime) -> None:
    """Keep a proposal in preparation, sealed by its author to the author's own card. A name somebody else uses is not found."""
    if not parties.is_chair(account):
        raise Forbidden("chairs_only")
    if ProposalDraft.objects.filter(id=draft).exclude(account=account).exists():
        raise NotFound
    if ProposalDraft.objects.filter(account=account).exclude(id=draft).count() >= MOST_DRAFTS:
        raise Conflict("too_many_drafts")
    ProposalDraft.objects.update_or_create(id=draft, defaults={"account": account, "box": box, "at": now})


def drafts_of(account: Account) -> list[ProposalDraft]:
    """The person's own, newest first."""
    return list(ProposalDraft.objects.filter(account=account).order_by("-at", "id"))


def discard_draft(*, account: Account, draft: str) -> None:
    if not ProposalDraft.objects.filter(account=account, id=draft).delete()[0]:
        raise NotFound
