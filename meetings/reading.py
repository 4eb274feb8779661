"""Chains as the server has them stored, gathered for the pure functions which judge statements and compute seats."""

from __future__ import annotations

from collections.abc import Iterable

from meetings.judging import judge
from meetings.proving import cards_named
from meetings.roster import Chains, stand
from meetings.standing import Standing
from meetings.statements import TABLE, Chain
from secure import chains
from secure.statements import ROOT, Signed, is_name


def read_chains(consultation: str | None = None, *, also: Iterable[str] = ()) -> Chains:
    """The installation, one consultation with its rooms, and the accounts of every card named in them; `also` are further cards."""
    root = chains.founded_by(ROOT)
    installation = chains.read(root[0]) if root else []
    convened = chains.read(consultation) if consultation else []
    rooms = chains.founded_under("room.open", ups=[signed.hash for signed in convened])
    cards = {*also, *cards_named([*installation, *convened])}
    stored = chains.read_many([*cards, *rooms])
    return Chains(
        installation=tuple(installation),
        accounts={card: tuple(stored[card]) for card in sorted(cards) if card in stored},
        consultation=tuple(convened),
        rooms={room: tuple(stored[room]) for room in rooms},
    )


def standing_for(signed: Signed) -> Standing:
    """What stands before this statement, as far as it matters for judging it."""
    return stand(read_chains(consultation_of(signed), also=_cards_for(signed)))


def lawful(signed: Signed, *, draft: bool = False) -> Standing:
    """What stands after this new statement; refuses it if it is not lawful now. With `draft` one signature of several is enough."""
    return judge(standing_for(signed), signed, draft=draft)


def consultation_of(signed: Signed) -> str | None:
    """The consultation that a statement says it belongs to; None for a proposal, and outside consultations."""
    kind = TABLE.get(signed.statement.type)
    if kind is None:
        return None
    if kind.chain is Chain.CONSULTATION:
        return signed.statement.scope
    named = signed.statement.body.get("consultation")
    return named if kind.chain is Chain.ROOM and is_name(named) else None


def _cards_for(signed: Signed) -> set[str]:
    """Cards to judge it with; an account's own chain goes by the card's name."""
    kind = TABLE.get(signed.statement.type)
    own = {signed.scope_name} if kind is not None and kind.chain is Chain.ACCOUNT else set()
    return own | cards_named([signed])


__all__ = ["cards_named", "consultation_of", "lawful", "read_chains", "standing_for"]
