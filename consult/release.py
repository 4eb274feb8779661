"""A build, described: every file that browsers are served, and the pages anyone may open with the policy each carries.

The description (`release.json`, canonical JSON; docs/protocol.md, Builds) is made with the front end and lies beside it in the wheel. Its
SHA-256 is the build's name. Pure: a ministry reads it without settings and without a database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from consult import policies
from secure.errors import BadInput, Refusal
from secure.log import jcs

NAME: Final = "release.json"
PREFIX: Final = "/static/consult/"
#: who is served these is never told so by a page: the mark of a fresh folder, the verifier that no browser runs, this description itself
LEFT_OUT: Final = frozenset({"dist/STAMP", "dist/consult-verify.pyz", f"dist/{NAME}"})
ORIGIN: Final = "{origin}"
"""Stands in a policy for the installation's address, which differs from host to host."""
LARGEST_FILE: Final = 32 * 1024 * 1024


class ManifestError(BadInput):
    """These bytes describe no build. Code: `bad_manifest`."""


@dataclass(frozen=True)
class File:
    """`path` as in the address, `size` in bytes, `sha256` lower-case hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Page:
    """A page that anyone may open without signing in, and its content policy in the order of `policies.as_text`."""

    path: str
    policy: str


PAGES: Final = (
    Page("/about/host", policies.as_text(policies.PAGE)),
    Page("/enrol", policies.as_text(policies.PAGE)),
    Page("/sign-in", policies.as_text(policies.PAGE)),
    Page("/viewer", policies.as_text(policies.viewer([ORIGIN]))),
)


@dataclass(frozen=True)
class Release:
    """`raw` are the canonical bytes; `name` is their SHA-256 in hex."""

    version: str
    files: tuple[File, ...]
    pages: tuple[Page, ...]
    raw: bytes = field(repr=False)

    @cached_property
    def name(self) -> str:
        return hashlib.sha256(self.raw).hexdigest()

    @cached_property
    def by_path(self) -> Mapping[str, File]:
        return {file.path: file for file in self.files}


def describe(static: Path, *, version: str) -> Release:
    """Reads the folder `static/consult` as it will be served."""
    names = {path.relative_to(static).as_posix(): path for path in static.rglob("*") if path.is_file()}
    files = [_file(name, path.read_bytes()) for name, path in sorted(names.items()) if name not in LEFT_OUT]
    value = {"v": 1, "version": version, "files": files, "pages": [{"path": page.path, "policy": page.policy} for page in PAGES]}
    return read(jcs.encode(value))


def _file(name: str, content: bytes) -> dict[str, jcs.Json]:
    return {"path": f"{PREFIX}{name}", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def read(raw: bytes) -> Release:
    """The build that these bytes describe.

    Raises:
        ManifestError: they are not canonical, or not of this form.
    """
    try:
        value = jcs.decode_object(raw)
    except Refusal as error:
        raise ManifestError("bad_manifest") from error
    if value.keys() != {"v", "version", "files", "pages"} or value["v"] != 1:
        raise ManifestError("bad_manifest")
    files = tuple(_read_file(each) for each in _objects(value["files"], {"path", "size", "sha256"}))
    pages = tuple(Page(_path(each["path"]), _text(each["policy"])) for each in _objects(value["pages"], {"path", "policy"}))
    for paths in ([file.path for file in files], [page.path for page in pages]):
        if not paths or paths != sorted(set(paths)):
            raise ManifestError("bad_manifest")
    return Release(version=_text(value["version"]), files=files, pages=pages, raw=raw)


def _read_file(found: Mapping[str, jcs.Json]) -> File:
    path, size, sha256 = _path(found["path"]), found["size"], _text(found["sha256"])
    if type(size) is not int or not 0 <= size <= LARGEST_FILE or len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise ManifestError("bad_manifest")
    return File(path, size, sha256)


def _objects(value: jcs.Json, names: set[str]) -> list[dict[str, jcs.Json]]:
    if not isinstance(value, list) or any(not isinstance(each, dict) or each.keys() != names for each in value):
        raise ManifestError("bad_manifest")
    return value


def _path(value: jcs.Json) -> str:
    """An address below the host's own, in plain characters: nothing in it can lead a reader elsewhere."""
    path = _text(value)
    plain = path.isascii() and path.isprintable() and not set(path) & set(" \\?#%")
    if not path.startswith("/") or not plain or set(path[1:].split("/")) & {"", ".", ".."}:
        raise ManifestError("bad_manifest")
    return path


def _text(value: jcs.Json) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ManifestError("bad_manifest")
    return value
