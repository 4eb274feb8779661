"""The plenary of the story, kept by the Delivery Service without the layers above: rows, commits, sealed objects.

The seats are the story's; who they follow from is tested elsewhere.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from secure import cards, delivery
from secure.content import Submission, event_says
from secure.delivery import Offer, Ordered, Standing
from secure.ed25519 import public_bytes
from secure.log import events, jcs
from secure.log.encoding import EMPTY_ROOT, b64, encode_event, kid_of, signing_bytes
from secure.models import Account
from tests import flow
from tests.flow import NOW, ROOM, Step
from tests.people import Person
from tests.room_story import DEVICES, opened

SEATED = frozenset(flow.device(f"{person.id} {number}").device for person, number in DEVICES if person.id != "outsider")
THAI = frozenset({flow.device("thai_head 1").device, flow.device("thai_head 2").device})
CONSULTATION = flow.heads("seated").consultation


def seated(_room: str) -> Standing:
    """While Thailand's head sits."""
    return Standing(SEATED, flow.heads("seated"))


def after_withdrawal(_room: str) -> Standing:
    """Once Thailand has withdrawn its head."""
    return Standing(SEATED - THAI, flow.heads("withdrawn"))


def enrol_all() -> None:
    """Rows of every card and device of the story, from their own statements."""
    for person in {person.id: person for person, _ in DEVICES}.values():
        enrol(person)


def enrol(person: Person) -> Account:
    stage, _ = opened()
    account = Account.objects.create(sign_in_name=person.id, name=person.name)
    founding, *added = stage.chains.accounts[stage.card(person)]
    cards.add_card(account=account, signed=founding)
    for signed in added:
        cards.add_device(signed=signed, label="a browser", now=NOW)
    return account


def open_room() -> None:
    """Epoch 0, as Indonesia's device opens it."""
    with transaction.atomic():
        delivery.open_room(
            room_id=ROOM,
            scope=CONSULTATION,
            kind="plenary",
            group_info=flow.opening().group_info,
            tree=flow.opening().tree,
            client_hash=flow.device("indonesia 1").device,
            now=NOW,
        )
        events.record_state(ns=ROOM, type="room.open", statement=ROOM, at=NOW)


def room_at(epoch: int) -> None:
    """The room after the story's first `epoch` commits, each a minute after the other; the last one at `NOW`."""
    enrol_all()
    open_room()
    for number in range(epoch):
        commit(flow.step(number), now=NOW - timedelta(minutes=epoch - number - 1))


def commit(step: Step, *, now: datetime = NOW) -> Ordered:
    standing = after_withdrawal if step.epoch >= 3 else seated
    return delivery.submit_commit(room_id=ROOM, card=flow.device(step.by).card, offer=offer(step), standing=standing, now=now)


def offer(step: Step) -> Offer:
    return Offer(ends_epoch=step.epoch, commit=step.commit, welcome=step.welcome, after=step.after)


class Sender:
    """One device that seals objects. What is in the box, the server cannot read anyway: here it is random."""

    def __init__(self, name: str, *, leaf: int, room: str = ROOM) -> None:
        self.device = flow.device(name)
        self.key = Ed25519PrivateKey.from_private_bytes(self.device.seed)
        self.leaf = leaf
        self.room = room
        self.made = 0

    def sealed(self, *, epoch: int, dseq: int | None = None, **changes: object) -> Submission:
        """The next object with its event; `changes` are members of its header, said wrongly on purpose."""
        return self.signed(self.unsigned(epoch=epoch, **changes), epoch=epoch, dseq=dseq)

    def unsigned(self, *, epoch: int, **changes: object) -> Submission:
        """The next object without its event."""
        self.made += 1
        message_id = secrets.token_hex(16)
        header: dict[str, object] = {
            "v": 1,
            "room": self.room,
            "epoch": epoch,
            "leaf": self.leaf,
            "device": self.device.device,
            "n": self.made,
            "prev": "0" * 64,
            "id": message_id,
            "heads": dict(flow.story()["heads"]["seated"]),
            "commitment": b64(bytes(32)),
        } | changes
        return Submission(self.room, self.device.device, message_id, jcs.encode(header), secrets.token_bytes(272), b"")

    def signed(self, sealed: Submission, *, epoch: int, dseq: int | None = None, said: dict[str, object] | None = None) -> Submission:
        """The object with its event, signed for the place where this device's count now is, or for `dseq`."""
        place = events.author_place(ns=self.room, client_hash=self.device.device)
        whole = event_says(sealed, epoch=epoch) | (said or {})
        return Submission(sealed.room, sealed.device, sealed.message_id, sealed.header, sealed.box, self.event(place, whole, dseq=dseq))

    def event(self, place: events.AuthorPlace, said: dict[str, object], *, dseq: int | None = None, dprev: str | None = None) -> bytes:
        kid = kid_of(salt=base64.b64decode(place.salt), public_key=public_bytes(self.key))
        author = {"kid": kid, "dseq": dseq or place.dseq, "dprev": dprev or place.dprev, "seen": [0, b64(EMPTY_ROOT)], "sig": ""}
        raw = encode_event(event_id=secrets.token_bytes(16), ns=place.ns, type="message.sent", src="client", at=0, data=said, author=author)
        value = jcs.decode_object(raw)
        return jcs.encode({**value, "author": {**author, "sig": b64(self.key.sign(signing_bytes(value)))}})
