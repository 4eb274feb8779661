"""The witness's rules, request by request, against its own files."""

from __future__ import annotations

import base64
import logging
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure.log.note import COSIGNATURE, ED25519, check_lines
from secure.log.policy import parse_policy
from secure.log.policy_chain import write_numbered
from secure.log.signing import SigningKey
from secure.witness.folder import FolderError, create, load
from secure.witness.records import DamagedRecordError
from secure.witness.witness import Request, Witness, WitnessRefusal, parse_request, write_request
from tests.secure.witness.logs import LOG, NOW, ORIGIN, NumberLog

NAME = "witness.state-a.example/consult"
HONEST = NumberLog(40)
FORKED = NumberLog(40, word="other", fork_at=7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path / "witness", name=NAME, log=LOG.verifier.vkey, url="https://witness.state-a.example")
    return tmp_path / "witness"


@pytest.fixture
def witness(folder: Path) -> Witness:
    return load(folder).witness


def agree(witness: Witness, old: int, size: int, log: NumberLog = HONEST) -> bytes:
    return witness.add_checkpoint(log.request(old, size), now=NOW)


def refusal(witness: Witness, raw: bytes) -> WitnessRefusal:
    with pytest.raises(WitnessRefusal) as refused:
        witness.add_checkpoint(raw, now=NOW)
    return refused.value


def test_it_signs_with_both_its_keys_and_its_policy_lines_name_them(folder: Path, witness: Witness) -> None:
    lines = agree(witness, 0, 5)
    policy = parse_policy((folder / "witness.txt").read_bytes() + f"quorum {NAME}\n".encode())
    signatures = check_lines(HONEST.head(5).text, lines, policy.verifiers)
    assert [each.verifier for each in signatures] == [each.verifier for each in policy.witnesses]
    assert {each.time for each in signatures} == {int(NOW.timestamp())}
    assert policy.agreed_at({signatures[1].verifier: 7}) == 7
    assert policy.witnesses[0].url == "https://witness.state-a.example"


def test_it_follows_a_log_that_only_grows_and_signs_the_same_size_again(witness: Witness) -> None:
    for old, size in [(0, 5), (5, 5), (5, 8), (8, 33), (33, 33)]:
        agree(witness, old, size)
        assert witness.size(ORIGIN) == size


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"old 5\n", 400),
        (b"old 05\n\n" + HONEST.checkpoint(8), 400),
        (b"old -1\n\n" + HONEST.checkpoint(8), 400),
        (b"new 5\n\n" + HONEST.checkpoint(8), 400),
        (b"old 5\nnot base64\n\n" + HONEST.checkpoint(8), 400),
        (b"old 5\nAAAA\n\n" + HONEST.checkpoint(8), 400),
        (b"old 5\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n" + HONEST.checkpoint(8), 400),
        (b"old 5\n\n" + HONEST.checkpoint(8)[:-1], 400),
        (b"old 5\n\n" + HONEST.head(8).text, 400),
        (write_request(Request(9, [], HONEST.checkpoint(8))), 400),
        (b"old 5\n\n" + NumberLog(8, key=SigningKey("unknown.example", ED25519, bytes(32))).checkpoint(8), 404),
        (b"old 5\n\n" + NumberLog(8, key=SigningKey(ORIGIN, ED25519, bytes(32))).checkpoint(8), 403),
        (b"old 5\n\n" + HONEST.checkpoint(8).replace(b"\n8\n", b"\n9\n"), 403),
        (HONEST.request(4, 8), 409),
        (HONEST.request(0, 8), 409),
        (HONEST.request(6, 8), 409),
        (NumberLog(5, word="other").request(5, 5), 409),
        (write_request(Request(5, [], HONEST.checkpoint(8))), 422),
        (write_request(Request(5, HONEST.proof(4, 8), HONEST.checkpoint(8))), 422),
        (write_request(Request(5, [*HONEST.proof(5, 8), bytes(32)], HONEST.checkpoint(8))), 422),
        (write_request(Request(5, HONEST.proof(5, 8), NumberLog(8, word="x").checkpoint(8))), 422),
        (write_request(Request(5, [bytes(32)], HONEST.checkpoint(5))), 422),
    ],
)
def test_every_refusal_has_its_status_and_leaves_nothing_behind(witness: Witness, raw: bytes, status: int) -> None:
    agree(witness, 0, 5)
    refused = refusal(witness, raw)
    assert refused.status == status
    assert refused.about.get("size") == (5 if status == 409 else None)
    agree(witness, 5, 8)


def test_from_nothing_there_is_nothing_to_prove(witness: Witness) -> None:
    assert refusal(witness, write_request(Request(0, [bytes(32)], HONEST.checkpoint(8)))).status == 422
    agree(witness, 0, 8)


def test_a_fork_is_refused_for_good(witness: Witness) -> None:
    agree(witness, 0, 20)
    for old, size in [(20, 30), (20, 20)]:
        assert refusal(witness, FORKED.request(old, size)).code in {"bad_proof", "other_root"}
    agree(witness, 20, 30)


def test_of_many_at_once_no_two_roll_each_other_back(witness: Witness) -> None:
    agree(witness, 0, 5)

    def attempt(size: int) -> int | str:
        try:
            agree(witness, 5, size)
        except WitnessRefusal as refused:
            return refused.code
        return size

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(6, 26)))
    agreed = [outcome for outcome in outcomes if outcome != "size_moved"]
    assert agreed == [witness.size(ORIGIN)]


# ---------------------------------------------------------------------------------------------------------------------- state


def restored(folder: Path, *, both: bool = False) -> Witness:
    """The witness at 30, its state (or both copies) put back to what it was at 10."""
    witness = load(folder).witness
    agree(witness, 0, 10)
    for name in ("state", "second"):
        shutil.copytree(folder / name, folder.parent / name)
    agree(witness, 10, 30)
    for name in ("state", "second") if both else ("state",):
        shutil.rmtree(folder / name)
        shutil.copytree(folder.parent / name, folder / name)
    return load(folder).witness


def test_a_restored_state_is_noticed_by_its_second_copy(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    witness = restored(folder)
    with caplog.at_level(logging.WARNING):
        assert witness.size(ORIGIN) == 30
    assert "was it restored?" in caplog.text
    assert refusal(witness, HONEST.request(10, 40)).about == {"size": 30}
    assert refusal(witness, NumberLog(40, word="x", fork_at=20).request(30, 40)).status == 422
    agree(witness, 30, 40)
    caplog.clear()
    assert witness.size(ORIGIN) == 40
    assert not caplog.text


def test_a_lost_copy_is_noticed_and_written_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    agree(load(folder).witness, 0, 10)
    for file in (folder / "second").iterdir():
        file.unlink()
    assert load(folder).witness.size(ORIGIN) == 10
    assert "was it restored?" in caplog.text
    agree(load(folder).witness, 10, 12)
    assert len(list((folder / "second").iterdir())) == 1


def test_copies_that_contradict_each_other_stop_the_witness(folder: Path) -> None:
    other = folder.parent / "other"
    shutil.copytree(folder, other)
    agree(load(folder).witness, 0, 30)
    agree(load(other).witness, 0, 30, FORKED)
    shutil.rmtree(folder / "second")
    shutil.copytree(other / "second", folder / "second")
    with pytest.raises(DamagedRecordError):
        agree(load(folder).witness, 30, 40)


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"origin":"x","root":"","size":1}', b"\xff", b"null"])
def test_a_damaged_state_stops_the_witness(folder: Path, damage: bytes) -> None:
    agree(load(folder).witness, 0, 10)
    next((folder / "state").iterdir()).write_bytes(damage)
    with pytest.raises(DamagedRecordError):
        agree(load(folder).witness, 10, 12)


def test_what_cannot_be_recorded_is_not_signed(folder: Path, witness: Witness) -> None:
    agree(witness, 0, 10)
    shutil.rmtree(folder / "second")  # as a disk that went away
    with pytest.raises(OSError, match="second"):
        agree(witness, 10, 12)
    with pytest.raises(FolderError):
        load(folder)


def test_its_files_are_its_owners_only(folder: Path) -> None:
    agree(load(folder).witness, 0, 3)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "witness.key").chmod(0o644)
    with pytest.raises(FolderError):
        load(folder)


def test_a_folder_in_use_is_left_alone_and_a_bad_key_makes_none(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(FolderError):
        create(folder, name=NAME, log=LOG.verifier.vkey)
    with pytest.raises(FolderError):
        create(tmp_path / "new", name=NAME, log="nonsense")
    assert not (tmp_path / "new").exists()


# -------------------------------------------------------------------------------------------------------------------- policies


def proposal(number: int, quorum: str = "none") -> bytes:
    key = SigningKey("w", COSIGNATURE, bytes(32)).verifier.vkey
    text = write_numbered(number, origin=ORIGIN, lines=[f"log {LOG.verifier.vkey}", f"witness w {key}", f"quorum {quorum}"])
    return text + b"\n" + LOG.sign(text)


def test_one_policy_of_each_number_is_endorsed(folder: Path, witness: Witness) -> None:
    lines = witness.endorse(proposal(2), now=NOW)
    policy = parse_policy((folder / "witness.txt").read_bytes() + b"quorum none\n")
    assert len(check_lines(proposal(2).split(b"\n\n")[0] + b"\n", lines, policy.verifiers)) == 2
    assert witness.endorse(proposal(2), now=NOW)
    witness.endorse(proposal(4), now=NOW)
    for raw in (proposal(2), proposal(3), proposal(4, quorum="w")):
        with pytest.raises(WitnessRefusal) as refused:
            witness.endorse(raw, now=NOW)
        assert refused.value.code == "policy_passed"


def test_a_policy_that_was_given_up_is_replaced_on_the_operators_word_and_an_earlier_one_never(witness: Witness) -> None:
    witness.endorse(proposal(4), now=NOW)
    witness.endorse(proposal(4, quorum="w"), now=NOW, instead=True)
    for raw, instead in [(proposal(4), False), (proposal(3), True)]:
        with pytest.raises(WitnessRefusal, match="policy_passed"):
            witness.endorse(raw, now=NOW, instead=instead)


def test_a_policy_that_the_log_has_not_signed_is_not_endorsed(witness: Witness) -> None:
    stranger = SigningKey(ORIGIN, ED25519, bytes(32))
    text = proposal(2).split(b"\n\n")[0] + b"\n"
    for raw, status in [(text + b"\n" + stranger.sign(text), 403), (HONEST.checkpoint(5), 400), (b"", 400)]:
        with pytest.raises(WitnessRefusal) as refused:
            witness.endorse(raw, now=NOW)
        assert refused.value.status == status


@given(st.binary(max_size=200) | st.binary(max_size=80).map(lambda raw: b"old 5\n\n" + raw))
def test_only_a_refusal_leaves_the_reader(raw: bytes) -> None:
    with suppress(WitnessRefusal):
        parse_request(raw)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.integers(0, len(HONEST.request(0, 8)) - 1), st.integers(1, 255))
def test_no_byte_of_a_request_can_change(witness: Witness, at: int, change: int) -> None:
    raw = HONEST.request(0, 8)
    assert refusal(witness, raw[:at] + bytes([raw[at] ^ change]) + raw[at + 1 :]).status in {400, 403, 404, 409, 422}
