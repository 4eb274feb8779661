"""Rooms as the Delivery Service sees them: sealed, numbered, ordered. Hashes are lower-case hex."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from secure.models.identity import HEX_16, HEX_32


class Room(models.Model):
    """One room = one MLS group = one numbered log. `id` is the hash of its `room.open` and the MLS group id."""

    id = models.CharField(max_length=HEX_32, primary_key=True)
    scope = models.CharField(max_length=HEX_32, help_text="the consultation")
    kind = models.CharField(max_length=16)
    epoch = models.PositiveIntegerField(default=0)
    head = models.PositiveBigIntegerField(default=0, help_text="the last number given in the room's log")
    group_info = models.BinaryField()
    tree = models.BinaryField()
    opened = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["scope", "kind"], name="one_room_per_kind")]


class RoomLeaf(models.Model):
    """A leaf of the room's tree at its current epoch."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="leaves")
    leaf = models.PositiveIntegerField()
    client = models.ForeignKey("secure.Client", on_delete=models.PROTECT)
    since = models.PositiveIntegerField(help_text="the epoch in which this leaf came in")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["room", "leaf"], name="one_client_per_leaf"),
            models.UniqueConstraint(fields=["room", "client"], name="one_leaf_per_client"),
        ]


class Handshake(models.Model):
    """The Commit which ended an epoch. The first one for (room, epoch) wins."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="handshakes")
    epoch = models.PositiveIntegerField()
    commit = models.BinaryField()
    removes = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["room", "epoch"], name="one_commit_per_epoch")]


class Departure(models.Model):
    """How a device's leaf last left a room's tree: the public states around the commit that took it out. Proves a removal to people
    who are not in the room."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="departures")
    client = models.ForeignKey("secure.Client", on_delete=models.CASCADE)
    epoch = models.PositiveIntegerField(help_text="the epoch which the commit ended")
    before_group_info = models.BinaryField()
    before_tree = models.BinaryField()
    group_info = models.BinaryField()
    tree = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["room", "client"], name="one_departure_per_client")]


class KeyPackage(models.Model):
    """A published KeyPackage; claimed once, except the last-resort one."""

    ref = models.CharField(max_length=128, primary_key=True)
    client = models.ForeignKey("secure.Client", on_delete=models.CASCADE, related_name="key_packages")
    body = models.BinaryField()
    expires = models.DateTimeField()
    last_resort = models.BooleanField(default=False)
    claimed = models.DateTimeField(null=True)


class Welcome(models.Model):
    """The Welcome waiting for one client; replaced by a newer one for the same room."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="welcomes")
    client = models.ForeignKey("secure.Client", on_delete=models.CASCADE)
    epoch = models.PositiveIntegerField()
    body = models.BinaryField()
    tree = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["room", "client"], name="one_welcome_per_client")]


class RoomItem(models.Model):
    """One number of a room's log: a sealed content object or a commit. `body` is the item's JSON, ready to send."""

    class Kind(models.TextChoices):
        CONTENT = "content"
        COMMIT = "commit"

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="items")
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    message_id = models.CharField(max_length=HEX_16, null=True)
    client = models.ForeignKey("secure.Client", null=True, on_delete=models.PROTECT)
    epoch = models.PositiveIntegerField()
    body = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["room", "seq"], name="one_item_per_number"),
            models.UniqueConstraint(fields=["room", "message_id"], name="one_item_per_message_id"),
        ]


class HistoryGrant(models.Model):
    """A slice of the key ring, HPKE-sealed by a member to a newcomer's card."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="history_grants")
    card = models.CharField(max_length=HEX_32)
    from_epoch = models.PositiveIntegerField()
    to_epoch = models.PositiveIntegerField()
    box = models.BinaryField()
    by = models.CharField(max_length=HEX_32, help_text="the card of whoever sealed it")
    at = models.DateTimeField()


class Blob(models.Model):
    """A paper's sealed chunks. Name, type and key travel inside the encryption."""

    id = models.CharField(max_length=HEX_16, primary_key=True)
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="blobs")
    card = models.CharField(max_length=HEX_32, help_text="whoever uploads it")
    size = models.PositiveBigIntegerField()
    chunks = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=HEX_32)
    started = models.DateTimeField()
    finished = models.DateTimeField(null=True)


class BlobChunk(models.Model):
    blob = models.ForeignKey(Blob, on_delete=models.CASCADE, related_name="chunk_rows")
    n = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=HEX_32)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["blob", "n"], name="one_row_per_chunk")]
