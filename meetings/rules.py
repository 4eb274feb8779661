"""When each act is due and what stands after it (docs/protocol.md, section 2): one small function per row of the table; pure.

A rule gets what stood before the statement and `seen`, the installation as its signers saw it (`up`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from meetings.standing import (
    Account,
    Accreditation,
    Consultation,
    Device,
    Installation,
    Room,
    Row,
    Seating,
    Standing,
    concurred,
    convened,
    in_place,
    invited,
    known,
    member_of,
    of_installation,
    with_account,
)
from meetings.statements import SECRETARIAT
from secure.errors import BadInput, Conflict
from secure.statements import ROOT, Signed, installation_name, unbase64

Body = Mapping[str, Any]
"""A body that has been found to fit its row of the table."""

Rule = Callable[[Standing, Signed, Installation | None], Standing]


# -------------------------------------------------------------------------------------------------------------- the installation


def _root(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
    body: Body = signed.statement.body
    chairs = {chair["party"]: chair["card"] for chair in body["chairs"]}
    for party, card in chairs.items():
        account = known(standing, card)
        if account.party != party:
            raise BadInput("wrong_party")
        if account.installation is not None:
            raise BadInput("foreign_installation")
    first = Installation(installation_name(body), signed.hash, 0, chairs, body["log"], {}, frozenset())
    return replace(standing, installation=(first,))


def _party_key(standing: Standing, signed: Signed, seen: Installation | None) -> Standing:
    body: Body = signed.statement.body
    before, party, card = in_place(seen), body["party"], body["card"]
    former = before.focal_points.get(party)
    member_of(standing, before, card, party)
    if (former is None) != (body["former"] is None) or card == former or card in before.compromised:
        raise Conflict("not_due")
    after = replace(
        before,
        hash=signed.hash,
        n=before.n + 1,
        focal_points={**before.focal_points, party: card},
        compromised=before.compromised | ({former} if former and body["former"] == "compromised" else set()),
    )
    return replace(standing, installation=(*standing.installation, after))


# ---------------------------------------------------------------------------------------------------------------------- accounts


def _card(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
    body: Body = signed.statement.body
    if body["installation"] != signed.statement.inst:
        raise BadInput("foreign_installation")
    account = Account(
        card=signed.hash,
        party=body["party"],
        installation=body["installation"],
        account_key=unbase64(body["account_key"], 32),
        xwing_key=unbase64(body["xwing_key"], 1216),
        places=(signed.hash,),
        up=signed.statement.up,
        devices={},
    )
    return with_account(standing, account)


def _device_add(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
    account = known(standing, signed.scope_name)
    key = unbase64(str(signed.statement.body["signature_key"]), 32)
    if key == account.account_key or any(device.signature_key == key for device in account.devices.values()):
        raise Conflict("not_due")
    return with_account(standing, replace(account, devices={**account.devices, signed.hash: Device(key)}))


def _device_revoke(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
    account = known(standing, signed.scope_name)
    name = str(signed.statement.body["device"])
    device = account.devices.get(name)
    if device is None:
        raise BadInput("unknown_device")
    if device.revoked:
        raise Conflict("not_due")
    revoked = {**account.devices, name: replace(device, revoked=True)}
    return with_account(standing, replace(account, devices=revoked))


# ------------------------------------------------------------------------------------------------------------------ consultation


def _propose(standing: Standing, signed: Signed, seen: Installation | None) -> Standing:
    body: Body = signed.statement.body
    composition = {row["party"]: Row(row["capacity"], row["history"]) for row in body["composition"]}
    chairing = {party for party, row in composition.items() if row.capacity == "chair"}
    if chairing != set(in_place(seen).chairs):
        raise BadInput("wrong_party")
    consultation = Consultation(
        id=signed.hash,
        places=(signed.hash,),
        up=str(signed.statement.up),
        proposer=signed.cards[0],
        composition=composition,
        undertaking=body["options"]["undertaking"],
        state="proposed",
    )
    return replace(standing, consultation=consultation)


def _ends(state: str) -> Rule:
    """The second statement: it answers exactly this proposal, which nothing else has answered."""

    def rule(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
        consultation = convened(standing)
        if consultation.state != "proposed":
            raise Conflict("not_due")
        if signed.statement.body["proposal"] != consultation.id:
            raise BadInput("wrong_scope")
        return replace(standing, consultation=replace(consultation, state=state))

    return rule


def _answer(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
    body: Body = signed.statement.body
    consultation = concurred(standing)
    invited(consultation, body["party"])
    answers = {**consultation.answers, body["party"]: body["answer"]}
    return replace(standing, consultation=replace(consultation, answers=answers))


def _accredit(standing: Standing, signed: Signed, seen: Installation | None) -> Standing:
    body: Body = signed.statement.body
    consultation, party, card = concurred(standing), body["party"], body["card"]
    invited(consultation, party)
    member_of(standing, in_place(seen), card, party)
    if card in consultation.excluded:
        raise Conflict("excluded")
    if card in in_place(seen).chair_cards or card in consultation.seated:
        raise Conflict("already_seated")
    accredited = {
        other: accreditation
        for other, accreditation in consultation.accredited.items()
        if not (body["capacity"] == accreditation.capacity == "head" and accreditation.party == party)
    }
    accredited[card] = Accreditation(party, body["capacity"], signed.cards[0])
    return replace(standing, consultation=replace(consultation, accredited=accredited))


def _withdraw(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
    body: Body = signed.statement.body
    consultation = concurred(standing)
    invited(consultation, body["party"])
    accreditation = consultation.accredited.get(body["card"])
    if accreditation is None or accreditation.party != body["party"]:
        raise Conflict("not_due")
    accredited = {card: kept for card, kept in consultation.accredited.items() if card != body["card"]}
    return replace(standing, consultation=replace(consultation, accredited=accredited))


def _undertake(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
    body: Body = signed.statement.body
    consultation, card = concurred(standing), body["card"]
    if body["text"] != consultation.undertaking:
        raise BadInput("undertaking_differs")
    if card not in consultation.accredited and card not in consultation.seated:
        raise Conflict("not_due")
    if card in consultation.undertaken or card in consultation.excluded:
        raise Conflict("not_due")
    return replace(standing, consultation=replace(consultation, undertaken=consultation.undertaken | {card}))


def _seat(standing: Standing, signed: Signed, seen: Installation | None) -> Standing:
    body: Body = signed.statement.body
    consultation, chairs, card = concurred(standing), in_place(seen).chairs, body["card"]
    account = of_installation(standing, in_place(seen), card)
    parties = {SECRETARIAT} if body["capacity"] == "secretariat" else set(chairs)
    if account.party not in parties:
        raise BadInput("wrong_party")
    if card in consultation.excluded:
        raise Conflict("excluded")
    seated = consultation.seated.get(card)
    rooms = seated.rooms if seated else ()
    if card in chairs.values() or card in consultation.accredited or set(body["rooms"]) <= set(rooms):
        raise Conflict("already_seated")
    seating = Seating(body["capacity"], tuple(sorted({*rooms, *body["rooms"]})))
    return replace(standing, consultation=replace(consultation, seated={**consultation.seated, card: seating}))


def _unseat(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
    body: Body = signed.statement.body
    consultation = concurred(standing)
    seating = consultation.seated.get(body["card"])
    if seating is None or not set(body["rooms"]) <= set(seating.rooms):
        raise Conflict("not_due")
    rooms = tuple(kind for kind in seating.rooms if kind not in body["rooms"])
    seated = {card: kept for card, kept in consultation.seated.items() if card != body["card"]}
    if rooms:
        seated[body["card"]] = replace(seating, rooms=rooms)
    return replace(standing, consultation=replace(consultation, seated=seated))


def _exclude(standing: Standing, signed: Signed, seen: Installation | None) -> Standing:
    """A device need not be known here: an account's own chain has no fixed order relative to this one."""
    body: Body = signed.statement.body
    consultation, card, device = concurred(standing), body["card"], body["device"]
    known(standing, card)
    if card in consultation.excluded or (card, device) in consultation.excluded_devices:
        raise Conflict("not_due")
    if device is not None:
        devices = consultation.excluded_devices | {(card, device)}
        return replace(standing, consultation=replace(consultation, excluded_devices=devices))
    if card in in_place(seen).chair_cards:
        raise Conflict("not_due")
    return replace(standing, consultation=replace(consultation, excluded=consultation.excluded | {card}))


def _dispose(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
    """The last statement of its chain: every seat ends, nothing more is due."""
    consultation = concurred(standing)
    if signed.statement.body["proposal"] != consultation.id:
        raise BadInput("wrong_scope")
    return replace(standing, consultation=replace(consultation, state="disposed"))


def _open(standing: Standing, signed: Signed, _seen: Installation | None) -> Standing:
    """A room of a consultation that was disposed of since was lawful when it was opened: its `up` is an earlier place."""
    body: Body = signed.statement.body
    consultation = convened(standing)
    disposed = consultation.state == "disposed"
    if not disposed:
        concurred(standing)
    if body["consultation"] != consultation.id:
        raise BadInput("wrong_scope")
    # Place 1 of a consultation that was concurred is the concurrence; before it there is nothing to open, nor after the disposal.
    place = consultation.places.index(str(signed.statement.up))
    if place < 1 or (disposed and place == len(consultation.places) - 1):
        raise Conflict("not_due")
    if any(room.kind == body["kind"] for room in standing.rooms.values()):
        raise Conflict("room_exists")
    room = Room(signed.hash, body["kind"])
    return replace(standing, rooms={**standing.rooms, signed.hash: room})


RULES: Final[Mapping[str, Rule]] = {
    ROOT: _root,
    "party.key": _party_key,
    "account.card": _card,
    "device.add": _device_add,
    "device.revoke": _device_revoke,
    "consultation.propose": _propose,
    "consultation.return": _ends("returned"),
    "consultation.withdraw": _ends("withdrawn"),
    "consultation.concur": _ends("concurred"),
    "invitation.answer": _answer,
    "accredit": _accredit,
    "withdraw": _withdraw,
    "undertaking": _undertake,
    "seat": _seat,
    "unseat": _unseat,
    "exclude": _exclude,
    "consultation.dispose": _dispose,
    "room.open": _open,
}
