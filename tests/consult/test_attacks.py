"""A real bundle of a real log, tampered with in every way we know, and the verdict on each.

The manifest's hashes are put right after every change: whoever tampers does that too. Witnesses' keys are used only where the test says
that they were stolen as well.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetings import evidence as evidence_of
from meetings import report
from meetings.evidence import Verdict
from secure import statements
from secure.log import bundle_format as form
from secure.log import jcs, multiproof, store
from secure.log.bundle_reader import read
from secure.log.encoding import b64
from secure.log.errors import LogError
from secure.log.merkle import leaf_hash, node_hash, root_hash
from secure.log.note import ED25519, split_note
from secure.log.signing import SigningKey
from secure.log.trust import Trust, pin_text, read_trust
from secure.log.verifier import Replay
from tests import evidence
from tests.evidence import POLICY, SIGNER, WITNESSES, Parts, Story, checks, cosigned, policy_lines, policy_text, said, verified
from tests.forging import Forged
from tests.people import INDONESIA, MYANMAR, THAI_HEAD
from tests.secure.log.devices import canonical

pytestmark = pytest.mark.django_db
story = evidence.story()

TAMPERED, UNREADABLE, UNANCHORED, INCOMPLETE = Verdict.TAMPERED, Verdict.UNREADABLE, Verdict.UNANCHORED, Verdict.INCOMPLETE
THIEF = SigningKey(SIGNER.verifier.name, ED25519, bytes(32))


@pytest.fixture(scope="module")
def honest(story: Story) -> Parts:
    return Parts.of(story.bundle())


@pytest.fixture
def parts(honest: Parts) -> Parts:
    return Parts(honest)


def reproved(parts: Parts) -> Parts:
    """A fresh proof for the leaves that are left, from the host's own tree."""
    sizes = json.loads(parts[form.MANIFEST])["sizes"]
    parts[form.NODES] = b"".join(multiproof.prove(sorted(parts.rows(form.LEAVES)), sizes, parts.size, store.subtrees()))
    return parts


def checkpoint(parts: Parts) -> str:
    return f"{form.CHECKPOINTS}{parts.size}.txt"


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(old, new)


# ---------------------------------------------------------------------------------------------------------------- the bundle alone


def event_changed(parts: Parts) -> None:
    parts.change(form.EVENTS, parts.find("message.sent"), replaced(b'"ct_len":300', b'"ct_len":301'))


def event_and_leaf_rewritten(parts: Parts) -> None:
    index = parts.find("register.searched")
    old = parts.rows(form.EVENTS)[index]
    new = old.replace(b"seats", b"rooms")
    parts.change(form.EVENTS, index, lambda _: new)
    digests = [b64(hashlib.sha256(raw).digest()).encode() for raw in (old, new)]
    parts.change(form.LEAVES, index, replaced(*digests))


def entry_deleted(parts: Parts) -> None:
    without(parts, parts.find("message.sent", 1))


def entry_deleted_with_a_fresh_proof(parts: Parts) -> None:
    entry_deleted(parts)
    reproved(parts)


def without(parts: Parts, index: int) -> None:
    for name in (form.LEAVES, form.EVENTS):
        parts.put(name, {place: raw for place, raw in parts.rows(name).items() if place != index})


def tail_cut(parts: Parts) -> None:
    without(parts, parts.find("message.sent", 2))
    reproved(parts)


def tail_cut_and_the_count_lowered(parts: Parts) -> None:
    index = parts.find("message.sent", 2)
    leaf = json.loads(parts.rows(form.LEAVES)[index])
    tail_cut(parts)
    state = json.loads(parts[form.STATE])
    for series in state["series"]:
        if series["ns"] == leaf["ns"]:
            series |= {"count": series["count"] - 1, "head": leaf["cprev"]}
    parts[form.STATE] = canonical(state)


def series_left_out(parts: Parts, scope: str) -> None:
    """A whole series, as if it had never been."""
    state = json.loads(parts[form.STATE])
    (gone,) = [series for series in state["series"] if series["scope"] == scope]
    parts[form.STATE] = canonical({"series": [series for series in state["series"] if series is not gone]})
    for index, raw in parts.rows(form.LEAVES).items():
        if json.loads(raw).get("ns") == gone["ns"]:
            without(parts, index)
    left = parts.rows(form.LEAVES)
    names = [line for line in form.lines(parts[form.DISCLOSURES]) if json.loads(line)["index"] in left]
    parts[form.DISCLOSURES] = b"".join(line + b"\n" for line in names)
    del parts[f"{form.CHAINS}{scope}.jsonl"]
    reproved(parts)


def a_series_without_its_proof(parts: Parts) -> None:
    state = json.loads(parts[form.STATE])
    state["series"].pop()
    parts[form.STATE] = canonical(state)


def entries_reordered(parts: Parts) -> None:
    for name in (form.LEAVES, form.EVENTS):
        swap(parts, name, parts.find("message.sent", 0), parts.find("message.sent", 1))


def swap(parts: Parts, name: str, one: int, other: int) -> None:
    rows = parts.rows(name)
    rows[one], rows[other] = rows[other], rows[one]
    parts.put(name, rows)


def entry_twice(parts: Parts) -> None:
    index = parts.find("message.sent")
    for name in (form.LEAVES, form.EVENTS):
        rows = list(parts.rows(name).items())
        parts.put(name, sorted([*rows, (index, parts.rows(name)[index])]))


def indexes_swapped(parts: Parts) -> None:
    one, other = parts.find("message.sent"), parts.find("register.searched")
    for name in (form.LEAVES, form.EVENTS):
        swap(parts, name, one, other)


def event_without_a_leaf(parts: Parts) -> None:
    rows = parts.rows(form.EVENTS)
    parts.put(form.EVENTS, {**rows, parts.size - 1: next(iter(rows.values()))})


def time_edited(parts: Parts) -> None:
    index = parts.find("message.sent")
    t = json.loads(parts.rows(form.LEAVES)[index])["t"]
    parts.change(form.LEAVES, index, replaced(b'"t":%d' % t, b'"t":%d' % (t - 1000)))


def node_as_leaf(parts: Parts) -> None:
    rows = parts.rows(form.LEAVES)
    one, other = list(rows)[:2]
    parts.put(form.LEAVES, {**rows, one: leaf_hash(rows[one]) + leaf_hash(rows[other])})


def leaf_spelt_otherwise(parts: Parts) -> None:
    parts.change(form.LEAVES, parts.find("message.sent"), replaced(b":", b": "))


def event_spelt_otherwise(parts: Parts) -> None:
    parts.change(form.EVENTS, parts.find("message.sent"), replaced(b'"v":1', b'"v":1.0'))


def a_key_twice_in_an_event(parts: Parts) -> None:
    parts.change(form.EVENTS, parts.find("register.searched"), replaced(b'"v":1', b'"v":1,"v":1'))


def a_key_twice_in_a_leaf(parts: Parts) -> None:
    parts.change(form.LEAVES, parts.find("message.sent"), replaced(b'"v":1', b'"v":1,"v":1'))


def nodes_missing(parts: Parts) -> None:
    parts[form.NODES] = parts[form.NODES][32:]


def nodes_too_many(parts: Parts) -> None:
    parts[form.NODES] += bytes(32 * 64)


def node_changed(parts: Parts) -> None:
    raw = parts[form.NODES]
    parts[form.NODES] = bytes([raw[0] ^ 1]) + raw[1:]


def size_edited(parts: Parts) -> None:
    note = parts[checkpoint(parts)]
    parts[checkpoint(parts)] = note.replace(b"\n%d\n" % parts.size, b"\n%d\n" % (parts.size - 1), 1)


def origin_edited(parts: Parts) -> None:
    for name in [name for name in parts if name.startswith(form.CHECKPOINTS)]:
        parts[name] = parts[name].replace(b"consult.test/log\n", b"consult.test/2\n", 1)
    parts.say(origin="consult.test/2")


def extension_line(parts: Parts) -> None:
    body, lines = split_note(parts[checkpoint(parts)])
    body += b"and more\n"
    parts[checkpoint(parts)] = body + b"\n" + SIGNER.sign(body) + lines.split(b"\n", 1)[1]


def base64_with_loose_bits(parts: Parts) -> None:
    body, lines = split_note(parts[checkpoint(parts)])
    first, rest = lines.split(b"\n", 1)
    place = len(first) - first.endswith(b"=") - first.endswith(b"==") - 1
    loose = first[:place] + bytes([first[place] + 1]) + first[place + 1 :]
    parts[checkpoint(parts)] = body + b"\n" + loose + b"\n" + rest


def checkpoint_missing(parts: Parts) -> None:
    del parts[checkpoint(parts)]


def cosignature_forged(parts: Parts) -> None:
    note = evidence_note(parts)
    parts[checkpoint(parts)] = note + forged_line(WITNESSES[0], note) + WITNESSES[1].sign(split_note(note)[0], time=1)


def mldsa_cosignature_forged(parts: Parts) -> None:
    parts[checkpoint(parts)] += forged_line(WITNESSES[2], parts[checkpoint(parts)])


def forged_line(key: SigningKey, note: bytes) -> bytes:
    """A line under the witness's name and id, signed with another key."""
    other = SigningKey(key.verifier.name, key.verifier.type, bytes(32))
    signature = base64.b64decode(other.sign(split_note(note)[0], time=1).split()[2])[4:]
    return f"— {key.verifier.name} {b64(key.verifier.key_id + signature)}\n".encode()


def witnessed_in_the_past(parts: Parts) -> None:
    """A future time on an entry: witnesses had signed over it before it can have been."""
    note = evidence_note(parts)
    parts[checkpoint(parts)] = cosigned(note, at=leaf_time(parts, parts.size - 1) // 1000 - 600)


def dated_back_before_sealing(parts: Parts) -> None:
    """Witnesses signed the tree without an entry at ten past; the entry bears five past."""
    first = min(int(name.split("/")[-1][:-4]) for name in parts if name.startswith(form.CHECKPOINTS))
    name = f"{form.CHECKPOINTS}{first}.txt"
    body, lines = split_note(parts[name])
    parts[name] = cosigned(body + b"\n" + lines.split(b"\n", 1)[0] + b"\n", at=leaf_time(parts, parts.size - 1) // 1000 + 300)


def evidence_note(parts: Parts) -> bytes:
    body, lines = split_note(parts[checkpoint(parts)])
    return body + b"\n" + lines.split(b"\n", 1)[0] + b"\n"


def leaf_time(parts: Parts, index: int) -> int:
    return int(json.loads(parts.rows(form.LEAVES)[index])["t"])


def event_taken_away(parts: Parts) -> None:
    index = parts.find("message.sent")
    parts.put(form.EVENTS, {place: raw for place, raw in parts.rows(form.EVENTS).items() if place != index})


def act_of_the_consultation_withheld(parts: Parts) -> None:
    index = parts.find("message.sent")
    event_taken_away(parts)
    parts.say(withheld=[index])


def statement_withheld(parts: Parts) -> None:
    index = parts.find("device.add")
    parts.put(form.EVENTS, {place: raw for place, raw in parts.rows(form.EVENTS).items() if place != index})
    parts.say(withheld=[index])


def name_changed(parts: Parts) -> None:
    parts[form.DISCLOSURES] = parts[form.DISCLOSURES].replace(b"Anong Suwan", b"Anong Suwin")


def name_twice(parts: Parts) -> None:
    parts[form.DISCLOSURES] = parts[form.DISCLOSURES].split(b"\n", 1)[0] + b"\n" + parts[form.DISCLOSURES]


def chain(parts: Parts, type: str) -> str:
    return next(name for name in parts if name.startswith(form.CHAINS) and b'"type":"%s"' % type.encode() in parts[name])


def statement_changed(parts: Parts) -> None:
    name = chain(parts, "accredit")
    parts[name] = parts[name].replace(b'"capacity":"head"', b'"capacity":"adviser"')


def signature_changed(parts: Parts) -> None:
    name = chain(parts, "invitation.answer")
    lines = form.lines(parts[name])
    changed = json.loads(lines[-1])
    changed["signatures"][0][1] = json.loads(lines[-2])["signatures"][0][1]
    parts[name] = b"".join(line + b"\n" for line in [*lines[:-1], canonical(changed)])


def statement_cut_off(parts: Parts) -> None:
    name = chain(parts, "accredit")
    parts[name] = b"".join(line + b"\n" for line in form.lines(parts[name])[:-1])


def chains_swapped(parts: Parts) -> None:
    one, other = [name for name in parts if name.startswith(form.CHAINS)][:2]
    parts[one], parts[other] = parts[other], parts[one]


def ghost_device(parts: Parts) -> None:
    """The host adds a device to an account, without the account's key."""
    name = chain(parts, "device.add")
    last = statements.parse_signed(jcs.decode(form.lines(parts[name])[-1])).statement
    key = b64(hashlib.sha256(b"ghost").digest())
    ghost = statements.Statement(
        "device.add", last.inst, last.scope, last.n + 1, last.hash, last.up, statements.new_nonce(), {"signature_key": key}
    )
    signed = statements.sign(ghost, card=last.scope, key=THAI_HEAD.device_key(9))
    parts[name] += jcs.encode(statements.encode_signed(signed)) + b"\n"


def disposed_without_a_signature(parts: Parts) -> None:
    disposed_by_the_host(parts)


TAMPERINGS: list[tuple[Callable[[Parts], None], int]] = [
    (event_changed, 5),
    (event_and_leaf_rewritten, 11),
    (entry_deleted, 4),
    (entry_deleted_with_a_fresh_proof, 4),
    (tail_cut, 10),
    (tail_cut_and_the_count_lowered, 10),
    (a_series_without_its_proof, 10),
    (entries_reordered, 4),
    (entry_twice, 1),
    (indexes_swapped, 11),
    (event_without_a_leaf, 5),
    (time_edited, 11),
    (node_as_leaf, 2),
    (leaf_spelt_otherwise, 2),
    (event_spelt_otherwise, 5),
    (a_key_twice_in_an_event, 5),
    (a_key_twice_in_a_leaf, 2),
    (nodes_missing, 11),
    (nodes_too_many, 11),
    (node_changed, 11),
    (size_edited, 11),
    (origin_edited, 11),
    (extension_line, 11),
    (base64_with_loose_bits, 11),
    (checkpoint_missing, 11),
    (cosignature_forged, 11),
    (mldsa_cosignature_forged, 11),
    (witnessed_in_the_past, 23),
    (dated_back_before_sealing, 23),
    (event_taken_away, 5),
    (act_of_the_consultation_withheld, 24),
    (statement_withheld, 24),
    (name_changed, 17),
    (name_twice, 17),
    (statement_changed, 15),
    (signature_changed, 15),
    (statement_cut_off, 16),
    (chains_swapped, 14),
    (ghost_device, 15),
    (disposed_without_a_signature, 26),
]
"""How, and the number of the check that finds it."""


@pytest.mark.parametrize(("tamper", "check"), TAMPERINGS)
def test_whatever_is_changed_in_a_bundle_is_found(tamper: Callable[[Parts], None], check: int, parts: Parts) -> None:
    tamper(parts)
    outcome = verified(parts.packed())
    assert outcome.verdict is TAMPERED, said(outcome)
    assert check in checks(outcome), said(outcome)
    assert b"Not what was signed" in report.render(outcome)


def test_a_file_that_is_not_the_manifests_is_found(parts: Parts) -> None:
    parts[form.README] = b"nothing to see here\n"
    assert checks(verified(parts.packed(manifest=False))) == {27}


def test_a_chain_without_its_statements_is_found(parts: Parts) -> None:
    del parts[chain(parts, "room.open")]
    outcome = verified(parts.packed())
    assert outcome.verdict is TAMPERED
    assert 25 in {fault.check for fault in outcome.findings.missing}


def test_a_card_left_out_whole_makes_it_incomplete(parts: Parts, story: Story) -> None:
    series_left_out(parts, story.world.card(MYANMAR))
    outcome = verified(parts.packed())
    assert outcome.verdict is INCOMPLETE, said(outcome)
    assert {fault.check for fault in outcome.findings.missing} == {25}


def test_a_tree_that_a_device_saw_and_that_is_not_proven_makes_it_incomplete(parts: Parts) -> None:
    first = json.loads(parts[form.MANIFEST])["sizes"][0]
    del parts[f"{form.CHECKPOINTS}{first}.txt"]
    parts.say(sizes=[parts.size])
    reproved(parts)
    outcome = verified(parts.packed())
    assert outcome.verdict is INCOMPLETE, said(outcome)


# -------------------------------------------------------------------------------------------------------------- what anchors it


def test_without_cosignatures_it_is_below_the_quorum(parts: Parts) -> None:
    parts[checkpoint(parts)] = evidence_note(parts)
    assert verified(parts.packed()).verdict is UNANCHORED


def test_a_fork_with_the_logs_key_alone_is_below_the_quorum(parts: Parts) -> None:
    fork = forked()
    outcome = verified(fork.bundle(parts, witnesses=()).packed())
    assert outcome.verdict is UNANCHORED, said(outcome)


def test_a_fork_with_stolen_witness_keys_is_found_by_whoever_kept_a_tree(parts: Parts) -> None:
    kept = store.published()
    assert kept is not None
    raw = forked().bundle(parts).packed()
    assert verified(raw).verdict is Verdict.VERIFIED  # without anything kept it cannot be seen
    outcome = verified(raw, read_trust(POLICY, pin_text(kept.size, kept.root)))
    assert outcome.verdict is TAMPERED
    assert checks(outcome) == {18}


def test_a_fork_that_does_not_lead_back_to_what_was_kept_is_refused(parts: Parts) -> None:
    raw = forked().bundle(parts).packed()
    outcome = verified(raw, read_trust(POLICY, pin_text(parts.size - 1, bytes(32))))
    assert outcome.verdict is UNANCHORED
    assert [fault.check for fault in outcome.findings.doubts] == [18]


def test_an_older_tree_than_the_one_that_was_kept_is_refused(parts: Parts) -> None:
    outcome = verified(parts.packed(), read_trust(POLICY, pin_text(parts.size + 5, bytes(32))))
    assert outcome.verdict is UNANCHORED


def test_a_log_of_the_hosts_own_making_is_not_the_policys(parts: Parts) -> None:
    made = SigningKey.generate(SIGNER.verifier.name, ED25519)
    raw = Forged.of_database().rebuild().bundle(parts, log=made, witnesses=()).packed()
    assert verified(raw).verdict is TAMPERED
    assert verified(raw, Trust()).verdict is TAMPERED  # chairs.root names another key


def test_a_rotation_by_a_thief_of_the_logs_key_is_refused(parts: Parts) -> None:
    text = policy_text(3, lines=[f"log {THIEF.verifier.vkey}", "quorum none"])
    parts[f"{form.POLICIES}3.txt"] = text + b"\n" + SIGNER.sign(text)
    outcome = verified(parts.packed())
    assert outcome.verdict is TAMPERED
    assert checks(outcome) == {21}


def test_a_rotation_that_the_witnesses_signed_is_followed(parts: Parts) -> None:
    """Policy 3 asks for all three; two have signed the checkpoint, then the third does."""
    text = policy_text(3, lines=policy_lines(*WITNESSES, k=3))
    parts[f"{form.POLICIES}3.txt"] = cosigned(text + b"\n" + SIGNER.sign(text), at=1)
    assert verified(parts.packed()).verdict is UNANCHORED
    parts[checkpoint(parts)] += WITNESSES[2].sign(split_note(parts[checkpoint(parts)])[0], time=leaf_time(parts, parts.size - 1) // 1000)
    assert verified(parts.packed()).verdict is Verdict.VERIFIED


def test_an_older_weaker_policy_does_not_replace_the_one_that_is_kept(parts: Parts) -> None:
    """Policies 1 and 2 are in the bundle, and its witnesses were enough for 2; whoever keeps 3 asks for all three."""
    kept = policy_text(3, lines=policy_lines(*WITNESSES, k=3))
    assert verified(parts.packed(), read_trust(kept)).verdict is UNANCHORED


def test_another_policy_under_the_number_of_the_one_that_is_kept_is_refused(parts: Parts) -> None:
    weaker = policy_text(2, lines=policy_lines(*WITNESSES, k=1))
    parts[f"{form.POLICIES}2.txt"] = cosigned(weaker + b"\n" + SIGNER.sign(weaker), at=1)
    assert checks(verified(parts.packed())) == {21}


def test_a_policy_with_a_key_that_binds_nobody_is_refused() -> None:
    """Of small order: under it signatures hold that nobody made."""
    weak = b"\x01" + b"\x01" + bytes(31)
    id_ = hashlib.sha256(b"consult.test/log\n" + weak).digest()[:4].hex()
    with pytest.raises(LogError) as refused:
        read_trust(f"log consult.test/log+{id_}+{b64(weak)}\nquorum none\n".encode())
    assert refused.value.code == "weak_key"


def test_the_report_in_the_bundle_is_not_believed(parts: Parts) -> None:
    parts[form.REPORT] = b"<h1>Thailand declined.</h1>"
    outcome = verified(parts.packed())
    assert outcome.verdict is Verdict.VERIFIED
    assert b"Thailand declined" not in report.render(outcome)


# ------------------------------------------------------------------------------------------- a host that rewrites the whole log


def forked() -> Forged:
    """The same log, but for one word of the host's."""
    forged = Forged.of_database()
    index = next(index for index, raw in enumerate(forged.events) if raw and b"register.searched" in raw)
    forged.change(index, lambda event: event["data"].update(kind="rooms"))
    return forged.rebuild()


def place_of(forged: Forged, type: str, nth: int = 0) -> int:
    return [index for index, raw in enumerate(forged.events) if raw and json.loads(raw)["type"] == type][nth]


def test_a_rewritten_log_that_says_the_same_is_the_same(parts: Parts) -> None:
    forged = Forged.of_database()
    before = list(forged.leaves)
    assert forged.rebuild().leaves == before
    assert verified(forged.bundle(parts).packed()).verdict is Verdict.VERIFIED


def fabricated(forged: Forged) -> None:
    """The host writes what a device is to have sent; the signature it cannot make."""
    forged.change(place_of(forged, "message.sent", 2), lambda event: event["data"].update(ct_len=512))


def unsigned(forged: Forged) -> None:
    forged.change(place_of(forged, "message.sent", 2), lambda event: event.pop("author"))


def split_view(forged: Forged) -> None:
    """A device was shown another log, and said so without knowing."""
    index = place_of(forged, "message.sent", 2)
    forged.change(index, lambda event: event["author"]["seen"].__setitem__(1, b64(bytes(32))), device=INDONESIA)


def swallowed(forged: Forged) -> None:
    forged.drop(place_of(forged, "message.sent", 0))


def moved_by_the_host(forged: Forged) -> None:
    one, other = place_of(forged, "message.sent", 0), place_of(forged, "message.sent", 2)
    forged.events[one], forged.events[other] = forged.events[other], forged.events[one]


def clock_set_back(forged: Forged) -> None:
    index = place_of(forged, "message.sent", 1)
    forged.times[index] = 1


def clock_ahead(forged: Forged) -> None:
    """A year ahead, for a word of the host's; the checkpoint's witnesses keep their own clocks."""
    index = place_of(forged, "register.searched")
    for place in range(index, len(forged.leaves)):
        forged.times[place] = json.loads(forged.leaves[place])["t"] + 365 * 86_400_000


def statement_slipped_in_twice(forged: Forged) -> None:
    index = place_of(forged, "accredit")
    forged.events[place_of(forged, "register.searched")] = forged.events[index]


def begun_otherwise(forged: Forged) -> None:
    """The first entry names the key of somebody who means to sign later."""
    forged.change(0, lambda event: event["data"].update(log=THIEF.verifier.vkey))


def disposed_by_the_host(parts: Parts) -> None:
    """The room's entries destroyed, and a certificate for it that nobody signed; all in a log that agrees with it."""
    forged = Forged.of_database()
    room = json.loads(parts.rows(form.EVENTS)[parts.find("message.sent")])["ns"]
    index = place_of(forged, "register.searched")
    gone = [at for at, raw in enumerate(forged.events) if raw and json.loads(raw)["ns"] == room]
    said = {"basis": "retention", "manifest": "00" * 32, "disposal": "11" * 32, "_sd": []}
    place = {"first": gone[0], "last": gone[-1], "count": len(gone), "head": leaf_hash(forged.leaves[gone[-1]]).hex()}
    certificate = {**said, **place, "map_slot": forged.slots[room]}
    forged.change(index, lambda event: event.update(ns=room, type="consultation.disposed", data=certificate))
    whole = forged.rebuild().bundle(parts)
    whole.put(form.EVENTS, {at: raw for at, raw in whole.rows(form.EVENTS).items() if at not in gone})
    names = [line for line in form.lines(whole[form.DISCLOSURES]) if json.loads(line)["index"] != index]
    whole[form.DISCLOSURES] = b"".join(line + b"\n" for line in names)
    parts.clear()
    parts.update(whole)


def test_what_was_disposed_of_is_pruned_and_not_missing_but_both_chairs_must_have_signed(parts: Parts) -> None:
    disposed_by_the_host(parts)
    outcome = verified(parts.packed())
    assert checks(outcome) == {26}, said(outcome)
    assert sum(item.absent == "pruned" for item in outcome.findings.items) == 4
    assert "destroyed after the time for which it was kept" in report.render(outcome).decode()


def test_a_certificate_about_other_entries_covers_nothing(parts: Parts) -> None:
    disposed_by_the_host(parts)
    parts.change(form.EVENTS, parts.find("consultation.disposed"), lambda raw: raw.replace(b'"count":4', b'"count":3'))
    assert {5, 26} & checks(verified(parts.packed())) >= {5}


@pytest.mark.parametrize(
    ("tamper", "check"),
    [
        (begun_otherwise, 20),
        (fabricated, 7),
        (unsigned, 5),
        (split_view, 9),
        (swallowed, 8),
        (moved_by_the_host, 8),
        (clock_set_back, 3),
        (statement_slipped_in_twice, 16),
    ],
)
def test_a_host_with_every_key_of_log_and_witnesses_is_caught(tamper: Callable[[Forged], None], check: int, parts: Parts) -> None:
    forged = Forged.of_database()
    tamper(forged)
    outcome = verified(forged.rebuild().bundle(parts).packed())
    assert outcome.verdict is TAMPERED, said(outcome)
    assert check in checks(outcome), said(outcome)


def test_a_clock_ahead_is_caught_by_the_witnesses_clocks(parts: Parts) -> None:
    forged = Forged.of_database()
    honest_time = leaf_time(parts, parts.size - 1) // 1000
    clock_ahead(forged)
    bundle = forged.rebuild().bundle(parts, witnesses=())
    bundle[checkpoint(bundle)] = cosigned(bundle[checkpoint(bundle)], at=honest_time)
    assert checks(verified(bundle.packed())) == {23}


def test_a_state_leaf_that_lies_about_a_count_shows_only_in_the_whole_log(parts: Parts) -> None:
    """Host, signer and witnesses agree on a shorter series: one bundle cannot show it, whoever replays the log sees it."""
    forged = Forged.of_database()
    room = json.loads(parts.rows(form.EVENTS)[parts.find("message.sent")])["ns"]
    forged.lies[room] = 3
    raw = forged.rebuild().bundle(parts).packed()
    assert verified(raw).verdict is Verdict.VERIFIED
    replay = Replay()
    for index, (leaf, event) in enumerate(zip(forged.leaves, forged.events, strict=True)):
        replay.feed(index, leaf, event)
    assert 10 in {fault.check for fault in replay.faults}


# ------------------------------------------------------------------------------------------------------------------ the container


def foreign(files: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(out, "w", compression) as made:
        for name, raw in files:
            made.writestr(name, raw)
    return out.getvalue()


def member_twice(parts: Parts) -> bytes:
    return foreign([*parts.items(), (form.EVENTS, b"")])


def member_upwards(parts: Parts) -> bytes:
    return foreign([*parts.items(), ("../../.bashrc", b"")])


def bomb(parts: Parts) -> bytes:
    return foreign([*parts.items(), ("bomb.bin", bytes(10_000_000))], zipfile.ZIP_DEFLATED)


def cut(parts: Parts) -> bytes:
    return parts.packed()[:-100]


def member_unlisted(parts: Parts) -> bytes:
    raw = parts.packed()
    added = Parts.of(raw)
    added["extra.txt"] = b"unlisted"
    return added.packed(manifest=False)


def member_of_no_kind(parts: Parts) -> bytes:
    parts["extra.txt"] = b"listed, and nothing we know"
    return parts.packed()


def member_gone(parts: Parts) -> bytes:
    del parts[form.NODES]
    return parts.packed()


def pool_of_odd_length(parts: Parts) -> bytes:
    parts[form.NODES] += b"\x00"
    return parts.packed()


def record_longer_than_its_file(parts: Parts) -> bytes:
    parts[form.EVENTS] += struct.pack(">QH", 3, 500)
    return parts.packed()


def map_proof_of_another_length(parts: Parts) -> bytes:
    state = json.loads(parts[form.STATE])
    state["series"][0]["proof"] += [b64(bytes(32))] * 64
    parts[form.STATE] = canonical(state)
    return parts.packed()


def manifest_with_a_key_twice(parts: Parts) -> bytes:
    raw = parts.packed()
    twice = Parts.of(raw)
    twice[form.MANIFEST] = twice[form.MANIFEST].replace(b'"v":1', b'"v":1,"v":1')
    return twice.packed(manifest=False)


NO_BUNDLES: list[Callable[[Parts], bytes]] = [
    member_twice,
    member_upwards,
    bomb,
    cut,
    member_unlisted,
    member_of_no_kind,
    member_gone,
    pool_of_odd_length,
    record_longer_than_its_file,
    map_proof_of_another_length,
    manifest_with_a_key_twice,
    lambda _: b"",
    lambda _: b"not a zip at all",
]


@pytest.mark.parametrize("tamper", NO_BUNDLES)
def test_what_is_no_bundle_is_not_read(tamper: Callable[[Parts], bytes], parts: Parts) -> None:
    outcome = verified(tamper(parts))
    assert outcome.verdict is UNREADABLE
    assert b"Cannot be read" in report.render(outcome)


# ------------------------------------------------------------------------------------------------------------------------- fuzzing


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_no_bytes_break_the_reader_and_no_changed_byte_is_missed(honest: Parts, data: st.DataObject) -> None:
    """Any file but those for people, changed anywhere, with a manifest that fits: never verified, never another error."""
    parts = Parts(honest)
    name = data.draw(st.sampled_from(sorted(set(parts) - {form.README, form.REPORT, form.MANIFEST})))
    raw = parts[name]
    at = data.draw(st.integers(0, len(raw)))
    changed = raw[:at] + data.draw(st.binary(max_size=6)) + raw[at + data.draw(st.integers(0, 6)) :]
    parts[name] = changed
    outcome = verified(parts.packed())
    assert changed == raw or outcome.verdict is not Verdict.VERIFIED or _only_loses_names(name, raw, changed)


def _only_loses_names(name: str, before: bytes, after: bytes) -> bool:
    """A name that is no longer disclosed is withheld, not altered; and a cosignature too few may leave enough."""
    if name.startswith(form.CHECKPOINTS):
        return True
    return name == form.DISCLOSURES and set(form.lines(after)) <= set(form.lines(before))


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_the_manifest_may_say_anything_and_only_our_own_error_leaves_the_reader(honest: Parts, data: st.DataObject) -> None:
    parts = Parts(honest)
    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    )
    member = data.draw(st.sampled_from(sorted(json.loads(parts[form.MANIFEST]))))
    value: Any = data.draw(json_values)
    parts[form.MANIFEST] = canonical({**json.loads(parts[form.MANIFEST]), member: value})
    try:
        read(parts)
    except LogError as refused:
        raised = refused.code
    else:
        raised = ""
    assert raised in {"", "bad_bundle", "not_canonical", "bad_encoding"}


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_unreadable(raw: bytes) -> None:
    assert evidence_of.verify(raw, Trust()).verdict is UNREADABLE or raw[:4] == b"PK\x05\x06"


def test_the_prefixes_of_leaf_and_node_differ() -> None:
    one, other = leaf_hash(b"1"), leaf_hash(b"2")
    assert root_hash([one, other]) == node_hash(one, other) != leaf_hash(one + other)
