"""The frame in which papers are shown can reach nothing and is nobody."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client


def policy() -> dict[str, str]:
    answer = Client().get("/viewer")
    assert answer.status_code == 200
    directives = (each.strip().partition(" ") for each in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in directives}


def test_a_papers_frame_has_no_origin_and_may_run_scripts_only() -> None:
    assert policy()["sandbox"] == "allow-scripts"


@pytest.mark.parametrize("directive", ["default-src", "connect-src", "worker-src", "frame-src", "form-action"])
def test_a_papers_frame_reaches_nothing(directive: str) -> None:
    assert policy()[directive] == "'none'"


def test_a_papers_frame_stands_in_our_own_pages_only() -> None:
    assert policy()["frame-ancestors"].split() == settings.CONSULT_ORIGINS
    assert policy()["script-src"].split() == settings.CONSULT_ORIGINS
    assert policy()["img-src"] == "blob:"


def test_a_papers_frame_is_told_nothing_of_who_is_reading() -> None:
    answer = Client().get("/viewer")
    assert not answer.cookies
    assert "csrf" not in answer.content.decode().lower()
