"""`consult witness`, `policy` and `courier`, as the people at the host and at three member states use them, on a served installation."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secure.log.note import split_note
from secure.log.policy_chain import open_witnessed, parse_numbered
from tests.installation import Installation, free_port
from tests.secure.witness.logs import LOG, NumberLog


def ministry(folder: Path, *words: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """One act of a witness, on a machine that knows nothing of the installation."""
    command = [sys.executable, "-m", "consult", "witness", "--folder", str(folder), *words]
    return subprocess.run(command, input=input, capture_output=True, check=False, timeout=60, env=bare(), cwd=folder.parent)


def bare() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def fetched(installation: Installation, path: str) -> bytes | None:
    try:
        with urllib.request.urlopen(f"{installation.origin}{path}", timeout=5) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError:
        return None


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Served, with something in its record and its first policy."""
    installation = Installation(tmp_path_factory.mktemp("host") / "data")
    installation.make()
    installation.invite_chairs(indonesia="Dewi Anggraini", australia="Margaret Lyle")
    installation.start()
    wait_for(lambda: fetched(installation, "/log/policy") is not None)
    yield installation
    installation.stop()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Callable[[Path, int], subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []

    def serve(folder: Path, port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "consult", "witness", "--folder", str(folder), "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=bare(), stdout=subprocess.PIPE, cwd=tmp_path)
        running.append(process)
        assert process.stdout is not None
        assert b"/add-checkpoint" in process.stdout.readline()
        return process

    yield serve
    for process in running:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_three_states_witness_by_network_by_pull_and_by_courier(
    host: Installation, tmp_path: Path, serving: Callable[[Path, int], subprocess.Popen[bytes]]
) -> None:
    key = (host.data / "log.vkey").read_text(encoding="utf-8").split()[0]
    port = free_port()
    folders = {name: tmp_path / name for name in ("served", "pulling", "offline")}
    options = {"served": ["--url", f"http://127.0.0.1:{port}"], "pulling": ["--log-url", host.origin], "offline": []}
    for name, folder in folders.items():
        made = ministry(folder, "init", "--name", f"{name}.example/consult", "--log", key, *options[name])
        assert made.returncode == 0, made.stderr
        assert made.stdout == (folder / "witness.txt").read_bytes()
    witness_files = [word for folder in folders.values() for word in ("--witness", str(folder / "witness.txt"))]
    proposed, request, signatures = tmp_path / "policy-2.txt", tmp_path / "in.txt", tmp_path / "out.txt"
    proposed.write_text(said(host, "policy", "propose", *witness_files), encoding="utf-8")
    assert "Policy 2 is in force" in said(host, "policy", "adopt", str(proposed))

    assert fetched(host, "/log/witnessed") is None

    def by_pull_and_by_courier() -> bool:
        """Both sign what is offered, which may have moved on between the two."""
        pulled = ministry(folders["pulling"], "pull")
        assert pulled.returncode == 0, pulled.stderr
        assert b"agreed up to" in pulled.stdout
        request.write_text(said(host, "courier", "ask", "offline.example/consult"), encoding="utf-8")
        signed = ministry(folders["offline"], "sign", input=request.read_bytes())
        assert signed.returncode == 0, signed.stderr
        signatures.write_bytes(signed.stdout)
        assert "2 signatures kept" in said(host, "courier", "take", str(request), str(signatures))
        return witnesses_of(host) == {"pulling.example/consult", "offline.example/consult"}

    wait_for(by_pull_and_by_courier)
    process = serving(folders["served"], port)
    host.stop()
    host.start()
    wait_for(lambda: ministry(folders["pulling"], "pull").returncode == 0 and "served.example/consult" in witnesses_of(host))
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0

    rotated = tmp_path / "policy-3.txt"
    rotated.write_text(said(host, "policy", "propose", *witness_files[:4]), encoding="utf-8")
    refused = host.run("policy", "adopt", str(rotated))
    assert refused.returncode == 1
    assert "Too few" in refused.stderr
    endorsements = []
    for name in ("pulling", "offline"):
        endorsed = ministry(folders[name], "endorse", input=rotated.read_bytes())
        assert endorsed.returncode == 0, endorsed.stderr
        endorsements.append(tmp_path / f"{name}.txt")
        endorsements[-1].write_bytes(endorsed.stdout)
    assert "Policy 3 is in force" in said(host, "policy", "adopt", str(rotated), *map(str, endorsements))
    assert said(host, "policy", "show") != said(host, "policy", "show", "2")
    assert said(host, "policy", "show", "2").encode() == fetched(host, "/log/policy/2")
    answer = host.run("courier", "ask", "offline.example/consult")
    assert answer.returncode == 1
    assert "no witness" in answer.stderr
    assert "VERIFIED" in said(host, "verify")


def said(host: Installation, *words: str) -> str:
    answer = host.run(*words)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def witnesses_of(host: Installation) -> set[str]:
    """Whose signatures hold under the newest witnessed checkpoint, by the policy in force."""
    note, policy = fetched(host, "/log/witnessed"), fetched(host, "/log/policy")
    if note is None or policy is None:
        return set()
    numbered = parse_numbered(split_note(policy)[0])
    opened = open_witnessed(note, policy=numbered.policy).note
    return {verifier.name for verifier in opened.signed_by} - {numbered.origin}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = ministry(tmp_path / "w", "init", "--name", "witness.example/w", "--log", LOG.verifier.vkey)
    assert made.returncode == 0, made.stderr
    return tmp_path / "w"


def test_a_courier_brings_nothing_back_for_a_fork_and_the_operator_is_told(folder: Path) -> None:
    honest, fork = NumberLog(20), NumberLog(20, word="other", fork_at=5)
    assert ministry(folder, "sign", input=honest.request(0, 10)).returncode == 0
    refused = ministry(folder, "sign", input=fork.request(10, 20))
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert refused.stderr.startswith(b"ALARM")
    behind = ministry(folder, "sign", input=honest.request(5, 20))
    assert b"agreed up to 10 already" in behind.stderr
    for wrong in (b"", b"nonsense", b"\xff" * 100):
        answer = ministry(folder, "sign", input=wrong)
        assert answer.returncode == 1
        assert b"Traceback" not in answer.stderr


def test_a_witness_pulls_nothing_from_a_host_that_is_away(folder: Path) -> None:
    assert b"has an address" in ministry(folder, "pull").stderr
    (folder / "logs").write_text(f"log {LOG.verifier.vkey} http://127.0.0.1:{free_port()}\n", encoding="utf-8")
    answer = ministry(folder, "pull")
    assert answer.returncode == 1
    assert b"does not answer" in answer.stderr
    assert b"Traceback" not in answer.stderr


def test_a_folder_that_is_no_witness_or_not_safe_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE((folder / "witness.key").stat().st_mode) == 0o600
    again = ministry(folder, "init", "--name", "n", "--log", LOG.verifier.vkey)
    (folder / "witness.key").chmod(0o644)
    for answer, word in [(again, b"in use"), (ministry(folder, "sign"), b"600"), (ministry(tmp_path / "none", "sign"), b"cannot be read")]:
        assert answer.returncode == 1
        assert word in answer.stderr
        assert b"Traceback" not in answer.stderr


def test_a_witness_needs_neither_settings_nor_a_database(folder: Path) -> None:
    program = """
import sys
from consult.cli import main
status = main(["witness", "--folder", sys.argv[1], "sign"])
print([name for name in ("django", "channels", "twisted") if name in sys.modules], file=sys.stderr)
"""
    request = NumberLog(5).request(0, 5)
    command = [sys.executable, "-c", program, str(folder)]
    answer = subprocess.run(command, input=request, capture_output=True, check=False, env=bare(), cwd=folder, timeout=60)
    assert answer.stdout.count("— witness.example/w ".encode()) == 2
    assert answer.stderr == b"[]\n"
