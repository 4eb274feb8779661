"""Which build the host says it serves, and since when: an event in the record's own namespace, on the host's word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from secure.log.encoding import parse_event
from secure.log.errors import LogError
from secure.log.events import record_host
from secure.log.own_series import DEPLOYED, SERIES
from secure.models import LogEvent


@dataclass(frozen=True)
class Deployment:
    """`manifest` is the SHA-256, hex, of the build's description: its name."""

    version: str
    manifest: str
    at: datetime


def newest() -> Deployment | None:
    """What the record says last; None before the first build was put into service, or if what is stored is no event any more."""
    row = LogEvent.objects.filter(namespace__scope=SERIES, type=DEPLOYED).order_by("-id").first()
    try:
        said = parse_event(bytes(row.body)).data if row else None
    except LogError:
        said = None
    if row is None or said is None:
        return None
    return Deployment(version=str(said.get("version", "")), manifest=str(said.get("manifest", "")), at=row.at)


@transaction.atomic(durable=True)
def deploy(*, version: str, manifest: str, now: datetime) -> bool:
    """Records that this build is in service, unless the record says so already. Returns whether it did.

    Two processes that start at once may both say it; saying it twice changes nothing.
    """
    last = newest()
    if last is not None and last.manifest == manifest:
        return False
    record_host(ns=SERIES, type=DEPLOYED, data={"version": version, "manifest": manifest}, at=now)
    return True
