"""Statements as evidence: are they what was signed, in their places, by those who could, and does each have its entry in the record? Pure.

Whoever keeps chains in whatever form (the database, a bundle, a folder) gives them as rows. The checks are numbered on from those of
`secure/log/verifier.py`:

14. a statement is canonical, names its own hash, and stands where it is kept
15. every signature on it holds, and `chairs.root` names this log
16. it has one entry, in its own scope's series, in the order of its chain
19. it was lawful in its place
26. what was disposed of, both Co-Chairs have signed away
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from meetings.judging import follow
from meetings.roster import Chains, ordered
from meetings.standing import Standing
from meetings.statements import TABLE, Chain
from secure import statements
from secure.errors import Refusal
from secure.log import jcs
from secure.log.encoding import Event
from secure.log.entries import Fault, Pruned
from secure.statements import Signed

STATEMENT, SIGNATURE, EVENT_OF_STATEMENT, RULES, DISPOSAL = 14, 15, 16, 19, 26
DISPOSE: Final = "consultation.dispose"

Row = tuple[str, str, str, int, bytes]
"""(hash, type, scope, n, body) as kept; sorted by scope and n."""


@dataclass(frozen=True)
class Stated:
    """A statement that could be read."""

    signed: Signed
    type: str
    scope: str
    n: int


@dataclass
class Proving:
    """Reads rows, hears of events, then says what does not hold. `known` are the statements by hash."""

    known: dict[str, Stated] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    count: int = 0
    _by_tag: dict[str, list[str]] = field(default_factory=dict)

    def read(self, rows: Iterable[Row]) -> None:
        """Check 14."""
        scope, n, prev = "", -1, None
        for hash_, type_, kept_in, place, body in rows:
            self.count += 1
            signed = _parsed(body)
            where = f"statement {hash_[:16]}"
            if signed is None:
                self.faults.append(Fault(STATEMENT, where, "its bytes are not a statement"))
                continue
            statement = signed.statement
            if (signed.hash, statement.type, signed.scope_name, statement.n) != (hash_, type_, kept_in, place):
                self.faults.append(Fault(STATEMENT, where, "its bytes were changed"))
                continue
            before = (n, prev) if scope == kept_in else (-1, None)
            if (place, statement.prev) != (before[0] + 1, before[1]):
                self.faults.append(Fault(STATEMENT, where, "the statement before it in its chain is missing"))
            scope, n, prev = kept_in, place, hash_
            self.known[hash_] = Stated(signed, type_, kept_in, place)

    def device_keys(self) -> list[bytes]:
        """The signature keys of all devices that were ever added."""
        return [_key(found, "signature_key") for found in self.known.values() if found.type == "device.add"]

    def account_keys(self) -> dict[str, bytes]:
        return {hash_: _key(found, "account_key") for hash_, found in self.known.items() if found.type == "account.card"}

    def hear(self, index: int, event: Event) -> None:
        """An event of the log, in order: part of check 16."""
        if event.statement is None:
            return
        self._by_tag.setdefault(event.ns, []).append(event.statement)
        found = self.known.get(event.statement)
        if found is None or found.type != event.type:
            self.faults.append(Fault(EVENT_OF_STATEMENT, f"entry {index}", "its statement is missing"))

    def check_signatures(self, *logs: str) -> None:
        """Check 15; `logs` are the keys that the record may have, as vkeys."""
        keys = self.account_keys()
        for hash_, found in self.known.items():
            where = f"statement {hash_[:16]} ({found.type})"
            for card in found.signed.cards:
                try:
                    statements.verify_signature(found.signed, card=card, account_key=keys.get(card, b""))
                except Refusal:
                    self.faults.append(Fault(SIGNATURE, where, f"the signature of card {card[:16]} does not hold"))
            if found.type == statements.ROOT and found.signed.statement.body.get("log") not in logs:
                self.faults.append(Fault(SIGNATURE, where, "the Co-Chairs named another log's key"))

    def check_disposals(self, scopes: Mapping[str, str], pruned: Iterable[Pruned]) -> None:
        """Check 26: a certificate is the host's word; the statement it names is not."""
        for each in pruned:
            certificate = each.certificate
            scope = scopes.get(certificate.ns, "")
            opening = self.known.get(scope)
            consultation = consultation_of(opening.signed) if opening is not None and opening.type == "room.open" else scope
            found = self.known.get(certificate.disposal)
            body = found.signed.statement.body if found else {}
            said = (found.type, found.scope) if found else ("", "")
            if said != (DISPOSE, consultation) or (body.get("basis"), body.get("manifest")) != (certificate.basis, certificate.manifest):
                where = f"the disposal of entries {certificate.first} to {certificate.last}"
                self.faults.append(Fault(DISPOSAL, where, "both Co-Chairs have not signed it"))

    def check_entries(self, scopes: Mapping[str, str], *, pending: Iterable[Event] = (), disposed: frozenset[str] = frozenset()) -> None:
        """Check 16, once every event was heard. `scopes` are the series' names by tag; `pending` events have no entry yet; of the
        series in `disposed` only what came after the disposal has one.
        """
        in_order = {tag: list(hashes) for tag, hashes in self._by_tag.items()}
        for event in pending:
            if event.statement:
                in_order.setdefault(event.ns, []).append(event.statement)
        gone = {scopes.get(tag) for tag in disposed}
        recorded = {hash_ for hash_, stated in self.known.items() if stated.scope in gone and stated.type != DISPOSE}
        for tag, hashes in in_order.items():
            found = [self.known[hash_] for hash_ in hashes if hash_ in self.known]
            if any(statement.scope != scopes.get(tag) for statement in found):
                self.faults.append(Fault(EVENT_OF_STATEMENT, f"series {tag}", "it holds another chain's statements"))
            first = found[0].n if tag in disposed and found else 0
            if [statement.n for statement in found] != list(range(first, first + len(found))):
                what = "its statements are not in their order, or one is there twice"
                self.faults.append(Fault(EVENT_OF_STATEMENT, f"series {tag}", what))
            recorded.update(hashes)
        for hash_ in self.known.keys() - recorded:
            self.faults.append(Fault(EVENT_OF_STATEMENT, f"statement {hash_[:16]}", "it was accepted without an entry"))

    def check_rules(self) -> None:
        """Check 19: judged again by the rules of procedure, from the first one on."""
        chains: dict[str, list[Stated]] = {}
        for found in self.known.values():
            chains.setdefault(found.scope, []).append(found)
        kinds = {scope: TABLE[chain[0].type].chain for scope, chain in chains.items() if chain[0].type in TABLE}
        signed = {scope: tuple(found.signed for found in chain) for scope, chain in chains.items()}
        accounts = {scope: signed[scope] for scope, kind in kinds.items() if kind is Chain.ACCOUNT}
        installation = tuple(each for scope, kind in kinds.items() if kind is Chain.INSTALLATION for each in signed[scope])
        standing = self._followed(ordered(Chains(installation=installation, accounts=accounts)), Standing())
        for scope, kind in kinds.items():
            if kind is Chain.CONSULTATION:
                rooms = [name for name, each in kinds.items() if each is Chain.ROOM and consultation_of(signed[name][0]) == scope]
                self._followed((each for name in (scope, *rooms) for each in signed[name]), standing)

    def _followed(self, chain: Iterable[Signed], standing: Standing) -> Standing:
        """What stands after these statements. After one that is not lawful the rest cannot be judged."""
        for signed in chain:
            try:
                standing = follow(standing, signed)
            except Refusal as refusal:
                where = f"statement {signed.hash[:16]} ({signed.statement.type})"
                self.faults.append(Fault(RULES, where, f"the rules do not allow it ({refusal.code})"))
                break
        return standing


def rows_of(chains: Mapping[str, Iterable[bytes]]) -> Iterator[Row]:
    """Rows of chains that are kept as bytes alone: each statement says itself what it is; only its chain and place are given."""
    for scope, bodies in sorted(chains.items()):
        for n, body in enumerate(bodies):
            signed = _parsed(body)
            yield (signed.hash, signed.statement.type, scope, n, body) if signed else ("", "", scope, n, body)


def cards_named(signed: Iterable[Signed]) -> set[str]:
    """Every card that these statements name, or that signed them."""
    return {card for each in signed for card in (*each.cards, *_cards_in(each.statement.body))}


def consultation_of(room_open: Signed) -> object:
    return room_open.statement.body.get("consultation")


def _cards_in(body: Mapping[str, object]) -> Iterator[str]:
    """`card` of the body, and of each of the two chairs in `chairs.root`. The body may not have been judged yet."""
    chairs = body.get("chairs")
    rows = [body, *(chairs if isinstance(chairs, list) else [])]
    for row in rows:
        card = row.get("card") if isinstance(row, Mapping) else None
        if statements.is_name(card):
            yield str(card)


def _parsed(body: bytes) -> Signed | None:
    try:
        return statements.parse_signed(jcs.decode(body))
    except Refusal:
        return None


def _key(found: Stated, member: str) -> bytes:
    """A key in a statement's body; empty, and so good for no signature, if there is none."""
    try:
        return statements.unbase64(str(found.signed.statement.body.get(member)), 32)
    except Refusal:
        return b""


FIRST_WORDS: Final[Mapping[Chain, frozenset[str]]] = {
    chain: frozenset(name.split(".", 1)[0] for name, kind in TABLE.items() if kind.chain is chain) for chain in Chain
}
"""The first words of the types of statements, by chain: all that a leaf shows of an event's type."""
