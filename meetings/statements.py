"""The closed table of statement types: which chain each stands in and the exact shape of its body (docs/protocol.md, section 2).

Pure. Who may sign, and what may follow what, is in `meetings/standing.py`. `consult/browser/crypto/acts.ts` is the same table;
`tests/vectors/statements.json` holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, cast

from secure.ed25519 import refuse_weak_key
from secure.errors import BadInput, Refusal
from secure.log.jcs import Json
from secure.statements import ROOT, Statement, is_name, unbase64

Check = Callable[[Json], bool]

SECRETARIAT: Final = "RSO"
"""The Regional Support Office: the party of officers' cards, though it is no party of any consultation."""

LEVELS: Final = ("senior_officials", "ministers")
URGENCIES: Final = ("routine", "urgent", "immediate")
PARTY_CAPACITIES: Final = ("chair", "steering_group", "affected", "invited", "observer")
DELEGATE_CAPACITIES: Final = ("head", "alternate", "adviser", "observer", "interpreter")
OFFICER_CAPACITIES: Final = ("secretariat", "chair_staff")
DISPOSAL_BASES: Final = ("retention_over", "agreed_early", "legal_order")
"""Why a consultation is disposed of; only the first waits for the end of the retention period."""
ANSWERS: Final = ("accept", "decline", "awaiting_instructions")
ROOM_KINDS: Final = ("plenary",)
MOST_PARTIES: Final = 100
XWING_KEY_LENGTH: Final = 1216


class Chain(StrEnum):
    INSTALLATION = "installation"
    ACCOUNT = "account"
    CONSULTATION = "consultation"
    ROOM = "room"


@dataclass(frozen=True)
class Kind:
    """One row of the table."""

    chain: Chain
    body: Check
    founding: bool = False
    both_chairs: bool = False
    """one body with two signatures: begins as a draft only the two see"""
    keys: tuple[str, ...] = ()
    """members of the body that are Ed25519 keys"""


def kind_of(statement: Statement) -> Kind:
    """The row for a statement whose form has been read, once its body has been found to fit; refuses what does not."""
    kind = TABLE.get(statement.type)
    if kind is None:
        raise BadInput("unknown_type")
    if kind.founding != (statement.n == 0) or not kind.body(statement.body):
        raise BadInput("malformed")
    for key in kind.keys:
        refuse_weak_key(unbase64(str(statement.body[key]), 32))
    return kind


# ------------------------------------------------------------------------------------------------------------- shapes of values


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _base64(length: int) -> Check:
    def check(value: Json) -> bool:
        try:
            return isinstance(value, str) and len(unbase64(value, length)) == length
        except Refusal:
            return False

    return check


def _matching(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _text(most: int) -> Check:
    """One line of 1 to `most` characters (code points), without control characters."""
    return lambda value: isinstance(value, str) and 1 <= len(value) <= most and not any(ord(c) < 0x20 or ord(c) == 0x7F for c in value)


def _integer(least: int, most: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _members(**checks: Check) -> Check:
    """An object with exactly these members."""

    def check(value: Json) -> bool:
        return isinstance(value, Mapping) and value.keys() == checks.keys() and all(shape(value[name]) for name, shape in checks.items())

    return check


def _rows_by_party(row: Check, value: Json, least: int, most: int) -> bool:
    """A list of such objects, sorted by party, no party twice."""
    if not isinstance(value, list) or not least <= len(value) <= most or not all(row(entry) for entry in value):
        return False
    parties = [entry["party"] for entry in value]
    return parties == sorted(set(parties))


_party = _matching(r"[A-Z][A-Z0-9-]{0,15}")


def _member(value: Json) -> bool:
    """A party which can take part: everything but the secretariat."""
    return _party(value) and value != SECRETARIAT


_name: Check = is_name
_sealed = _members(sha256=_name, commitment=_base64(32))
_history = _matching(r"opening|joining|sitting:[1-9][0-9]{0,3}")
_row = _members(party=_member, capacity=_one_of(*PARTY_CAPACITIES), history=_history)
_options = _members(marking=_text(40), retention_years=_integer(1, 100), undertaking=_name)
_reason = _members(proposal=_name, reason=_sealed)


def _chairs(value: Json) -> bool:
    if not _rows_by_party(_members(card=_name, party=_member), value, 2, 2):
        return False
    first, second = cast("list[dict[str, str]]", value)
    return first["card"] != second["card"]


def _composition(value: Json) -> bool:
    return _rows_by_party(_row, value, 2, MOST_PARTIES)


def _rooms(value: Json) -> bool:
    """Kinds of rooms: sorted, none twice, at least one."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(kind, str) and kind in ROOM_KINDS for kind in value)
        and value == sorted(set(value))
    )


def _nothing(value: Json) -> bool:
    return value == []


TABLE: Final[Mapping[str, Kind]] = {
    ROOT: Kind(Chain.INSTALLATION, _members(chairs=_chairs, log=_text(200)), founding=True, both_chairs=True),
    "party.key": Kind(
        Chain.INSTALLATION,
        _members(party=_member, card=_name, former=_or_null(_one_of("retired", "compromised"))),
        both_chairs=True,
    ),
    "account.card": Kind(
        Chain.ACCOUNT,
        _members(account_key=_base64(32), xwing_key=_base64(XWING_KEY_LENGTH), installation=_or_null(_name), party=_party),
        founding=True,
        keys=("account_key",),
    ),
    "device.add": Kind(Chain.ACCOUNT, _members(signature_key=_base64(32)), keys=("signature_key",)),
    "device.revoke": Kind(Chain.ACCOUNT, _members(device=_name)),
    "consultation.propose": Kind(
        Chain.CONSULTATION,
        _members(
            reference=_text(40),
            level=_one_of(*LEVELS),
            urgency=_one_of(*URGENCIES),
            composition=_composition,
            brief=_sealed,
            options=_options,
        ),
        founding=True,
    ),
    "consultation.return": Kind(Chain.CONSULTATION, _reason),
    "consultation.withdraw": Kind(Chain.CONSULTATION, _reason),
    "consultation.concur": Kind(Chain.CONSULTATION, _members(proposal=_name)),
    "consultation.dispose": Kind(
        Chain.CONSULTATION,
        _members(proposal=_name, basis=_one_of(*DISPOSAL_BASES), manifest=_name),
        both_chairs=True,
    ),
    "invitation.answer": Kind(Chain.CONSULTATION, _members(party=_party, answer=_one_of(*ANSWERS))),
    "accredit": Kind(
        Chain.CONSULTATION,
        _members(party=_party, card=_name, capacity=_one_of(*DELEGATE_CAPACITIES)),
    ),
    "withdraw": Kind(Chain.CONSULTATION, _members(party=_party, card=_name)),
    "undertaking": Kind(Chain.CONSULTATION, _members(card=_name, text=_name)),
    "seat": Kind(
        Chain.CONSULTATION,
        _members(card=_name, capacity=_one_of(*OFFICER_CAPACITIES), rooms=_rooms),
        both_chairs=True,
    ),
    "unseat": Kind(Chain.CONSULTATION, _members(card=_name, rooms=_rooms), both_chairs=True),
    "exclude": Kind(Chain.CONSULTATION, _members(card=_name, device=_or_null(_name)), both_chairs=True),
    "room.open": Kind(
        Chain.ROOM,
        _members(
            consultation=_name,
            kind=_one_of(*ROOM_KINDS),
            parties=_nothing,
            cards=_nothing,
            disclosure=_one_of("all"),
        ),
        founding=True,
    ),
}
