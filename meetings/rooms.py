"""The only bridge between the roster and the Delivery Service: whose devices belong in a room, and at which heads."""

from __future__ import annotations

from dataclasses import dataclass

from meetings import installation
from meetings.models import Delegate, SeatedDevice
from secure import chains, delivery
from secure.errors import NotFound


@dataclass(frozen=True, slots=True)
class Heads:
    """Newest statement hashes of the three chains a room depends on."""

    installation: str
    consultation: str
    room: str


@dataclass(frozen=True, slots=True)
class DueAdd:
    card: str
    device: str


@dataclass(frozen=True, slots=True)
class DueRemove:
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
    """Devices whose people are seated in this room at the newest heads. Empty for a room that does not exist."""
    room = delivery.room_named(room_id)
    if room is None:
        return frozenset()
    rows = SeatedDevice.objects.filter(consultation_id=room.scope, kind=room.kind)
    return frozenset(rows.values_list("device", flat=True))


def is_seated(room_id: str, card: str) -> bool:
    """Whether the person is seated in this room, with or without a device."""
    room = delivery.room_named(room_id)
    return room is not None and Delegate.objects.filter(consultation_id=room.scope, card=card, seated=True).exists()


def heads(room_id: str) -> Heads:
    """What a commit or an object made now must name."""
    room = delivery.room_named(room_id)
    if room is None:
        raise NotFound
    return Heads(
        installation=installation.established().head,
        consultation=_head(room.scope),
        room=_head(room_id),
    )


def _head(scope: str) -> str:
    found = chains.head(scope)
    if found is None:
        raise NotFound
    return found.hash
