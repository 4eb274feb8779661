"""The `consult` command, as the people who run a host use it."""

from __future__ import annotations

import socket
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installation import Installation


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("house") / "data")
    installation.make()
    yield installation
    installation.stop()


def test_init_makes_a_folder_only_its_owner_can_read(made: Installation) -> None:
    found = {path.relative_to(made.data).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in made.data.rglob("*")}
    assert found.keys() >= {"consult.env", "secret.key", "receipt.key", "consult.sqlite3", "papers"}
    assert found.keys() >= {"log.vkey", "signer", "signer/log.key", "signer/log-mldsa.key", "signer/state"}
    assert stat.S_IMODE(made.data.stat().st_mode) == 0o700
    assert {name: mode for name, mode in found.items() if mode & 0o077} == {}


def test_init_leaves_a_folder_in_use_alone(made: Installation) -> None:
    again = made.run("init", "--origin", made.origin)
    assert again.returncode == 1
    assert "in use already" in again.stderr


def test_init_refuses_a_public_address_without_tls(tmp_path: Path) -> None:
    refused = Installation(tmp_path / "data").run("init", "--origin", "http://consult.example.org")
    assert refused.returncode == 1
    assert "https" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_check_finds_no_fault(made: Installation) -> None:
    answer = made.run("check")
    assert answer.returncode == 0, answer.stderr
    assert "WARNING" not in answer.stdout + answer.stderr


def test_check_of_a_public_installation_asks_for_nothing_that_we_do_otherwise(tmp_path: Path) -> None:
    public = Installation(tmp_path / "data")
    assert public.run("init", "--origin", "https://consult.example.org").returncode == 0
    answer = public.run("check")
    assert answer.returncode == 0, answer.stderr
    assert "WARNING" not in answer.stdout + answer.stderr


def test_an_empty_record_verifies(made: Installation) -> None:
    answer = made.run("verify")
    assert answer.returncode == 0, answer.stdout


def test_the_chairs_are_invited_until_they_enrol(made: Installation) -> None:
    first = made.invite_chairs(indonesia="Dewi Anggraini", australia="Margaret Lyle")
    second = made.invite_chairs(indonesia="Dewi Anggraini", australia="Margaret Lyle")
    assert len({*first, *second}) == 4


def test_resetting_an_unknown_person_is_refused(made: Installation) -> None:
    answer = made.run("admin", "reset-sign-in", "nobody")
    assert answer.returncode == 1
    assert "nobody" in answer.stderr


def test_erasing_asks_first_and_refuses_an_unknown_person(made: Installation) -> None:
    asked = made.run("admin", "erase-subject", "nobody")
    assert asked.returncode == 1
    assert "--for-good" in asked.stderr
    answer = made.run("admin", "erase-subject", "nobody", "--for-good")
    assert answer.returncode == 1
    assert "Nobody is called nobody" in answer.stderr


def test_migrate_refuses_a_newer_database_and_changes_nothing(made: Installation) -> None:
    with sqlite3.connect(made.data / "consult.sqlite3") as database:
        database.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('secure', '9999_from_the_future', '2030-01-01')")
    answers = [made.run(command) for command in ("migrate", "serve", "check")]
    with sqlite3.connect(made.data / "consult.sqlite3") as database:
        database.execute("DELETE FROM django_migrations WHERE name = '9999_from_the_future'")
    for answer in answers:
        assert answer.returncode == 1
        assert "newer version" in answer.stderr
        assert "Traceback" not in answer.stderr
    assert not (made.data / "backups").exists()


def test_migrate_copies_sqlite_before_it_changes_it(made: Installation) -> None:
    with sqlite3.connect(made.data / "consult.sqlite3") as database:
        # the last step of a library's own migrations, taken back: it changes no table here
        database.execute("DELETE FROM django_migrations WHERE app = 'auth' AND name LIKE '0012%'")
    assert "consult migrate" in made.run("check").stderr
    answer = made.run("migrate")
    assert answer.returncode == 0, answer.stderr
    copies = list((made.data / "backups").iterdir())
    assert len(copies) == 1
    assert str(copies[0]) in answer.stdout
    assert stat.S_IMODE(copies[0].stat().st_mode) == 0o600
    assert made.run("check").returncode == 0


def test_a_wrong_setting_is_one_sentence_and_no_traceback(made: Installation) -> None:
    made.extra = {"CONSULT_PROCESSES": "3"}
    answer = made.run("serve")
    made.extra = {}
    assert answer.returncode == 1
    assert "CONSULT_REDIS_URL" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("command", ["check", "serve"])
@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("signer/log.key", "The key"),
        ("signer/log-mldsa.key", "The key"),
        ("receipt.key", "The key"),
        ("log.vkey", "The log's public keys"),
        ("policy-1.txt", "first policy"),
        ("papers", "sealed papers lie there"),
    ],
)
def test_a_folder_with_something_missing_is_one_sentence_and_no_traceback(
    made: Installation, missing: str, sentence: str, command: str
) -> None:
    whole, aside = made.data / missing, made.data / "aside"
    whole.rename(aside)
    answer = made.run(command)
    aside.rename(whole)
    assert answer.returncode == 1
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_certificate_that_cannot_be_used_is_one_sentence_and_no_traceback(tmp_path: Path, made: Installation, command: str) -> None:
    (tmp_path / "cert.pem").write_text("no certificate", encoding="utf-8")
    made.extra = {"CONSULT_CERTIFICATE": str(tmp_path / "cert.pem"), "CONSULT_CERTIFICATE_KEY": str(tmp_path / "absent.pem")}
    answer = made.run(command)
    made.extra = {}
    assert answer.returncode == 1
    assert "CONSULT_CERTIFICATE" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_serve_on_a_port_in_use_does_not_end_as_if_all_were_well(made: Installation) -> None:
    with socket.create_server(("127.0.0.1", made.port)):
        answer = made.run("serve")
    assert answer.returncode == 1
    assert "in use" in answer.stderr
    assert "Serving" not in answer.stdout


def test_a_second_process_on_one_folder_is_refused_while_the_first_one_serves(made: Installation) -> None:
    made.start()
    second = Installation(made.data)
    answer = second.run("serve")
    assert answer.returncode == 1
    assert "CONSULT_REDIS_URL" in answer.stderr
    assert made.stop() == 0
    second.start()
    assert second.stop() == 0
