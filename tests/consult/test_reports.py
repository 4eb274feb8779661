"""What browsers report of the content policy: enough to see a fault by, and no word of a page."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from consult.views import reports
from secure import limits

REPORT = {
    "effective-directive": "require-trusted-types-for",
    "violated-directive": "require-trusted-types-for",
    "document-uri": "https://consult.example.org/consultations/aa/room?secret=query",
    "referrer": "https://consult.example.org/enrol?code=ABCD",
    "blocked-uri": "trusted-types-sink",
    "script-sample": "Element innerHTML|words of a message",
}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "reports", limits.Buckets(per_second=1.0, burst=30))


def send(body: bytes) -> int:
    return Client().generic("POST", "/csp-report", body, content_type="application/csp-report").status_code


def test_a_report_is_logged_without_a_word_of_the_page_or_a_query(caplog: pytest.LogCaptureFixture) -> None:
    assert send(json.dumps({"csp-report": REPORT}).encode()) == 204
    assert caplog.messages == ["content policy: require-trusted-types-for on /consultations/aa/room: trusted-types-sink"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"7", b"[]", b"{}", b'{"csp-report":7}', b"\xff", b"[" * 4096, b'{"csp-report":{"document-uri":"https://[x"}}']
)
def test_what_is_no_report_is_one_line_and_repeats_nothing(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert send(body) == 204
    assert caplog.messages == ["content policy: a report that cannot be read"]


def test_a_flood_of_reports_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert {send(b"{}") for _ in range(200)} == {204}
    assert len(caplog.messages) < 60
