"""Parties (member states and organisations) and the secretariat's officers."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class Party(models.Model):
    """A member state or organisation; editable, confirmed by the Co-Chairs' installation."""

    class Kind(models.TextChoices):
        STATE = "state"
        ORGANISATION = "organisation"

    code = models.CharField(max_length=16, primary_key=True)
    name = models.CharField(max_length=80)
    zone = models.CharField(max_length=40)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    steering_group = models.BooleanField(default=False)
    chairing = models.BooleanField(default=False, help_text="its senior official is Co-Chair")

    class Meta:
        verbose_name_plural = "parties"

    def __str__(self) -> str:
        return self.name


class Officer(models.Model):
    """An officer of the secretariat; a host rule, confirmed by the inviting Co-Chair. Gives no seat in any room."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.PROTECT, related_name="officer")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Officer]] = models.Manager()
