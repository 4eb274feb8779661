"""The plenary as it has just been opened by its own acts, and the browsers of those who may come in and of those who may not."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests import flow
from tests.flow import ROOM, Step
from tests.people import AUSTRALIA, BANGLADESH_HEAD, INDONESIA, THAI_HEAD, Person
from tests.room_story import opened, withdrawn
from tests.rooms import Sender
from tests.world import World, signed_in

BY = {"indonesia 1": INDONESIA, "australia 1": AUSTRALIA, "thai_head 1": THAI_HEAD, "bangladesh_head 2": BANGLADESH_HEAD}


class Plenary:
    """`world` may be shared by many tests, each of which undoes what it did; browsers are each test's own."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World(opened()[0])
        self._browsers: dict[str, Client] = {}

    def browser(self, person: Person) -> Client:
        if person.id not in self._browsers:
            self._browsers[person.id] = signed_in(self.world.account(person))
        return self._browsers[person.id]

    def cookie(self, person: Person) -> str:
        return str(self.browser(person).session.session_key)

    def get(self, person: Person, path: str, room: str = ROOM) -> HttpResponse:
        return self.browser(person).get(f"/api/rooms/{room}{path}")

    def post(self, person: Person, path: str, body: object, room: str = ROOM) -> HttpResponse:
        return self.browser(person).post(f"/api/rooms/{room}{path}", json.dumps(body), content_type="application/json")

    def commit(self, number: int) -> HttpResponse:
        step = flow.step(number)
        return self.post(BY[step.by], "/commits", offer(step))

    def withdraw(self) -> None:
        """Thailand withdraws its head. Not through `World.follow`, which would remember it after the test has undone it."""
        _, signed = withdrawn()
        self.world.store(signed, stage=withdrawn()[0])
        self.world._seen.discard(signed.hash)

    def at(self, epoch: int) -> Plenary:
        for number in range(epoch):
            if number == 3:
                self.withdraw()
            answer = self.commit(number)
            assert answer.status_code == 200, answer.content
        return self


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def offer(step: Step, **changes: object) -> dict[str, object]:
    return {
        "epoch": step.epoch,
        "commit": b64(step.commit),
        "welcome": b64(step.welcome) if step.welcome else None,
        "group_info": b64(step.after.group_info),
        "tree": b64(step.after.tree),
    } | changes


def frame(sender: Sender, *, epoch: int, dseq: int | None = None, **changes: object) -> dict[str, Any]:
    """A `send` frame."""
    sealed = sender.sealed(epoch=epoch, dseq=dseq)
    whole = {
        "t": "send",
        "id": sealed.message_id,
        "object": {"header": b64(sealed.header), "box": b64(sealed.box)},
        "event": b64(sealed.event),
    }
    return whole | changes


def refusal(answer: HttpResponse) -> tuple[int, str]:
    return answer.status_code, json.loads(answer.content)["error"]
