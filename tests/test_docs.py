"""The pages in docs/ are true: what they name exists, and what exists at a door is named."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from consult import asgi, urls, wire
from meetings.statements import TABLE

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("**/*.md")])
BASES = (ROOT, ROOT / "consult" / "browser", ROOT / "consult")
"""Where a file that a page names may lie: `crypto/gate.ts` is the front end's, `views/api.py` the doors'."""


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def spans(text: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", text)


def rows(name: str, heading: str) -> list[list[str]]:
    """The cells of the tables under a heading, without their heads."""
    section = page(name).split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    body = re.sub(r"^\|.*\n\| ---.*\n", "", section, flags=re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body.splitlines() if line.startswith("|")]


PROMISES = rows("threat-model.md", "Promises")
ADVERSARIES = rows("threat-model.md", "Adversaries")


@cache
def named_in(path: str) -> frozenset[str]:
    """The names of a file's tests: functions in Python, titles in TypeScript."""
    source = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".py"):
        functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        return frozenset(function.name for function in functions if function.name.startswith("test_"))
    return frozenset(re.findall(r'\b(?:test|it|describe)(?:\.each\([^\n]*?\))?\(\s*"([^"\n]+)"', source))


def shown_by(cells: list[str]) -> list[tuple[str, str]]:
    """`path::name` of every test that a row names."""
    return [(path, name) for span in spans(" ".join(cells)) for path, sep, name in [span.partition("::")] if sep]


def test_the_threat_model_has_its_tables() -> None:
    assert len(PROMISES) >= 40
    assert len(ADVERSARIES) >= 11


@pytest.mark.parametrize("row", PROMISES, ids=lambda row: row[0][:60])
def test_a_promise_names_its_file_and_its_test(row: list[str]) -> None:
    assert len(row) == 3, "a promise, where it is kept, what shows it"
    _, kept, shown = row
    files = spans(kept)
    assert files
    assert [file for file in files if not (ROOT / file).is_file()] == []
    named = shown_by([shown])
    assert named
    assert [path for path, _ in named if not (ROOT / path).is_file()] == []
    assert [name for path, name in named if name not in named_in(path)] == []
    assert all("::" in span for span in spans(shown))


@pytest.mark.parametrize("row", ADVERSARIES, ids=lambda row: row[0][:60])
def test_an_adversary_has_what_it_can_and_what_it_cannot(row: list[str]) -> None:
    assert len(row) == 3, "who, what it can always do, what it must never do"
    assert all(row)


def anchors(text: str) -> set[str]:
    """What a heading is called in an address."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://|mailto:", target):
            continue
        place, _, anchor = target.partition("#")
        found = (path.parent / place).resolve() if place else path
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(found.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_a_page_names_is_there(path: Path) -> None:
    """Files with a folder in their name; what `init` or the build makes is named without one."""
    named = [
        span
        for span in spans(path.read_text(encoding="utf-8"))
        if re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+\.(?:py|ts|mjs|json|md|toml|html|css)", span)
    ]
    assert [name for name in named if not any((base / name).is_file() for base in BASES)] == []


def addresses(text: str) -> str:
    """The same text with every `<place>` of an address alike."""
    return re.sub(r"<[^<>\n]*>", "<>", text)


def doors() -> list[str]:
    """Addresses for programs: JSON, the record, and sockets."""
    patterns = [str(each.pattern) for each in urls.urlpatterns if str(each.pattern).startswith(("api/", "log/"))]
    sockets = asgi.application.inner.application_mapping["websocket"].inner.routes
    return sorted([*patterns, *(str(each.pattern) for each in sockets)])


@pytest.mark.parametrize("door", doors())
def test_every_door_for_programs_is_in_the_protocol(door: str) -> None:
    # a place that takes a whole path stands for everything below it
    end = r"(?![\w])" if "<path:" in door else r"(?![\w/])"
    assert re.search(re.escape("/" + addresses(door)) + end, addresses(page("protocol.md"))), f"docs/protocol.md does not name /{door}"


def server_frames() -> set[str]:
    sources = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("consult/wire.py", "secure/fanout.py", "secure/items.py"))
    return set(re.findall(r'"t": ?"(\w+)"', sources))


def test_every_frame_is_in_the_protocol() -> None:
    section = page("protocol.md").split("\n## 6. Socket\n", 1)[1].split("\n## ", 1)[0]
    described = {match.group(1) for span in spans(section) if (match := re.match(r"(\w+) \{", span))}
    assert described == set(wire.FRAMES) | server_frames()


def test_every_close_code_is_in_the_protocol() -> None:
    section = page("protocol.md").split("\n## 6. Socket\n", 1)[1].split("\n## ", 1)[0]
    codes = {value for name, value in vars(wire).items() if name.isupper() and isinstance(value, int)}
    assert {code for code in codes if str(code) not in section} == set()


def statement_rows() -> dict[str, str]:
    section = page("protocol.md").split("\n## 2. Statements\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^\| `([\w.]+)` \| (.*)$", section, re.MULTILINE)
    assert len(found) == len({name for name, _ in found})
    return dict(found)


def test_every_statement_type_has_its_row_in_the_protocol() -> None:
    assert set(statement_rows()) == set(TABLE)


def decisions() -> list[Path]:
    return sorted((DOCS / "decisions").glob("[0-9]*.md"))


def test_decisions_are_numbered_without_a_gap_and_listed() -> None:
    names = [path.name for path in decisions()]
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    assert re.findall(r"\]\((\d[^)]+)\)", page("decisions/README.md")) == names


@pytest.mark.parametrize("path", decisions(), ids=lambda path: path.name)
def test_a_decision_says_what_why_and_at_what_price(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(rf"# {int(path.name[:4])}\. \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Decision", "Why", "Price"]
    assert len(text.splitlines()) <= 40


PAGES_ONLY = {"bad_ticket", "not_secretariat", "register_not_yours", "sign_in_refused", "reset_used", "chairs_enrolled"}
"""Refusals that only pages and the command line meet."""
OWN_TOOLS = {"secure/sealing.py", "secure/codes.py", "meetings/roster.py"}
"""What the server never calls with a stranger's bytes: the Python twins of what browsers do."""


def test_every_refusal_of_a_door_for_programs_is_in_the_protocol() -> None:
    raised = re.compile(r'\b(?:BadInput|Forbidden|Conflict|Gone|TooLarge|TooMany|NotFound)\(\s*"(\w+)"')
    sources = [
        path for layer in ("consult", "meetings", "secure") for path in (ROOT / layer).glob("**/*.py") if "node_modules" not in path.parts
    ]
    codes = {
        code
        for path in sources
        if path.relative_to(ROOT).as_posix() not in OWN_TOOLS
        for code in raised.findall(path.read_text(encoding="utf-8"))
    }
    assert {code for code in codes - PAGES_ONLY if f"`{code}`" not in page("protocol.md")} == set()
    assert codes >= PAGES_ONLY


def test_every_page_that_code_refers_to_is_there() -> None:
    sources = [
        path
        for layer in ("consult", "meetings", "secure", "tests")
        for path in (ROOT / layer).glob("**/*")
        if path.suffix in {".py", ".ts", ".mjs"}
    ]
    own = [path for path in sources if "node_modules" not in path.parts]
    named = {(path.name, page) for path in own for page in re.findall(r"[\w./-]+\.md\b", path.read_text(encoding="utf-8"))}
    assert {(name, page) for name, page in named if not any((base / page).is_file() for base in (ROOT, DOCS, DOCS / "decisions"))} == set()
