"""Writes statements.json: every row of the table, and every way of breaking it. Run as `python -m tests.vectors.make_statements`.

The expectations are written here by hand, from the table of docs/protocol.md, section 2; the generator only signs, and refuses to
write a file that Python does not agree with. The file is long because the table is: one function per row, read beside it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from meetings import drafting
from meetings.judging import judge
from meetings.roster import Chains
from secure.errors import Refusal
from secure.statements import Signed, Statement, encode_signed, parse_signed
from tests.people import (
    AUSTRALIA,
    BANGLADESH_HEAD,
    CHAIR_STAFF,
    INDONESIA,
    MYANMAR,
    MYANMAR_HEAD,
    OFFICER,
    OUTSIDER,
    SUCCESSOR,
    THAI_ADVISER,
    THAI_HEAD,
    THAILAND,
    Person,
)
from tests.stage import LOG, MANIFEST, Stage, proposed, sealed
from tests.vectors.stories import STORIES

FILE = Path(__file__).with_name("statements.json")
SMALL_ORDER = base64.b64encode(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")).decode()
NOT_CANONICAL = base64.b64encode(b"\xee" + b"\xff" * 30 + b"\x7f").decode()
NOBODY = "ab" * 32
OTHER_NONCE = base64.b64encode(b"another nonce 16").decode()


class Cases:
    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, name: str, stage: str, signed: Signed, expect: str = "lawful", *, draft: bool = False) -> None:
        self.raw(name, stage, encode_signed(signed), expect, draft=draft)

    def raw(self, name: str, stage: str, value: Any, expect: str, *, draft: bool = False) -> None:
        assert name not in {row["name"] for row in self.rows}, name
        self.rows.append({"name": name, "stage": stage, "signed": value, "draft": draft, "expect": expect})


def body(statement: Statement, **members: Any) -> Statement:
    return replace(statement, body={**statement.body, **members})


def without(statement: Statement, member: str) -> Statement:
    return replace(statement, body={key: value for key, value in statement.body.items() if key != member})


def shapes(cases: Cases, stage: str, statement: Statement, by: tuple[Person, ...], broken: Mapping[str, Mapping[str, Any]]) -> None:
    """The statement with each of these members replaced, with one member more, and with each one missing."""
    story = STORIES[stage]()
    for label, members in broken.items():
        cases.add(f"{statement.type}: {label}", stage, story.sign(body(statement, **members), *by), "malformed")
    cases.add(f"{statement.type}: a member too many", stage, story.sign(body(statement, more=1), *by), "malformed")
    for member in statement.body:
        cases.add(f"{statement.type}: without {member}", stage, story.sign(without(statement, member), *by), "malformed")


# ---------------------------------------------------------------------------------------------------------- the installation


def root(cases: Cases) -> None:
    story = STORIES["enrolled"]()
    chairs = {person.party: story.card(person) for person in (INDONESIA, AUSTRALIA)}
    lawful = drafting.draft_root(story.standing, chairs=chairs, log=LOG)
    both = (INDONESIA, AUSTRALIA)
    rows = list(lawful.body["chairs"])
    cases.add("chairs.root: both chairs", "enrolled", story.sign(lawful, *both))
    cases.add("chairs.root: a draft with one signature", "enrolled", story.sign(lawful, AUSTRALIA), draft=True)
    cases.add("chairs.root: one signature is not enough", "enrolled", story.sign(lawful, INDONESIA), "wrong_signer")
    cases.add("chairs.root: a third card signs for one", "enrolled", story.sign(lawful, INDONESIA, THAILAND), "wrong_signer")
    cases.add("chairs.root: a draft by somebody else", "enrolled", story.sign(lawful, THAILAND), "wrong_signer", draft=True)
    cases.add("chairs.root: names an installation", "enrolled", story.sign(replace(lawful, inst=NOBODY), *both), "foreign_installation")
    cases.add("chairs.root: names something above", "enrolled", story.sign(replace(lawful, up=NOBODY), *both), "up_unknown")
    swapped = [{"card": rows[0]["card"], "party": "AUS"}, {"card": rows[1]["card"], "party": "NZL"}]
    cases.add("chairs.root: a card of another party", "enrolled", story.sign(body(lawful, chairs=swapped), *both), "wrong_party")
    late = drafting.draft_root(story.standing, chairs={"AUS": story.card(AUSTRALIA), "IDN": NOBODY}, log=LOG)
    foreign = replace(story.sign(late, AUSTRALIA), signatures=tuple(sorted([*story.sign(late, AUSTRALIA).signatures, (NOBODY, bytes(64))])))
    cases.add("chairs.root: a card nobody has shown", "enrolled", foreign, "unknown_card")
    cases.add("chairs.root: a second one", "installed", STORIES["installed"]().sign(body(lawful, log="another"), *both), "wrong_scope")
    cases.add("chairs.root: the same one again", "installed", story.sign(lawful, *both), "head_moved")
    shapes(
        cases,
        "enrolled",
        lawful,
        both,
        {
            "chairs not sorted": {"chairs": rows[::-1]},
            "one party twice": {"chairs": [rows[0], {**rows[1], "party": "AUS"}]},
            "one card twice": {"chairs": [rows[0], {**rows[1], "card": rows[0]["card"]}]},
            "three chairs": {"chairs": [*rows, {"card": NOBODY, "party": "THA"}]},
            "one chair": {"chairs": rows[:1]},
            "the secretariat as chair": {"chairs": [rows[0], {**rows[1], "party": "RSO"}]},
            "a log key of two lines": {"log": "a\nb"},
            "an empty log key": {"log": ""},
        },
    )


def party_key(cases: Cases) -> None:
    story = STORIES["founded"]()
    lawful = drafting.draft_party_key(story.standing, party="THA", card=story.card(THAILAND), former=None)
    both = (INDONESIA, AUSTRALIA)
    cases.add("party.key: the first of a party", "founded", story.sign(lawful, *both))
    cases.add("party.key: a draft with one signature", "founded", story.sign(lawful, INDONESIA), draft=True)
    cases.add("party.key: one chair alone", "founded", story.sign(lawful, INDONESIA), "wrong_signer")
    cases.add("party.key: a chair and the party itself", "founded", story.sign(lawful, INDONESIA, THAILAND), "wrong_signer")
    cases.add("party.key: nobody to retire", "founded", story.sign(body(lawful, former="retired"), *both), "not_due")
    cases.add("party.key: a card of another party", "founded", story.sign(body(lawful, party="MMR"), *both), "wrong_party")
    cases.add("party.key: an unknown card", "founded", story.sign(body(lawful, card=NOBODY), *both), "unknown_card")
    cases.add("party.key: a chair for its own party", "founded", story.sign(body(lawful, party="IDN", card=story.card(INDONESIA)), *both))
    stray = STORIES["founded with a stray card"]()
    early_key = stray.sign(body(lawful, party="BGD", card=stray.cards["stray"]), *both)
    cases.add("party.key: a card not made for this installation", "founded with a stray card", early_key, "foreign_installation")
    cases.add("party.key: something above", "founded", story.sign(replace(lawful, up=lawful.prev), *both), "up_unknown")
    shapes(
        cases,
        "founded",
        lawful,
        both,
        {
            "the former lost": {"former": "lost"},
            "for the secretariat": {"party": "RSO"},
            "a party in small letters": {"party": "tha"},
            "a card in capitals": {"card": story.card(THAILAND).upper()},
        },
    )
    story = STORIES["installed"]()
    change = drafting.draft_party_key(story.standing, party="THA", card=story.card(SUCCESSOR), former="retired")
    cases.add("party.key: replaces and retires", "installed", story.sign(change, *both))
    cases.add("party.key: replaces and calls compromised", "installed", story.sign(body(change, former="compromised"), *both))
    cases.add("party.key: says nothing of the former", "installed", story.sign(body(change, former=None), *both), "not_due")
    cases.add("party.key: replaces by the same card", "installed", story.sign(body(change, card=story.card(THAILAND)), *both), "not_due")
    places(cases, "installed", change, both)
    story = STORIES["compromised"]()
    back = drafting.draft_party_key(story.standing, party="THA", card=story.card(THAILAND), former="retired")
    cases.add("party.key: a compromised card comes back", "compromised", story.sign(back, *both), "not_due")
    story = STORIES["retired"]()
    back = drafting.draft_party_key(story.standing, party="THA", card=story.card(THAILAND), former="retired")
    cases.add("party.key: a retired card comes back", "retired", story.sign(back, *both))


def places(cases: Cases, stage: str, lawful: Statement, by: tuple[Person, ...]) -> None:
    """What can be wrong with the place of any statement that continues a chain."""
    story, name = STORIES[stage](), f"{lawful.type} in {stage}"
    if lawful.n > 1:
        cases.add(f"{name}: n goes back", stage, story.sign(replace(lawful, n=lawful.n - 1), *by), "head_moved")
        cases.add(f"{name}: prev is the founding statement", stage, story.sign(replace(lawful, prev=lawful.scope), *by), "head_moved")
    cases.add(f"{name}: n leaps", stage, story.sign(replace(lawful, n=lawful.n + 1), *by), "head_moved")
    cases.add(f"{name}: prev is another statement", stage, story.sign(replace(lawful, prev=NOBODY), *by), "head_moved")
    cases.add(f"{name}: another installation", stage, story.sign(replace(lawful, inst=NOBODY), *by), "foreign_installation")
    cases.add(f"{name}: no installation", stage, story.sign(replace(lawful, inst=None), *by), "foreign_installation")
    wrong = "no_such_chain" if lawful.type.startswith("device") else "wrong_scope"
    cases.add(f"{name}: another chain's name", stage, story.sign(replace(lawful, scope=NOBODY), *by), wrong)


# ---------------------------------------------------------------------------------------------------------------- accounts


def accounts(cases: Cases) -> None:
    story = STORIES["founded with nobody else"]()
    keys = {"account_key": THAILAND.account_key, "xwing_key": THAILAND.xwing_key, "party": "THA"}
    lawful = drafting.draft_card(story.standing, **keys)
    cases.add("account.card: for this installation", "founded with nobody else", story.sign(lawful, THAILAND))
    chair = drafting.draft_card(Stage().standing, account_key=INDONESIA.account_key, xwing_key=INDONESIA.xwing_key, party="IDN")
    cases.add("account.card: before there is an installation", "empty", Stage().sign(chair, INDONESIA))
    cases.add("account.card: an installation nobody knows", "empty", story.sign(lawful, THAILAND), "no_installation")
    elsewhere = replace(body(lawful, installation=NOBODY), inst=NOBODY)
    cases.add("account.card: of another installation", "founded with nobody else", story.sign(elsewhere, THAILAND), "foreign_installation")
    for label, unlike in {
        "body says another": body(lawful, installation=NOBODY),
        "body says none": body(lawful, installation=None),
    }.items():
        cases.add(f"account.card: {label}", "founded with nobody else", story.sign(unlike, THAILAND), "foreign_installation")
    signed = story.sign(lawful, THAILAND)
    renamed = replace(signed, signatures=((story.card(INDONESIA), signed.signatures[0][1]),))
    cases.add("account.card: signed under another card", "founded with nobody else", renamed, "wrong_signer")
    forged = replace(signed, signatures=((signed.hash, INDONESIA.key.sign(b"anything")),))
    cases.add("account.card: not signed by its own key", "founded with nobody else", forged, "bad_signature")
    cases.add(
        "account.card: under an unknown head", "founded with nobody else", story.sign(replace(lawful, up=NOBODY), THAILAND), "up_unknown"
    )
    cases.add("account.card: under no head", "founded with nobody else", story.sign(replace(lawful, up=None), THAILAND), "up_unknown")
    cases.add(
        "account.card: the same again",
        "founded",
        next(iter(STORIES["founded"]().chains.accounts[STORIES["founded"]().card(THAILAND)])),
        "head_moved",
    )
    for label, key in {"of small order": SMALL_ORDER, "not canonical": NOT_CANONICAL}.items():
        cases.add(
            f"account.card: a key {label}", "founded with nobody else", story.sign(body(lawful, account_key=key), THAILAND), "weak_key"
        )
    shapes(
        cases,
        "founded with nobody else",
        lawful,
        (THAILAND,),
        {
            "a short account key": {"account_key": base64.b64encode(bytes(31)).decode()},
            "a short sealing key": {"xwing_key": base64.b64encode(bytes(1215)).decode()},
            "an empty party": {"party": ""},
            "a party of seventeen letters": {"party": "A" * 17},
            "base64 that does not round-trip": {"account_key": str(lawful.body["account_key"])[:-2] + "/="},
        },
    )
    devices(cases)


def devices(cases: Cases) -> None:
    story = STORIES["sitting"]()
    card = story.card(THAI_HEAD)
    add = drafting.draft_device_add(story.standing, card=card, signature_key=THAI_HEAD.seed("a new device"))
    add = body(
        add, signature_key=drafting.draft_device_add(story.standing, card=card, signature_key=public(THAI_HEAD, 7)).body["signature_key"]
    )
    cases.add("device.add: one device more", "sitting", story.sign(add, THAI_HEAD))
    cases.add("device.add: signed by another card", "sitting", story.sign(add, THAILAND), "wrong_signer")
    cases.add(
        "device.add: for another's account",
        "sitting",
        story.sign(drafting.draft_device_add(story.standing, card=story.card(THAILAND), signature_key=public(THAI_HEAD, 7)), THAI_HEAD),
        "wrong_signer",
    )
    for label, key in {"of small order": SMALL_ORDER, "not canonical": NOT_CANONICAL}.items():
        cases.add(f"device.add: a key {label}", "sitting", story.sign(body(add, signature_key=key), THAI_HEAD), "weak_key")
    cases.add(
        "device.add: a key used already",
        "sitting",
        story.sign(drafting.draft_device_add(story.standing, card=card, signature_key=public(THAI_HEAD, 1)), THAI_HEAD),
        "not_due",
    )
    cases.add(
        "device.add: the account key itself",
        "sitting",
        story.sign(drafting.draft_device_add(story.standing, card=card, signature_key=THAI_HEAD.account_key), THAI_HEAD),
        "not_due",
    )
    cases.add(
        "device.add: an older view than before",
        "sitting",
        story.sign(replace(add, up=story.chains.installation[0].hash), THAI_HEAD),
        "up_back",
    )
    shapes(cases, "sitting", add, (THAI_HEAD,), {"a key in hex": {"signature_key": "ab" * 32}})
    places(cases, "sitting", add, (THAI_HEAD,))
    own = story.devices["thai_head 1"]
    revoke = drafting.draft_device_revoke(story.standing, card=card, device=own)
    cases.add("device.revoke: an own device", "sitting", story.sign(revoke, THAI_HEAD))
    cases.add("device.revoke: signed by the focal point", "sitting", story.sign(revoke, THAILAND), "wrong_signer")
    cases.add(
        "device.revoke: another's device",
        "sitting",
        story.sign(body(revoke, device=story.devices["myanmar_head 1"]), THAI_HEAD),
        "unknown_device",
    )
    cases.add("device.revoke: no device at all", "sitting", story.sign(body(revoke, device=NOBODY), THAI_HEAD), "unknown_device")
    shapes(cases, "sitting", revoke, (THAI_HEAD,), {"null": {"device": None}})
    story = STORIES["revoked"]()
    again = drafting.draft_device_revoke(story.standing, card=story.card(THAI_HEAD), device=own)
    cases.add("device.revoke: twice", "revoked", story.sign(again, THAI_HEAD), "not_due")
    reuse = drafting.draft_device_add(story.standing, card=story.card(THAI_HEAD), signature_key=public(THAI_HEAD, 1))
    cases.add("device.add: the key of a revoked device", "revoked", story.sign(reuse, THAI_HEAD), "not_due")
    chair = drafting.draft_device_add(story.standing, card=story.card(INDONESIA), signature_key=public(INDONESIA, 7))
    cases.add("device.add: a chair's, bound to no installation", "revoked", story.sign(chair, INDONESIA))
    bound = replace(chair, inst=story.standing.installation[0].inst, up=story.standing.installation[0].hash)
    cases.add("device.add: a chair's, bound to one", "revoked", story.sign(bound, INDONESIA), "foreign_installation")


def public(person: Person, number: int) -> bytes:
    return person.device_key(number).public_key().public_bytes_raw()


# ------------------------------------------------------------------------------------------------------------ consultation


def proposals(cases: Cases) -> None:
    story = STORIES["installed"]()
    lawful = proposed().chains.consultation[0].statement
    rows = list(lawful.body["composition"])
    cases.add("consultation.propose: by Indonesia", "installed", story.sign(lawful, INDONESIA))
    cases.add("consultation.propose: by Australia", "installed", story.sign(lawful, AUSTRALIA))
    cases.add("consultation.propose: by both", "installed", story.sign(lawful, INDONESIA, AUSTRALIA), "wrong_signer")
    cases.add("consultation.propose: by a focal point", "installed", story.sign(lawful, THAILAND), "wrong_signer")
    cases.add(
        "consultation.propose: under an older head",
        "installed",
        story.sign(replace(lawful, up=story.chains.installation[2].hash), INDONESIA),
    )
    cases.add("consultation.propose: under an unknown head", "installed", story.sign(replace(lawful, up=NOBODY), INDONESIA), "up_unknown")
    cases.add("consultation.propose: under no head", "installed", story.sign(replace(lawful, up=None), INDONESIA), "up_unknown")
    cases.add(
        "consultation.propose: for another installation",
        "installed",
        story.sign(replace(lawful, inst=NOBODY), INDONESIA),
        "foreign_installation",
    )
    cases.add("consultation.propose: for none", "installed", story.sign(replace(lawful, inst=None), INDONESIA), "foreign_installation")
    cases.add("consultation.propose: before the installation", "enrolled", story.sign(lawful, INDONESIA), "no_installation")
    cases.add("consultation.propose: the same again", "proposed", proposed().chains.consultation[0], "head_moved")
    third = [{**row, "capacity": "chair"} if row["party"] == "THA" else row for row in rows]
    cases.add("consultation.propose: a third chair", "installed", story.sign(body(lawful, composition=third), INDONESIA), "wrong_party")
    without_chair = [row for row in rows if row["party"] != "AUS"]
    cases.add(
        "consultation.propose: without the other chair",
        "installed",
        story.sign(body(lawful, composition=without_chair), INDONESIA),
        "wrong_party",
    )
    guest = [{**row, "capacity": "invited"} if row["party"] == "AUS" else row for row in rows]
    cases.add(
        "consultation.propose: the other chair as a guest",
        "installed",
        story.sign(body(lawful, composition=guest), INDONESIA),
        "wrong_party",
    )
    sign_options = lawful.body["options"]
    shapes(
        cases,
        "installed",
        lawful,
        (INDONESIA,),
        {
            "an unknown level": {"level": "heads_of_state"},
            "an unknown urgency": {"urgency": "soon"},
            "an empty reference": {"reference": ""},
            "a long reference": {"reference": "x" * 41},
            "a reference of two lines": {"reference": "a\nb"},
            "composition not sorted": {"composition": rows[::-1]},
            "a party twice": {"composition": [*rows, rows[-1]]},
            "composition of one": {"composition": rows[:1]},
            "the secretariat as a party": {"composition": [*rows[:-2], {**rows[-2], "party": "RSO"}, rows[-1]]},
            "an unknown capacity": {"composition": [*rows[:-1], {**rows[-1], "capacity": "guest"}]},
            "history from a sitting 0": {"composition": [*rows[:-1], {**rows[-1], "history": "sitting:0"}]},
            "history from always": {"composition": [*rows[:-1], {**rows[-1], "history": "always"}]},
            "a row with more": {"composition": [*rows[:-1], {**rows[-1], "name": "x"}]},
            "a brief in the open": {"brief": {"subject": "x"}},
            "a short commitment": {"brief": {**lawful.body["brief"], "commitment": base64.b64encode(bytes(31)).decode()}},
            "no retention": {"options": {**sign_options, "retention_years": 0}},
            "retention as text": {"options": {**sign_options, "retention_years": "10"}},
            "retention as truth": {"options": {**sign_options, "retention_years": True}},
            "an undertaking in words": {"options": {**sign_options, "undertaking": "I promise"}},
            "an option more": {"options": {**sign_options, "open": True}},
        },
    )
    cases.add(
        "consultation.propose: forty letters of any script", "installed", story.sign(body(lawful, reference="မြန်မာ" + "𐍈" * 34), INDONESIA)
    )


def second_statements(cases: Cases) -> None:
    story = STORIES["proposed"]()
    concur = drafting.draft_concur(story.standing)
    back = drafting.draft_return(story.standing, reason=sealed("reason"))
    withdraw = drafting.draft_withdraw_proposal(story.standing, reason=sealed("reason"))
    for statement, lawful, unlawful in ((concur, AUSTRALIA, INDONESIA), (back, AUSTRALIA, INDONESIA), (withdraw, INDONESIA, AUSTRALIA)):
        name = statement.type
        cases.add(f"{name}: by whom it is due", "proposed", story.sign(statement, lawful))
        cases.add(f"{name}: by the other one", "proposed", story.sign(statement, unlawful), "wrong_signer")
        cases.add(f"{name}: by both", "proposed", story.sign(statement, lawful, unlawful), "wrong_signer")
        cases.add(f"{name}: by a focal point", "proposed", story.sign(statement, THAILAND), "wrong_signer")
        cases.add(f"{name}: of another proposal", "proposed", story.sign(body(statement, proposal=NOBODY), lawful), "wrong_scope")
        for stage in ("concurred", "returned", "withdrawn"):
            later = STORIES[stage]()
            anew = drafting.draft(later.standing, name, statement.body)
            cases.add(f"{name}: when {stage}", stage, later.sign(anew, lawful), "not_due")
        shapes(
            cases, "proposed", statement, (lawful,), {"a proposal in capitals": {"proposal": concur.scope.upper() if concur.scope else ""}}
        )
    cases.add("consultation.return: a reason in the open", "proposed", story.sign(body(back, reason="not now"), AUSTRALIA), "malformed")
    cases.add(
        "consultation.concur: another party signs with the chair's name",
        "proposed",
        named(story.sign(concur, THAILAND), story.card(AUSTRALIA)),
        "bad_signature",
    )
    answer = drafting.draft_answer(story.standing, party="THA", answer="accept")
    cases.add("invitation.answer: before concurrence", "proposed", story.sign(answer, THAILAND), "not_due")
    for stage in ("returned", "withdrawn"):
        ended = STORIES[stage]()
        late = drafting.draft_answer(ended.standing, party="THA", answer="accept")
        cases.add(f"invitation.answer: when {stage}", stage, ended.sign(late, THAILAND), "not_due")
    places(cases, "proposed", concur, (AUSTRALIA,))


def named(signed: Signed, card: str) -> Signed:
    """The same signature under another card's name."""
    return replace(signed, signatures=((card, signed.signatures[0][1]),))


def answers(cases: Cases) -> None:
    story = STORIES["concurred"]()
    lawful = drafting.draft_answer(story.standing, party="THA", answer="accept")
    for word in ("accept", "decline", "awaiting_instructions"):
        cases.add(f"invitation.answer: {word}", "concurred", story.sign(body(lawful, answer=word), THAILAND))
    cases.add("invitation.answer: by another focal point", "concurred", story.sign(lawful, MYANMAR), "wrong_signer")
    cases.add("invitation.answer: by a chair", "concurred", story.sign(lawful, INDONESIA), "wrong_signer")
    cases.add("invitation.answer: by a delegate of the party", "concurred", story.sign(lawful, THAI_HEAD), "wrong_signer")
    cases.add(
        "invitation.answer: by a party not invited", "concurred", story.sign(body(lawful, party="MYS"), OUTSIDER), "not_in_composition"
    )
    cases.add(
        "invitation.answer: by a party without a focal point", "concurred", story.sign(body(lawful, party="IDN"), INDONESIA), "wrong_signer"
    )
    cases.add(
        "invitation.answer: under an older head",
        "concurred",
        story.sign(replace(lawful, up=story.chains.installation[1].hash), THAILAND),
        "up_back",
    )
    cases.add("invitation.answer: under an unknown head", "concurred", story.sign(replace(lawful, up=NOBODY), THAILAND), "up_unknown")
    shapes(cases, "concurred", lawful, (THAILAND,), {"perhaps": {"answer": "perhaps"}})
    places(cases, "concurred", lawful, (THAILAND,))
    sitting = STORIES["sitting"]()
    changed = drafting.draft_answer(sitting.standing, party="THA", answer="decline")
    cases.add("invitation.answer: changes after acceptance", "sitting", sitting.sign(changed, THAILAND))
    signatures(cases, lawful)
    for stage in ("retired", "compromised"):
        former_keys(cases, stage)


def signatures(cases: Cases, lawful: Statement) -> None:
    story = STORIES["concurred"]()
    good = story.sign(lawful, THAILAND)
    card, signature = good.signatures[0]
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    # S + L is the same signature to a careless verifier.
    order = 2**252 + 27742317777372353535851937790883648493
    stretched = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    cases.add("signature: a bit flipped", "concurred", replace(good, signatures=((card, flipped),)), "bad_signature")
    cases.add("signature: S not reduced", "concurred", replace(good, signatures=((card, stretched),)), "bad_signature")
    cases.add(
        "signature: R of small order",
        "concurred",
        replace(good, signatures=((card, base64.b64decode(SMALL_ORDER) + signature[32:]),)),
        "bad_signature",
    )
    other = story.sign(replace(lawful, body={"party": "THA", "answer": "decline"}), THAILAND)
    cases.add("signature: of another statement", "concurred", replace(good, signatures=other.signatures), "bad_signature")
    cases.add("signature: another's under this name", "concurred", named(story.sign(lawful, MYANMAR), card), "bad_signature")
    twice = replace(good, signatures=tuple(sorted([*good.signatures, *story.sign(good.statement, MYANMAR).signatures])))
    cases.add("signature: one too many", "concurred", twice, "wrong_signer")


def former_keys(cases: Cases, stage: str) -> None:
    story = STORIES[stage]()
    now = drafting.draft_answer(story.standing, party="THA", answer="decline")
    before = replace(now, up=str(story.standing.consultation and story.standing.consultation.up))
    cases.add(f"party.key {stage}: the former key under the newest head", stage, story.sign(now, THAILAND), "wrong_signer")
    cases.add(f"party.key {stage}: the former key under the head before", stage, story.sign(before, THAILAND), "wrong_signer")
    cases.add(f"party.key {stage}: the new key", stage, story.sign(now, SUCCESSOR))
    cases.add(f"party.key {stage}: the new key under the head before", stage, story.sign(before, SUCCESSOR), "wrong_signer")


def accreditations(cases: Cases) -> None:
    story = STORIES["concurred"]()
    lawful = drafting.draft_accredit(story.standing, party="THA", card=story.card(THAI_HEAD), capacity="head")
    for capacity in ("head", "alternate", "adviser", "observer", "interpreter"):
        cases.add(f"accredit: {capacity}", "concurred", story.sign(body(lawful, capacity=capacity), THAILAND))
    cases.add("accredit: the focal point itself", "concurred", story.sign(body(lawful, card=story.card(THAILAND)), THAILAND))
    cases.add("accredit: by another focal point", "concurred", story.sign(lawful, MYANMAR), "wrong_signer")
    cases.add("accredit: by the delegate", "concurred", story.sign(lawful, THAI_HEAD), "wrong_signer")
    cases.add("accredit: by both chairs", "concurred", story.sign(lawful, INDONESIA, AUSTRALIA), "wrong_signer")
    cases.add(
        "accredit: a card of another party", "concurred", story.sign(body(lawful, card=story.card(MYANMAR_HEAD)), THAILAND), "wrong_party"
    )
    cases.add("accredit: an unknown card", "concurred", story.sign(body(lawful, card=NOBODY), THAILAND), "unknown_card")
    cases.add(
        "accredit: an officer of the secretariat", "concurred", story.sign(body(lawful, card=story.card(OFFICER)), THAILAND), "wrong_party"
    )
    guest = drafting.draft_accredit(story.standing, party="MYS", card=story.card(OUTSIDER), capacity="head")
    cases.add("accredit: for a party not invited", "concurred", story.sign(guest, OUTSIDER), "not_in_composition")
    shapes(cases, "concurred", lawful, (THAILAND,), {"as minister": {"capacity": "minister"}, "null card": {"card": None}})
    places(cases, "concurred", lawful, (THAILAND,))
    replays(cases)
    sitting = STORIES["sitting"]()
    head = drafting.draft_accredit(sitting.standing, party="THA", card=sitting.card(THAI_ADVISER), capacity="head")
    cases.add("accredit: a new head", "sitting", sitting.sign(head, THAILAND))
    cases.add(
        "accredit: the same again as adviser",
        "sitting",
        sitting.sign(body(head, card=sitting.card(THAI_HEAD), capacity="adviser"), THAILAND),
    )
    excluded = STORIES["excluded"]()
    back = drafting.draft_accredit(excluded.standing, party="MMR", card=excluded.card(MYANMAR_HEAD), capacity="head")
    cases.add("accredit: an excluded card", "excluded", excluded.sign(back, MYANMAR), "excluded")
    staffed = STORIES["staffed"]()
    twice = drafting.draft_accredit(staffed.standing, party="IDN", card=staffed.card(CHAIR_STAFF), capacity="adviser")
    cases.add("accredit: a card both Co-Chairs have seated", "staffed", staffed.sign(twice, INDONESIA), "already_seated")
    chair = body(twice, card=staffed.card(INDONESIA))
    cases.add("accredit: a chair", "staffed", staffed.sign(chair, INDONESIA), "already_seated")


def replays(cases: Cases) -> None:
    """Lawful elsewhere, served here."""
    story, other = STORIES["concurred"](), STORIES["concurred"]()
    lawful = drafting.draft_accredit(story.standing, party="THA", card=story.card(THAI_HEAD), capacity="head")
    other.chains = replace(other.chains, consultation=())
    other.made = 900
    other.propose(AUSTRALIA)
    other.act(drafting.draft_concur(other.standing), INDONESIA)
    elsewhere = drafting.draft_accredit(other.standing, party="THA", card=other.card(THAI_HEAD), capacity="head")
    signed = other.sign(elsewhere, THAILAND)
    cases.add("replay: from another consultation", "concurred", signed, "wrong_scope")
    moved = replace(signed, statement=replace(signed.statement, scope=lawful.scope, prev=lawful.prev))
    cases.add("replay: from another consultation, moved", "concurred", moved, "bad_signature")
    world = Stage("elsewhere")
    foreign = _same_in(world)
    cases.add("replay: from another installation", "concurred", foreign, "foreign_installation")
    cases.add("replay: of a statement already here", "sitting", STORIES["sitting"]().chains.consultation[2], "head_moved")
    once = story.sign(lawful, THAILAND)
    two = replace(once, statement=replace(once.statement, nonce=OTHER_NONCE))
    cases.add("replay: with another nonce", "concurred", two, "bad_signature")


def _same_in(world: Stage) -> Signed:
    world.found()
    for person in (THAILAND, THAI_HEAD):
        world.enrol(person)
    world.focal_point(THAILAND)
    world.propose()
    world.concur()
    return world.sign(drafting.draft_accredit(world.standing, party="THA", card=world.card(THAI_HEAD), capacity="head"), THAILAND)


def withdrawals(cases: Cases) -> None:
    story = STORIES["sitting"]()
    lawful = drafting.draft_withdraw(story.standing, party="THA", card=story.card(THAI_HEAD))
    cases.add("withdraw: an accredited card", "sitting", story.sign(lawful, THAILAND))
    cases.add("withdraw: by another focal point", "sitting", story.sign(lawful, MYANMAR), "wrong_signer")
    cases.add("withdraw: by both chairs", "sitting", story.sign(lawful, INDONESIA, AUSTRALIA), "wrong_signer")
    cases.add("withdraw: by the delegate", "sitting", story.sign(lawful, THAI_HEAD), "wrong_signer")
    cases.add("withdraw: a card without a place", "sitting", story.sign(body(lawful, card=story.card(THAILAND)), THAILAND), "not_due")
    cases.add("withdraw: another party's delegate", "sitting", story.sign(body(lawful, card=story.card(MYANMAR_HEAD)), THAILAND), "not_due")
    outside = body(lawful, party="MYS", card=story.card(OUTSIDER))
    cases.add("withdraw: by a party not invited", "sitting", story.sign(outside, OUTSIDER), "not_in_composition")
    shapes(cases, "sitting", lawful, (THAILAND,), {"null card": {"card": None}})


def undertakings(cases: Cases) -> None:
    story = STORIES["accredited"]()
    lawful = drafting.draft_undertaking(story.standing, card=story.card(THAI_HEAD))
    cases.add("undertaking: by an accredited card", "accredited", story.sign(lawful, THAI_HEAD))
    cases.add("undertaking: signed by the focal point", "accredited", story.sign(lawful, THAILAND), "wrong_signer")
    cases.add("undertaking: another text", "accredited", story.sign(body(lawful, text=NOBODY), THAI_HEAD), "undertaking_differs")
    cases.add(
        "undertaking: by a card without a place", "accredited", story.sign(body(lawful, card=story.card(MYANMAR)), MYANMAR), "not_due"
    )
    cases.add("undertaking: by a chair", "accredited", story.sign(body(lawful, card=story.card(INDONESIA)), INDONESIA), "not_due")
    cases.add("undertaking: before acceptance", "accredited", story.sign(body(lawful, card=story.card(BANGLADESH_HEAD)), BANGLADESH_HEAD))
    shapes(cases, "accredited", lawful, (THAI_HEAD,), {"in words": {"text": "I promise"}})
    sitting = STORIES["sitting"]()
    again = drafting.draft_undertaking(sitting.standing, card=sitting.card(THAI_HEAD))
    cases.add("undertaking: twice", "sitting", sitting.sign(again, THAI_HEAD), "not_due")


def seats(cases: Cases) -> None:
    story, both = STORIES["concurred"](), (INDONESIA, AUSTRALIA)
    lawful = drafting.draft_seat(story.standing, card=story.card(OFFICER), capacity="secretariat")
    cases.add("seat: an officer", "concurred", story.sign(lawful, *both))
    cases.add("seat: a chair's staff", "concurred", story.sign(body(lawful, card=story.card(CHAIR_STAFF), capacity="chair_staff"), *both))
    cases.add("seat: a draft", "concurred", story.sign(lawful, AUSTRALIA), draft=True)
    cases.add("seat: one chair alone", "concurred", story.sign(lawful, AUSTRALIA), "wrong_signer")
    cases.add("seat: a chair and a focal point", "concurred", story.sign(lawful, AUSTRALIA, THAILAND), "wrong_signer")
    cases.add("seat: a delegate as officer", "concurred", story.sign(body(lawful, card=story.card(THAI_HEAD)), *both), "wrong_party")
    cases.add(
        "seat: a delegate as chair's staff",
        "concurred",
        story.sign(body(lawful, card=story.card(THAI_HEAD), capacity="chair_staff"), *both),
        "wrong_party",
    )
    cases.add("seat: an officer as chair's staff", "concurred", story.sign(body(lawful, capacity="chair_staff"), *both), "wrong_party")
    cases.add(
        "seat: a chair", "concurred", story.sign(body(lawful, card=story.card(AUSTRALIA), capacity="chair_staff"), *both), "already_seated"
    )
    cases.add("seat: an unknown card", "concurred", story.sign(body(lawful, card=NOBODY), *both), "unknown_card")
    shapes(
        cases,
        "concurred",
        lawful,
        both,
        {
            "no room": {"rooms": []},
            "an unknown room": {"rooms": ["annex"]},
            "a room twice": {"rooms": ["plenary", "plenary"]},
            "as delegate": {"capacity": "adviser"},
        },
    )
    staffed = STORIES["staffed"]()
    cases.add(
        "seat: twice",
        "staffed",
        staffed.sign(drafting.draft_seat(staffed.standing, card=staffed.card(OFFICER), capacity="secretariat"), *both),
        "already_seated",
    )
    unseat = drafting.draft_unseat(staffed.standing, card=staffed.card(OFFICER))
    cases.add("unseat: an officer", "staffed", staffed.sign(unseat, *both))
    cases.add("unseat: a draft", "staffed", staffed.sign(unseat, INDONESIA), draft=True)
    cases.add("unseat: one chair alone", "staffed", staffed.sign(unseat, INDONESIA), "wrong_signer")
    cases.add("unseat: a delegate", "staffed", staffed.sign(body(unseat, card=staffed.card(THAI_HEAD)), *both), "not_due")
    cases.add("unseat: a chair", "staffed", staffed.sign(body(unseat, card=staffed.card(AUSTRALIA)), *both), "not_due")
    shapes(cases, "staffed", unseat, both, {"no room": {"rooms": []}})
    exclusions(cases)


def exclusions(cases: Cases) -> None:
    story, both = STORIES["sitting"](), (INDONESIA, AUSTRALIA)
    lawful = drafting.draft_exclude(story.standing, card=story.card(MYANMAR_HEAD))
    device = body(lawful, device=story.devices["myanmar_head 1"])
    cases.add("exclude: a card", "sitting", story.sign(lawful, *both))
    cases.add("exclude: a device", "sitting", story.sign(device, *both))
    cases.add("exclude: a device nobody has shown yet", "sitting", story.sign(body(lawful, device=NOBODY), *both))
    cases.add("exclude: a draft", "sitting", story.sign(lawful, INDONESIA), draft=True)
    cases.add("exclude: one chair alone", "sitting", story.sign(lawful, INDONESIA), "wrong_signer")
    cases.add("exclude: the party's focal point", "sitting", story.sign(lawful, MYANMAR), "wrong_signer")
    cases.add("exclude: a chair", "sitting", story.sign(body(lawful, card=story.card(AUSTRALIA)), *both), "not_due")
    cases.add(
        "exclude: a chair's device",
        "sitting",
        story.sign(body(lawful, card=story.card(AUSTRALIA), device=story.devices["australia 1"]), *both),
    )
    cases.add("exclude: an unknown card", "sitting", story.sign(body(lawful, card=NOBODY), *both), "unknown_card")
    shapes(cases, "sitting", lawful, both, {"a device in capitals": {"device": NOBODY.upper()}})
    excluded = STORIES["excluded"]()
    again = drafting.draft_exclude(excluded.standing, card=excluded.card(MYANMAR_HEAD))
    cases.add("exclude: a card twice", "excluded", excluded.sign(again, *both), "not_due")
    seat = drafting.draft_undertaking(excluded.standing, card=excluded.card(MYANMAR_HEAD))
    cases.add("undertaking: by an excluded card", "excluded", excluded.sign(seat, MYANMAR_HEAD), "not_due")
    gone = STORIES["device excluded"]()
    cases.add(
        "exclude: a device twice",
        "device excluded",
        gone.sign(drafting.draft_exclude(gone.standing, card=gone.card(MYANMAR_HEAD), device=gone.devices["myanmar_head 1"]), *both),
        "not_due",
    )


def disposals(cases: Cases) -> None:
    story, both = STORIES["opened"](), (INDONESIA, AUSTRALIA)
    lawful = drafting.draft_dispose(story.standing, basis="retention_over", manifest=MANIFEST)
    cases.add("consultation.dispose: the period is over", "opened", story.sign(lawful, *both))
    cases.add("consultation.dispose: agreed early", "opened", story.sign(body(lawful, basis="agreed_early"), *both))
    cases.add("consultation.dispose: a legal order", "opened", story.sign(body(lawful, basis="legal_order"), *both))
    cases.add("consultation.dispose: a draft", "opened", story.sign(lawful, AUSTRALIA), draft=True)
    cases.add("consultation.dispose: one chair alone", "opened", story.sign(lawful, INDONESIA), "wrong_signer")
    cases.add("consultation.dispose: a chair and a focal point", "opened", story.sign(lawful, INDONESIA, THAILAND), "wrong_signer")
    cases.add("consultation.dispose: by an officer", "opened", story.sign(lawful, OFFICER), "wrong_signer", draft=True)
    cases.add("consultation.dispose: another proposal", "opened", story.sign(body(lawful, proposal=NOBODY), *both), "wrong_scope")
    early = STORIES["proposed"]()
    at_once = drafting.draft_dispose(early.standing, basis="agreed_early", manifest=MANIFEST)
    cases.add("consultation.dispose: before concurrence", "proposed", early.sign(at_once, *both), "not_due")
    returned = STORIES["returned"]()
    after = drafting.draft_dispose(returned.standing, basis="agreed_early", manifest=MANIFEST)
    cases.add("consultation.dispose: of a returned proposal", "returned", returned.sign(after, *both), "not_due")
    broken = {
        "for no reason": {"basis": ""},
        "an unknown basis": {"basis": "tidying_up"},
        "a manifest in base64": {"manifest": OTHER_NONCE},
    }
    shapes(cases, "opened", lawful, both, broken)
    after_disposal(cases)


def after_disposal(cases: Cases) -> None:
    """Nothing follows it."""
    stage, gone, both = "disposed", STORIES["disposed"](), (INDONESIA, AUSTRALIA)
    at = gone.standing
    acts = {
        "an answer": (drafting.draft_answer(at, party="THA", answer="accept"), (THAILAND,)),
        "an accreditation": (drafting.draft_accredit(at, party="THA", card=gone.card(THAI_ADVISER), capacity="adviser"), (THAILAND,)),
        "a withdrawal": (drafting.draft_withdraw(at, party="THA", card=gone.card(THAI_HEAD)), (THAILAND,)),
        "an undertaking": (drafting.draft_undertaking(at, card=gone.card(THAI_HEAD)), (THAI_HEAD,)),
        "a seat": (drafting.draft_seat(at, card=gone.card(OFFICER), capacity="secretariat"), both),
        "an exclusion": (drafting.draft_exclude(at, card=gone.card(THAI_HEAD)), both),
        "a second disposal": (drafting.draft_dispose(at, basis="agreed_early", manifest=MANIFEST), both),
        "a concurrence": (drafting.draft_concur(at), (AUSTRALIA,)),
    }
    for label, (statement, by) in acts.items():
        cases.add(f"after disposal: {label}", stage, gone.sign(statement, *by), "not_due")
    story = STORIES["disposed without a room"]()
    room = drafting.draft_room_open(story.standing)
    cases.add("after disposal: a room", "disposed without a room", story.sign(room, INDONESIA), "not_due")
    earlier = replace(room, up=story.chains.consultation[-2].hash)
    cases.add("after disposal: a room that was opened before it", "disposed without a room", story.sign(earlier, INDONESIA))


def rooms(cases: Cases) -> None:
    story = STORIES["concurred"]()
    lawful = drafting.draft_room_open(story.standing)
    places_of = story.standing.consultation
    assert places_of is not None
    cases.add("room.open: by Indonesia", "concurred", story.sign(lawful, INDONESIA))
    cases.add("room.open: by Australia", "concurred", story.sign(lawful, AUSTRALIA))
    cases.add("room.open: by both", "concurred", story.sign(lawful, INDONESIA, AUSTRALIA), "wrong_signer")
    cases.add("room.open: by a focal point", "concurred", story.sign(lawful, THAILAND), "wrong_signer")
    cases.add("room.open: under the proposal alone", "concurred", story.sign(replace(lawful, up=places_of.places[0]), INDONESIA), "not_due")
    cases.add(
        "room.open: under the installation",
        "concurred",
        story.sign(replace(lawful, up=story.chains.installation[-1].hash), INDONESIA),
        "up_unknown",
    )
    cases.add("room.open: under nothing", "concurred", story.sign(replace(lawful, up=None), INDONESIA), "up_unknown")
    cases.add("room.open: of another consultation", "concurred", story.sign(body(lawful, consultation=NOBODY), INDONESIA), "wrong_scope")
    cases.add(
        "room.open: in another installation", "concurred", story.sign(replace(lawful, inst=NOBODY), INDONESIA), "foreign_installation"
    )
    early = STORIES["proposed"]()
    cases.add("room.open: before concurrence", "proposed", early.sign(drafting.draft_room_open(early.standing), INDONESIA), "not_due")
    opened = STORIES["opened"]()
    cases.add("room.open: a second plenary", "opened", opened.sign(drafting.draft_room_open(opened.standing), AUSTRALIA), "room_exists")
    cases.add("room.open: the same again", "opened", next(iter(opened.chains.rooms.values()))[0], "head_moved")
    shapes(
        cases,
        "concurred",
        lawful,
        (INDONESIA,),
        {
            "an annex": {"kind": "annex"},
            "with parties": {"parties": ["THA"]},
            "with cards": {"cards": [NOBODY]},
            "undisclosed": {"disclosure": "none"},
        },
    )


def forms(cases: Cases) -> None:
    """The form all statements share, broken in the JSON itself."""
    story = STORIES["concurred"]()
    lawful = drafting.draft_answer(story.standing, party="THA", answer="accept")
    good = encode_signed(story.sign(lawful, THAILAND))
    statement, signatures = dict(good["statement"]), list(good["signatures"])  # type: ignore[call-overload, arg-type]

    def broken(name: str, expect: str = "malformed", **members: Any) -> None:
        cases.raw(f"form: {name}", "concurred", {"statement": {**statement, **members}, "signatures": signatures}, expect)

    broken("another version", v=2)
    broken("a member too many", at=1)
    broken("an unknown type", "unknown_type", type="consultation.close")
    broken("a type in capitals", type="Accredit")
    broken("n below nought", n=-1)
    broken("n as text", n="2")
    broken("n as truth", n=True)
    broken("n too large", n=2**31)
    broken("a founding type in the middle", type="consultation.propose")
    broken("nought, and a scope", n=0)
    broken("nought with a predecessor", n=0, scope=None)
    broken("no scope", scope=None)
    broken("no predecessor", prev=None)
    broken("a scope in capitals", scope=str(statement["scope"]).upper())
    broken("a short scope", scope="ab")
    broken("inst as number", inst=1)
    broken("a nonce of fifteen bytes", nonce=base64.b64encode(bytes(15)).decode())
    broken("a nonce that does not round-trip", nonce="AAAAAAAAAAAAAAAAAAAAAB==")
    broken("a nonce in the URL's alphabet", nonce="-" * 22 + "==")
    broken("a body that is a list", body=[])
    broken("a body that is null", body=None)
    broken("a fraction", "not_canonical", body={"party": "THA", "answer": 1.5})
    broken("an integer above 2^53", "not_canonical", body={"party": "THA", "answer": 2**53})
    broken("a key in capitals", "not_canonical", body={"Party": "THA"})
    broken("a lone surrogate", "not_canonical", body={"party": "THA", "answer": "\ud800"})
    broken("nested too deeply", "not_canonical", body={"a": [[[[[[[1]]]]]]]})
    short = {key: value for key, value in statement.items() if key != "up"}
    cases.raw("form: a member missing", "concurred", {"statement": short, "signatures": signatures}, "malformed")
    cases.raw("form: no signatures member", "concurred", {"statement": statement}, "malformed")
    cases.raw("form: more beside", "concurred", {**good, "card": NOBODY}, "malformed")
    cases.raw("form: a list", "concurred", [statement, signatures], "malformed")
    card, signature = signatures[0]
    for label, entries in {
        "nobody signed": [],
        "signed twice by one": [[card, signature], [card, signature]],
        "signatures not sorted": sorted([[card, signature], [NOBODY, signature]], reverse=True),
        "three signatures": [["aa" * 32, signature], ["bb" * 32, signature], ["cc" * 32, signature]],
        "a short signature": [[card, base64.b64encode(bytes(63)).decode()]],
        "a signature in hex": [[card, "ab" * 64]],
        "a signer without a name": [["", signature]],
        "a signature with more": [[card, signature, 1]],
        "signatures as an object": {card: signature},
    }.items():
        cases.raw(f"form: {label}", "concurred", {"statement": statement, "signatures": entries}, "malformed")


# ------------------------------------------------------------------------------------------------------------------- the file


def chains_value(chains: Chains, pool: dict[str, Any]) -> dict[str, Any]:
    """Hashes only; the statements themselves go once into the pool."""

    def names(chain: tuple[Signed, ...]) -> list[str]:
        pool.update({signed.hash: encode_signed(signed) for signed in chain})
        return [signed.hash for signed in chain]

    return {
        "installation": names(chains.installation),
        "accounts": {name: names(chain) for name, chain in chains.accounts.items()},
        "consultation": names(chains.consultation),
        "rooms": {name: names(chain) for name, chain in chains.rooms.items()},
    }


def verdict(row: Mapping[str, Any]) -> str:
    try:
        judge(STORIES[row["stage"]]().standing, parse_signed(row["signed"]), draft=row["draft"])
    except Refusal as refusal:
        return refusal.code
    return "lawful"


def text() -> str:
    """The file, if Python agrees with every expectation in it."""
    cases = Cases()
    for part in PARTS:
        part(cases)
    found = [(row["name"], row["expect"], verdict(row)) for row in cases.rows]
    differing = [f"{name}: expected {expect}, is {is_}" for name, expect, is_ in found if is_ != expect]
    if differing:
        raise SystemExit("\n".join(differing))
    pool: dict[str, Any] = {}
    stages = {name: chains_value(STORIES[name]().chains, pool) for name in sorted({row["stage"] for row in cases.rows})}
    value = {"source": "tests/vectors/make_statements.py", "pool": pool, "stages": stages, "cases": cases.rows}
    return json.dumps(value, indent=1, sort_keys=True) + "\n"


PARTS = (
    root,
    party_key,
    accounts,
    proposals,
    second_statements,
    answers,
    accreditations,
    withdrawals,
    undertakings,
    seats,
    disposals,
    rooms,
    forms,
)

if __name__ == "__main__":
    FILE.write_text(text())
