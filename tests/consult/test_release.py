"""A build's description: the same from the same sources, true of every file, and bad bytes refused as what they are."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hatch_build
from consult import policies, release
from consult.release import ManifestError
from secure.log import jcs
from tests.builds import ROOT, STATIC, installed


def _linked(source: str, target: str) -> None:
    """The packages are the same bytes for both builds; nobody copies 200 MB where a link will do."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def clean_copy(folder: Path) -> Path:
    """The sources as they are, nothing built."""
    for part in ("browser", "static"):
        shutil.copytree(
            ROOT / "consult" / part,
            folder / "consult" / part,
            ignore=shutil.ignore_patterns("dist", "tests") if part == "static" else None,
            copy_function=_linked,
            symlinks=True,
        )
    return folder


def test_two_clean_builds_are_described_alike(tmp_path: Path) -> None:
    described = []
    for place in ("one", "another/deeper/down"):
        root = clean_copy(tmp_path / place)
        hatch_build.build(root)
        described.append((root / "consult/static/consult/dist" / release.NAME).read_bytes())
    assert described[0] == described[1]
    assert release.read(described[0]).name == installed().name, "what is installed here is what these sources make"


def test_the_description_is_true_of_every_file_that_lies_there() -> None:
    described = installed()
    for file in described.files:
        content = (STATIC / file.path.removeprefix(release.PREFIX)).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256), f"{file.path}: run `make`"
    lying = {f"{release.PREFIX}{path.relative_to(STATIC).as_posix()}" for path in STATIC.rglob("*") if path.is_file()}
    assert lying - set(described.by_path) == {f"{release.PREFIX}{name}" for name in release.LEFT_OUT}
    kinds = {Path(path).suffix for path in described.by_path}
    assert {".js", ".css", ".woff2", ".svg"} <= kinds


def test_the_builds_name_is_the_hash_of_its_canonical_description() -> None:
    raw = (STATIC / "dist" / release.NAME).read_bytes()
    assert jcs.encode(jcs.decode(raw)) == raw
    assert installed().name == hashlib.sha256(raw).hexdigest()


def test_what_templates_name_is_in_the_description() -> None:
    named = {
        name
        for page in (ROOT / "consult").glob("**/templates/**/*.html")
        for name in re.findall(r"{% (?:static 'consult/|style \")([\w/.-]+)", page.read_text(encoding="utf-8"))
    }
    assert {"css/consult.css", "css/room.css", "css/viewer.css", "icon.svg"} <= named
    assert {f"{release.PREFIX}{name}" for name in named} <= set(installed().by_path)


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda value: value.pop(name)


def first(**changed: object) -> Callable[[dict[str, Any]], object]:
    return lambda value: value["files"][0].update(changed)


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "no files": without("files"),
    "no version": without("version"),
    "no pages": without("pages"),
    "another form": lambda value: value.update(v=2),
    "something more": lambda value: value.update(more=1),
    "an empty list": lambda value: value.update(files=[]),
    "files that are no list": lambda value: value.update(files={}),
    "a file that is none": lambda value: value["files"].append("x"),
    "a file twice": lambda value: value["files"].append(value["files"][-1]),
    "another order": lambda value: value["files"].reverse(),
    "a page without a policy": lambda value: value["pages"][0].pop("policy"),
    "a path that climbs": first(path="/static/../secret"),
    "a path elsewhere": first(path="//elsewhere.example/x"),
    "a path with a question": first(path="/a?b"),
    "a path that is no text": first(path=1),
    "no size": first(size="1"),
    "a size that is a truth": first(size=True),
    "a size below nothing": first(size=-1),
    "a size beyond the bound": first(size=release.LARGEST_FILE + 1),
    "half a hash": first(sha256="ab"),
    "a hash in capitals": first(sha256="AB" * 32),
    "a version that rings": lambda value: value.update(version="1\a"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_describes_no_build_is_refused(broken: str) -> None:
    value = deepcopy(jcs.decode_object(installed().raw))
    BROKEN[broken](value)
    with pytest.raises(ManifestError, match="bad_manifest"):
        release.read(jcs.encode(value))


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=9).map(repr))
def test_no_bytes_raise_anything_but_our_refusal(raw: bytes | str) -> None:
    with pytest.raises(ManifestError):
        release.read(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass"))


@given(st.integers(0, len(installed().raw) - 1), st.integers(0, 255))
def test_a_changed_byte_is_another_build_or_none(at: int, byte: int) -> None:
    raw = bytearray(installed().raw)
    raw[at] = byte
    try:
        found = release.read(bytes(raw))
    except ManifestError:
        return
    assert (found.name == installed().name) == (bytes(raw) == installed().raw)


def test_a_policy_reads_the_same_in_any_order_and_only_the_first_of_a_name_counts() -> None:
    assert policies.normal("a 'self' b;  C d") == policies.normal("c d ; a b 'self';")
    assert policies.normal("a b; a c") == "a b"
    assert policies.normal("a b") != policies.normal("a b c")
