"""Key packages: only a device's own, sound ones are kept, and each is given out once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from secure import key_packages, limits
from secure.errors import BadInput, Forbidden, NotFound, Refusal, TooLarge, TooMany
from secure.models import Client, KeyPackage
from tests import flow, rooms
from tests.flow import NOW
from tests.mls_bytes import key_package

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

OWN = flow.device("indonesia 1")


@pytest.fixture
def client() -> Client:
    rooms.enrol_all()
    return Client.objects.get(hash=OWN.device)


def publish(client: Client, *raw: bytes, last_resort: bytes | None = None) -> int:
    return key_packages.publish(client=client, key_packages=raw, last_resort=last_resort, now=NOW)


def fresh(count: int) -> list[bytes]:
    return [key_package(OWN, now=NOW) for _ in range(count)]


def test_what_the_browser_makes_is_kept_and_counted(client: Client) -> None:
    first, second, last = flow.key_packages("indonesia 1")
    assert publish(client, first, second, last_resort=last) == 2
    assert publish(client, first) == 2
    assert key_packages.ready_count(client.hash, now=NOW) == 2
    assert key_packages.standing_of(device=client.hash, card=client.card_id, now=NOW) == (2, True)
    assert key_packages.ready_devices([client.hash, "00" * 32], now=NOW) == {client.hash}


def test_each_is_claimed_once_and_then_the_last_resort_again_and_again(client: Client) -> None:
    first, second, last = flow.key_packages("indonesia 1")
    publish(client, first, second, last_resort=last)
    given = [key_packages.claim(devices=[client.hash], now=NOW)[0] for _ in range(4)]
    assert {each.key_package for each in given[:2]} == {first, second}
    assert [(each.key_package, each.last_resort) for each in given[2:]] == [(last, True)] * 2
    assert key_packages.is_ready(client.hash, now=NOW)


def test_many_who_claim_at_once_never_get_the_same_one(client: Client) -> None:
    packages = fresh(8)
    publish(client, *packages)
    given: list[bytes] = []
    start = threading.Barrier(4)

    def claim() -> None:
        start.wait()
        for _ in range(2):
            given.extend(each.key_package for each in key_packages.claim(devices=[client.hash], now=NOW))
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == len(set(given)) == 8


def test_who_has_none_is_missing_from_the_answer(client: Client) -> None:
    assert key_packages.claim(devices=[client.hash, "00" * 32], now=NOW) == []


def test_expired_ones_are_neither_counted_nor_given(client: Client) -> None:
    publish(client, *fresh(2), last_resort=key_package(OWN, now=NOW))
    later = NOW + timedelta(days=29)
    assert key_packages.ready_count(client.hash, now=later) == 0
    assert key_packages.claim(devices=[client.hash], now=later) == []
    assert not key_packages.is_ready(client.hash, now=later)


def test_a_new_last_resort_takes_the_place_of_the_old_one(client: Client) -> None:
    publish(client, last_resort=key_package(OWN, now=NOW))
    newer = key_package(OWN, now=NOW)
    publish(client, last_resort=newer)
    assert bytes(KeyPackage.objects.get(last_resort=True).body) == newer


WRONG = {
    "nothing": (b"", "bad_mls", BadInput),
    "noise": (b"\x00\x01\x00\x05" + b"\xff" * 50, "bad_mls", BadInput),
    "another object": (flow.step(0).commit, "bad_mls", BadInput),
    "another device's": (flow.key_packages("australia 1")[0], "not_this_device", BadInput),
    "another key under our name": (key_package(OWN, now=NOW, signer=Ed25519PrivateKey.generate()), "not_this_device", BadInput),
    "another suite": (key_package(OWN, now=NOW, suite=1), "bad_mls", BadInput),
    "one key twice": (key_package(OWN, now=NOW, one_key=True), "bad_mls", BadInput),
    "more than 35 days": (key_package(OWN, now=NOW, lasts=timedelta(days=36)), "bad_lifetime", BadInput),
    "over already": (key_package(OWN, now=NOW - timedelta(days=40)), "bad_lifetime", BadInput),
    "not yet": (key_package(OWN, now=NOW + timedelta(days=2)), "bad_lifetime", BadInput),
    "cut": (key_package(OWN, now=NOW)[:-1], "bad_mls", BadInput),
    "too large": (bytes(limits.KEY_PACKAGE_BYTES + 1), "key_package_too_large", TooLarge),
}


@pytest.mark.parametrize("name", WRONG)
def test_anything_else_is_refused_and_nothing_of_its_batch_is_kept(client: Client, name: str) -> None:
    raw, code, kind = WRONG[name]
    for batch, last_resort in (([*fresh(1), raw], None), (fresh(1), raw)):
        with pytest.raises(kind, match=code):
            publish(client, *batch, last_resort=last_resort)
    assert not KeyPackage.objects.exists()


def test_nobody_fills_the_shelf(client: Client) -> None:
    with pytest.raises(TooMany, match="too_many_key_packages"):
        publish(client, *fresh(limits.KEY_PACKAGES_KEPT + 1))
    publish(client, *fresh(limits.KEY_PACKAGES_KEPT - 1))
    with pytest.raises(TooMany, match="too_many_key_packages"):
        publish(client, *fresh(2))
    assert key_packages.ready_count(client.hash, now=NOW) == limits.KEY_PACKAGES_KEPT - 1


def test_a_revoked_device_publishes_nothing_and_another_cards_device_is_not_found(client: Client) -> None:
    arguments: dict[str, object] = {"key_packages": fresh(1), "last_resort": None, "now": NOW}
    with pytest.raises(NotFound):
        key_packages.publish_for(device=client.hash, card=flow.device("australia 1").card, **arguments)  # type: ignore[arg-type]
    Client.objects.filter(hash=client.hash).update(revoked=NOW)
    client.refresh_from_db()
    refusals: tuple[type[Refusal], ...] = (Forbidden, NotFound)
    with pytest.raises(refusals[0], match="device_revoked"):
        publish(client, *fresh(1))
    with pytest.raises(refusals[1]):
        key_packages.publish_for(device=client.hash, card=client.card_id, **arguments)  # type: ignore[arg-type]
