"""The house holds: arrows point down, keys and pages stay apart, the demonstration is nobody's, and no file knows a machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BROWSER = ROOT / "consult" / "browser"
PRODUCT = ("consult/", "meetings/", "secure/")
CODE = (".py", ".ts", ".mjs", ".html", ".css")


def repository() -> list[str]:
    """Every file that git keeps."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    return [name for name in listed if name and (ROOT / name).is_file()]


def texts(names: list[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def product() -> list[str]:
    return [name for name in repository() if name.startswith(PRODUCT) and name.endswith(CODE)]


def imports(script: Path) -> list[str]:
    """What a script of the front end imports, by whatever form."""
    source = script.read_text(encoding="utf-8")
    return re.findall(r'(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"', source)


def reached(script: Path) -> list[str]:
    """Its imports as paths below the front end's folder; packages by their name."""
    found = []
    for target in imports(script):
        own = target.startswith(".")
        found.append((script.parent / target).resolve().relative_to(BROWSER).as_posix() if own else target)
    return found


def scripts(folder: str) -> list[Path]:
    found = sorted((BROWSER / folder).glob("**/*.ts"))
    assert found, f"{folder} has no scripts"
    return found


def test_the_contracts_of_the_layers_hold() -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "0 broken" in outcome.stdout


def test_nobody_names_the_demonstration_but_the_command_that_starts_it() -> None:
    naming = {
        name
        for name, text in texts(product())
        if not name.startswith("consult/demo/") and re.search(r"consult\.demo\b|from consult import .*\bdemo\b|from \.demo", text)
    }
    assert naming == {"consult/cli.py"}
    # by its string and inside the command, so that importing the command line loads nothing of it
    command = (ROOT / "consult/cli.py").read_text(encoding="utf-8")
    assert re.findall(r".*consult\.demo.*", command) == ['    run = import_module("consult.demo").run']


def test_a_server_holds_nothing_of_the_demonstration() -> None:
    program = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import consult.asgi, consult.cli, consult.urls
print([name for name in sys.modules if name.startswith("consult.demo")])
print([str(each.pattern) for each in consult.urls.urlpatterns if "demo" in str(each.callback.__module__)])
"""
    outcome = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.stdout.split() == ["[]", "[]"], outcome.stderr


@pytest.mark.parametrize("script", scripts("crypto"), ids=lambda script: script.name)
def test_what_holds_keys_knows_no_page(script: Path) -> None:
    own = [target for target in reached(script) if target.endswith(".ts")]
    assert [target for target in own if not target.startswith("crypto/") and target != "bridge.ts"] == []
    assert not [target for target in reached(script) if target.startswith("lit")]


@pytest.mark.parametrize(
    "script", [*scripts("pages"), *scripts("room"), *sorted(BROWSER.glob("*.ts"))], ids=lambda script: f"{script.parent.name}/{script.name}"
)
def test_what_has_a_page_holds_no_keys(script: Path) -> None:
    forbidden = [target for target in reached(script) if target.startswith(("crypto/", "ts-mls", "@hpke/", "@noble/"))]
    assert forbidden == []


def test_the_table_between_them_imports_nobody() -> None:
    assert imports(BROWSER / "bridge.ts") == []


def test_the_viewer_of_papers_knows_nothing_of_us() -> None:
    reach = {target for script in scripts("viewer") for target in reached(script)}
    assert {target for target in reach if not target.startswith("pdfjs-dist")} == set()


def test_no_page_writes_html_as_text() -> None:
    writing = re.compile(r"\.(?:innerHTML|outerHTML|insertAdjacentHTML|srcdoc)\b|document\.write|unsafeHTML|\beval\(|new Function\(")
    sources = [name for name in product() if name.startswith("consult/browser/") and name.endswith(".ts")]
    assert [name for name, text in texts(sources) if writing.search(text)] == []


def test_templates_have_no_inline_script_or_style() -> None:
    inline = re.compile(
        r"<script(?![^>]*\b(?:src=|type=\"application/json\"))|<style\b|\sstyle=|\son[a-z]+=\"|href=\"javascript:|mark_safe|\|safe\b"
    )
    pages = [name for name in product() if name.endswith(".html")]
    assert [name for name, text in texts(pages) if inline.search(text)] == []


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    places = "|".join(("work", "home/[a-z]+", "Users/[A-Za-z]+", "root"))
    absolute = re.compile(rf"(?<![\w.+/=-])/(?:{places})/[\w.-]")
    found = [(name, hit.group()) for name, text in texts(repository()) if (hit := absolute.search(text))]
    assert found == []


def test_no_file_names_a_registry() -> None:
    hosts = re.compile(
        r"https?://[^\s\"'<>)]*(?:pypi|pythonhosted|npmjs|registry\.|/simple\b)|--(?:extra-)?index-url[ =]|^registry *=", re.MULTILINE
    )
    found = [(name, hit.group()) for name, text in texts(repository()) if (hit := hosts.search(text))]
    assert found == []


def test_every_dependency_is_pinned_by_its_hash() -> None:
    lock = json.loads((BROWSER / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if not package.get("integrity", "").startswith("sha512-")] == []
    for name in ("run.txt", "dev.txt"):
        lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
        pinned = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert pinned
        assert [line for line in pinned if not re.match(r"[\w.-]+(?:\[[\w,-]+\])?==\S+ ", line)] == []
        assert sum("--hash=sha256:" in line for line in lines) >= len(pinned)


def test_nothing_is_left_for_later() -> None:
    later = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")))
    assert [name for name, text in texts(product()) if later.search(text)] == []


def test_no_test_is_skipped_and_none_expects_to_fail() -> None:
    giving_up = re.compile(r"pytest\.(?:mark\.)?(?:skip|xfail|importorskip)|\b(?:test|it|describe)\.(?:skip|todo|only|fails)\b")
    tests = [name for name in repository() if re.match(r"tests/|consult/browser/tests/", name) and name.endswith((".py", ".ts"))]
    own = Path(__file__).relative_to(ROOT).as_posix()
    assert [name for name, text in texts(tests) if name != own and giving_up.search(text)] == []


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {Path(name).parent for name in repository() if name.startswith("tests/") and name.endswith(".py")}
    assert [folder.as_posix() for folder in sorted(folders) if not (ROOT / folder / "__init__.py").is_file()] == []
