"""Statements ready to be signed: the right place in the right chain, and a body that fits the table.

Browsers draft their own (`consult/browser/crypto/acts.ts`); this is for whoever signs in Python: the demonstration, and tests.
Each takes what stands (`meetings/standing.py`) and returns an unsigned statement; `secure.statements.sign` signs it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meetings.standing import Account, Consultation, Standing, convened, in_place, known
from meetings.statements import TABLE, Chain
from secure.log.jcs import Json
from secure.statements import ROOT, Statement, new_nonce


@dataclass(frozen=True)
class Sealed:
    """A sealed text as statements name it: SHA-256 (hex) of its ciphertext, commitment (32 bytes) to its key."""

    sha256: str
    commitment: bytes

    def value(self) -> dict[str, Json]:
        return {"sha256": self.sha256, "commitment": base64.b64encode(self.commitment).decode()}


@dataclass(frozen=True)
class Invited:
    """One row of a composition."""

    party: str
    capacity: str
    history: str = "opening"


def draft(standing: Standing, type: str, body: Mapping[str, Json], *, card: str | None = None, nonce: str | None = None) -> Statement:
    """The next statement of the chain that this type belongs to; `card` names the account for types of an account's chain."""
    kind = TABLE[type]
    inst = standing.newest.inst if standing.newest and type != ROOT else None
    up = standing.newest.hash if standing.newest and kind.chain is not Chain.INSTALLATION else None
    if kind.chain is Chain.ROOM:
        up = convened(standing).places[-1]
    scope, prev, n = None, None, 0
    if kind.chain is Chain.INSTALLATION and not kind.founding:
        view = in_place(standing.newest)
        scope, prev, n = view.inst, view.hash, view.n + 1
    elif not kind.founding:
        before: Account | Consultation = known(standing, str(card)) if kind.chain is Chain.ACCOUNT else convened(standing)
        scope, prev, n = before.places[0], before.places[-1], len(before.places)
        if isinstance(before, Account) and before.installation is None:
            inst = up = None
    return Statement(type=type, inst=inst, scope=scope, n=n, prev=prev, up=up, nonce=nonce or new_nonce(), body=body)


def draft_root(standing: Standing, *, chairs: Mapping[str, str], log: str) -> Statement:
    """`chairs`: party → card; `log`: the record's verifier key."""
    rows = [{"card": chairs[party], "party": party} for party in sorted(chairs)]
    return draft(standing, ROOT, {"chairs": rows, "log": log})


def draft_party_key(standing: Standing, *, party: str, card: str, former: str | None) -> Statement:
    return draft(standing, "party.key", {"party": party, "card": card, "former": former})


def draft_card(standing: Standing, *, account_key: bytes, xwing_key: bytes, party: str) -> Statement:
    """A card for the present installation; before there is one, a chair's. The hash of the statement is the card's name."""
    body = {
        "account_key": base64.b64encode(account_key).decode(),
        "xwing_key": base64.b64encode(xwing_key).decode(),
        "installation": standing.newest.inst if standing.newest else None,
        "party": party,
    }
    return draft(standing, "account.card", body)


def draft_device_add(standing: Standing, *, card: str, signature_key: bytes) -> Statement:
    return draft(standing, "device.add", {"signature_key": base64.b64encode(signature_key).decode()}, card=card)


def draft_device_revoke(standing: Standing, *, card: str, device: str) -> Statement:
    return draft(standing, "device.revoke", {"device": device}, card=card)


def draft_propose(
    standing: Standing,
    *,
    reference: str,
    level: str,
    urgency: str,
    composition: Sequence[Invited],
    brief: Sealed,
    marking: str,
    retention_years: int,
    undertaking: str,
) -> Statement:
    """`undertaking`: SHA-256 (hex) of the undertaking's text. The hash of the statement is the consultation's name."""
    rows = sorted(composition, key=lambda row: row.party)
    body = {
        "reference": reference,
        "level": level,
        "urgency": urgency,
        "composition": [{"party": row.party, "capacity": row.capacity, "history": row.history} for row in rows],
        "brief": brief.value(),
        "options": {"marking": marking, "retention_years": retention_years, "undertaking": undertaking},
    }
    return draft(standing, "consultation.propose", body)


def draft_return(standing: Standing, *, reason: Sealed) -> Statement:
    return draft(standing, "consultation.return", {"proposal": convened(standing).id, "reason": reason.value()})


def draft_withdraw_proposal(standing: Standing, *, reason: Sealed) -> Statement:
    return draft(standing, "consultation.withdraw", {"proposal": convened(standing).id, "reason": reason.value()})


def draft_concur(standing: Standing) -> Statement:
    return draft(standing, "consultation.concur", {"proposal": convened(standing).id})


def draft_answer(standing: Standing, *, party: str, answer: str) -> Statement:
    return draft(standing, "invitation.answer", {"party": party, "answer": answer})


def draft_accredit(standing: Standing, *, party: str, card: str, capacity: str) -> Statement:
    return draft(standing, "accredit", {"party": party, "card": card, "capacity": capacity})


def draft_withdraw(standing: Standing, *, party: str, card: str) -> Statement:
    return draft(standing, "withdraw", {"party": party, "card": card})


def draft_undertaking(standing: Standing, *, card: str) -> Statement:
    return draft(standing, "undertaking", {"card": card, "text": convened(standing).undertaking})


def draft_seat(standing: Standing, *, card: str, capacity: str, rooms: Sequence[str] = ("plenary",)) -> Statement:
    return draft(standing, "seat", {"card": card, "capacity": capacity, "rooms": sorted(rooms)})


def draft_unseat(standing: Standing, *, card: str, rooms: Sequence[str] = ("plenary",)) -> Statement:
    return draft(standing, "unseat", {"card": card, "rooms": sorted(rooms)})


def draft_exclude(standing: Standing, *, card: str, device: str | None = None) -> Statement:
    return draft(standing, "exclude", {"card": card, "device": device})


def draft_dispose(standing: Standing, *, basis: str, manifest: str) -> Statement:
    """`manifest`: SHA-256 (hex) of the list of what will be destroyed."""
    return draft(standing, "consultation.dispose", {"proposal": convened(standing).id, "basis": basis, "manifest": manifest})


def draft_room_open(standing: Standing, *, kind: str = "plenary") -> Statement:
    """The hash of the statement is the room's name and the MLS group id."""
    body = {"consultation": convened(standing).id, "kind": kind, "parties": [], "cards": [], "disclosure": "all"}
    return draft(standing, "room.open", body)
