"""What a page may load: the product's own pages pass, and everything a hostile host would add is said."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from consult import page_check, policies, release
from consult.frame import build
from tests.builds import STATIC, installed

pytestmark = pytest.mark.django_db
PUBLIC = [page.path for page in release.PAGES]


def faults(text: str) -> list[str]:
    listed = installed().by_path
    files = {path: (STATIC / path.removeprefix(release.PREFIX)).read_bytes() for path in listed}
    return page_check.faults(text, address="http://localhost/sign-in", listed=frozenset(listed), files=files, build=build())


def served(path: str = "/sign-in") -> str:
    return Client().get(path).content.decode()


@pytest.mark.parametrize("path", PUBLIC)
def test_our_pages_load_only_what_the_build_lists(path: str) -> None:
    assert faults(served(path)) == []


@pytest.mark.parametrize("page", release.PAGES, ids=lambda page: page.path)
def test_our_pages_carry_the_policy_that_the_build_lists(page: release.Page) -> None:
    sent = Client().get(page.path).headers["Content-Security-Policy"]
    assert policies.normal(sent) == policies.normal(page.policy.replace(release.ORIGIN, "http://localhost"))


def test_every_page_names_its_build_where_people_see_it() -> None:
    for path in set(PUBLIC) - {"/viewer"}:
        foot = served(path).split("<footer", 1)[1]
        assert re.search(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){4}\b", foot), "five groups that can be read aloud"
        assert build() in foot


ADDED = {
    "a script of its own": ("<script>steal()</script>", "script of its own"),
    "an import map": ('<script type="importmap">{}</script>', "script of its own"),
    "a script from elsewhere": ('<script src="https://evil.example/x.js" integrity="sha384-AAAA"></script>', "no file of the build"),
    "an unlisted script of the host": ('<script src="/static/consult/dist/x.js"></script>', "no file of the build"),
    "a listed script with a question": ('<script src="/static/consult/icon.svg?x=1"></script>', "no file of the build"),
    "a style sheet without a hash": ('<link rel="stylesheet" href="/static/consult/css/consult.css">', "must hash to"),
    "a style sheet under another hash": (
        '<link rel="stylesheet" href="/static/consult/css/consult.css" integrity="sha256-AAAA">',
        "under another hash",
    ),
    "a style sheet with an unknown hash": (
        '<link rel="stylesheet" href="/static/consult/css/consult.css" integrity="md5-AAAA">',
        "under another hash",
    ),
    "styles of its own": ("<style>p {}</style>", "it has a <style>"),
    "a style attribute": ('<p style="x">', "style= of its own"),
    "an event's script": ('<p onclick="steal()">', "onclick= of its own"),
    "a script as an address": ('<a href="java\nscript:steal()">x</a>', "has a script in href="),
    "a frame": ('<iframe src="/x"></iframe>', "it has a <iframe>"),
    "an object": ('<object data="/x"></object>', "it has a <object>"),
    "another base": ('<base href="https://evil.example/">', "it has a <base>"),
    "a picture from elsewhere": ('<img src="https://evil.example/x.png">', "no file of the build"),
    "a refresh": ('<meta http-equiv="refresh" content="0;url=https://evil.example">', "http-equiv"),
    "a preloaded module": ('<link rel="modulepreload" href="/static/consult/other.js">', "no file of the build"),
    "something said twice": ('<img src="data:," src="/x">', "says something twice"),
    "a second build": ('<meta name="consult-build" content="x">', "says consult-build twice"),
    "a script in a comment that browsers end early": ("<!--><script>steal()</script>-->", "<script>"),
    "a script in what looks like text": ("<textarea></textarea foo><title><script>x()</script></title>", "script"),
}


@pytest.mark.parametrize("added", ADDED)
def test_what_a_hostile_host_adds_is_said(added: str) -> None:
    more, words = ADDED[added]
    found = faults(served().replace("</body>", f"{more}</body>"))
    assert [fault for fault in found if words in fault], found


CHANGED = {
    "a script's hash taken away": (r'(<script type="module" src="[^"]+") integrity="[^"]+"', r"\1", "must hash to"),
    "a script's hash exchanged": (r'integrity="sha384-....', 'integrity="sha384-AAAA', "under another hash"),
    "another worker": (r'(name="consult-worker" content=")[^"]+', r"\1/static/worker.js", "no file of the build"),
    "another build's name": (r'(name="consult-build" content=")[^"]+', r"\1AAAA-BBBB", "calls itself build AAAA-BBBB"),
    "no build's name": (r'<meta name="consult-build"[^>]*>', "", "does not say which build"),
}


@pytest.mark.parametrize("changed", CHANGED)
def test_what_a_hostile_host_changes_is_said(changed: str) -> None:
    pattern, replacement, words = CHANGED[changed]
    found = faults(re.sub(pattern, replacement, served()))
    assert [fault for fault in found if words in fault], found
