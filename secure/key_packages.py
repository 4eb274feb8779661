"""Key packages: published by a device, claimed once by whoever adds it, the last-resort one kept for when none is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import QuerySet

from secure import limits
from secure.errors import BadInput, Forbidden, NotFound, TooMany
from secure.mls_checks import check_key_package
from secure.models import Client, KeyPackage


@dataclass(frozen=True)
class Claimed:
    device: str
    key_package: bytes
    last_resort: bool


def publish(*, client: Client, key_packages: Sequence[bytes], last_resort: bytes | None, now: datetime) -> int:
    """Keep a device's packages; answers how many wait. Runs in the caller's transaction (enrolment, `device.add`) or its own.

    Every package must carry the device's own identity and signature key. Publishing one twice changes nothing.
    """
    if client.revoked is not None:
        raise Forbidden("device_revoked")
    if len(key_packages) > limits.KEY_PACKAGES_KEPT:
        raise TooMany("too_many_key_packages")
    rows = [_row(client, raw, last_resort=False, now=now) for raw in key_packages]
    if last_resort is not None:
        rows.append(_row(client, last_resort, last_resort=True, now=now))
    with transaction.atomic(savepoint=False):
        KeyPackage.objects.filter(client=client, expires__lte=now, claimed=None).delete()
        if last_resort is not None:
            KeyPackage.objects.filter(client=client, last_resort=True).exclude(ref=rows[-1].ref).delete()
        KeyPackage.objects.bulk_create(rows, ignore_conflicts=True)
        count = _waiting(client.hash, now).count()
        if count > limits.KEY_PACKAGES_KEPT:
            raise TooMany("too_many_key_packages")
    return count


def _row(client: Client, raw: bytes, *, last_resort: bool, now: datetime) -> KeyPackage:
    package = check_key_package(raw, now=now)
    leaf = package.leaf
    if (leaf.card, leaf.device, leaf.signature_key) != (
        client.card_id,
        client.hash,
        bytes(client.signature_key),
    ):
        raise BadInput("not_this_device")
    expires = datetime.fromtimestamp(leaf.not_after, tz=UTC)
    return KeyPackage(ref=package.ref, client=client, body=raw, expires=expires, last_resort=last_resort)


def publish_for(*, device: str, card: str, key_packages: Sequence[bytes], last_resort: bytes | None, now: datetime) -> int:
    """Publish for one of a card's devices; anybody else's is not found."""
    return publish(client=_own(device, card), key_packages=key_packages, last_resort=last_resort, now=now)


def standing_of(*, device: str, card: str, now: datetime) -> tuple[int, bool]:
    """How many packages of one of a card's devices wait, and whether its last-resort one is there."""
    client = _own(device, card)
    has_last = KeyPackage.objects.filter(client=client, last_resort=True, expires__gt=now).exists()
    return _waiting(client.hash, now).count(), has_last


def _own(device: str, card: str) -> Client:
    client = Client.objects.filter(hash=device, card_id=card, revoked=None).first()
    if client is None:
        raise NotFound
    return client


def ready_count(client_hash: str, *, now: datetime | None = None) -> int:
    """Unclaimed packages that have not expired, the last-resort one not counted."""
    return _waiting(client_hash, now or datetime.now(UTC)).count()


def is_ready(client_hash: str, *, now: datetime) -> bool:
    """Whether somebody could add this device now."""
    return ready_devices([client_hash], now=now) == {client_hash}


def ready_devices(client_hashes: Iterable[str], *, now: datetime) -> frozenset[str]:
    """Those of the devices which somebody could add now, be it by the last-resort package."""
    rows = KeyPackage.objects.filter(client_id__in=list(client_hashes), claimed=None, expires__gt=now)
    return frozenset(rows.values_list("client_id", flat=True))


@transaction.atomic(durable=True)
def claim(*, devices: Iterable[str], now: datetime) -> list[Claimed]:
    """One package for each device that has one; each is given out once, the last-resort one again and again.

    The caller has checked that these devices are due in a room. Devices without a package are missing from the answer.
    """
    found = [_claim_one(device, now) for device in sorted(set(devices))]
    return [each for each in found if each is not None]


def _claim_one(device: str, now: datetime) -> Claimed | None:
    for ref, body in _waiting(device, now).order_by("expires", "ref").values_list("ref", "body")[:8]:
        # Another claim may have been quicker: the count of the update says who has it.
        if KeyPackage.objects.filter(ref=ref, claimed=None).update(claimed=now) == 1:
            return Claimed(device, bytes(body), last_resort=False)
    last = KeyPackage.objects.filter(client_id=device, last_resort=True, expires__gt=now).first()
    return Claimed(device, bytes(last.body), last_resort=True) if last is not None else None


def _waiting(client_hash: str, now: datetime) -> QuerySet[KeyPackage]:
    return KeyPackage.objects.filter(client_id=client_hash, last_resort=False, claimed=None, expires__gt=now)
