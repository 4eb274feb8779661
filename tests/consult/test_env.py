"""Doubt at start-up is a refusal, in a sentence that says what to change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from consult.env import EnvError, read

DOCS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
KEY = "0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQ"


def settings(tmp_path: Path, **changes: str) -> dict[str, str]:
    return {"CONSULT_DATA": str(tmp_path), "CONSULT_ORIGIN": "http://localhost:8000", "CONSULT_SECRET_KEY": KEY, **changes}


def test_a_local_installation_starts(tmp_path: Path) -> None:
    env = read(settings(tmp_path))
    assert (env.host, env.secure, env.log_vkeys.parent) == ("localhost", False, tmp_path)


def test_an_https_installation_behind_a_proxy_starts(tmp_path: Path) -> None:
    assert read(settings(tmp_path, CONSULT_ORIGIN="https://consult.example.org", CONSULT_PROXY="yes")).secure


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"CONSULT_ORIGIN": ""}, "CONSULT_ORIGIN"),
        ({"CONSULT_ORIGIN": "consult.example.org"}, "CONSULT_ORIGIN"),
        ({"CONSULT_ORIGIN": "https://consult.example.org/path", "CONSULT_PROXY": "yes"}, "without a path"),
        ({"CONSULT_ORIGIN": "http://consult.example.org"}, "https"),
        ({"CONSULT_ORIGIN": "http://10.0.0.7"}, "https"),
        ({"CONSULT_ORIGIN": "https://consult.example.org"}, "CONSULT_PROXY"),
        ({"CONSULT_SECRET_KEY": "short"}, "CONSULT_SECRET_KEY"),
        ({"CONSULT_SECRET_KEY": "a" * 60}, "CONSULT_SECRET_KEY"),
        ({"CONSULT_SECRET_KEY_FILE": "/nowhere/at/all"}, "CONSULT_SECRET_KEY_FILE"),
        ({"CONSULT_DEBUG": "yes", "CONSULT_LISTEN": "0.0.0.0"}, "CONSULT_DEBUG"),  # noqa: S104
        ({"CONSULT_DEBUG": "maybe"}, "CONSULT_DEBUG"),
        ({"CONSULT_PROCESSES": "4"}, "CONSULT_REDIS_URL"),
        ({"CONSULT_PROCESSES": "4", "CONSULT_REDIS_URL": "redis://localhost"}, "PostgreSQL"),
        ({"CONSULT_PROCESSES": "none"}, "CONSULT_PROCESSES"),
        ({"CONSULT_PORT": "99999"}, "CONSULT_PORT"),
        ({"CONSULT_CERTIFICATE": "/etc/cert.pem"}, "belong together"),
        ({"CONSULT_DATABASE_URL": "mysql://localhost/consult"}, "CONSULT_DATABASE_URL"),
        ({"CONSULT_LOG_LEVEL": "chatty"}, "CONSULT_LOG_LEVEL"),
    ],
)
def test_a_doubtful_setting_is_refused_by_name(tmp_path: Path, changes: dict[str, str], word: str) -> None:
    with pytest.raises(EnvError) as refused:
        read(settings(tmp_path, **changes))
    assert any(word in fault for fault in refused.value.faults)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(EnvError) as refused:
        read({"CONSULT_DATA": str(tmp_path), "CONSULT_PORT": "x"})
    assert len(refused.value.faults) >= 3


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    lines = ["# ours", "CONSULT_ORIGIN=http://localhost:1", f"CONSULT_SECRET_KEY={KEY}", "CONSULT_PORT=1"]
    (tmp_path / "consult.env").write_text("\n".join(lines), encoding="utf-8")
    env = read({"CONSULT_DATA": str(tmp_path), "CONSULT_PORT": "2"})
    assert (env.origin, env.port) == ("http://localhost:1", 2)


def test_every_setting_is_documented() -> None:
    source = Path(read.__code__.co_filename).read_text(encoding="utf-8")
    named = set(re.findall(r'"(CONSULT_[A-Z_]+)"', source))
    documented = set(re.findall(r"`(CONSULT_[A-Z_]+)`", DOCS.read_text(encoding="utf-8")))
    assert named <= documented
