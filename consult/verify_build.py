"""`consult verify-build`: does a host serve the build that is installed here? On a machine of one's own, without settings or database.

It asks as a browser would, compares every file and every page that anyone may open, and says each difference in a sentence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO
from urllib.parse import urlsplit

from consult import page_check, policies, release
from consult.env import LOCAL_NAMES
from consult.fetching import Answer, UnreachableError, fetch
from consult.release import File, ManifestError, Page, Release
from secure.codes import fingerprint

SAME, DIFFERS, CANNOT = 0, 1, 2
INSTALLED: Final = Path(__file__).resolve().parent / "static" / "consult" / "dist" / release.NAME
PAGE_BYTES: Final = 1024 * 1024
MANIFEST_BYTES: Final = 1024 * 1024
#: as many at once as a browser has open to one host
AT_ONCE: Final = 6
LIMIT: Final = (
    "This says what the host served to this machine just now. It cannot say what it serves to somebody else, or to you in an hour: "
    "compare the build's line with the one at the foot of your pages, and check again from elsewhere."
)


@dataclass
class Findings:
    """`different` and `unknown` are sentences; `good` the bytes of the files that are as they should be, by path."""

    different: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    good: dict[str, bytes] = field(default_factory=dict)

    @property
    def verdict(self) -> int:
        return DIFFERS if self.different else CANNOT if self.unknown else SAME

    def heard(self, path: str, found: Answer | UnreachableError) -> Answer | None:
        """The answer, if there was one to look at; otherwise what was wrong is noted."""
        if isinstance(found, UnreachableError):
            self.unknown.append(f"No answer: {found}")
        elif found.status == 429 or found.status >= 500:
            self.unknown.append(f"{path}: the host could not answer just now ({found.status}).")
        elif found.status != 200:
            self.different.append(f"{path} is not served ({found.status}).")
        else:
            return found
        return None


def run(url: str, manifest: Path | None, out: TextIO) -> int:
    """Prints the outcome; returns 0 for the same build, 1 for another, 2 if it cannot be checked."""
    try:
        origin, expected = origin_of(url), load(manifest or INSTALLED)
    except AddressError as error:
        print(f"Cannot be checked: {error}", file=out)
        return CANNOT
    except (OSError, ManifestError):
        print(f"Cannot be checked: {manifest or INSTALLED} is not the description of a build (release.json).", file=out)
        return CANNOT
    findings = examine(origin, expected)
    for sentence in (*findings.different, *findings.unknown):
        print(f"- {sentence}", file=out)
    print(_summary(findings, origin, expected), LIMIT, sep="\n", file=out)
    return findings.verdict


class AddressError(Exception):
    """Not an address that can be asked; the text is a sentence."""


def origin_of(url: str) -> str:
    """Scheme, host and port of what a person typed. Raises AddressError."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.username is not None or parts.scheme not in {"https", "http"}:
        raise AddressError(f"{url} is not an address such as https://consult.example.org.")
    if parts.scheme == "http" and not (host in LOCAL_NAMES or host.endswith(".localhost")):
        raise AddressError("The address must begin with https: without it, anybody on the way could answer.")
    return f"{parts.scheme}://{parts.netloc}"


def load(path: Path) -> Release:
    """Raises OSError or ManifestError."""
    with path.open("rb") as file:
        return release.read(file.read(MANIFEST_BYTES + 1))


def examine(origin: str, expected: Release) -> Findings:
    """Pages are asked for first: if none answers, the files are not tried."""
    findings = Findings()
    pages = _ask_all(origin, [(page.path, PAGE_BYTES) for page in expected.pages])
    shown = [(page, findings.heard(page.path, found)) for page, found in zip(expected.pages, pages, strict=True)]
    if len(findings.unknown) == len(pages):
        return findings
    files = _ask_all(origin, [(file.path, file.size) for file in expected.files])
    for file, found in zip(expected.files, files, strict=True):
        if answer := findings.heard(file.path, found):
            _compare(file, answer, findings)
    for page, answer in shown:
        if answer:
            findings.different.extend(f"{page.path}: {fault}." for fault in _page_faults(page, answer, origin, expected, findings.good))
    return findings


def _ask_all(origin: str, wanted: Sequence[tuple[str, int]]) -> list[Answer | UnreachableError]:
    """Each path with the most bytes it may have."""

    def ask(path: str, most: int) -> Answer | UnreachableError:
        try:
            return fetch(f"{origin}{path}", most=most)
        except UnreachableError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: ask(*each), wanted))


def _compare(file: File, answer: Answer, findings: Findings) -> None:
    found = hashlib.sha256(answer.body).hexdigest()
    if len(answer.body) > file.size:
        findings.different.append(f"{file.path} is longer than the build's {file.size} bytes.")
    elif found != file.sha256:
        findings.different.append(f"{file.path} is another file: its SHA-256 is {found}, the build's is {file.sha256}.")
    else:
        findings.good[file.path] = answer.body


def _page_faults(page: Page, answer: Answer, origin: str, expected: Release, good: Mapping[str, bytes]) -> Iterator[str]:
    sent = answer.headers.get_all("Content-Security-Policy") or []
    if [policies.normal(each) for each in sent] != [policies.normal(page.policy.replace(release.ORIGIN, origin))]:
        yield f"its content policy is not the build's: {', '.join(sent) or 'there is none'}"
    if answer.headers.get_content_type() != "text/html" or len(answer.body) > PAGE_BYTES:
        yield "it is no page"
        return
    text = answer.body.decode("utf-8", errors="replace")
    yield from page_check.faults(
        text, address=f"{origin}{page.path}", listed=frozenset(expected.by_path), files=good, build=fingerprint(expected.name)
    )


def _summary(findings: Findings, origin: str, expected: Release) -> str:
    build = f"build {fingerprint(expected.name)} (version {expected.version})"
    if findings.verdict == SAME:
        return f"The same. All {len(expected.files)} files and {len(expected.pages)} pages that {origin} served are those of {build}."
    if findings.verdict == DIFFERS:
        return f"DIFFERENT. What {origin} served is not {build}. Type nothing there before this is explained."
    return f"Cannot be checked. What {origin} did serve is {build}; the rest is unknown. Try again."
