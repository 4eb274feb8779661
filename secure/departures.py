"""How devices left a room: what somebody outside the room needs to check that a removal was made (docs/protocol.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass

from secure.errors import NotFound
from secure.mls_checks import PublicState, Transition
from secure.models import Departure, Handshake, Room, RoomLeaf


@dataclass(frozen=True)
class Departed:
    """The commit which took a device out, with the public states before and after it."""

    epoch: int
    commit: bytes
    before: PublicState
    after: PublicState


@dataclass(frozen=True)
class Removal:
    """Whether a device is out. `departed` is None if it never had a leaf, or has one."""

    removed: bool
    epoch: int
    departed: Departed | None


def keep(*, room_id: str, change: Transition, ends_epoch: int, before: PublicState, after: PublicState) -> None:
    """Whoever comes in again has not departed; a stale leaf which its own device replaces has not either.

    Inside the transaction that orders the commit.
    """
    inside = {member.device for member in change.members}
    moved = {member.device for member in (*change.added, *change.removed)}
    Departure.objects.filter(room_id=room_id, client_id__in=moved).delete()
    Departure.objects.bulk_create(
        Departure(
            room_id=room_id,
            client_id=device,
            epoch=ends_epoch,
            before_group_info=before.group_info,
            before_tree=before.tree,
            group_info=after.group_info,
            tree=after.tree,
        )
        for device in sorted(moved - inside)
    )


def removal(*, room_id: str, client_hash: str) -> Removal:
    """Whether a device's leaf is gone, with the proof."""
    epoch = Room.objects.filter(id=room_id).values_list("epoch", flat=True).first()
    if epoch is None:
        raise NotFound
    inside = RoomLeaf.objects.filter(room_id=room_id, client_id=client_hash).exists()
    row = None if inside else Departure.objects.filter(room_id=room_id, client_id=client_hash).first()
    return Removal(removed=not inside, epoch=epoch, departed=_departed(row) if row else None)


def _departed(row: Departure) -> Departed:
    commit = Handshake.objects.values_list("commit", flat=True).get(room_id=row.room_id, epoch=row.epoch)
    before = PublicState(bytes(row.before_group_info), bytes(row.before_tree))
    return Departed(epoch=row.epoch, commit=bytes(commit), before=before, after=PublicState(bytes(row.group_info), bytes(row.tree)))
