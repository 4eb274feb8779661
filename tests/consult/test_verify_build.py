"""`consult verify-build` against a host that serves: honest, otherwise, not at all; and the build in service, in the record."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from consult import release, verify_build
from secure.codes import fingerprint
from tests.builds import ROOT, STATIC, another_build, installed
from tests.installation import Installation, free_port
from tests.simulator import Fronted

KEPT = ("Content-Type", "Content-Security-Policy", "Location")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


Tell = Callable[[Answer], Answer]


@dataclass
class Front:
    """The way to the installation: passes answers on, except those of a path that it was told to change."""

    house: Fronted
    lies: dict[str, Tell] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return self.house.origin

    def answer(self, path: str) -> Answer:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.house.port}{path}", timeout=20) as true:
                told = Answer(true.status, {name: true.headers[name] for name in KEPT if name in true.headers}, true.read())
        except urllib.error.HTTPError as error:
            with error:
                told = Answer(error.code, {}, error.read())
        return self.lies.get(path, lambda same: same)(told)


def handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Passing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = front.answer(self.path)
            self.send_response(told.status)
            for name, value in told.headers.items():
                for each in value.split("\n"):
                    self.send_header(name, each)
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_said: object) -> None:
            return

    return Passing


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    house = Fronted(tmp_path_factory.mktemp("built") / "data")
    house.make()
    house.start()
    front = Front(house)
    server = ThreadingHTTPServer(("127.0.0.1", house.front), handler(front))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield front
    server.shutdown()
    house.stop()


@pytest.fixture
def front(host: Front) -> Iterator[Front]:
    yield host
    host.lies.clear()


def verified(url: str, manifest: Path | None = None) -> tuple[int, str]:
    out = io.StringIO()
    status = verify_build.run(url, manifest, out)
    return status, out.getvalue()


def path_of(name: str) -> str:
    """The file of the build whose address has this in it."""
    return next(path for path in installed().by_path if name in path)


# -------------------------------------------------------------------------------------------------------------------- the verdicts


def test_a_ministrys_machine_needs_no_settings_and_no_database(front: Front, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "consult", "verify-build", front.origin]
    run = subprocess.run(
        command, env={"PATH": "", "PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{fingerprint(installed().name)} (version {installed().version})" in run.stdout
    assert "It cannot say what it serves to somebody else" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_asking_loads_neither_django_nor_settings() -> None:
    program = 'import sys, consult.verify_build; print([name for name in sys.modules if name.split(".")[0] in ("django", "csp")])'
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "[]", run.stderr


def body(change: Callable[[bytes], bytes]) -> Tell:
    return lambda true: replace(true, body=change(true.body))


def policy(change: Callable[[str], str]) -> Tell:
    name = "Content-Security-Policy"
    return lambda true: replace(true, headers={**true.headers, name: change(true.headers[name])})


OTHERWISE: dict[str, tuple[str, Tell, str]] = {
    "the key worker has one byte more": ("crypto/worker", body(lambda true: true + b"\n"), "is longer than the build's"),
    "the key worker has another byte": ("crypto/worker", body(lambda true: true[:-1] + b" "), "is another file"),
    "a file is cut": ("room/main", body(lambda true: true[:100]), "is another file"),
    "a file is not there": ("icon.svg", lambda true: replace(true, status=404), "is not served (404)"),
    "a file is elsewhere": (
        "icon.svg",
        lambda _true: Answer(302, {"Location": "https://evil.example/icon.svg"}, b""),
        "is not served (302)",
    ),
    "a style sheet has one rule more": ("css/consult.css", body(lambda true: true + b"p{}"), "is longer than the build's"),
    "a page brings a script": (
        "/sign-in",
        body(lambda true: true.replace(b"</body>", b"<script>x()</script></body>")),
        "script of its own",
    ),
    "a page calls itself another build": (
        "/enrol",
        body(lambda true: re.sub(rb'(name="consult-build" content=")[^"]+', rb"\1AAAA", true)),
        "calls itself build AAAA",
    ),
    "a page's policy is wider": ("/sign-in", policy(lambda true: true.replace("script-src 'self'", "script-src *")), "content policy"),
    "a page has a second policy": ("/sign-in", policy(lambda true: f"{true}\ndefault-src *"), "content policy"),
    "a page has no policy": ("/enrol", lambda true: replace(true, headers={"Content-Type": "text/html"}), "there is none"),
    "the viewer reaches elsewhere": (
        "/viewer",
        policy(lambda true: true.replace("connect-src 'none'", "connect-src https://evil.example")),
        "content policy",
    ),
    "a page is no page": ("/about/host", lambda true: replace(true, headers={**true.headers, "Content-Type": "image/svg+xml"}), "no page"),
    "a page never ends": ("/about/host", body(lambda true: true + b" " * verify_build.PAGE_BYTES), "no page"),
    "a page is bytes": ("/sign-in", body(lambda _true: bytes(range(256))), "does not say which build"),
}


@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_what_is_served_otherwise_is_said_in_words(front: Front, otherwise: str) -> None:
    name, tell, words = OTHERWISE[otherwise]
    path = name if name.startswith("/") else path_of(name)
    front.lies[path] = tell
    status, said = verified(front.origin)
    assert status == verify_build.DIFFERS, said
    (line,) = [line for line in said.splitlines() if line.startswith("- ")]
    assert path in line
    assert words in line
    assert "DIFFERENT" in said


def test_a_host_that_cannot_answer_just_now_is_no_verdict(front: Front) -> None:
    front.lies[path_of("icon.svg")] = lambda true: replace(true, status=503)
    status, said = verified(front.origin)
    assert status == verify_build.CANNOT
    assert "could not answer just now (503)" in said


def test_a_difference_counts_though_something_else_could_not_be_had(front: Front) -> None:
    front.lies[path_of("icon.svg")] = lambda true: replace(true, status=503)
    front.lies[path_of("crypto/worker")] = body(lambda true: true[:-1])
    assert verified(front.origin)[0] == verify_build.DIFFERS


def test_a_host_that_is_not_there_is_no_verdict() -> None:
    status, said = verified(f"http://localhost:{free_port()}")
    assert status == verify_build.CANNOT
    assert "No answer" in said


@pytest.mark.parametrize(
    "url", ["http://consult.example.org", "ftp://localhost", "https://", "https://user@localhost", "https://[", "https://h:x"]
)
def test_an_address_that_must_not_be_asked_is_refused_in_words(url: str) -> None:
    status, said = verified(url)
    assert status == verify_build.CANNOT
    assert "ddress" in said


def test_another_builds_description_tells_them_apart(front: Front, tmp_path: Path) -> None:
    other = another_build(tmp_path)
    listed = tmp_path / "consult" / "static" / "consult" / "dist" / release.NAME
    status, said = verified(front.origin, listed)
    assert status == verify_build.DIFFERS
    assert "/static/consult/css/consult.css is another file" in said
    assert fingerprint(other.name) in said


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"x" * (verify_build.MANIFEST_BYTES + 10)])
def test_a_file_that_describes_no_build_is_no_verdict(front: Front, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "release.json").write_bytes(content)
    status, said = verified(front.origin, tmp_path / "release.json")
    assert status == verify_build.CANNOT
    assert "not the description of a build" in said
    assert verified(front.origin, tmp_path / "absent.json")[0] == verify_build.CANNOT


# ------------------------------------------------------------------------------------------------------------- the build in service


def in_service(house: Installation) -> dict[str, object]:
    """What the installation says, as soon as the record has it."""
    found: dict[str, object] = {"deployed": None}
    end = time.monotonic() + 20
    while found["deployed"] is None and time.monotonic() < end:
        with urllib.request.urlopen(f"http://localhost:{house.port}/api/build", timeout=20) as answer:
            found = json.load(answer)
        time.sleep(0.1)
    return found


def test_a_build_put_into_service_is_on_the_record_once(tmp_path: Path) -> None:
    house = Installation(tmp_path / "data")
    house.make()
    other = another_build(tmp_path / "other")
    seen = []
    for code in (None, None, tmp_path / "other"):
        house.code = code
        house.start()
        seen.append(in_service(house))
        assert house.stop() == 0
    assert seen[0] == seen[1], "starting the same build again is no event"
    assert seen[0]["manifest"] == installed().name
    assert seen[2]["manifest"] == other.name
    assert isinstance(seen[0]["deployed"], int)
    assert isinstance(seen[2]["deployed"], int)
    assert seen[2]["deployed"] > seen[0]["deployed"]
    assert house.run("verify").returncode == 0


def test_the_list_of_files_is_there_for_everybody_and_is_not_kept_for_ever(front: Front) -> None:
    with urllib.request.urlopen(f"http://localhost:{front.house.port}{release.PREFIX}dist/{release.NAME}", timeout=20) as answer:
        assert answer.read() == (STATIC / "dist" / release.NAME).read_bytes()
        assert "immutable" not in answer.headers["Cache-Control"]
    with urllib.request.urlopen(f"http://localhost:{front.house.port}{path_of('crypto/worker')}", timeout=20) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
