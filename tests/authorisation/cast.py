"""The eight kinds of people who may come to a door, in one opened plenary."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.test import Client

from meetings import acts, convening, exports
from secure import blobs, enrolment, recovery
from secure.blobs import Upload
from secure.models import Welcome
from secure.statements import Signed
from tests.flow import ROOM
from tests.people import AUSTRALIA, BANGLADESH_HEAD, INDONESIA, OFFICER, OUTSIDER, THAI_HEAD, THAILAND, Person
from tests.room_story import opened
from tests.world import World, wraps

ROLES: dict[str, Person | None] = {
    "anonymous": None,
    "half": INDONESIA,
    "outsider": OUTSIDER,
    "co_chair": INDONESIA,
    "focal_point": THAILAND,
    "delegate": BANGLADESH_HEAD,
    "officer": OFFICER,
    "withdrawn": THAI_HEAD,
}
"""`half`: the Co-Chair's password without the second factor. The focal point is not seated; the officer neither. `withdrawn` was."""

CHUNK = bytes(16 + 256)
FINISHED, UNFINISHED, PROPOSAL = "aa" * 16, "bb" * 16, "cc" * 16


@dataclass(frozen=True)
class Scene:
    """The world, and names of things in it that doors are asked for."""

    world: World
    draft: Signed
    """of both Co-Chairs; Australia has signed, Indonesia has not"""
    used: str
    """enrolment of the officer, by Indonesia"""
    waiting: str
    """enrolment nobody has used yet, by Indonesia"""
    asked: str
    """the officer's request for evidence, which waits for a Co-Chair"""
    approved: str
    """the request of Bangladesh's head, which Australia has approved"""


def opened_plenary() -> Scene:
    """Indonesia has opened the room; Bangladesh's head sits; Thailand has withdrawn its head. Bangladesh has put in two papers."""
    world = World(opened()[0])
    world.act(world.stage.withdraw(THAILAND, THAI_HEAD))
    indonesia, bangladesh = world.account(INDONESIA), world.account(BANGLADESH_HEAD)
    _papers(world)
    _waiting_welcome(world)
    convening.keep_draft(account=indonesia, draft=PROPOSAL, box=b"sealed", now=world.now)
    recovery.keep(account=bangladesh, box=b"sealed", number=1, now=world.now)
    seat = world.stage.seat(OFFICER)
    half = Signed(seat.statement, tuple(each for each in seat.signatures if each[0] == world.card(AUSTRALIA)))
    enclosed = {"wraps": wraps(world.card(OFFICER))}
    acts.begin(actor=world.account(AUSTRALIA), signed=half, enclosed=enclosed, now=world.now)
    waiting = enrolment.invite(
        actor=indonesia,
        locator="12" * 16,
        purpose="secretariat",
        party="RSO",
        name="Ploy",
        may_invite=lambda *_asked: True,
        now=world.now,
    )
    used = next(each.id for each in enrolment.invitations_of(indonesia, now=world.now) if each.name == OFFICER.name)
    asked, approved = _requests(world)
    world.sealed()
    return Scene(world, seat, used, waiting.id, asked, approved)


def _requests(world: World) -> tuple[str, str]:
    asked, approved = (
        exports.request(account=world.account(person), consultation_id=world.consultation, purpose="check", now=world.now).id
        for person in (OFFICER, BANGLADESH_HEAD)
    )
    exports.approve(account=world.account(AUSTRALIA), export_id=approved, now=datetime.now(UTC))
    return asked, approved


def _papers(world: World) -> None:
    sha256 = hashlib.sha256(CHUNK).hexdigest()
    for blob in (FINISHED, UNFINISHED):
        upload = Upload(blob=blob, size=len(CHUNK), chunks=1, sha256=sha256)
        blobs.start(room_id=ROOM, card=world.card(BANGLADESH_HEAD), upload=upload, now=world.now)
    pieces = iter([CHUNK, b""])
    blobs.put(blob_id=FINISHED, n=0, sha256=sha256, read=lambda _most: next(pieces))
    blobs.finish(blob_id=FINISHED, now=world.now)


def _waiting_welcome(world: World) -> None:
    """As a commit that adds the device would leave it."""
    device = world.stage.devices["bangladesh_head 1"]
    Welcome.objects.create(room_id=ROOM, client_id=device, epoch=1, body=b"welcome", tree=b"tree")


def cookie(world: World, role: str) -> str | None:
    """The session cookie of somebody in this role."""
    person = ROLES[role]
    if person is None:
        return None
    return world.browser(person, second_factor=role != "half").cookies[settings.SESSION_COOKIE_NAME].value


def browser(session: str | None) -> Client:
    """A fresh browser with that cookie, so that no door's answer changes what the next one sees."""
    client = Client(raise_request_exception=False)
    if session is not None:
        client.cookies[settings.SESSION_COOKIE_NAME] = session
    return client
