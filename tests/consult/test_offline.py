"""The verifier as a ministry runs it: by the command, as one file without Django, on a folder, on a log as it is served."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cffi
import cryptography
import pytest
from django.test import Client

import hatch_build
from consult.verifier import watch
from consult.verifier.cli import main
from secure.errors import Conflict
from secure.log import bundle_format as form
from secure.log import cosigning, export, folder_format, store
from secure.log.events import milliseconds
from secure.log.merkle import root_hash
from secure.log.note import ED25519
from secure.log.signing import SigningKey
from secure.log.tree_head import TreeHead
from secure.log.trust import pin_text, read_trust
from tests import evidence
from tests.builds import installed
from tests.evidence import POLICY, SIGNER, WITNESSES, Parts, Story, cosigned, policy_lines, policy_text
from tests.people import THAI_HEAD
from tests.world import NOW

pytestmark = pytest.mark.django_db
story = evidence.story()
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def desk(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What lies on a ministry's machine: a bundle, the policy, a whole log in a folder."""
    place = tmp_path_factory.mktemp("desk")
    (place / "bundle.zip").write_bytes(story.bundle())
    (place / "delegate.zip").write_bytes(story.bundle(THAI_HEAD))
    (place / "policy.txt").write_bytes(POLICY)
    export.write(place / "log")
    return place


@pytest.fixture
def log(desk: Path, tmp_path: Path) -> Path:
    """A log's folder to take apart, beside the policy."""
    shutil.copy(desk / "policy.txt", tmp_path)
    return Path(shutil.copytree(desk / "log", tmp_path / "log"))


def policy(desk: Path) -> str:
    return str(desk / "policy.txt")


# ------------------------------------------------------------------------------------------------------------------ the command


def test_a_bundle_is_verified_and_told_in_words(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(desk / "bundle.zip"), "--policy", policy(desk)]) == 0
    said = capsys.readouterr().out
    assert "Consultation BP/CM/2017/1, consult.test/log." in said
    assert "VERIFIED: Nothing was altered" in said


def test_a_delegates_bundle_says_what_is_withheld(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(desk / "delegate.zip"), "--policy", policy(desk)]) == 0
    assert "are withheld from the recipient of this file" in capsys.readouterr().out


def test_each_verdict_has_its_exit_code(desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(desk / "bundle.zip")]) == 3
    parts = Parts.of((desk / "bundle.zip").read_bytes())
    parts.change(form.EVENTS, parts.find("message.sent"), lambda raw: raw.replace(b"300", b"301"))
    (tmp_path / "changed.zip").write_bytes(parts.packed())
    assert main([str(tmp_path / "changed.zip"), "--policy", policy(desk)]) == 1
    assert "FAULT (check 5)" in capsys.readouterr().out
    (tmp_path / "other.zip").write_bytes(b"PK")
    assert main([str(tmp_path / "other.zip"), "--policy", policy(desk)]) == 2
    assert main([str(tmp_path / "absent.zip"), "--policy", policy(desk)]) == 2
    assert main([str(desk / "bundle.zip"), "--policy", str(desk / "bundle.zip")]) == 2
    assert main([str(desk / "bundle.zip"), "--pin", "nothing"]) == 2
    assert main(["one", "two", "three"]) == 2


def test_for_programs_it_is_json(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(desk / "bundle.zip"), "--policy", policy(desk), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "verified"
    assert told["code"] == 0
    assert told["faults"] == told["missing"] == told["doubts"] == []
    assert told["origin"] == evidence.ORIGIN
    assert told["entries"] > 30


def test_a_report_is_written(desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(desk / "bundle.zip"), "--policy", policy(desk), "--report", str(tmp_path / "out.html")]) == 0
    assert "Record of consultation BP/CM/2017/1" in (tmp_path / "out.html").read_text(encoding="utf-8")
    capsys.readouterr()


def test_the_products_own_command_needs_no_installation_for_it(desk: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "CONSULT_DATA": str(tmp_path / "absent")}
    environ.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-m", "consult", "verify", str(desk / "bundle.zip"), "--policy", policy(desk)]
    answer = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert not (tmp_path / "absent").exists()


# --------------------------------------------------------------------------------------------------------------- the single file


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own with `cryptography` and nothing else."""
    place = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    packages = Path(cryptography.__file__).parents[1]
    (site,) = (place / "lib").glob("python*/site-packages")
    for name in ("cryptography", "cffi", *(path.name for path in packages.glob("_cffi_backend*"))):
        (site / name).symlink_to(packages / name)
    assert cffi.__name__ == "cffi"
    return place / "bin" / "python"


def test_one_file_verifies_with_python_and_cryptography_alone(desk: Path, python: Path, tmp_path: Path) -> None:
    file = tmp_path / hatch_build.VERIFIER
    file.write_bytes(hatch_build.verifier(ROOT))
    absent = subprocess.run([str(python), "-I", "-c", "import django"], capture_output=True, check=False)
    assert absent.returncode == 1
    for what, code in (("bundle.zip", 0), ("policy.txt", 2)):
        command = [str(python), "-I", str(file), str(desk / what), "--policy", policy(desk)]
        answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert answer.returncode == code, answer.stderr
    command = [str(python), "-I", str(file), "log", str(desk / "log"), "--policy", policy(desk), "--json"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(answer.stdout)["verdict"] == "verified", answer.stderr


def test_without_cryptography_it_says_what_it_needs(tmp_path: Path) -> None:
    file = tmp_path / hatch_build.VERIFIER
    file.write_bytes(hatch_build.verifier(ROOT))
    answer = subprocess.run([sys.executable, "-I", "-S", str(file), "x"], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "needs the package cryptography" in answer.stderr


def test_the_file_is_the_same_each_time_and_holds_nothing_of_the_server(tmp_path: Path) -> None:
    raw = hatch_build.verifier(ROOT)
    assert hatch_build.verifier(ROOT) == raw
    file = tmp_path / "x.zip"
    file.write_bytes(raw)
    with zipfile.ZipFile(file) as opened:
        texts = {name: opened.read(name).decode() for name in opened.namelist()}
    assert {name.split("/")[0] for name in texts} == {"__main__.py", "consult", "meetings", "secure"}
    assert [name for name, text in texts.items() if "import django" in text or "from django" in text] == []
    assert not any("models" in name for name in texts)


def test_both_verifiers_are_shipped_and_the_page_stands_in_the_release() -> None:
    """The file in Python is not: what browsers run is no other build because of it."""
    described = {file.path: file.sha256 for file in installed().files}
    dist = ROOT / "consult" / "static" / "consult" / "dist"
    page = dist / "consult-verify.html"
    assert described["/static/consult/dist/consult-verify.html"] == hashlib.sha256(page.read_bytes()).hexdigest()
    with zipfile.ZipFile(dist / hatch_build.VERIFIER) as shipped:
        assert "consult/verifier/cli.py" in shipped.namelist()


# --------------------------------------------------------------------------------------------------------------------- a folder


def test_a_whole_log_is_recomputed_from_its_folder(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest = store.published()
    assert newest is not None
    pin = pin_text(newest.size, newest.root)
    assert main(["log", str(desk / "log"), "--policy", policy(desk), "--pin", pin]) == 0
    said = capsys.readouterr().out
    assert f"{newest.size} entries" in said
    assert f"To keep for next time: {pin}" in said


def test_without_a_policy_a_folder_is_not_anchored(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["log", str(desk / "log")]) == 3
    capsys.readouterr()


def swapped(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(old, new, 1)


@pytest.mark.parametrize(
    ("name", "change", "check"),
    [
        (folder_format.EVENTS, swapped(b'"ct_len":300', b'"ct_len":301'), 5),
        (folder_format.EVENTS, lambda raw: raw[: -len(last(raw))], 5),
        (folder_format.LEAVES, swapped(b'"cseq":2', b'"cseq":3'), 4),
        (folder_format.CHECKPOINTS, swapped(b"consult.test/log\n", b"consult.test/lag\n"), 11),
        ("tile/0/000.p/*", lambda raw: raw[:32] + bytes(32) + raw[64:], 12),
        ("chains/*.jsonl", swapped(b'"n":1', b'"n":2'), 14),
        (folder_format.SERIES, lambda raw: raw.replace(b'"scope":"', b'"scope":"x'), 16),
        ("policies/2.txt", swapped(b"group quorum 2", b"group quorum 1"), 21),
    ],
)
def test_whatever_is_changed_in_the_folder_is_found(
    name: str, change: Callable[[bytes], bytes], check: int, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = min(log.glob(name))
    before = file.read_bytes()
    file.write_bytes(change(before))
    assert file.read_bytes() != before
    assert main(["log", str(log), "--policy", policy(log.parent), "--json"]) == 1
    assert check in {fault["check"] for fault in json.loads(capsys.readouterr().out)["faults"]}


def last(raw: bytes) -> bytes:
    """The last record of a file."""
    index, body = list(form.records(raw))[-1]
    return form.record(index, body)


def test_a_statement_signed_with_another_key_is_found(desk: Path, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = next(path for path in sorted((log / "chains").iterdir()) if b"invitation.answer" in path.read_bytes())
    lines = file.read_bytes().split(b"\n")
    changed = json.loads(lines[-2])
    changed["signatures"][0][1] = json.loads(lines[-3])["signatures"][0][1]
    lines[-2] = json.dumps(changed, sort_keys=True, separators=(",", ":")).encode()
    file.write_bytes(b"\n".join(lines))
    assert main(["log", str(log), "--policy", policy(desk), "--json"]) == 1
    assert 15 in {fault["check"] for fault in json.loads(capsys.readouterr().out)["faults"]}


def checkpoints(log: Path) -> list[tuple[int, bytes]]:
    with (log / folder_format.CHECKPOINTS).open("rb") as file:
        return list(folder_format.read_notes(file))


def write_checkpoints(log: Path, rows: list[tuple[int, bytes]]) -> None:
    (log / folder_format.CHECKPOINTS).write_bytes(b"".join(folder_format.note_record(*row) for row in rows))


def test_entries_that_nobody_has_signed_are_found(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_checkpoints(log, checkpoints(log)[:-1])
    assert main(["log", str(log), "--policy", policy(log.parent), "--json"]) == 1
    assert [fault["check"] for fault in json.loads(capsys.readouterr().out)["faults"]] == [11]


@pytest.mark.parametrize(("every", "code"), [(False, 0), (True, 1)])
def test_under_another_key_what_the_former_one_signed_still_holds(
    every: bool, code: int, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """But the newest tree head must be signed with the key of the policy in force."""
    fresh = SigningKey.generate(SIGNER.verifier.name, ED25519)
    (log / "policies" / "3.txt").write_bytes(changed_hands(fresh))
    *rows, (size, _) = checkpoints(log)
    newest = store.published_of(size)
    write_checkpoints(log, [*rows, (size, note(size, newest.root, key=SIGNER if every else fresh))])
    assert main(["log", str(log), "--policy", policy(log.parent), "--json"]) == code
    assert len(rows) > 0
    capsys.readouterr()


def test_the_signatures_of_many_witnesses_fit_in_a_folder(tmp_path: Path) -> None:
    """Fifty states with two signatures each, one of them of 2.4 kB: more than the 64 KiB of an entry."""
    long = b"x" * 200_000
    (tmp_path / "notes").write_bytes(folder_format.note_record(7, long))
    with (tmp_path / "notes").open("rb") as file:
        assert list(folder_format.read_notes(file)) == [(7, long)]


def test_a_cut_folder_is_found_by_whoever_kept_a_tree(desk: Path, log: Path, story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    newest = store.published()
    assert newest is not None
    for name in (folder_format.LEAVES, folder_format.EVENTS):
        rows = [(index, raw) for index, raw in form.records((log / name).read_bytes()) if index < story.first]
        (log / name).write_bytes(b"".join(form.record(index, raw) for index, raw in rows))
    write_checkpoints(log, [(size, raw) for size, raw in checkpoints(log) if size <= story.first])
    pin = pin_text(newest.size, newest.root)
    assert main(["log", str(log), "--policy", policy(desk), "--pin", pin, "--json"]) == 1
    assert 18 in {fault["check"] for fault in json.loads(capsys.readouterr().out)["faults"]}


@pytest.mark.parametrize("change", [lambda log: (log / "leaves.bin").unlink(), lambda log: (log / "events.bin").write_bytes(b"\x00" * 13)])
def test_a_folder_that_is_none_is_not_read(
    change: Callable[[Path], Any], desk: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(log)
    assert main(["log", str(log), "--policy", policy(desk)]) == 2
    capsys.readouterr()


def test_a_folder_in_use_is_not_written_to(desk: Path) -> None:
    with pytest.raises(Conflict) as refused:
        export.write(desk)
    assert refused.value.code == "folder_in_use"


# ------------------------------------------------------------------------------------------------------------------- the watch


def served(path: str, most: int) -> bytes:
    """What the product itself answers."""
    answer = Client().get(f"/log/{path}")
    if answer.status_code != 200:
        raise OSError(str(answer.status_code))
    assert len(answer.content) <= most
    return answer.content


def look(state: Path, fetch: watch.Fetch = served, *, seconds: int = 300) -> watch.Seen:
    return watch.look(fetch, trust=read_trust(POLICY), state=state, now=milliseconds(NOW) + seconds * 1000)


def note(size: int, root: bytes, *, key: SigningKey = SIGNER) -> bytes:
    body = TreeHead(SIGNER.verifier.name, size, root).text
    return cosigned(body + b"\n" + key.sign(body), at=milliseconds(NOW) // 1000 + 300)


def answering(checkpoint: bytes) -> watch.Fetch:
    return lambda path, most: checkpoint if path == "checkpoint" else served(path, most)


def test_the_first_round_keeps_what_it_saw_and_the_next_demands_that_it_goes_on(tmp_path: Path, story: Story) -> None:
    state, newest = tmp_path / "state", store.published()
    assert newest is not None
    former = next(raw for size, raw in [(size, raw) for size, _, raw in store.checkpoints(newest.size)] if size == story.first)
    assert look(state, answering(cosigned(former, at=milliseconds(NOW) // 1000 + 5))).verdict == 0
    assert json.loads(state.read_bytes())["size"] == story.first
    assert look(state).verdict == 0
    assert json.loads(state.read_bytes())["size"] == newest.size
    assert state.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("longer", [0, 3])
def test_a_fork_is_found_and_its_evidence_kept(longer: int, tmp_path: Path) -> None:
    state, newest = tmp_path / "state", store.published()
    assert newest is not None
    assert look(state).verdict == 0
    kept = state.read_bytes()
    hashes = [bytes([index]) * 32 for index in range(newest.size + longer)]
    forged = note(len(hashes), root_hash(hashes))
    seen = look(state, lambda path, most: b"".join(hashes) if path.startswith("tile/") else answering(forged)(path, most))
    assert seen.verdict == 1
    assert [fault.check for fault in seen.faults] == [18]
    assert state.read_bytes() == kept
    assert json.loads((tmp_path / "state.evidence").read_bytes())["served"] == forged.decode()


def test_a_checkpoint_without_its_tiles_is_not_taken(tmp_path: Path) -> None:
    state, newest = tmp_path / "state", store.published()
    assert newest is not None
    assert look(state).verdict == 0
    kept = state.read_bytes()
    assert look(state, answering(note(newest.size + 3, bytes(32)))).verdict == 2
    assert state.read_bytes() == kept


def test_an_older_tree_than_before_is_not_taken(tmp_path: Path, story: Story) -> None:
    state = tmp_path / "state"
    assert look(state).verdict == 0
    kept = state.read_bytes()
    seen = look(state, answering(note(story.first, root(story.first))))
    assert seen.verdict == 3
    assert [fault.check for fault in seen.doubts] == [18]
    assert state.read_bytes() == kept


def root(size: int) -> bytes:
    return next(bytes.fromhex(found) for at, found, _ in store.checkpoints(size) if at == size)


def test_another_logs_checkpoint_is_none(tmp_path: Path) -> None:
    newest = store.published()
    assert newest is not None
    thief = SigningKey.generate(SIGNER.verifier.name, ED25519)
    seen = look(tmp_path / "state", answering(note(newest.size, newest.root, key=thief)))
    assert seen.verdict == 1
    assert not (tmp_path / "state").exists()


def test_below_the_quorum_and_long_ago_are_said(tmp_path: Path) -> None:
    newest = store.published()
    assert newest is not None

    def alone(path: str, most: int) -> bytes:
        if path == "witnessed":
            raise OSError("not found")
        return newest.note if path == "checkpoint" else served(path, most)

    bare = look(tmp_path / "one", alone)
    assert (bare.verdict, [fault.check for fault in bare.doubts]) == (3, [22])
    old = look(tmp_path / "two", seconds=300 + 20 * 60)
    assert (old.verdict, [fault.check for fault in old.doubts]) == (3, [23])


def test_a_log_that_grows_faster_than_its_witnesses_sign_is_anchored_by_the_tree_they_signed(tmp_path: Path) -> None:
    newest = store.published()
    assert newest is not None
    seen = look(tmp_path / "state", answering(newest.note))
    assert (seen.verdict, seen.size) == (0, newest.size)


def test_a_witnessed_tree_that_is_no_beginning_of_what_is_served_is_a_fork(tmp_path: Path, story: Story) -> None:
    newest = store.published()
    assert newest is not None
    other = note(story.first, bytes(32))

    def fetch(path: str, most: int) -> bytes:
        return {"checkpoint": newest.note, "witnessed": other}.get(path) or served(path, most)

    seen = look(tmp_path / "state", fetch)
    assert [fault.check for fault in seen.faults] == [18]


def changed_hands(key: SigningKey, *, by: tuple[SigningKey, ...] = WITNESSES[:2]) -> bytes:
    """Policy 3: the log goes on under another key, as the former one and these witnesses say."""
    text = policy_text(3, lines=policy_lines(*WITNESSES, logs=(key.verifier,)))
    return cosigned(text + b"\n" + SIGNER.sign(text), at=1, by=by)


@pytest.mark.parametrize(("by", "verdict", "found"), [(WITNESSES[:2], 0, []), (WITNESSES[:1], 1, [21, 11])])
def test_a_log_is_followed_to_the_key_that_its_witnesses_signed(
    by: tuple[SigningKey, ...], verdict: int, found: list[int], tmp_path: Path
) -> None:
    newest = store.published()
    assert newest is not None
    fresh = SigningKey.generate(SIGNER.verifier.name, ED25519)
    answers = {"policy/3": changed_hands(fresh, by=by), "checkpoint": note(newest.size, newest.root, key=fresh)}
    seen = look(tmp_path / "state", lambda path, most: answers.get(path) or served(path, most))
    assert seen.verdict == verdict
    assert [fault.check for fault in seen.faults] == found


def test_a_host_that_does_not_answer_changes_nothing(tmp_path: Path) -> None:
    def away(_path: str, _most: int) -> bytes:
        raise OSError("nobody there")

    seen = look(tmp_path / "state", away)
    assert seen.verdict == 2
    assert not (tmp_path / "state").exists()


def test_a_damaged_state_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"{}")
    with pytest.raises(OSError, match="damaged"):
        look(tmp_path / "state")


@pytest.fixture
def mirror(desk: Path, tmp_path: Path) -> Iterator[str]:
    """The folder of an exported log, served by any web server: it can be watched too."""
    shutil.copytree(desk / "log", tmp_path / "www" / "log")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "www")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_watch_by_command_over_http(desk: Path, mirror: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--policy", policy(desk), "--state", str(tmp_path / "state"), "--times", "2", "--every", "0", "--json"]
    assert main(["watch", mirror, *options]) == 3
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["verdict"] for row in told] == ["unanchored", "unanchored"]  # its witnesses signed in 2026
    assert [fault["check"] for fault in told[1]["doubts"]] == [23]
    assert json.loads((tmp_path / "state").read_bytes())["origin"] == evidence.ORIGIN


@pytest.mark.parametrize("options", [[], ["--state", "s"], ["--policy", "POLICY"]])
def test_a_watch_without_policy_or_state_is_refused(options: list[str], desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [policy(desk) if each == "POLICY" else each for each in options]
    assert main(["watch", "https://consult.example.org", *options]) == 2
    assert "watch needs" in capsys.readouterr().err


def test_an_address_that_answers_with_too_much_is_not_read(mirror: str) -> None:
    with pytest.raises(OSError, match="too much"):
        watch.fetching(mirror)("leaves.bin", 10)
    with pytest.raises(OSError, match="404"):
        watch.fetching(mirror)("absent", 10)
    with pytest.raises(OSError, match="301"):
        watch.fetching(mirror)("policies", 10)


def test_the_served_checkpoint_is_the_one_with_cosignatures() -> None:
    assert served("checkpoint", 1 << 20) == cosigning.newest()
    assert WITNESSES[0].verifier.name.encode() in served("checkpoint", 1 << 20)
