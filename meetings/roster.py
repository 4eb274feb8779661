"""Who sits where: a pure function of chains, without a clock (docs/protocol.md, section 2).

`consult/browser/crypto/roster.ts` is the same function; `tests/vectors/roster.json` holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from meetings.judging import check_signatures, follow
from meetings.standing import Accreditation, Consultation, Standing
from meetings.statements import ROOM_KINDS
from secure.errors import BadInput
from secure.statements import Signed

Sequence = tuple[Signed, ...]


@dataclass(frozen=True)
class Seat:
    """One card's seat: `party` before person, what the person is there, and the kinds of rooms, sorted."""

    party: str
    capacity: str
    rooms: tuple[str, ...]


@dataclass(frozen=True)
class Heads:
    """Statement hashes: where the chains stood for somebody. `room` None: without any room."""

    installation: str
    consultation: str
    room: str | None = None


@dataclass(frozen=True)
class Chains:
    """The chains one consultation needs: the installation, the accounts of every card named in them, the consultation, its rooms."""

    installation: Sequence = ()
    accounts: Mapping[str, Sequence] = field(default_factory=dict)
    consultation: Sequence = ()
    rooms: Mapping[str, Sequence] = field(default_factory=dict)


def ordered(chains: Chains) -> Iterator[Signed]:
    """All statements in an order in which each finds what it needs: cards made before the installation, the installation, the others.

    A card made for the installation names a place of it (`up`) and is named by a later one, so the two are woven together.
    """
    early = [chain for chain in chains.accounts.values() if chain and chain[0].statement.inst is None]
    late = [chain for chain in chains.accounts.values() if chain and chain[0].statement.inst is not None]
    for chain in early:
        yield chain[0]
    for signed in chains.installation:
        yield signed
        for chain in late:
            if chain[0].statement.up == signed.hash:
                yield chain[0]
    places = {signed.hash for signed in chains.installation}
    for chain in late:
        if chain[0].statement.up not in places:
            yield chain[0]
    for chain in (*early, *late):
        yield from chain[1:]
    yield from chains.consultation
    for chain in chains.rooms.values():
        yield from chain


def stand(chains: Chains, *, verify: bool = False) -> Standing:
    """What the chains say, every statement judged in its place; with `verify` their signatures too, for chains from outside."""
    standing = Standing()
    for signed in ordered(chains):
        standing = follow(standing, signed)
        if verify:
            check_signatures(standing, signed)
    return standing


def seats(chains: Chains) -> dict[str, Seat]:
    """card → seat, at the heads of these chains. Nobody sits before concurrence."""
    return seats_of(stand(chains))


def seats_of(standing: Standing) -> dict[str, Seat]:
    """card → seat, from what already stands."""
    consultation, installation = standing.consultation, standing.newest
    if consultation is None or installation is None or consultation.state != "concurred":
        return {}
    seated = {card: Seat(party, "chair", ROOM_KINDS) for party, card in installation.chairs.items()}
    for card, place in consultation.accredited.items():
        if _counts(consultation, place, installation.compromised) and card in consultation.undertaken:
            seated[card] = Seat(place.party, place.capacity, ROOM_KINDS)
    for card, seating in consultation.seated.items():
        if card in consultation.undertaken:
            seated[card] = Seat(standing.accounts[card].party, seating.capacity, seating.rooms)
    return {card: seated[card] for card in sorted(seated) if card not in consultation.excluded}


def seated_devices(chains: Chains, *, room: str = "plenary") -> dict[str, str]:
    """device → card: every device whose leaf may stand in the tree of such a room."""
    return seated_devices_of(stand(chains), room=room)


def seated_devices_of(standing: Standing, *, room: str = "plenary") -> dict[str, str]:
    """device → card, from what already stands."""
    consultation = standing.consultation
    if consultation is None:
        return {}
    return {
        device: card
        for card, seat in seats_of(standing).items()
        if room in seat.rooms
        for device, state in standing.accounts[card].devices.items()
        if not state.revoked and (card, device) not in consultation.excluded_devices
    }


def at(chains: Chains, heads: Heads) -> Chains:
    """The same chains as they stood at these heads; accounts, which have no order relative to them, stay whole."""
    rooms: Mapping[str, Sequence] = {}
    if heads.room is not None:
        rooms = {name: _until(chain, heads.room) for name, chain in chains.rooms.items() if _has(chain, heads.room)}
        if not rooms:
            raise BadInput("unknown_head")
    consultation = _until(chains.consultation, heads.consultation)
    return replace(chains, installation=_until(chains.installation, heads.installation), consultation=consultation, rooms=rooms)


def _counts(consultation: Consultation, place: Accreditation, compromised: frozenset[str]) -> bool:
    """An accreditation counts while its party accepts and the key which signed it has not been called compromised."""
    return consultation.answers.get(place.party) == "accept" and place.by not in compromised


def _until(chain: Sequence, head: str) -> Sequence:
    for place, signed in enumerate(chain):
        if signed.hash == head:
            return chain[: place + 1]
    raise BadInput("unknown_head")


def _has(chain: Sequence, head: str) -> bool:
    return any(signed.hash == head for signed in chain)
