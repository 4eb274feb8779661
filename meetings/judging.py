"""Judges statements: is this one lawful after those? (docs/protocol.md, section 2). Pure: no clock, no database.

`follow` asks, in this order, and `consult/browser/crypto/judging.ts` does the same:

1. the type is known and the body has its exact shape;
2. it belongs to this installation;
3. it continues its chain (`scope`, `n`, `prev`);
4. `up` is in the enclosing chain and does not go back;
5. exactly those signed who must;
6. the act is due (`meetings/rules.py`).

`judge` asks two more before the server takes a new statement: 7. the signatures verify; 8. those who signed may still sign at the newest
head of the installation, so a former key cannot act by pointing at the past.
"""

from __future__ import annotations

from dataclasses import replace

from meetings.rules import RULES
from meetings.signers import SIGNERS, Signers
from meetings.standing import Account, Consultation, Installation, Standing
from meetings.statements import Chain, Kind, kind_of
from secure.errors import BadInput, Conflict, Forbidden
from secure.statements import ROOT, Signed, Statement, verify_signature


def follow(standing: Standing, signed: Signed, *, draft: bool = False) -> Standing:
    """What stands after this statement; refuses it if it is not lawful. With `draft` one signature of several is enough.

    The signatures are for the caller to check (`check_signatures`), unless they were checked when the statement came in.
    """
    statement = signed.statement
    kind = kind_of(statement)
    _right_installation(standing, statement, kind)
    _next_place(standing, signed, kind)
    seen = _seen(standing, statement, kind)
    _signed_by(SIGNERS[statement.type](standing, signed, seen), signed, draft=draft)
    return _placed(RULES[statement.type](standing, signed, seen), signed, kind)


def judge(standing: Standing, signed: Signed, *, draft: bool = False) -> Standing:
    """What stands after a statement that is new to us; refuses it if it is not lawful now."""
    after = follow(standing, signed, draft=draft)
    check_signatures(after, signed)
    if standing.newest is not None:
        _signed_by(SIGNERS[signed.statement.type](standing, signed, standing.newest), signed, draft=draft)
    return after


def check_signatures(standing: Standing, signed: Signed) -> None:
    """Every signature verifies under the key of the card it names."""
    for card in signed.cards:
        account = standing.accounts.get(card)
        if account is None:
            raise BadInput("unknown_card")
        verify_signature(signed, card=card, account_key=account.account_key)


def _right_installation(standing: Standing, statement: Statement, kind: Kind) -> None:
    if statement.type == ROOT:
        expected = None
    elif kind.chain is Chain.ACCOUNT:
        expected = _account_installation(standing, statement)
    else:
        if standing.newest is None:
            raise BadInput("no_installation")
        expected = standing.newest.inst
    if statement.inst != expected:
        raise BadInput("foreign_installation")


def _account_installation(standing: Standing, statement: Statement) -> str | None:
    """A card says itself whether it was made for an installation; then it must be this one."""
    if statement.scope is not None:
        account = standing.accounts.get(statement.scope)
        return account.installation if account else statement.inst
    if statement.inst is not None and (standing.newest is None or standing.newest.inst != statement.inst):
        raise BadInput("foreign_installation" if standing.newest else "no_installation")
    return statement.inst


def _next_place(standing: Standing, signed: Signed, kind: Kind) -> None:
    statement = signed.statement
    places = _places(standing, signed, kind)
    if statement.scope is not None and not places:
        raise BadInput("no_such_chain")
    if statement.scope_name != _chain_name(standing, signed, kind):
        raise BadInput("wrong_scope")
    if statement.n != len(places) or statement.prev != (places[-1] if places else None):
        raise Conflict("head_moved", n=len(places) - 1, head=places[-1] if places else None)


def _chain_name(standing: Standing, signed: Signed, kind: Kind) -> str:
    if kind.chain is Chain.INSTALLATION and standing.newest:
        return standing.newest.inst
    if kind.chain is Chain.CONSULTATION and standing.consultation and signed.statement.scope:
        return standing.consultation.id
    return signed.scope_name


def _places(standing: Standing, signed: Signed, kind: Kind) -> tuple[str, ...]:
    """The statements which the chain already has, by place."""
    name = signed.scope_name
    if kind.chain is Chain.INSTALLATION:
        return tuple(view.hash for view in standing.installation)
    if kind.chain is Chain.ACCOUNT:
        return standing.accounts[name].places if name in standing.accounts else ()
    if kind.chain is Chain.CONSULTATION:
        found = standing.consultation
        return found.places if found and (signed.statement.scope or found.id == name) else ()
    return (name,) if name in standing.rooms else ()


def _seen(standing: Standing, statement: Statement, kind: Kind) -> Installation | None:
    """The installation as the signers saw it."""
    if kind.chain is Chain.INSTALLATION:
        _nothing_above(statement)
        return standing.newest
    if kind.chain is Chain.ROOM:
        found = standing.consultation
        if found is None or statement.up not in found.places:
            raise BadInput("up_unknown")
        return standing.newest
    if statement.inst is None:
        _nothing_above(statement)
        return None
    return _view(standing, statement, _before(standing, statement, kind))


def _nothing_above(statement: Statement) -> None:
    if statement.up is not None:
        raise BadInput("up_unknown")


def _before(standing: Standing, statement: Statement, kind: Kind) -> Account | Consultation | None:
    if statement.scope is None:
        return None
    return standing.accounts[statement.scope] if kind.chain is Chain.ACCOUNT else standing.consultation


def _view(standing: Standing, statement: Statement, before: Account | Consultation | None) -> Installation:
    places = [view.hash for view in standing.installation]
    if statement.up not in places:
        raise BadInput("up_unknown")
    place = places.index(statement.up)
    if before is not None and before.up is not None and place < places.index(before.up):
        raise BadInput("up_back")
    return standing.installation[place]


def _signed_by(signers: Signers, signed: Signed, *, draft: bool) -> None:
    count = len(signed.cards)
    enough = 1 <= count <= signers.count if draft else count == signers.count
    if not enough or not signers.cards.issuperset(signed.cards):
        raise Forbidden("wrong_signer")


def _placed(after: Standing, signed: Signed, kind: Kind) -> Standing:
    """The chain's own account of its places and of the view it was last signed under."""
    statement = signed.statement
    if statement.scope is None:
        return after
    if kind.chain is Chain.ACCOUNT:
        account = after.accounts[statement.scope]
        grown = replace(account, places=(*account.places, signed.hash), up=statement.up)
        return replace(after, accounts={**after.accounts, account.card: grown})
    if kind.chain is Chain.CONSULTATION and after.consultation is not None:
        consultation = after.consultation
        places = (*consultation.places, signed.hash)
        return replace(after, consultation=replace(consultation, places=places, up=str(statement.up)))
    return after
