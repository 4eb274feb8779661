"""Who must sign each act. Pure; a question gets what stood before, and the installation as the signers saw it (`up`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from meetings.standing import Installation, Standing, convened, in_place
from secure.statements import ROOT, Signed

Body = Mapping[str, Any]
"""A body that has been found to fit its row of the table."""


@dataclass(frozen=True)
class Signers:
    """`count` of these cards, and nobody else."""

    cards: frozenset[str]
    count: int = 1


def _both_in_body(_standing: Standing, signed: Signed, _seen: Installation | None) -> Signers:
    body: Body = signed.statement.body
    return Signers(frozenset(chair["card"] for chair in body["chairs"]), 2)


def _both_chairs(_standing: Standing, _signed: Signed, seen: Installation | None) -> Signers:
    return Signers(in_place(seen).chair_cards, 2)


def _a_chair(_standing: Standing, _signed: Signed, seen: Installation | None) -> Signers:
    return Signers(in_place(seen).chair_cards)


def _other_chair(standing: Standing, _signed: Signed, seen: Installation | None) -> Signers:
    return Signers(in_place(seen).chair_cards - {convened(standing).proposer})


def _proposer(standing: Standing, _signed: Signed, _seen: Installation | None) -> Signers:
    return Signers(frozenset({convened(standing).proposer}))


def _focal_point(_standing: Standing, signed: Signed, seen: Installation | None) -> Signers:
    card = in_place(seen).focal_points.get(str(signed.statement.body["party"]))
    return Signers(frozenset({card} if card else set()))


def _own_card(_standing: Standing, signed: Signed, _seen: Installation | None) -> Signers:
    """The card whose chain it is; the statement itself when it founds the chain."""
    return Signers(frozenset({signed.scope_name}))


def _named_card(_standing: Standing, signed: Signed, _seen: Installation | None) -> Signers:
    return Signers(frozenset({str(signed.statement.body["card"])}))


Asks = Callable[[Standing, Signed, Installation | None], Signers]

SIGNERS: Final[Mapping[str, Asks]] = {
    ROOT: _both_in_body,
    "party.key": _both_chairs,
    "account.card": _own_card,
    "device.add": _own_card,
    "device.revoke": _own_card,
    "consultation.propose": _a_chair,
    "consultation.return": _other_chair,
    "consultation.withdraw": _proposer,
    "consultation.concur": _other_chair,
    "consultation.dispose": _both_chairs,
    "invitation.answer": _focal_point,
    "accredit": _focal_point,
    "withdraw": _focal_point,
    "undertaking": _named_card,
    "seat": _both_chairs,
    "unseat": _both_chairs,
    "exclude": _both_chairs,
    "room.open": _a_chair,
}
