"""The JSON doors: what every door refuses, then statements, drafts, chains, sealed texts and consultations through HTTP."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.test import Client

from secure import sessions
from secure.models import StatementRow
from secure.statements import Signed, encode_signed, parse_signed
from tests import stage as stages
from tests.people import AUSTRALIA, INDONESIA, MYANMAR, OFFICER, OUTSIDER, THAI_HEAD, THAILAND
from tests.stage import sealed
from tests.world import BOX, World, signed_in, wraps

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def world() -> World:
    return World(stages.concurred())


def wire(signed: Signed, enclosed: dict[str, Any] | None = None) -> dict[str, Any]:
    return {**encode_signed(signed), "enclosed": enclosed or {}}


# ---------------------------------------------------------------------------------------------------------------- every door


@pytest.fixture
def one_chair() -> World:
    """The smallest world somebody can sign in to."""
    stage = stages.Stage()
    stage.enrol(INDONESIA)
    return World(stage)


def test_a_door_takes_its_own_method_only(one_chair: World) -> None:
    client = one_chair.browser(INDONESIA)
    answer = client.get("/api/statements")
    assert (answer.status_code, answer.json(), answer.headers["Allow"]) == (405, {"error": "method"}, "POST")
    both = client.delete("/api/drafts")
    assert (both.status_code, both.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{}", "text/plain", 415, "media_type"),
        (b"{}", "application/x-www-form-urlencoded", 415, "media_type"),
        (b"not json", JSON, 400, "not_json"),
        (b"[]", JSON, 400, "not_json"),
        (b'"text"', JSON, 400, "not_json"),
        (b'{"statement": 1, "statement": 2}', JSON, 400, "not_json"),
        (b'{"statement": 1.5}', JSON, 400, "not_json"),
        (b'{"statement": NaN}', JSON, 400, "not_json"),
        (b'{"statement": "\xff"}', JSON, 400, "not_json"),
        (b'{"statement": ' + b"9" * 5000 + b"}", JSON, 400, "not_json"),
        (b"[" * 100_000, JSON, 400, "not_json"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON, 400, "not_json"),
        (b'{"other": 1}', JSON, 400, "unknown_field"),
        (b"", "", 400, "malformed"),
        (b'{"statement": {}, "signatures": []}', JSON, 400, "malformed"),
        (b'{"statement": {}, "signatures": [], "enclosed": 7}', JSON, 400, "malformed"),
    ],
)
def test_a_body_that_is_not_what_a_door_takes(one_chair: World, body: bytes, content_type: str, status: int, code: str) -> None:
    answer = one_chair.browser(INDONESIA).post("/api/statements", body, content_type=content_type)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_a_body_above_the_limit_is_refused(one_chair: World) -> None:
    client = one_chair.browser(INDONESIA)
    for size in (1024 * 1024, 3 * 1024 * 1024):
        answer = client.post("/api/chains", b'{"x": "' + b"x" * size + b'"}', content_type=JSON)
        assert (answer.status_code, answer.json()) == (413, {"error": "body_too_large"})


def test_nobody_comes_in_without_both_factors_or_after_the_session_ended(one_chair: World) -> None:
    ended = one_chair.browser(INDONESIA)
    sessions.end_all(account=one_chair.account(INDONESIA), now=one_chair.now)
    for client in (Client(), one_chair.browser(INDONESIA, second_factor=False), ended):
        answer = client.post("/api/chains", {"consultation": None, "have": {}}, content_type=JSON)
        assert (answer.status_code, answer.json()) == (401, {"error": "sign_in"})


def test_a_request_from_elsewhere_is_refused(one_chair: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = one_chair.browser(INDONESIA).cookies
    answer = client.post("/api/chains", {"consultation": None, "have": {}}, content_type=JSON)
    assert (answer.status_code, answer.json()) == (403, {"error": "csrf"})


def test_answers_are_never_kept_by_a_cache(one_chair: World) -> None:
    client = one_chair.browser(INDONESIA)
    for answer in (client.get("/api/drafts"), client.get("/api/consultations/" + "0" * 64)):
        assert answer.headers["Cache-Control"] == "no-store"


# ----------------------------------------------------------------------------------------------------------------- statements


def test_a_statement_goes_in_and_a_second_time_it_is_told_the_head(world: World) -> None:
    client, signed = world.browser(THAILAND), world.stage.answer(THAILAND)
    first = client.post("/api/statements", wire(signed), content_type=JSON)
    assert (first.status_code, first.json()) == (201, {"hash": signed.hash, "scope": world.consultation, "n": 2})
    again = client.post("/api/statements", wire(signed), content_type=JSON)
    assert (again.status_code, again.json()) == (409, {"error": "head_moved", "n": 2, "head": signed.hash})


def _changed(signed: Signed, **members: Any) -> dict[str, Any]:
    found = wire(signed)
    found["statement"] = {**found["statement"], **members}
    return found


def test_malformed_statements_are_refused_and_nothing_is_stored(world: World) -> None:
    client, signed = world.browser(THAILAND), world.stage.answer(THAILAND)
    lawful, count = wire(signed), StatementRow.objects.count()
    card, signature = lawful["signatures"][0]
    wrong: list[tuple[dict[str, Any], int, str]] = [
        (_changed(signed, type="consultation.dissolve"), 400, "unknown_type"),
        (_changed(signed, v=2), 400, "malformed"),
        (_changed(signed, n=True), 400, "malformed"),
        (_changed(signed, nonce="AAAA"), 400, "malformed"),
        (_changed(signed, body={"party": "THA"}), 400, "malformed"),
        (_changed(signed, body={"party": "THA", "answer": "perhaps"}), 400, "malformed"),
        (_changed(signed, body={"Party": "THA", "answer": "accept"}), 400, "not_canonical"),
        (_changed(signed, inst="0" * 64), 400, "foreign_installation"),
        (_changed(signed, up="0" * 64), 400, "up_unknown"),
        (_changed(signed, prev="0" * 64), 409, "head_moved"),
        (_changed(signed, scope="0" * 64), 404, "not_found"),
        ({**lawful, "signatures": []}, 400, "malformed"),
        ({**lawful, "signatures": [[card, signature], [card, signature]]}, 400, "malformed"),
        ({**lawful, "signatures": [[card, base64.b64encode(bytes(64)).decode()]]}, 400, "bad_signature"),
        ({**lawful, "enclosed": {"wraps": []}}, 400, "bad_enclosed"),
        ({**lawful, "enclosed": []}, 400, "bad_field"),
    ]
    for body, status, code in wrong:
        answer = client.post("/api/statements", body, content_type=JSON)
        assert (answer.status_code, answer.json()["error"]) == (status, code), body
    assert StatementRow.objects.count() == count
    assert client.post("/api/statements", lawful, content_type=JSON).status_code == 201


def test_a_statement_of_another_consultation_does_not_fit(world: World) -> None:
    """Replayed from a world of the same people, it belongs to another installation."""
    elsewhere = stages.Stage("elsewhere")
    elsewhere.found()
    for person in (THAILAND,):
        elsewhere.enrol(person)
        elsewhere.focal_point(person)
    elsewhere.propose()
    elsewhere.concur()
    answer = world.browser(THAILAND).post("/api/statements", wire(elsewhere.answer(THAILAND)), content_type=JSON)
    assert answer.status_code in (400, 403)
    assert not StatementRow.objects.filter(type="invitation.answer").exists()


# --------------------------------------------------------------------------------------------------------------------- drafts


def test_both_chairs_sign_one_after_the_other(world: World) -> None:
    seat = world.stage.seat(OFFICER)
    chairs = [world.accounts[card] for card in seat.cards]
    first, second = (signed_in(account) for account in chairs)
    half = wire(Signed(seat.statement, seat.signatures[:1]), {"wraps": wraps(world.card(OFFICER))})
    made = first.post("/api/drafts", half, content_type=JSON)
    assert (made.status_code, made.json()) == (201, {"draft": seat.hash})
    assert first.post("/api/drafts", half, content_type=JSON).status_code == 201
    (seen,) = second.get("/api/drafts").json()
    assert set(seen) == {"draft", "statement", "signatures", "enclosed", "at"}
    assert parse_signed({name: seen[name] for name in ("statement", "signatures")}).hash == seat.hash
    assert seen["enclosed"] == half["enclosed"]
    assert world.browser(THAILAND).get("/api/drafts").json() == []
    signature = encode_signed(seat)["signatures"][1]  # type: ignore[index]
    path = f"/api/drafts/{seat.hash}/sign"
    assert world.browser(THAILAND).post(path, {"signature": signature}, content_type=JSON).status_code == 404
    assert second.post(path, {"signature": "AAAA"}, content_type=JSON).json() == {"error": "malformed"}
    signed = second.post(path, {"signature": signature}, content_type=JSON)
    assert (signed.status_code, signed.json()["hash"]) == (201, seat.hash)
    assert second.post(path, {"signature": signature}, content_type=JSON).status_code == 404
    assert second.get("/api/drafts").json() == []


def test_a_draft_is_thrown_away_once(world: World) -> None:
    seat = world.stage.seat(OFFICER)
    client = signed_in(world.accounts[seat.cards[0]])
    half = wire(Signed(seat.statement, seat.signatures[:1]), {"wraps": wraps(world.card(OFFICER))})
    client.post("/api/drafts", half, content_type=JSON)
    assert world.browser(OUTSIDER).delete(f"/api/drafts/{seat.hash}").status_code == 404
    assert client.delete(f"/api/drafts/{seat.hash}").json() == {}
    assert client.delete(f"/api/drafts/{seat.hash}").status_code == 404
    assert client.delete("/api/drafts/nonsense").json() == {"error": "not_found"}


# --------------------------------------------------------------------------------------------------------------------- chains


def ask(client: Client, consultation: str | None, have: dict[str, int] | None = None) -> Any:
    return client.post("/api/chains", {"consultation": consultation, "have": have or {}}, content_type=JSON)


def test_chains_come_from_the_places_the_caller_does_not_have(world: World) -> None:
    client = world.browser(THAILAND)
    whole = ask(client, world.consultation).json()
    inst = world.stage.chains.installation[0].scope_name
    assert whole["heads"][world.consultation] == 2
    assert [parse_signed(each).hash for each in whole["statements"][world.consultation]] == [
        signed.hash for signed in world.stage.chains.consultation
    ]
    assert whole["heads"][inst] == len(world.stage.chains.installation)
    assert ask(client, world.consultation, whole["heads"]).json() == {"statements": {}, "heads": whole["heads"]}
    one = ask(client, world.consultation, {**whole["heads"], world.consultation: 1, "0" * 64: 5}).json()
    assert {scope: len(chain) for scope, chain in one["statements"].items()} == {world.consultation: 1}


def test_chains_of_what_one_may_not_see_are_not_found(world: World) -> None:
    hidden = ask(world.browser(OUTSIDER), world.consultation)
    absent = ask(world.browser(OUTSIDER), "0" * 64)
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content
    client = world.browser(THAILAND)
    for body in ({"consultation": "x"}, {"consultation": None, "have": {"a": "b"}}, {"consultation": None, "have": []}):
        expected = 200 if body.get("have") == {"a": "b"} else 400
        assert client.post("/api/chains", body, content_type=JSON).status_code == expected


def test_a_count_that_is_none_is_refused(world: World) -> None:
    client = world.browser(THAILAND)
    for count in (-1, "1", None, True, 1 << 60):
        answer = client.post("/api/chains", {"consultation": world.consultation, "have": {world.consultation: count}}, content_type=JSON)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_field")


# --------------------------------------------------------------------------------------------------------------- sealed texts


def test_a_brief_comes_with_the_callers_own_wrap(world: World) -> None:
    path = f"/api/sealed/{sealed('brief').sha256}"
    commitment = base64.b64encode(sealed("brief").commitment).decode()
    found = world.browser(THAILAND).get(path).json()
    assert found == {"ciphertext": base64.b64encode(b"brief").decode(), "commitment": commitment, "box": BOX}
    hidden, absent = world.browser(OUTSIDER).get(path), world.browser(OUTSIDER).get("/api/sealed/" + "0" * 64)
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content) == (404, b'{"error": "not_found"}')
    assert world.browser(THAILAND).get("/api/sealed/nonsense").content == absent.content


def test_wraps_come_from_holders_for_those_entitled(world: World) -> None:
    base = f"/api/consultations/{world.consultation}"
    client = world.browser(INDONESIA)
    assert client.get(f"{base}/unwrapped").json() == []
    body = {"wraps": wraps(world.card(THAILAND))}
    assert client.post(f"{base}/wraps", body, content_type=JSON).json() == {"count": 0}
    wrong = {"wraps": wraps(world.card(OUTSIDER))}
    assert client.post(f"{base}/wraps", wrong, content_type=JSON).json() == {"error": "wrap_not_entitled"}
    for path in ("unwrapped", "wraps"):
        ask_for = world.browser(OUTSIDER)
        answer = ask_for.get(f"{base}/{path}") if path == "unwrapped" else ask_for.post(f"{base}/{path}", body, content_type=JSON)
        assert (answer.status_code, answer.json()) == (404, {"error": "not_found"})


# ---------------------------------------------------------------------------------------------------------- proposal drafts


def test_a_proposal_in_preparation_is_kept_for_its_author(one_chair: World) -> None:
    client, path = one_chair.browser(INDONESIA), "/api/proposal-drafts/" + "ab" * 16
    assert client.put(path, {"box": "AAAA"}, content_type=JSON).json() == {"id": "ab" * 16}
    (kept,) = client.get("/api/proposal-drafts").json()
    assert (kept["id"], kept["box"]) == ("ab" * 16, "AAAA")
    assert client.put("/api/proposal-drafts/short", {"box": "AAAA"}, content_type=JSON).status_code == 404
    for box in ("?", "", 5, base64.b64encode(bytes(256 * 1024 + 1)).decode()):
        assert client.put(path, {"box": box}, content_type=JSON).json() == {"error": "bad_field", "field": "box"}
    assert client.delete(path).json() == {}
    assert client.delete(path).status_code == 404


# ------------------------------------------------------------------------------------------------------------- consultation


def test_a_consultation_as_its_board(world: World) -> None:
    world.act(world.stage.answer(THAILAND))
    world.act(world.stage.accredit(THAILAND, THAI_HEAD))
    found = world.browser(THAI_HEAD).get(f"/api/consultations/{world.consultation}").json()
    assert (found["id"], found["reference"], found["state"], found["step"]) == (
        world.consultation,
        "BP/CM/2017/1",
        "concurred",
        "undertake",
    )
    assert found["brief"] == sealed("brief").value()
    assert found["rooms"] == []
    thailand = next(row for row in found["parties"] if row["party"] == "THA")
    assert (thailand["answer"], thailand["step"], thailand["delegates"][0]["capacity"]) == ("accept", "needs_undertaking", "head")


def test_a_consultation_one_may_not_see_looks_like_none(world: World) -> None:
    client = world.browser(OFFICER)
    hidden = client.get(f"/api/consultations/{world.consultation}")
    for path in ("0" * 64, "nonsense", "A" * 64, "%00", world.consultation.upper()):
        absent = client.get(f"/api/consultations/{path}")
        assert (absent.status_code, absent.content) == (hidden.status_code, hidden.content) == (404, b'{"error": "not_found"}')


def test_lists_tell_nothing_of_a_consultation_to_whoever_is_not_invited(world: World) -> None:
    for person in (OUTSIDER, OFFICER):
        client = world.browser(person)
        for path in ("/api/drafts", "/api/proposal-drafts", "/api/enrolments"):
            assert "BP/CM/2017/1" not in json.dumps(client.get(path).json())
        assert world.consultation not in json.dumps(ask(client, None).json())
    assert world.browser(AUSTRALIA).get(f"/api/consultations/{world.consultation}").status_code == 200
    assert world.browser(MYANMAR).get(f"/api/consultations/{world.consultation}").status_code == 200
