"""The only bridge between the roster and the Delivery Service: whose devices belong in a room, and at which heads."""

from __future__ import annotations

from dataclasses import dataclass

from meetings import installation
from meetings.models import Composition, Delegate, SeatedDevice
from secure import chains, delivery, history
from secure.delivery import Heads, Leaf, NamedRoom, Standing
from secure.errors import NotFound

OPENING = "opening"


@dataclass(frozen=True, slots=True)
class DueAdd:
    """A seated device that is not in the room's tree."""

    card: str
    device: str


@dataclass(frozen=True, slots=True)
class DueRemove:
    """A leaf whose device is no longer seated."""

    leaf: int
    device: str


@dataclass(frozen=True, slots=True)
class DueHistory:
    """Epochs `first` to `last`, both included, whose keys the card may have and has not been given."""

    card: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Due:
    """What a seated client that is online should commit or hand over."""

    add: tuple[DueAdd, ...]
    remove: tuple[DueRemove, ...]
    history: tuple[DueHistory, ...]
    heads: Heads


def seated_devices(room_id: str) -> frozenset[str]:
    """Devices whose people are seated in this room at the newest heads."""
    return frozenset(row.device for row in _seated(_room(room_id)))


def is_seated(room_id: str, card: str) -> bool:
    """Whether the person is seated in this room, with or without a device."""
    return Delegate.objects.filter(consultation_id=_room(room_id).scope, card=card, seated=True).exists()


def heads(room_id: str) -> Heads:
    """What a commit or an object made now must name."""
    return _heads(_room(room_id))


def standing(room_id: str) -> Standing:
    """Who sits in the room, by device, and at which heads: the rule that the Delivery Service is given."""
    room = _room(room_id)
    return Standing(seated=frozenset(row.device for row in _seated(room)), heads=_heads(room))


def due(room_id: str) -> Due:
    """What is missing between the room's tree and the roster, and whose history has not been handed over."""
    room = _room(room_id)
    leaves = delivery.leaves(room_id)
    seated = _seated(room)
    inside = {leaf.device for leaf in leaves}
    belongs = {row.device for row in seated}
    return Due(
        add=tuple(DueAdd(row.card, row.device) for row in seated if row.device not in inside),
        remove=tuple(DueRemove(leaf.leaf, leaf.device) for leaf in leaves if leaf.device not in belongs),
        history=tuple(_history_due(room, [leaf for leaf in leaves if leaf.device in belongs])),
        heads=_heads(room),
    )


def _room(room_id: str) -> NamedRoom:
    room = delivery.room_named(room_id)
    if room is None:
        raise NotFound
    return room


def _heads(room: NamedRoom) -> Heads:
    return Heads(installation=installation.established().head, consultation=_head(room.scope), room=_head(room.room))


def _seated(room: NamedRoom) -> list[SeatedDevice]:
    rows = SeatedDevice.objects.filter(consultation_id=room.scope, kind=room.kind)
    return list(rows.order_by("card", "device"))


def _history_due(room: NamedRoom, leaves: list[Leaf]) -> list[DueHistory]:
    """Cards whose party may read from the opening, and who hold no grant for all the epochs before they came in."""
    entitled = _reads_from_opening(room.scope)
    joined: dict[str, int] = {}
    for leaf in leaves:
        joined[leaf.card] = min(leaf.since, joined.get(leaf.card, leaf.since))
    granted = history.granted_to(room.room)
    return [
        DueHistory(card, 0, since - 1)
        for card, since in sorted(joined.items())
        if since > 0 and card in entitled and granted.get(card, -1) < since - 1
    ]


def _reads_from_opening(consultation_id: str) -> set[str]:
    """Cards of the parties whose history scope is `opening`. There are no sittings yet, so `sitting:<n>` reads from joining."""
    parties = Composition.objects.filter(consultation_id=consultation_id, history=OPENING).values_list("party_id", flat=True)
    places = Delegate.objects.filter(consultation_id=consultation_id, party__in=list(parties), seated=True)
    return set(places.values_list("card", flat=True))


def _head(scope: str) -> str:
    found = chains.head(scope)
    if found is None:
        raise NotFound
    return found.hash
