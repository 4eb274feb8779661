"""Every door × every kind of person, and every socket frame × every kind of person. Expectations are written by hand.

A route, a method or a frame without a row here is a failure, and so is a row without a route.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.urls import resolve

from consult import rooms as room_doors
from consult import wire
from consult.asgi import application
from consult.urls import urlpatterns
from secure import fanout
from secure.models import Checkpoint, LogEvent
from secure.statements import encode_signed
from tests.authorisation.cast import CHUNK, FINISHED, PROPOSAL, ROLES, UNFINISHED, Scene, browser, cookie, opened_plenary
from tests.consult.live import Snapshot, Socket, dip
from tests.flow import ROOM
from tests.people import INDONESIA, OFFICER, THAILAND
from tests.stage import sealed
from tests.world import BOX, wraps

METHODS = ("GET", "POST", "PUT", "DELETE")
ZERO = "0" * 64


@dataclass(frozen=True)
class Row:
    """One request. `expect` are the statuses for `ROLES` in order: anonymous, half, outsider, co_chair, focal_point, delegate,
    officer, withdrawn."""

    method: str
    path: str
    expect: str
    body: Any = None
    headers: Any = None


def rows(scene: Scene) -> list[Row]:
    return [*pages(scene), *sign_in(), *statements(scene), *enrolment(scene), *keys(scene), *room(scene), *papers(), *evidence(scene)]


def pages(scene: Scene) -> list[Row]:
    matter = f"/consultations/{scene.world.consultation}"
    size = Checkpoint.objects.order_by("-size").values_list("size", flat=True)[0]
    return [
        #                                                A   H   O   C   F   D   S   W
        Row("GET", "/", "                               302 302 200 200 200 200 200 200"),
        Row("GET", "/about/host", "                     200 200 200 200 200 200 200 200"),
        Row("GET", "/api/build", "                      200 200 200 200 200 200 200 200"),
        Row("GET", "/healthz", "                        200 200 200 200 200 200 200 200"),
        Row("POST", "/csp-report", "                    204 204 204 204 204 204 204 204", {}),
        Row("GET", "/log/checkpoint", "                 200 200 200 200 200 200 200 200"),
        Row("GET", "/log/witnessed", "                  200 200 200 200 200 200 200 200"),
        Row("GET", "/log/offered", "                    200 200 200 200 200 200 200 200"),
        Row("GET", "/log/policy", "                     200 200 200 200 200 200 200 200"),
        Row("GET", "/log/policy/1", "                   200 200 200 200 200 200 200 200"),
        Row("POST", "/log/cosignatures", "              400 400 400 400 400 400 400 400", b"no note"),
        Row("GET", f"/log/tile/0/000.p/{size}", "       200 200 200 200 200 200 200 200"),
        Row("GET", f"/log/tile/entries/000.p/{size}", " 404 404 404 200 404 404 200 404"),
        Row("GET", f"/log/consistency/1/{size}", "      200 200 200 200 200 200 200 200"),
        Row("GET", "/log/genesis", "                    200 200 200 200 200 200 200 200"),
        Row("GET", "/enrol", "                          200 200 200 200 200 200 200 200"),
        Row("GET", "/viewer", "                         200 200 200 200 200 200 200 200"),
        Row("GET", "/restore", "                        302 302 200 200 200 200 200 200"),
        Row("GET", "/chairs", "                         302 302 403 200 403 403 403 403"),
        Row("GET", "/parties", "                        302 302 403 200 403 403 403 403"),
        Row("GET", "/proposals/new", "                  302 302 403 200 403 403 403 403"),
        Row("GET", f"/proposals/{PROPOSAL}", "          302 302 403 200 403 403 403 403"),
        Row("GET", matter, "                            302 302 404 200 200 200 404 404"),
        Row("GET", f"{matter}/delegation", "            302 302 404 404 200 404 404 404"),
        Row("GET", f"{matter}/undertaking", "           302 302 404 404 404 200 404 404"),
        Row("GET", f"{matter}/room", "                  302 302 404 200 404 200 404 404"),
        Row("GET", f"{matter}/evidence", "              302 302 404 200 404 200 200 200"),
        Row("GET", "/evidence", "                       302 302 200 200 200 200 200 200"),
        Row("GET", "/register", "                       302 302 403 200 403 403 200 403"),
        Row("GET", "/register/0", "                     302 302 403 200 403 403 200 403"),
        Row("GET", "/register/retention", "             302 302 403 200 403 403 200 403"),
        Row("GET", f"{matter}/disposal", "              302 302 404 200 404 404 200 404"),
        Row("GET", f"{matter}/disposal/certificate", "  302 302 404 404 404 404 404 404"),
        Row("GET", f"{matter}/disposal/manifest", "     302 302 404 404 404 404 404 404"),
    ]


def sign_in() -> list[Row]:
    return [
        Row("GET", "/account", "                        302 302 200 200 200 200 200 200"),
        Row("GET", "/account/password", "               302 302 200 200 200 200 200 200"),
        Row("POST", "/account/password", "              302 302 200 200 200 200 200 200", {}),
        Row("GET", "/account/recovery-codes", "         302 302 200 200 200 200 200 200"),
        Row("POST", "/account/recovery-codes", "        302 302 200 200 200 200 200 200", {}),
        Row("POST", "/account/sessions/end-all", "      302 302 302 302 302 302 302 302", {}),
        Row("POST", "/account/sessions/x/end", "        302 302 302 302 302 302 302 302", {}),
        Row("GET", "/sign-in", "                        200 200 302 302 302 302 302 302"),
        Row("POST", "/sign-in", "                       200 200 302 302 302 302 302 302", {}),
        Row("GET", "/sign-in/code", "                   302 302 302 302 302 302 302 302"),
        Row("POST", "/sign-in/code", "                  302 302 302 302 302 302 302 302", {}),
        Row("GET", "/sign-in/renew", "                  302 302 302 302 302 302 302 302"),
        Row("POST", "/sign-in/renew", "                 302 302 302 302 302 302 302 302", {}),
        Row("POST", "/sign-out", "                      302 302 302 302 302 302 302 302", {}),
    ]


def statements(scene: Scene) -> list[Row]:
    world = scene.world
    matter = f"/api/consultations/{world.consultation}"
    answered = next(signed for signed in world.stage.chains.consultation if signed.statement.type == "invitation.answer")
    # Indonesia begins what Australia has begun already; its own signature is the one that is missing
    own = {**encode_signed(scene.draft)}
    own["signatures"] = [each for each in encode_signed(scene.draft)["signatures"] if each[0] == world.card(INDONESIA)]  # type: ignore[attr-defined]
    seated = {"enclosed": {"wraps": wraps(world.card(OFFICER))}}
    draft = f"/api/drafts/{scene.draft.hash}"
    chains = {"consultation": world.consultation, "have": {}}
    proposal = f"/api/proposal-drafts/{PROPOSAL}"
    return [
        #                                                A   H   O   C   F   D   S   W
        Row("POST", "/api/statements", "                401 401 403 403 409 403 403 403", {**encode_signed(answered), "enclosed": {}}),
        Row("GET", "/api/drafts", "                     401 401 200 200 200 200 200 200"),
        Row("POST", "/api/drafts", "                    401 401 403 201 403 403 403 403", {**own, **seated}),
        Row("POST", f"{draft}/sign", "                  401 401 404 201 404 404 404 404", {"signature": own["signatures"][0]}),
        Row("DELETE", draft, "                          401 401 404 200 404 404 404 404"),
        Row("POST", "/api/chains", "                    401 401 404 200 200 200 404 404", chains),
        Row("POST", "/api/chains", "                    401 401 200 200 200 200 200 200", {"consultation": None, "have": {}}),
        Row("GET", f"/api/sealed/{sealed('brief').sha256}", "401 401 404 200 200 200 404 404"),
        Row("GET", "/api/proposal-drafts", "            401 401 200 200 200 200 200 200"),
        Row("PUT", proposal, "                          401 401 403 200 403 403 403 403", {"box": "AAAA"}),
        Row("DELETE", proposal, "                       401 401 404 200 404 404 404 404"),
        Row("GET", "/api/consultations", "              401 401 200 200 200 200 200 200"),
        Row("GET", matter, "                            401 401 404 200 200 200 404 404"),
        Row("GET", f"{matter}/names", "                 401 401 404 200 200 200 404 404"),
        Row("GET", f"{matter}/unwrapped", "             401 401 404 200 200 200 404 404"),
        Row("GET", f"{matter}/disposal", "              401 401 404 409 404 404 404 404"),
        Row("POST", f"{matter}/disposal", "             401 401 403 403 403 403 200 403", {"basis": "legal_order"}),
        Row("POST", f"{matter}/wraps", "                401 401 404 201 201 201 404 404", {"wraps": wraps(world.card(THAILAND))}),
    ]


def enrolment(scene: Scene) -> list[Row]:
    delegate = {"locator": "34" * 16, "purpose": "delegate", "party": "THA", "name": "Anong"}
    focal_point = {"locator": "34" * 16, "purpose": "focal_point", "party": "THA", "name": "Anong"}
    officer = {"locator": "34" * 16, "purpose": "secretariat", "party": "RSO", "name": "Anong"}
    confirm = {"card": scene.world.card(OFFICER)}
    unknown = {"locator": "56" * 16}
    return [
        #                                                A   H   O   C   F   D   S   W
        Row("GET", "/api/enrolments", "                 401 401 200 200 200 200 200 200"),
        Row("POST", "/api/enrolments", "                401 401 403 403 201 403 403 403", delegate),
        Row("POST", "/api/enrolments", "                401 401 403 201 403 403 403 403", focal_point),
        Row("POST", "/api/enrolments", "                401 401 403 201 403 403 403 403", officer),
        Row("POST", f"/api/enrolments/{scene.used}/confirm", "401 401 404 200 404 404 404 404", confirm),
        Row("DELETE", f"/api/enrolments/{scene.waiting}", "401 401 404 200 404 404 404 404"),
        Row("POST", "/api/enrolments/open", "           410 410 410 410 410 410 410 410", unknown),
        Row("POST", "/api/enrolments/sign-in-details", "400 400 400 400 400 400 400 400", unknown),
        Row("POST", "/api/enrolments/complete", "       400 400 400 400 400 400 400 400", unknown),
        Row("POST", "/api/enrolments/qr", "             400 400 400 400 400 400 400 400", {}),
    ]


def keys(scene: Scene) -> list[Row]:
    own = f"/api/devices/{scene.world.stage.devices['bangladesh_head 1']}/key-packages"
    entries = {"room": ZERO, "entries": [{"epoch": 1, "box": BOX}]}
    return [
        #                                                A   H   O   C   F   D   S   W
        Row("GET", "/api/recovery", "                   401 401 404 404 404 200 404 404"),
        Row("PUT", "/api/recovery", "                   401 401 200 200 200 200 200 200", {"box": BOX, "number": 2}),
        Row("GET", f"/api/ring?room={ZERO}", "          401 401 200 200 200 200 200 200"),
        Row("POST", "/api/ring", "                      401 401 201 201 201 201 201 201", entries),
        Row("GET", own, "                               401 401 404 404 404 200 404 404"),
        Row("POST", own, "                              401 401 404 404 404 200 404 404", {"key_packages": [], "last_resort": None}),
    ]


def room(scene: Scene) -> list[Row]:
    devices = scene.world.stage.devices
    recorded = LogEvent.objects.filter(type="room.open").values_list("hash", flat=True)[0]
    own, removed = f"?device={devices['bangladesh_head 1']}", f"?device={devices['thai_head 1']}"
    return [
        #                                                A   H   O   C   F   D   S   W
        Row("GET", f"/api/rooms/{ROOM}", "              401 401 404 200 404 200 404 404"),
        Row("GET", f"/api/rooms/{ROOM}/due", "          401 401 404 200 404 200 404 404"),
        Row("POST", f"/api/rooms/{ROOM}/claims", "      401 401 404 200 404 200 404 404", {"devices": []}),
        Row("POST", f"/api/rooms/{ROOM}/commits", "     401 401 404 400 404 400 404 404", {}),
        Row("GET", f"/api/rooms/{ROOM}/handshakes", "   401 401 404 200 404 200 404 404"),
        Row("GET", f"/api/rooms/{ROOM}/welcome{own}", " 401 401 404 404 404 200 404 404"),
        Row("POST", f"/api/rooms/{ROOM}/messages", "    401 401 404 400 404 400 404 404", {}),
        Row("GET", f"/api/rooms/{ROOM}/items", "        401 401 404 200 404 200 404 404"),
        Row("POST", f"/api/rooms/{ROOM}/history", "     401 401 404 400 404 400 404 404", {}),
        Row("GET", f"/api/rooms/{ROOM}/history", "      401 401 404 200 404 200 404 404"),
        Row("GET", f"/api/rooms/{ROOM}/removal{removed}", "401 401 404 200 200 200 404 404"),
        Row("GET", f"/api/rooms/{ROOM}/author{own}", "  401 401 404 404 404 200 404 404"),
        Row("GET", f"/api/rooms/{ROOM}/proof?event={recorded}", "401 401 404 200 404 200 404 404"),
    ]


def papers() -> list[Row]:
    sha256 = hashlib.sha256(CHUNK).hexdigest()
    started = {"blob": "dd" * 16, "size": len(CHUNK), "chunks": 1, "sha256": sha256}
    raw = {"X-Sha256": sha256}
    return [
        #                                                A   H   O   C   F   D   S   W
        Row("POST", f"/api/rooms/{ROOM}/blobs", "       401 401 404 201 404 201 404 404", started),
        Row("GET", f"/api/blobs/{FINISHED}", "          401 401 404 200 404 200 404 404"),
        Row("GET", f"/api/blobs/{UNFINISHED}", "        401 401 404 404 404 200 404 404"),
        Row("GET", f"/api/blobs/{FINISHED}/0", "        401 401 404 200 404 200 404 404"),
        Row("PUT", f"/api/blobs/{UNFINISHED}/0", "      401 401 404 404 404 200 404 404", CHUNK, raw),
        Row("POST", f"/api/blobs/{UNFINISHED}/finish", "401 401 404 404 404 409 404 404"),
        Row("DELETE", f"/api/blobs/{UNFINISHED}", "     401 401 404 404 404 200 404 404"),
    ]


def evidence(scene: Scene) -> list[Row]:
    """The officer has asked, and nobody has decided; the delegate's request is approved. Whoever once sat may ask too."""
    matter = f"/api/consultations/{scene.world.consultation}/exports"
    asked, approved = f"/api/exports/{scene.asked}", f"/api/exports/{scene.approved}"
    return [
        #                                                A   H   O   C   F   D   S   W
        Row("GET", matter, "                            401 401 404 200 404 200 200 200"),
        Row("POST", matter, "                           401 401 404 201 404 409 409 201", {"purpose": "check"}),
        Row("POST", f"{asked}/approve", "               401 401 404 200 404 404 403 404"),
        Row("POST", f"{asked}/decline", "               401 401 404 200 404 404 403 404"),
        Row("DELETE", asked, "                          401 401 404 403 404 404 200 404"),
        Row("POST", f"{approved}/bundle", "             401 401 404 403 404 200 403 404"),
    ]


# ----------------------------------------------------------------------------------------------------------------------- doors


@pytest.mark.django_db
def test_every_door_answers_everybody_as_the_table_says() -> None:
    scene = opened_plenary()
    cookies = {role: cookie(scene.world, role) for role in ROLES}
    wrong = []
    for row in rows(scene):
        expected = [int(status) for status in row.expect.split()]
        found = [ask(row, cookies[role]) for role in ROLES]
        if found != expected:
            wrong.append(f"{row.method} {row.path}: expected {expected}, found {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_every_route_and_method_has_its_row_and_every_row_its_route() -> None:
    scene = opened_plenary()
    listed = {(row.method, resolve(row.path.split("?")[0]).route) for row in rows(scene)}
    routes = {str(pattern.pattern) for pattern in urlpatterns}
    assert {route for _, route in listed} == routes
    paths = {resolve(row.path.split("?")[0]).route: row.path for row in rows(scene)}
    session = cookie(scene.world, "co_chair")
    unlisted = [(method, route) for route in routes for method in METHODS if (method, route) not in listed]
    answered = [(*each, ask(Row(each[0], paths[each[1]], "", {}), session)) for each in unlisted]
    assert [each for each in answered if each[2] != 405] == []


def ask(row: Row, session: str | None) -> int:
    """One request, and everything it changed taken back."""
    before = transaction.savepoint()
    body = row.body if isinstance(row.body, bytes) else b"" if row.body is None else json.dumps(row.body).encode()
    kind = "application/octet-stream" if isinstance(row.body, bytes) else "application/json"
    answer = browser(session).generic(row.method, row.path, body, content_type=kind, headers=row.headers)
    transaction.savepoint_rollback(before)
    return answer.status_code


# ---------------------------------------------------------------------------------------------------------------------- sockets

OPENS = "no no yes yes yes yes yes yes"
"""Whether the handshake succeeds, for `ROLES` in order."""

FRAMES = {
    #            O    C    F    D    S    W      the first answer, or the code of the close, once the handshake is through
    "hello": "not_seated welcome not_seated welcome not_seated not_seated",
    "send": "bad_frame bad_frame bad_frame bad_frame bad_frame bad_frame",
    "ping": "hello_first hello_first hello_first hello_first hello_first hello_first",
}
"""As the very first frame. Nothing but `hello` is heard before there is a seat."""

SEATED = {"hello": "bad_frame", "send": "bad_frame", "ping": "pong"}
"""After a welcome; this `send` holds nothing."""


def test_every_frame_and_every_socket_route_has_its_row() -> None:
    assert set(FRAMES) == set(SEATED) == set(wire.FRAMES)
    routes = application.inner.application_mapping["websocket"].inner.routes  # type: ignore[attr-defined]
    assert [str(route.pattern) for route in routes] == ["ws/rooms/<str:room>"]


@pytest.fixture(scope="module")
def migrated(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Puts back what the migrations had put in: a test with real transactions leaves every table empty."""
    with django_db_blocker.unblock():
        empty = Snapshot()
        yield
        empty.put_back()


@pytest.fixture
def scene(migrated: None, transactional_db: None) -> Scene:
    return opened_plenary()


async def test_every_frame_is_answered_as_the_table_says(scene: Scene) -> None:
    cookies = {role: await dip(cookie, scene.world, role) for role in ROLES}
    found: dict[str, str] = {}
    opened = []
    for role in ROLES:
        socket = Socket(cookies[role])
        opened.append("yes" if await socket.open() else "no")
        await socket.hang_up()
    assert " ".join(opened) == OPENS
    for kind in FRAMES:
        answers = [await first_answer(scene, cookies[role], role, kind) for role in list(ROLES)[2:]]
        found[kind] = " ".join(answers)
    assert found == FRAMES
    for kind, expected in SEATED.items():
        socket = Socket(cookies["delegate"])
        await socket.open()
        await socket.say(frame(scene, "delegate", "hello"))
        await socket.until("welcome")
        await socket.say(frame(scene, "delegate", kind))
        assert await told(socket) == expected, kind
        await socket.hang_up()
    await fanout.close()
    await dip(room_doors.writer().stop)


async def first_answer(scene: Scene, session: str | None, role: str, kind: str) -> str:
    socket = Socket(session)
    assert await socket.open()
    await socket.say(frame(scene, role, kind))
    answer = await told(socket)
    await socket.hang_up()
    return answer


async def told(socket: Socket) -> str:
    """The code of an error, or else the kind of the next frame which is about us."""
    async with asyncio.timeout(5):
        while True:
            heard = await socket.hear()
            if heard.get("t") not in ("items", "online", "due"):
                return str(heard.get("code") or heard.get("t") or heard["closed"])


def frame(scene: Scene, role: str, kind: str) -> dict[str, Any]:
    person = ROLES[role] or INDONESIA
    device = scene.world.stage.devices[f"{person.id} 1"]
    return {"hello": {"t": "hello", "device": device, "since": 0}, "send": {"t": "send"}, "ping": {"t": "ping"}}[kind]
