"""What the record still tells of an event in plain words, with the keys of the shred store."""

from __future__ import annotations

from secure.log.disclosures import opened
from secure.models import LogEvent


def told(event: LogEvent) -> dict[str, str]:
    """name → value, of every box that opens and holds."""
    rows = event.disclosures.order_by("pk").select_related("event")
    return {found.name: found.value for found in opened(rows) if found.name is not None and found.holds}
