"""Who asked for the evidence of a consultation, and what the Co-Chairs answered."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from meetings.models.consultation import Consultation


class EvidenceExport(models.Model):
    """One request. A host's rule, like officers: the record has an event of every step, and this row says where it stands.

    There is no free text: whatever a person would write could be what was said in the room. `purpose` is a word of a closed list.
    """

    class State(models.TextChoices):
        REQUESTED = "requested"
        APPROVED = "approved"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    class Purpose(models.TextChoices):
        FILES = "files"
        CHECK = "check"
        INQUIRY = "inquiry"
        HANDOVER = "handover"

    id = models.CharField(max_length=32, primary_key=True)
    consultation = models.ForeignKey(Consultation, on_delete=models.CASCADE, related_name="exports")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="exports")
    card = models.CharField(max_length=64)
    party = models.CharField(max_length=16)
    whole = models.BooleanField(help_text="every name that is kept; otherwise the recipient's own alone")
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.REQUESTED)
    requested_at = models.DateTimeField()
    decided_by = models.CharField(max_length=64, blank=True, help_text="the Co-Chair's card")
    decided_at = models.DateTimeField(null=True)
    downloads = models.PositiveIntegerField(default=0)
    downloaded_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[EvidenceExport]] = models.Manager()
