"""A consultation as its chain tells it, kept as rows so that pages and access checks need no replay."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Consultation(models.Model):
    """`id` is the hash of its `consultation.propose`. Subject and situation are sealed; only the reference is here."""

    class State(models.TextChoices):
        PROPOSED = "proposed"
        RETURNED = "returned"
        WITHDRAWN = "withdrawn"
        CONCURRED = "concurred"
        OPEN = "open"
        DISPOSED = "disposed"

    class Level(models.TextChoices):
        SENIOR_OFFICIALS = "senior_officials"
        MINISTERS = "ministers"

    class Urgency(models.TextChoices):
        ROUTINE = "routine"
        URGENT = "urgent"
        IMMEDIATE = "immediate"

    id = models.CharField(max_length=64, primary_key=True)
    reference = models.CharField(max_length=40)
    level = models.CharField(max_length=20, choices=Level.choices)
    urgency = models.CharField(max_length=12, choices=Urgency.choices)
    state = models.CharField(max_length=12, choices=State.choices)
    proposer = models.CharField(max_length=64, help_text="card")
    brief = models.CharField(max_length=64, help_text="SHA-256 of the sealed brief")
    reason = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the sealed reason of a return or withdrawal")
    marking = models.CharField(max_length=40)
    retention_years = models.PositiveSmallIntegerField()
    undertaking = models.CharField(max_length=64)
    proposed_at = models.DateTimeField()
    concurred_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    disposal_basis = models.CharField(max_length=20, blank=True, help_text="as an officer asked for it")
    disposal_requested_by = models.CharField(max_length=64, blank=True, help_text="card")
    disposal_requested_at = models.DateTimeField(null=True)
    disposed_at = models.DateTimeField(null=True)


class Composition(models.Model):
    """One party of a consultation, and how far its answer has come."""

    class Answer(models.TextChoices):
        NONE = "none"
        ACCEPT = "accept"
        DECLINE = "decline"
        AWAITING = "awaiting_instructions"

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="composition")
    party = models.ForeignKey("meetings.Party", on_delete=models.PROTECT)
    capacity = models.CharField(max_length=16)
    history = models.CharField(max_length=16)
    answer = models.CharField(max_length=24, choices=Answer.choices, default=Answer.NONE)
    answered_at = models.DateTimeField(null=True)
    reached_at = models.DateTimeField(null=True, help_text="its focal point has opened the invitation, signed in")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consultation", "party"], name="a_party_sits_once"),
        ]


class Delegate(models.Model):
    """A card's place in a consultation: as Co-Chair, by accreditation, or by both Co-Chairs' seat."""

    SEATED_BY_CHAIRS: ClassVar[tuple[str, ...]] = ("secretariat", "chair_staff")

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="delegates")
    card = models.CharField(max_length=64)
    party = models.CharField(max_length=16)
    capacity = models.CharField(max_length=16)
    undertaken_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    seated = models.BooleanField(default=False, help_text="the roster's word at the newest heads")
    seated_at = models.DateTimeField(null=True, help_text="when the roster first gave a seat; it stays when the seat is gone")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consultation", "card"], name="a_card_has_one_place"),
        ]


class SeatedDevice(models.Model):
    """A device that belongs in the consultation's rooms of one kind: the roster's word at the newest heads, for quick checks."""

    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="seated_devices")
    kind = models.CharField(max_length=16, help_text="of room")
    card = models.CharField(max_length=64)
    device = models.CharField(max_length=64)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["consultation", "kind", "device"], name="a_device_is_seated_once"),
        ]


class ProposalDraft(models.Model):
    """A proposal in preparation, sealed to its author's own card."""

    id = models.CharField(max_length=32, primary_key=True)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="proposal_drafts")
    box = models.BinaryField()
    at = models.DateTimeField()
