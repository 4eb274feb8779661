"""The record: events, the tree's leaves and tiles, checkpoints. Bytes are what is hashed; hashes in columns are lower-case hex.

`LogEvent`, `LogLeaf`, `Checkpoint` and `LogPolicy` are written once: triggers refuse to change or delete their rows (a guard against
our own mistakes, not against the database's owner; against the owner stand the tree and its signatures). One thing they let pass: a
`body` is emptied in a namespace that was disposed of, beside its certificate. What may be erased one by one is apart:
`Disclosure`, `EventPerson`, `EventParty` and `DeviceCounter` can go without touching a byte that was hashed.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from secure.models.identity import HEX_16, HEX_32

KID = 44
STATE_MAP_SLOTS = 1 << 20


class Namespace(models.Model):
    """A gapless, chained series of entries inside the one log. `count` and `head` are written by the sequencer only."""

    tag = models.CharField(max_length=HEX_16, primary_key=True, help_text="16 random bytes: all that a leaf shows of it")
    scope = models.CharField(max_length=HEX_32, unique=True, help_text="the chain's name, or a word for the host's own")
    slot = models.PositiveIntegerField(unique=True, help_text="its place in the state map, drawn at random")
    salt = models.BinaryField()
    count = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=HEX_32, default="0" * HEX_32, help_text="leaf hash of its newest entry")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(slot__lt=STATE_MAP_SLOTS), name="slot_in_state_map"),
        ]


class LogEvent(models.Model):
    """One recorded act. `body` is the event's canonical JSON; the other columns repeat it for queries."""

    class Source(models.TextChoices):
        CLIENT = "client"
        STATE = "state"
        HOST = "host"

    namespace = models.ForeignKey(Namespace, on_delete=models.PROTECT, related_name="events")
    type = models.CharField(max_length=40, db_index=True)
    src = models.CharField(max_length=8, choices=Source.choices)
    statement = models.CharField(max_length=HEX_32, blank=True, db_index=True)
    kid = models.CharField(max_length=KID, blank=True, db_index=True)
    hash = models.CharField(max_length=HEX_32, unique=True, help_text="SHA-256 of body")
    body = models.BinaryField()
    at = models.DateTimeField(db_index=True, help_text="the server's clock when it was recorded")


class PendingEvent(models.Model):
    """Recorded, not yet in the tree. Written in the act's own transaction; taken out by the sequencer."""

    event = models.OneToOneField(LogEvent, primary_key=True, on_delete=models.PROTECT, related_name="pending")


class LogLeaf(models.Model):
    """One entry of the tree. Without an event it is a state leaf."""

    index = models.PositiveBigIntegerField(primary_key=True)
    event = models.OneToOneField(LogEvent, null=True, on_delete=models.PROTECT, related_name="leaf")
    body = models.BinaryField()


class LogTile(models.Model):
    """Up to 256 hashes of one level, 32 bytes each. The rightmost of a level grows in place."""

    level = models.PositiveSmallIntegerField()
    n = models.PositiveBigIntegerField()
    hashes = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["level", "n"], name="one_tile_per_place")]


class LogHead(models.Model):
    """The one row by which the sequencer compares and swaps. `epoch` fences off a sequencer that was replaced."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    size = models.PositiveBigIntegerField(default=0)
    frontier = models.BinaryField(default=bytes, help_text="the roots of the tree's full subtrees, largest first")
    time = models.PositiveBigIntegerField(default=0, help_text="ms; the newest leaf's time, never decreasing")
    epoch = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="one_log_head")]


class Checkpoint(models.Model):
    """A signed tree head, as served."""

    size = models.PositiveBigIntegerField(primary_key=True)
    root = models.CharField(max_length=HEX_32)
    note = models.BinaryField()
    at = models.DateTimeField()


class CheckpointAgain(models.Model):
    """A checkpoint under a newer time: signed anew while nothing happens, so that nobody can pass off an old one as new."""

    checkpoint = models.OneToOneField(Checkpoint, primary_key=True, on_delete=models.PROTECT, related_name="again")
    note = models.BinaryField()
    at = models.DateTimeField()


class Cosignature(models.Model):
    """A witness's signature on a checkpoint, verified when it came. Cosigned again, the newer one takes its place."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="cosignatures")
    witness = models.CharField(max_length=255, help_text="the name of the witness's key")
    key_id = models.CharField(max_length=8, help_text="hex; with the name it says which key")
    time = models.PositiveBigIntegerField(help_text="seconds since 1970, as the witness says")
    line = models.BinaryField(help_text="the signature line of a note, as it came")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["checkpoint", "witness", "key_id"], name="one_cosignature_per_key"),
        ]


class LogPolicy(models.Model):
    """A numbered policy as adopted: a signed note (secure/log/policy_chain.py). Written once."""

    number = models.PositiveIntegerField(primary_key=True)
    note = models.BinaryField()
    at = models.DateTimeField()


class OfferedCheckpoint(models.Model):
    """The one checkpoint that witnesses are asked to sign just now: a quorum must sign the same."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="one_offered_checkpoint")]


class WitnessedCheckpoint(models.Model):
    """A checkpoint that reached the quorum of a policy, noted when it did so that nobody has to count again to find the newest."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="witnessed")
    policy = models.ForeignKey(LogPolicy, on_delete=models.PROTECT, related_name="witnessed")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["policy", "checkpoint"], name="one_quorum_per_policy")]


class DeviceCounter(models.Model):
    """How far one device has counted in one namespace, and the hash of its last event there."""

    namespace = models.ForeignKey(Namespace, on_delete=models.CASCADE, related_name="counters")
    client = models.CharField(max_length=HEX_32, db_index=True)
    kid = models.CharField(max_length=KID, unique=True)
    dseq = models.PositiveBigIntegerField(default=0)
    last = models.CharField(max_length=HEX_32, default="0" * HEX_32)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["namespace", "client"], name="one_counter_per_device"),
        ]


class Disclosure(models.Model):
    """A personal value whose salted digest stands in an event's `_sd`, boxed (`secure/log/disclosures.py`). Its keys are not here."""

    event = models.ForeignKey(LogEvent, on_delete=models.PROTECT, related_name="disclosures")
    digest = models.CharField(max_length=44, help_text="as the event holds it")
    subject = models.CharField(max_length=HEX_32, db_index=True, help_text="whose it is, by a name that is no personal data")
    box = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["event", "digest"], name="one_box_per_digest")]


class EventParty(models.Model):
    """Which party an act concerns, for the Register's filters. No personal data: the event or its statement says it too."""

    event = models.OneToOneField(LogEvent, primary_key=True, on_delete=models.PROTECT, related_name="party_row")
    party = models.CharField(max_length=16, db_index=True)


class EventPerson(models.Model):
    """Whose act it was, by card, for the Register's filters."""

    event = models.ForeignKey(LogEvent, on_delete=models.PROTECT, related_name="people")
    card = models.CharField(max_length=HEX_32, db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["event", "card"], name="one_row_per_person")]


class DestructionManifest(models.Model):
    """The list of what a disposal destroyed, as both Co-Chairs signed its hash. Written once."""

    sha256 = models.CharField(max_length=HEX_32, primary_key=True)
    body = models.BinaryField()


class Disposal(models.Model):
    """A namespace whose events were emptied, and the event that certifies it. Written once, and only beside such an event."""

    namespace = models.OneToOneField(Namespace, primary_key=True, on_delete=models.PROTECT, related_name="disposal")
    certificate = models.OneToOneField(LogEvent, on_delete=models.PROTECT, related_name="disposal")


__all__ = [
    "Checkpoint",
    "CheckpointAgain",
    "Cosignature",
    "DestructionManifest",
    "DeviceCounter",
    "Disclosure",
    "Disposal",
    "EventParty",
    "EventPerson",
    "LogEvent",
    "LogHead",
    "LogLeaf",
    "LogPolicy",
    "LogTile",
    "Namespace",
    "OfferedCheckpoint",
    "PendingEvent",
    "WitnessedCheckpoint",
]
