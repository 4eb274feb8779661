"""Checkpoints and policies of the past with their signatures, for bundles and for folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from secure.log import cosigning, policies, store
from secure.log.bundle_checks import SLACK
from secure.log.encoding import parse_event
from secure.log.leaves import parse_leaf
from secure.log.own_series import ADOPTED
from secure.log.policy import Policy
from secure.log.trust import judge
from secure.models import Cosignature, LogEvent, WitnessedCheckpoint

MOST: Final = 2000
"""Earlier checkpoints in one bundle: one a minute for more than a day."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""And so many bytes of them: with the signatures of thirty witnesses 2000 would be more than a bundle may have."""
PAGE: Final = 200


def telling() -> list[tuple[int, bytes]]:
    """(size, note) of the newest checkpoint that the quorum has cosigned, and of earlier ones that say when entries were there; of the
    newest one alone if no quorum ever has. Empty before the first.

    A checkpoint whose quorum came long after the entries that follow it says nothing of their time, and is left out.
    """
    numbered, last = policies.newest(), cosigning.witnessed()
    if numbered is None or last is None:
        newest, note = store.published(), cosigning.newest()
        return [(newest.size, note)] if newest and note else []
    rows = WitnessedCheckpoint.objects.filter(policy_id=numbered.number, checkpoint_id__lt=last.size).order_by("-checkpoint_id")
    found, held = [(last.size, last.note)], 0
    for size, note in _notes(rows.values_list("checkpoint_id", flat=True)[:MOST]):
        held += len(note)
        if held > MOST_BYTES:
            break
        if _tells(numbered.policy, size, note):
            found.append((size, note))
    return found[::-1]


def every(size: int) -> Iterator[tuple[int, bytes]]:
    """(size, note) of every checkpoint up to `size`."""
    yield from _notes(at for at, _root, _note in store.checkpoints(size))


def policies_at(size: int) -> dict[int, bytes]:
    """The policies recorded among the first `size` leaves, as signed notes by number."""
    recorded = LogEvent.objects.filter(type=ADOPTED, leaf__index__lt=size).values_list("body", flat=True)
    numbers = [parse_event(bytes(body)).data.get("number") for body in recorded]
    return {number: note for number, note in policies.notes().items() if number in numbers}


def _notes(sizes: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """(size, note) with the cosignatures, in the order given; a page of them in memory at a time."""
    rows = iter(sizes)
    while page := list(islice(rows, PAGE)):
        lines: dict[int, list[bytes]] = {}
        for row in Cosignature.objects.filter(checkpoint_id__in=page).order_by("witness", "key_id"):
            lines.setdefault(row.checkpoint_id, []).append(bytes(row.line))
        for size in page:
            yield size, store.published_of(size).note + b"".join(lines.get(size, []))


def _tells(policy: Policy, size: int, note: bytes) -> bool:
    last = judge(note, policy).last
    return last is not None and last - SLACK <= parse_leaf(store.leaf(size)).t
