"""An honest bundle: for each who may have it, with and without what anchors it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from meetings import report
from meetings.evidence import Verdict
from secure.log import bundle_format as form
from secure.log import past, store
from secure.log.merkle import root_of
from secure.log.trust import Trust, pin_text, read_trust
from tests import evidence
from tests.evidence import POLICY, WITNESSES, Parts, Story, checks, policy_lines, said, verified
from tests.people import BANGLADESH_HEAD, CAST, THAI_HEAD

pytestmark = pytest.mark.django_db
story = evidence.story()


@pytest.fixture(scope="module")
def whole(story: Story) -> bytes:
    return story.bundle()


def test_the_secretariats_bundle_is_verified(whole: bytes) -> None:
    outcome = verified(whole)
    assert said(outcome) == []
    assert outcome.verdict is Verdict.VERIFIED


def test_the_same_record_gives_the_same_bytes(story: Story, whole: bytes) -> None:
    assert story.bundle() == whole


def test_of_earlier_checkpoints_as_many_go_in_as_there_is_room_for(story: Story, whole: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(checkpoints_in(whole)) > 1
    monkeypatch.setattr(past, "MOST_BYTES", 1)
    raw = story.bundle()
    assert checkpoints_in(raw) == checkpoints_in(whole)[-1:]
    assert verified(raw).verdict is Verdict.VERIFIED


def checkpoints_in(raw: bytes) -> list[int]:
    names = [name for name in Parts.of(raw) if name.startswith(form.CHECKPOINTS)]
    return sorted(int(name.removeprefix(form.CHECKPOINTS).removesuffix(".txt")) for name in names)


def test_without_a_policy_it_is_consistent_and_no_more(whole: bytes) -> None:
    outcome = verified(whole, Trust())
    assert outcome.verdict is Verdict.UNANCHORED
    assert outcome.findings.faults == []


def test_a_policy_without_witnesses_anchors_nothing(whole: bytes) -> None:
    bare = f"log {evidence.SIGNER.verifier.vkey}\nquorum none\n".encode()
    assert verified(whole, read_trust(bare)).verdict is Verdict.UNANCHORED


def test_a_states_own_policy_needs_no_number(whole: bytes) -> None:
    own = "\n".join(policy_lines(*WITNESSES)).encode() + b"\n"
    assert verified(whole, read_trust(own)).verdict is Verdict.VERIFIED


def test_a_policy_that_asks_for_a_witness_who_has_not_signed_is_below_its_quorum(whole: bytes) -> None:
    outcome = verified(whole, read_trust("\n".join([*policy_lines(*WITNESSES, k=3), ""]).encode()))
    assert outcome.verdict is Verdict.UNANCHORED
    assert [fault.check for fault in outcome.findings.doubts] == [22]


def test_it_leads_back_to_a_tree_that_was_kept(story: Story) -> None:
    size, kept = story.first, store.published()
    assert kept is not None
    for place in (size - 3, size, kept.size):
        pin = pin_text(place, root_at(place))
        assert verified(story.bundle(pin=place), read_trust(POLICY, pin)).verdict is Verdict.VERIFIED


def root_at(size: int) -> bytes:
    return root_of(size, store.subtrees())


def test_a_delegate_gets_the_own_names_alone_and_nothing_of_the_hosts_about_others(story: Story) -> None:
    raw = story.bundle(THAI_HEAD)
    outcome = verified(raw)
    assert said(outcome) == []
    assert outcome.verdict is Verdict.VERIFIED
    names = [json.loads(line) for line in form.lines(Parts.of(raw)[form.DISCLOSURES])]
    assert {row["value"] for row in names if row["name"] == "person"} == {THAI_HEAD.name}
    for person in CAST:
        if person is not THAI_HEAD:
            assert person.name.encode() not in raw
    assert b"register.searched" not in raw
    assert any(item.absent == "withheld" for item in outcome.findings.items)


def test_the_secretariats_bundle_holds_every_name(whole: bytes) -> None:
    assert THAI_HEAD.name.encode() in whole
    assert BANGLADESH_HEAD.name.encode() in whole


def test_the_report_says_who_did_what_when_and_on_whose_word(whole: bytes) -> None:
    page = report.render(verified(whole)).decode()
    assert "Record of consultation BP/CM/2017/1" in page
    assert "IDN · Ratna Wijaya proposed the consultation." in page
    assert "THA accredited THA · Anong Suwan as head of delegation." in page
    assert "THA · Anong Suwan sent a message." in page
    assert {"Signed by the people named", "Signed by a person’s device", "The host’s word"} <= set(
        re.findall(r"<td>([^<]*)</td></tr>", page)
    )
    assert "2026-10-13 09:00:00 UTC" in page
    assert "witnessed by 2026-10-13 09:00:05 UTC" in page
    assert "@media print" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("type_", "data", "sentence"),
    [
        ("invitation.opened", {"party": "THA"}, "THA opened the invitation."),
        (
            "officer.confirmed",
            {"card": "0" * 64, "party": "RSO"},
            "RSO · N. Perera became an officer of the secretariat, confirmed by a person not named here.",
        ),
        (
            "build.deployed",
            {"manifest": "0" * 64, "version": "1"},
            "The host put another build into service: 0000-0000-0000-0000-0000, version 1.",
        ),
        (
            "disposal.requested",
            {"basis": "legal_order", "party": "RSO"},
            "RSO asked for the disposal of the consultation: a legal order requires it.",
        ),
    ],
)
def test_the_report_never_takes_the_host_for_the_person_who_acted(type_: str, data: dict[str, object], sentence: str, whole: bytes) -> None:
    outcome = verified(whole)
    last = outcome.findings.items[-1]
    assert last.event is not None
    event = replace(last.event, type=type_, src="host", data=data)
    outcome.findings.items[-1] = replace(last, event=event, signer=None, names=(("person", "N. Perera"),))
    assert sentence in report.render(outcome).decode()


def test_the_report_of_a_delegate_says_what_is_withheld_in_words(story: Story) -> None:
    page = report.render(verified(story.bundle(THAI_HEAD))).decode()
    assert "withheld from the recipient" in page
    assert "names are withheld from the recipient, or were erased" in page


def test_the_hosts_own_report_claims_no_verdict(whole: bytes) -> None:
    page = Parts.of(whole)[form.REPORT].decode()
    assert "written by the host" in page
    assert "Verified." not in page


def test_what_a_person_is_called_cannot_write_into_the_report(whole: bytes) -> None:
    outcome = verified(whole)
    assert "<b>" not in report.render(outcome).decode()
    for item in outcome.findings.items:
        object.__setattr__(item, "names", tuple((name, "<b>x</b>") for name, _ in item.names))
    page = report.render(outcome).decode()
    assert "<b>" not in page
    assert "&lt;b&gt;x" in page


def test_an_erased_name_is_no_fault(whole: bytes) -> None:
    parts = Parts.of(whole)
    parts[form.DISCLOSURES] = b""
    outcome = verified(parts.packed())
    assert outcome.verdict is Verdict.VERIFIED
    assert checks(outcome) == set()
    assert "withheld from the recipient, or were erased" in report.render(outcome).decode()
