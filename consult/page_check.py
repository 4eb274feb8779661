"""What a page of ours may load, read as strictly as we can: only files of its build, each with what it must hash to, and nothing inline.

Pure: HTML in, sentences out; none means that the page is as it should be.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin, urlsplit

ALGORITHMS: Final = ("sha256", "sha384", "sha512")
NEVER: Final = frozenset({"style", "base", "iframe", "frame", "object", "embed", "applet", "portal"})
WATCHED: Final = NEVER | {"script", "link"}
LOADING: Final = frozenset({"src", "srcset", "poster", "data", "background", "xlink:href"})
DATA: Final = "application/json"

Attributes = Mapping[str, str]


class PageCheck(HTMLParser):
    """`files` holds the bytes of every file of the build by path; those which the host served otherwise are left out of it."""

    def __init__(self, address: str, *, listed: frozenset[str], files: Mapping[str, bytes], build: str) -> None:
        super().__init__()
        self.address, self.listed, self.files, self.build = address, listed, files, build
        self.faults: list[str] = []
        self.seen: Counter[str] = Counter()
        self.named: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.seen[tag] += 1
        if len(given) != len(attrs):
            self.faults.append(f"a <{tag}> says something twice")
        self.faults.extend(self._tag(tag, given))
        self.faults.extend(self._attributes(tag, given))

    def _tag(self, tag: str, given: Attributes) -> Iterator[str]:
        if tag in NEVER:
            yield f"it has a <{tag}>"
        elif tag == "script" and "src" not in given:
            if given.get("type") != DATA:
                yield "it has a script of its own, outside the build's files"
        elif tag == "script":
            yield from self._loaded(given["src"], given.get("integrity"))
        elif tag == "link":
            styles = "stylesheet" in given.get("rel", "").lower().split()
            yield from self._loaded(given.get("href", ""), given.get("integrity") if styles else None, needs_integrity=styles)
        elif tag == "meta" and "http-equiv" in given:
            yield "it has a <meta http-equiv>"
        elif tag == "meta" and given.get("name", "").startswith("consult-"):
            if given["name"] in self.named:
                yield f"it says {given['name']} twice"
            self.named[given["name"]] = given.get("content", "")

    def _attributes(self, tag: str, given: Attributes) -> Iterator[str]:
        for name, value in given.items():
            if name.startswith("on") or name == "style":
                yield f"a <{tag}> has {name}= of its own"
            if "".join(value.split()).lower().startswith("javascript:"):
                yield f"a <{tag}> has a script in {name}="
            if name in LOADING and tag != "script" and not value.startswith("data:"):
                yield from self._loaded(value, None, needs_integrity=False)

    def _loaded(self, reference: str, integrity: str | None, *, needs_integrity: bool = True) -> Iterator[str]:
        path = self._path(reference)
        if path not in self.listed:
            yield f"it loads {reference or 'something without an address'}, which is no file of the build"
        elif needs_integrity and not integrity:
            yield f"it loads {path} without saying what it must hash to"
        elif needs_integrity and path in self.files and integrity != _integrity(integrity or "", self.files[path]):
            yield f"it loads {path} under another hash than the build's"

    def _path(self, reference: str) -> str:
        """The address below the page's own host; anything else as it stands, which is in no list."""
        whole, own = urlsplit(urljoin(self.address, reference)), urlsplit(self.address)
        bare = not whole.query and not whole.fragment and (whole.scheme, whole.netloc) == (own.scheme, own.netloc)
        return whole.path if bare else reference

    def hidden(self, text: str) -> Iterator[str]:
        """What a browser might see where this reader saw text, or the other way round."""
        low = text.lower()
        for tag in sorted(WATCHED):
            written = sum(low.count(f"<{tag}{end}") for end in " \t\n\f\r/>")
            if written != self.seen[tag]:
                yield f"it has a <{tag}> where not every reader sees it"

    def heads(self) -> Iterator[str]:
        """The page's head names the build, and the key worker where there is one."""
        if "consult-worker" in self.named:
            yield from self._loaded(self.named["consult-worker"], None, needs_integrity=False)
        build = self.named.get("consult-build")
        if build != self.build:
            yield f"it calls itself build {build}" if build else "it does not say which build it is"


def _integrity(claimed: str, content: bytes) -> str:
    """What the attribute must say, by the algorithm it names."""
    algorithm = claimed.split("-", 1)[0]
    if algorithm not in ALGORITHMS:
        return ""
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def faults(text: str, *, address: str, listed: frozenset[str], files: Mapping[str, bytes], build: str) -> list[str]:
    """What this page does that a page of the build does not; `address` is where it was found."""
    check = PageCheck(address, listed=listed, files=files, build=build)
    check.feed(text)
    check.close()
    return [*check.faults, *check.hidden(text), *check.heads()]
