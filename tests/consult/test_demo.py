"""The demonstration: a folder of its own, an origin for each persona, and everything in it as real as in an installation."""

from __future__ import annotations

import http.client
import json
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consult.demo.cast import CAST
from secure.log.note import split_note
from secure.log.policy_chain import open_witnessed, parse_numbered
from tests.installation import Installation


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("demo") / "data")
    start(installation)
    yield installation
    installation.stop()


def start(installation: Installation, *more: str) -> None:
    installation.start(("--data", str(installation.data), "demo", "--port", str(installation.port), *more))


def page(played: Installation, path: str, *, persona: str = "") -> tuple[int, str, str]:
    """Status, text and where it leads, at a persona's origin or at the bare one."""
    host = f"{persona}.localhost" if persona else "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", played.port, timeout=20)
    connection.request("GET", path, headers={"Host": f"{host}:{played.port}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers.get("Location", "")


def test_it_prints_its_address_and_every_persona(played: Installation) -> None:
    assert f"http://localhost:{played.port}/" in played.log
    for persona in CAST:
        assert f"http://{persona.slug}.localhost:{played.port}/" in played.log


def test_a_witness_with_keys_of_its_own_has_agreed_to_the_record(played: Installation) -> None:
    deadline = time.monotonic() + 30
    while b"witness.thailand.example" not in (note := page(played, "/log/witnessed")[1].encode()) and time.monotonic() < deadline:
        time.sleep(0.2)
    policy = parse_numbered(split_note(page(played, "/log/policy")[1].encode())[0])
    assert [each.verifier.name for each in policy.policy.witnesses] == ["witness.thailand.example/consult"] * 2
    assert open_witnessed(note, policy=policy.policy).agreed_at
    assert stat.S_IMODE((played.data / "witness" / "witness.key").stat().st_mode) == 0o600


def test_the_personas_page_leads_to_every_origin_and_nobody_is_here_yet(played: Installation) -> None:
    status, text, _ = page(played, "/")
    assert status == 200
    assert set(re.findall(r"http://([a-z-]+)\.localhost", text)) == {persona.slug for persona in CAST}
    assert text.count("not yet here") == len(CAST)


def test_at_a_personas_origin_one_walks_in_as_that_persona_and_the_banner_is_there(played: Installation) -> None:
    assert page(played, "/", persona="thailand")[::2] == (302, "/demonstration/enter")
    status, text, _ = page(played, "/demonstration/enter", persona="thailand")
    assert status == 200
    assert "Somchai Rattanakul" in text
    for path in ("/demonstration/enter", "/about/host", "/enrol"):
        assert "banner demo" in page(played, path, persona="thailand")[1], path


def test_at_an_origin_that_is_nobodys_there_is_nothing(played: Installation) -> None:
    assert page(played, "/", persona="narnia")[0] == 400


def test_what_it_is_sown_with_is_genuine(played: Installation) -> None:
    """Statements, signatures, rules and record, as of any installation."""
    answer = played.run("verify")
    assert answer.returncode == 0, answer.stdout
    assert "VERIFIED" in answer.stdout
    sheets = json.loads((played.data / "personas.json").read_text(encoding="utf-8"))
    assert sheets.keys() == {persona.slug for persona in CAST}
    assert len(set(sheets.values())) == len(CAST)


def test_everything_in_its_folder_is_its_owners_alone(played: Installation) -> None:
    assert [path for path in played.data.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_serve_refuses_its_folder(played: Installation) -> None:
    answer = played.run("serve")
    assert answer.returncode == 1
    assert "demonstration" in answer.stderr


def test_a_lost_sign_in_is_given_back_by_command_while_it_serves(played: Installation) -> None:
    answer = played.run("admin", "reset-sign-in", "thailand")
    assert answer.returncode == 0, answer.stderr
    assert re.search(r"^One-use password: (?:[0-9a-f]{6}-){4}[0-9a-f]{6}$", answer.stdout, re.MULTILINE)
    assert played.run("verify").returncode == 0


def test_begun_again_it_goes_on_and_reset_begins_from_the_seed(played: Installation) -> None:
    sheets = played.data / "personas.json"
    first = sheets.read_text(encoding="utf-8")
    assert played.stop() == 0
    start(played)
    assert sheets.read_text(encoding="utf-8") == first
    assert played.stop() == 0
    start(played, "--reset")
    assert sheets.read_text(encoding="utf-8") != first
    assert played.run("verify").returncode == 0


@pytest.mark.parametrize("more", [(), ("--reset",)])
def test_a_real_installation_is_left_alone(tmp_path: Path, more: tuple[str, ...]) -> None:
    real = Installation(tmp_path / "data")
    real.make()
    before = {path.name: path.read_bytes() for path in real.data.iterdir() if path.is_file()}
    answer = real.run("--data", str(real.data), "demo", "--port", str(real.port), *more)
    assert answer.returncode == 1
    assert "left alone" in answer.stderr
    assert {path.name: path.read_bytes() for path in real.data.iterdir() if path.is_file()} == before
