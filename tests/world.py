"""A stage's chains on the server: every statement goes in through the product's own acts, by the account of whoever signed it.

Boxes and sealed texts are bytes nobody opens here; their names and who gets them are real.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from meetings import acts, devices, installation, parties
from meetings.models import Composition
from meetings.roster import ordered
from meetings.statements import TABLE
from secure import enrolment, sealed_texts, sessions
from secure.log import policies, policy_chain
from secure.statements import Signed
from tests import flow
from tests.people import AUSTRALIA, CAST, INDONESIA, Person
from tests.secure.log.logs import Log, make_log
from tests.stage import Stage

NOW = datetime(2026, 10, 13, 9, 0, tzinfo=UTC)
AUSTRALIAN = Person("australian", "Imogen Clarke", "AUS", "focal_point")
"""The focal point of a chairing party, which most stories do without."""
EXTRAS = (AUSTRALIAN,)
BOX = base64.b64encode(b"a wrapped key").decode()


class World:
    """The server, the stage whose statements it holds, and the people who can sign in to it."""

    def __init__(self, stage: Stage, *, now: datetime = NOW) -> None:
        self.stage = Stage(stage.salt)
        self.stage.cards, self.stage.devices, self.stage.made = dict(stage.cards), dict(stage.devices), stage.made
        self.now = now
        self.accounts: dict[str, Any] = {}
        self._seen: set[str] = set()
        self.follow(stage)

    def follow(self, stage: Stage) -> None:
        """Everything the stage has and the server does not."""
        for signed in ordered(stage.chains):
            if signed.hash not in self._seen:
                self.store(signed, stage=stage)
        self.stage.chains, self.stage.made = stage.chains, stage.made
        self.stage.cards, self.stage.devices = dict(stage.cards), dict(stage.devices)

    def act(self, signed: Signed, enclosed: dict[str, Any] | None = None) -> acts.Performed:
        """One statement which the stage has just made."""
        return self.store(signed, stage=self.stage, enclosed=enclosed)

    def store(self, signed: Signed, *, stage: Stage, enclosed: dict[str, Any] | None = None) -> Any:
        self._seen.add(signed.hash)
        if signed.statement.type == "account.card":
            return self._enrol(signed, stage.chains.accounts[signed.hash][1])
        if enclosed is None:
            enclosed = self.enclosed(signed)
        signers = [self.accounts[card] for card in signed.cards]
        if not TABLE[signed.statement.type].both_chairs:
            return acts.submit(actor=signers[0], signed=signed, enclosed=enclosed, now=self.now)
        first = Signed(signed.statement, signed.signatures[:1])
        draft = acts.begin(actor=signers[0], signed=first, enclosed=enclosed, now=self.now)
        return acts.second(actor=signers[1], draft=draft, signature=signed.signatures[1], now=self.now)

    def _enrol(self, card: Signed, device: Signed) -> None:
        """Through a code of the inviter's, as enrolment does it once a second factor is there."""
        person = self._person(card)
        account = get_user_model().objects.create(sign_in_name=person.id, name=person.name)
        self.accounts[person.id] = self.accounts[card.hash] = account
        first = devices.FirstDevice(device, "Firefox on Linux", (), None)
        with transaction.atomic():
            row = self._code(person)
            row.account, row.used = account, self.now
            row.save()
            devices.enrol(account=account, party=person.party, card=card, device=first, now=self.now)
        self._seen.add(device.hash)
        if person.purpose == "secretariat":
            parties.confirm_officer(actor=self.accounts[INDONESIA.id], account=account, now=self.now)

    def _person(self, card: Signed) -> Person:
        """Whoever the stage enrolled under this card; of the cast, or made up by the test."""
        key = base64.b64decode(str(card.statement.body["account_key"]))
        return next(each for each in (*CAST, *EXTRAS) if each.account_key == key)

    def _code(self, person: Person) -> Any:
        inviter = None if person.purpose == "chair" else self.accounts[INDONESIA.id]
        locator = person.seed("locator")[:16].hex()
        return enrolment._invited(
            inviter=inviter, locator=locator, purpose=person.purpose, party=person.party, name=person.name, now=self.now
        )

    def enclosed(self, signed: Signed) -> dict[str, Any]:
        """What a lawful client would send along."""
        body: Any = signed.statement.body
        chairs = [self.stage.cards[person.id] for person in (INDONESIA, AUSTRALIA)]
        found: dict[str, Any] = {}
        match signed.statement.type:
            case "consultation.propose":
                found = {"brief": base64.b64encode(b"brief").decode(), "wraps": wraps(*chairs)}
            case "consultation.return" | "consultation.withdraw":
                found = {"reason": base64.b64encode(b"reason").decode(), "wraps": wraps(*chairs)}
            case "consultation.concur":
                found = {"wraps": wraps(*self._focal_points(body["proposal"]))}
            case "party.key":
                live = installation.live_consultations(party=body["party"])
                found = {"wraps": [{"consultation": each.id, "card": body["card"], "box": BOX} for each in live]}
            case "device.add":
                found = {"label": "Safari on iPhone", "key_packages": []}
            case "accredit" | "seat":
                found = {"wraps": wraps(body["card"])}
            case "room.open":
                state = flow.opening()
                found = {
                    "group_info": base64.b64encode(state.group_info).decode(),
                    "tree": base64.b64encode(state.tree).decode(),
                }
        return found

    def _focal_points(self, consultation: str) -> list[str]:
        invited = set(Composition.objects.filter(consultation_id=consultation).values_list("party_id", flat=True))
        now = installation.established()
        return sorted(card for party, card in now.focal_points.items() if party in invited)

    # ------------------------------------------------------------------------------------------------------------------ reading

    @property
    def consultation(self) -> str:
        return self.stage.chains.consultation[0].hash

    def account(self, person: Person) -> Any:
        return self.accounts[person.id]

    def card(self, person: Person) -> str:
        return self.stage.cards[person.id]

    def sealed(self) -> None:
        """The sequencer numbers all that was recorded, and signs."""
        sequencer = self.log.as_in_the_database().sequencer()
        while sequencer.drain(self.now):
            pass
        sequencer.publish(self.now)
        first = policy_chain.first(self.log.verifiers, sign=self.log.signer.sign_policy)
        policies.begin(first, log=self.log.verifiers[0], now=self.now)

    @cached_property
    def log(self) -> Log:
        """The record's keys and signer, in a folder that goes with this world."""
        self._folder = TemporaryDirectory()
        return make_log(Path(self._folder.name), origin="consult.test/log")

    def holders(self, sha256: str) -> frozenset[str]:
        return sealed_texts.wrapped_for(sha256)

    def browser(self, person: Person, *, second_factor: bool = True) -> Client:
        return signed_in(self.account(person), second_factor=second_factor)


def wraps(*cards: str) -> list[dict[str, str]]:
    return [{"card": card, "box": BOX} for card in sorted(set(cards))]


def signed_in(account: Any, *, second_factor: bool = True, now: datetime | None = None) -> Client:
    """A browser in which this person has given the password and, unless told otherwise, the second factor."""
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    if second_factor:
        device, _ = TOTPDevice.objects.get_or_create(user=account, name="authenticator", confirmed=True)
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()
    sessions.begin(session_key=session.session_key, account=account, label="Firefox on Linux", now=now or datetime.now(UTC))
    return client
