"""What the host does with cosignatures: takes those of the policy's witnesses over heads it has signed, and shows them.

Each is verified when it comes. A quorum is then a matter of counting keys; whoever reads a checkpoint verifies it anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Max

from secure.errors import BadInput, Forbidden
from secure.log import policies, store
from secure.log.note import Signature, check_lines, split_note
from secure.log.policy import Policy
from secure.log.storage import Published
from secure.log.tree_head import parse_tree_head
from secure.models import Checkpoint, Cosignature, OfferedCheckpoint, WitnessedCheckpoint

SKEW: Final = timedelta(minutes=10)
"""How far ahead of ours a witness's clock may be."""
SHORTEST_OFFER: Final = timedelta(seconds=55)
LONGEST_OFFER: Final = timedelta(minutes=5)
MAX_NOTE: Final = 64 * 1024
"""Bytes of a note that a witness posts: its two signatures have 4 kB."""


@dataclass(frozen=True)
class Witnessed:
    """The newest checkpoint with the quorum of the policy in force; `agreed_at` when the quorum was reached (None: it needs nobody)."""

    size: int
    root: bytes
    note: bytes
    agreed_at: datetime | None


@dataclass(frozen=True)
class Standing:
    """How far one witness of the policy in force has agreed; size 0 and None if never. `url`: where the host reaches it, if it does."""

    name: str
    url: str | None
    size: int
    at: datetime | None


def take(note: bytes, *, now: datetime) -> int:
    """Keeps a witness's cosignatures on a checkpoint of ours; returns how many keys signed.

    Raises:
        BadInput: no note, a signature that does not hold; a head that we have not signed (`unknown_checkpoint`), a time too far ahead
            of our clock (`bad_time`).
        Forbidden: no witness of the policy in force has signed (`not_a_witness`).
    """
    text, lines = split_note(note)
    head = parse_tree_head(text)
    checkpoint = Checkpoint.objects.filter(size=head.size, root=head.root.hex()).first()
    if checkpoint is None or split_note(bytes(checkpoint.note))[0] != text:
        raise BadInput("unknown_checkpoint")
    numbered = policies.newest()
    signatures = check_lines(text, lines, [each.verifier for each in numbered.policy.witnesses]) if numbered else ()
    if numbered is None or not signatures:
        raise Forbidden("not_a_witness")
    if any(_time(each) > (now + SKEW).timestamp() for each in signatures):
        raise BadInput("bad_time")
    with transaction.atomic():
        _keep(checkpoint, signatures)
        if _agreed_at(numbered.policy, head.size) is not None:
            WitnessedCheckpoint.objects.get_or_create(checkpoint=checkpoint, policy_id=numbered.number)
    return len(signatures)


def offer(*, now: datetime) -> Published | None:
    """The checkpoint which witnesses are to sign now; moves on to the newest one when it is time.

    A log that grows every second would otherwise have each witness sign another size, and none would ever have the quorum. So one is
    offered until the quorum has signed it, for a minute at least and five at most: long enough for those who pull.
    """
    published, row = store.published(), OfferedCheckpoint.objects.filter(id=1).first()
    if published is not None and (row is None or _is_over(row, now)):
        OfferedCheckpoint.objects.update_or_create(id=1, defaults={"checkpoint_id": published.size, "since": now})
    return offered()


def offered() -> Published | None:
    """The checkpoint which witnesses are asked to sign."""
    size = OfferedCheckpoint.objects.filter(id=1).values_list("checkpoint_id", flat=True).first()
    return store.published() if size is None else store.published_of(size)


def _is_over(row: OfferedCheckpoint, now: datetime) -> bool:
    age = now - row.since
    if not SHORTEST_OFFER <= age < LONGEST_OFFER:
        return age >= LONGEST_OFFER or age < timedelta(0)
    numbered = policies.newest()
    return numbered is None or _agreed_at(numbered.policy, row.checkpoint_id) is not None


def newest() -> bytes | None:
    """The newest checkpoint, with the cosignatures it has so far."""
    published = store.published()
    return _with_lines(published) if published else None


def witnessed() -> Witnessed | None:
    """The newest checkpoint that the quorum has cosigned; None if there is none."""
    numbered = policies.newest()
    published = store.published()
    if numbered is None or published is None:
        return None
    if numbered.policy.agreed_at({}) is not None:
        return Witnessed(published.size, published.root, _with_lines(published), None)
    size = WitnessedCheckpoint.objects.filter(policy_id=numbered.number).aggregate(newest=Max("checkpoint_id"))["newest"]
    if size is None:
        return None
    found, agreed_at = store.published_of(size), _agreed_at(numbered.policy, size)
    return Witnessed(size, found.root, _with_lines(found), datetime.fromtimestamp(agreed_at or 0, UTC))


def standings() -> list[Standing]:
    """Every witness of the policy in force, in its order."""
    numbered = policies.newest()
    if numbered is None:
        return []
    return [_standing(name, numbered.policy) for name in dict.fromkeys(each.verifier.name for each in numbered.policy.witnesses)]


def _standing(name: str, policy: Policy) -> Standing:
    own = [each for each in policy.witnesses if each.verifier.name == name]
    url = next((each.url for each in own if each.url), None)
    ids = [each.verifier.key_id.hex() for each in own]
    last = Cosignature.objects.filter(witness=name, key_id__in=ids).order_by("-checkpoint_id", "-time").first()
    if last is None:
        return Standing(name, url, 0, None)
    return Standing(name, url, last.checkpoint_id, datetime.fromtimestamp(last.time, UTC))


def _keep(checkpoint: Checkpoint, signatures: Iterable[Signature]) -> None:
    known = {(row.witness, row.key_id): row.time for row in checkpoint.cosignatures.all()}
    rows = [
        Cosignature(
            checkpoint=checkpoint,
            witness=each.verifier.name,
            key_id=each.verifier.key_id.hex(),
            time=_time(each),
            line=each.line,
        )
        for each in signatures
        if _time(each) > known.get((each.verifier.name, each.verifier.key_id.hex()), -1)
    ]
    Cosignature.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["checkpoint", "witness", "key_id"], update_fields=["time", "line"]
    )


def _time(signature: Signature) -> int:
    return signature.time or 0


def _agreed_at(policy: Policy, size: int) -> int | None:
    """When the quorum had agreed to the checkpoint of this size, in seconds since 1970; None if it has not."""
    known = {(each.verifier.name, each.verifier.key_id.hex()): each.verifier for each in policy.witnesses}
    rows = Cosignature.objects.filter(checkpoint_id=size).values_list("witness", "key_id", "time")
    return policy.agreed_at({known[name, id_]: time for name, id_, time in rows if (name, id_) in known})


def _with_lines(checkpoint: Published) -> bytes:
    rows = Cosignature.objects.filter(checkpoint_id=checkpoint.size).order_by("witness", "key_id")
    return checkpoint.note + b"".join(bytes(line) for line in rows.values_list("line", flat=True))
