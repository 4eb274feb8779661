"""Cosignatures and policies where the host keeps them."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from secure.errors import BadInput, Conflict, Forbidden, Refusal
from secure.log import cosigning, jcs, policies, store
from secure.log.errors import LogError
from secure.log.merkle import verify_consistency
from secure.log.note import COSIGNATURE, split_note
from secure.log.policy_chain import follow, open_first, open_witnessed
from secure.log.signer import SignerRefusalError
from secure.log.signing import SigningKey
from secure.log.verifier import Replay
from secure.models import Cosignature, LogEvent, LogPolicy
from secure.witness.folder import Folder, load
from secure.witness.witness import Request, write_request
from tests.secure.log.hosted import NOW, HostedLog
from tests.secure.log.tampering import without_triggers

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


@pytest.fixture
def host(tmp_path: Path) -> HostedLog:
    made = HostedLog(tmp_path)
    made.grow()
    return made


@pytest.fixture
def folders(host: HostedLog, tmp_path: Path) -> list[Path]:
    """Of three witnesses, all in the policy in force: two of three must agree."""
    made = [host.witness(tmp_path / name) for name in "abc"]
    host.adopt(made)
    return made


@pytest.fixture
def witnesses(folders: list[Path]) -> list[Folder]:
    return [load(folder) for folder in folders]


def cosigned(witness: Folder, *, minutes: int = 0) -> bytes:
    """The offered checkpoint's text with this witness's lines, as it would post them."""
    published = cosigning.offered()
    assert published is not None
    text, _ = split_note(published.note)
    old = witness.witness.size(text.decode().split("\n")[0])
    proof = store.consistency(old, published.size) if 0 < old < published.size else []
    request = write_request(Request(old, proof, published.note))
    return text + b"\n" + witness.witness.add_checkpoint(request, now=NOW + timedelta(minutes=minutes))


def test_a_checkpoint_is_witnessed_once_the_quorum_has_signed(host: HostedLog, witnesses: list[Folder]) -> None:
    published = host.grow()
    assert cosigning.take(cosigned(witnesses[0], minutes=1), now=NOW) == 2
    assert cosigning.witnessed() is None
    assert cosigning.take(cosigned(witnesses[2], minutes=2), now=NOW) == 2
    found = cosigning.witnessed()
    policy = policies.newest()
    assert found is not None
    assert policy is not None
    assert (found.size, found.root, found.agreed_at) == (published.size, published.root, NOW + timedelta(minutes=2))
    assert open_witnessed(found.note, policy=policy.policy).agreed_at == (NOW + timedelta(minutes=2)).timestamp()
    assert found.note == cosigning.newest()


def test_the_witnessed_checkpoint_stays_while_a_newer_one_waits_for_its_quorum(host: HostedLog, witnesses: list[Folder]) -> None:
    before = host.grow()
    for witness in witnesses:
        cosigning.take(cosigned(witness), now=NOW)
    after = host.grow()
    cosigning.take(cosigned(witnesses[1]), now=NOW)
    found = cosigning.witnessed()
    assert found is not None
    assert (found.size, store.published()) == (before.size, after)
    assert [(each.name, each.size) for each in cosigning.standings()] == [
        ("a.example/consult", before.size),
        ("b.example/consult", after.size),
        ("c.example/consult", before.size),
    ]


def test_cosigned_again_the_newer_signature_takes_the_place_of_the_older_and_never_the_other_way(
    host: HostedLog, witnesses: list[Folder]
) -> None:
    host.grow()
    notes = [cosigned(witnesses[0], minutes=minutes) for minutes in (0, 5)]
    for note in (*notes, notes[0]):
        cosigning.take(note, now=NOW)
    assert {row.time for row in Cosignature.objects.all()} == {int((NOW + timedelta(minutes=5)).timestamp())}
    assert cosigning.standings()[0].at == NOW + timedelta(minutes=5)


def test_only_witnesses_of_the_policy_in_force_are_taken(host: HostedLog, witnesses: list[Folder], tmp_path: Path) -> None:
    stranger = load(host.witness(tmp_path / "stranger"))
    host.grow()
    with pytest.raises(Forbidden, match="not_a_witness"):
        cosigning.take(cosigned(stranger), now=NOW)
    renamed = SigningKey(witnesses[0].name, COSIGNATURE, bytes(32))
    text = cosigned(witnesses[0]).split(b"\n\n")[0] + b"\n"
    with pytest.raises(Forbidden, match="not_a_witness"):
        cosigning.take(text + b"\n" + renamed.sign(text, time=1), now=NOW)
    assert not Cosignature.objects.exists()


def test_only_heads_which_the_host_has_signed_are_taken(host: HostedLog, witnesses: list[Folder]) -> None:
    published = host.grow()
    note = cosigned(witnesses[0])
    other = note.replace(f"\n{published.size}\n".encode(), f"\n{published.size - 1}\n".encode())
    foreign = b"x" + note
    for raw in (other, foreign):
        with pytest.raises(BadInput, match="unknown_checkpoint"):
            cosigning.take(raw, now=NOW)
    grown = split_note(host.grow().note)[0]
    with pytest.raises(LogError, match="bad_signature"):
        cosigning.take(grown + b"\n" + split_note(note)[1], now=NOW)
    for raw in (b"", b"nonsense", note[:-1], split_note(note)[0]):
        with pytest.raises(LogError):
            cosigning.take(raw, now=NOW)
    assert not Cosignature.objects.exists()


def test_all_witnesses_are_offered_the_same_checkpoint_until_the_quorum_has_it(host: HostedLog, witnesses: list[Folder]) -> None:
    first = host.grow()
    assert cosigning.offer(now=NOW) == first
    second = host.grow()
    for minutes in (1, 4):
        assert cosigning.offer(now=NOW + timedelta(minutes=minutes)) == first
    for witness in witnesses[:2]:
        cosigning.take(cosigned(witness), now=NOW)
    assert cosigning.offer(now=NOW + timedelta(seconds=30)) == first
    assert cosigning.offer(now=NOW + timedelta(minutes=1)) == second
    assert cosigning.offered() == second


def test_an_offer_that_gets_no_quorum_ends_all_the_same(host: HostedLog, witnesses: list[Folder]) -> None:
    first = host.grow()
    assert cosigning.offer(now=NOW) == first
    second = host.grow()
    assert cosigning.offer(now=NOW + timedelta(minutes=5)) == second
    third = host.grow()
    # a clock that was set back does not hold it for longer
    assert cosigning.offer(now=NOW - timedelta(days=1)) == third


def test_a_time_far_ahead_is_refused(host: HostedLog, witnesses: list[Folder]) -> None:
    host.grow()
    with pytest.raises(BadInput, match="bad_time"):
        cosigning.take(cosigned(witnesses[0], minutes=11), now=NOW)
    assert cosigning.take(cosigned(witnesses[0], minutes=9), now=NOW) == 2


# ---------------------------------------------------------------------------------------------------------------------- policies


def test_the_first_policy_names_the_logs_keys_and_comes_after_the_logs_own_entry(tmp_path: Path) -> None:
    host = HostedLog(tmp_path)
    assert not policies.begin(host.first_policy, log=host.verifiers[0], now=NOW)
    host.grow()
    for _ in range(2):
        assert policies.begin(host.first_policy, log=host.verifiers[0], now=NOW)
    note = policies.note()
    assert note is not None
    first = open_first(note, log=host.verifiers[0])
    assert [each.verifier for each in first.policy.logs] == list(host.verifiers)
    assert cosigning.witnessed() is not None
    assert LogPolicy.objects.count() == 1
    assert faults(host) == []


def test_every_policy_is_an_entry_of_the_record(host: HostedLog, folders: list[Path], witnesses: list[Folder]) -> None:
    host.adopt(folders[:1], by=witnesses[:2])
    said = [jcs.decode_object(bytes(event.body))["data"] for event in LogEvent.objects.filter(type="log.policy").order_by("pk")]
    notes = [policies.note(number) or b"" for number in (1, 2, 3)]
    assert [(data["number"], data["sha256"]) for data in said] == [
        (number, hashlib.sha256(note).hexdigest()) for number, note in enumerate(notes, 1)
    ]
    assert faults(host) == []
    assert follow(notes[1:], start=open_first(notes[0], log=host.verifiers[0])).number == 3


def test_a_policy_comes_into_force_by_the_quorum_of_the_one_before(host: HostedLog, folders: list[Path], witnesses: list[Folder]) -> None:
    for by in ([], witnesses[:1]):
        with pytest.raises(LogError, match="below_quorum"):
            host.adopt([folders[0]], by=by)
    in_force = policies.newest()
    assert in_force is not None
    assert in_force.number == 2
    host.adopt([folders[0]], by=[load(folder) for folder in folders[:2]])
    assert [each.name for each in cosigning.standings()] == ["a.example/consult"]


def test_after_a_rotation_a_former_witness_counts_for_nothing(host: HostedLog, folders: list[Path], witnesses: list[Folder]) -> None:
    published = host.grow()
    for witness in witnesses[1:]:
        cosigning.take(cosigned(witness), now=NOW)
    assert cosigning.witnessed() is not None
    host.adopt(folders[:1], by=witnesses)
    assert cosigning.witnessed() is None
    with pytest.raises(Forbidden):
        cosigning.take(cosigned(witnesses[1]), now=NOW)
    cosigning.take(cosigned(witnesses[0]), now=NOW)
    found = cosigning.witnessed()
    assert found is not None
    assert found.size == published.size


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM secure_logpolicy WHERE number = 3", ["it was recorded and is missing"]),
        ("DELETE FROM secure_logpolicy WHERE number = 2", ["it does not follow from the one before (bad_policy)"]),
        (
            "UPDATE secure_logpolicy SET note = (SELECT other.note FROM secure_logpolicy other WHERE other.number = 2) WHERE number = 3",
            ["it is not the one that was recorded", "it does not follow from the one before (bad_policy)"],
        ),
    ],
)
def test_what_the_databases_owner_does_to_the_policies_is_found(
    host: HostedLog, folders: list[Path], witnesses: list[Folder], statement: str, found: list[str]
) -> None:
    host.adopt(folders[:1], by=witnesses)
    assert list(policies.faults(log=host.verifiers[0])) == []
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert [what for _, what in policies.faults(log=host.verifiers[0])] == found


@pytest.mark.parametrize("lines", [b"", b"nonsense\n", b"witness a\n", b"quorum none\n", b"\xff\n"])
def test_lines_that_are_no_witness_make_no_policy(host: HostedLog, folders: list[Path], lines: bytes) -> None:
    with pytest.raises(LogError):
        policies.propose(witnesses=[lines], colluding=0, logs=host.verifiers, sign=host.sign)
    with pytest.raises(LogError):
        policies.propose(witnesses=[(folders[0] / "witness.txt").read_bytes()] * 2, colluding=0, logs=host.verifiers, sign=host.sign)


def test_before_the_first_policy_there_is_nothing_to_follow(host: HostedLog) -> None:
    with pytest.raises(Conflict, match="no_policy"):
        policies.propose(witnesses=[], colluding=0, logs=host.verifiers, sign=host.sign)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("statement", ["UPDATE secure_logpolicy SET number = 9", "DELETE FROM secure_logpolicy"])
def test_a_policy_is_written_once(host: HostedLog, folders: list[Path], statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_signer_signs_policies_of_its_own_log_only(host: HostedLog, folders: list[Path]) -> None:
    text = split_note(policies.note() or b"")[0]
    assert host.sign(text).startswith(text)
    published = store.published()
    assert published is not None
    for other in (b"", split_note(published.note)[0], text.replace(b"consult.example.int", b"other.example.int")):
        with pytest.raises(SignerRefusalError):
            host.sign(other)


def faults(host: HostedLog) -> list[object]:
    """What the verifier finds in the whole log."""
    published = host.grow()
    replay = Replay()
    for entry in store.entries(0, published.size):
        replay.feed(entry.index, entry.leaf, entry.event)
    verify_consistency(published.size, published.root, replay.size, replay.root, [])
    return list(replay.faults)


def test_every_refusal_is_one_of_ours(host: HostedLog, folders: list[Path]) -> None:
    for raw in (b"\n\n", b"a\n\nb\n", b"\xff\n\n\xff\n", b"x" * 70_000):
        with pytest.raises(Refusal):
            cosigning.take(raw, now=NOW)
