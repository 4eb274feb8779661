"""Chains without a server: people sign, the product's own rules judge, the stage keeps. Same bytes in every run."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

from meetings import drafting
from meetings.drafting import Invited, Sealed
from meetings.judging import judge
from meetings.roster import Chains, stand
from meetings.standing import Standing
from meetings.statements import TABLE, Chain
from secure import statements
from secure.ed25519 import public_bytes
from secure.statements import Signed, Statement
from tests.people import AUSTRALIA, CAST, FOCAL_POINTS, INDONESIA, OUTSIDER, Person

LOG = "consult.test+9c3a1f0e+AQTmBzGTCmm6lKTBFv1rFB0oT3kXQ2mPmzn1S0s2l8yWkQ=="
UNDERTAKING = hashlib.sha256(b"I keep confidential what is said here.").hexdigest()
MANIFEST = hashlib.sha256(b"what will be destroyed").hexdigest()
COMPOSITION = (
    Invited("IDN", "chair"),
    Invited("AUS", "chair"),
    Invited("THA", "steering_group"),
    Invited("NZL", "steering_group", "joining"),
    Invited("IOM", "steering_group"),
    Invited("UNHCR", "steering_group"),
    Invited("MMR", "affected"),
    Invited("BGD", "affected", "sitting:2"),
)


def sealed(text: str) -> Sealed:
    """The name of a sealed text nobody will open."""
    return Sealed(hashlib.sha256(text.encode()).hexdigest(), hashlib.sha256(b"commitment" + text.encode()).digest())


class Stage:
    """`salt` makes another world of the same people: other nonces, so another installation and other cards."""

    def __init__(self, salt: str = "stage") -> None:
        self.salt = salt
        self.chains = Chains()
        self.cards: dict[str, str] = {}
        self.devices: dict[str, str] = {}
        self.made = 0

    def copy(self) -> Stage:
        other = Stage(self.salt)
        other.chains, other.made = self.chains, self.made
        other.cards, other.devices = dict(self.cards), dict(self.devices)
        return other

    @property
    def standing(self) -> Standing:
        return stand(self.chains)

    def card(self, person: Person) -> str:
        return self.cards[person.id]

    def sign(self, statement: Statement, *people: Person) -> Signed:
        """Signed by these people with a nonce that is the same in every run; not put into its chain."""
        self.made += 1
        nonce = hashlib.sha256(f"{self.salt}/{self.made}".encode()).digest()[:16]
        drafted = replace(statement, nonce=base64.b64encode(nonce).decode())
        first, *others = people
        signed = statements.sign(drafted, card=None if drafted.type == "account.card" else self.card(first), key=first.key)
        for person in others:
            signed = statements.cosign(signed, card=self.card(person), key=person.key)
        return signed

    def put(self, signed: Signed) -> Signed:
        """Into its chain, if the rules allow."""
        judge(self.standing, signed)
        self.chains = grown(self.chains, signed)
        return signed

    def act(self, statement: Statement, *people: Person) -> Signed:
        return self.put(self.sign(statement, *people))

    # ------------------------------------------------------------------------------------------------------------ acts, in short

    def enrol(self, person: Person, *, devices: int = 1) -> str:
        drafted = drafting.draft_card(self.standing, account_key=person.account_key, xwing_key=person.xwing_key, party=person.party)
        signed = self.act(drafted, person)
        self.cards[person.id] = signed.hash
        for number in range(1, devices + 1):
            self.add_device(person, number)
        return signed.hash

    def add_device(self, person: Person, number: int) -> str:
        key = public_bytes(person.device_key(number))
        signed = self.act(drafting.draft_device_add(self.standing, card=self.card(person), signature_key=key), person)
        self.devices[f"{person.id} {number}"] = signed.hash
        return signed.hash

    def found(self) -> Signed:
        for chair in (INDONESIA, AUSTRALIA):
            self.enrol(chair)
        chairs = {person.party: self.card(person) for person in (INDONESIA, AUSTRALIA)}
        return self.act(drafting.draft_root(self.standing, chairs=chairs, log=LOG), INDONESIA, AUSTRALIA)

    def both(self, statement: Statement) -> Signed:
        return self.act(statement, INDONESIA, AUSTRALIA)

    def focal_point(self, person: Person, former: str | None = None) -> Signed:
        return self.both(drafting.draft_party_key(self.standing, party=person.party, card=self.card(person), former=former))

    def propose(self, proposer: Person = INDONESIA) -> Signed:
        drafted = drafting.draft_propose(
            self.standing,
            reference="BP/CM/2017/1",
            level="senior_officials",
            urgency="urgent",
            composition=COMPOSITION,
            brief=sealed("brief"),
            marking="Confidential",
            retention_years=10,
            undertaking=UNDERTAKING,
        )
        return self.act(drafted, proposer)

    def concur(self) -> Signed:
        return self.act(drafting.draft_concur(self.standing), AUSTRALIA)

    def answer(self, person: Person, answer: str = "accept") -> Signed:
        return self.act(drafting.draft_answer(self.standing, party=person.party, answer=answer), person)

    def accredit(self, by: Person, person: Person, capacity: str = "head") -> Signed:
        drafted = drafting.draft_accredit(self.standing, party=by.party, card=self.card(person), capacity=capacity)
        return self.act(drafted, by)

    def withdraw(self, by: Person, person: Person) -> Signed:
        return self.act(drafting.draft_withdraw(self.standing, party=by.party, card=self.card(person)), by)

    def undertake(self, person: Person) -> Signed:
        return self.act(drafting.draft_undertaking(self.standing, card=self.card(person)), person)

    def seat(self, person: Person, capacity: str = "secretariat") -> Signed:
        return self.both(drafting.draft_seat(self.standing, card=self.card(person), capacity=capacity))

    def unseat(self, person: Person) -> Signed:
        return self.both(drafting.draft_unseat(self.standing, card=self.card(person)))

    def exclude(self, person: Person, device: str | None = None) -> Signed:
        return self.both(drafting.draft_exclude(self.standing, card=self.card(person), device=device))

    def dispose(self, basis: str = "agreed_early", manifest: str = MANIFEST) -> Signed:
        return self.both(drafting.draft_dispose(self.standing, basis=basis, manifest=manifest))

    def open_room(self, chair: Person = INDONESIA) -> Signed:
        return self.act(drafting.draft_room_open(self.standing), chair)


def grown(chains: Chains, signed: Signed) -> Chains:
    """The chains with one statement more, judged or not."""
    name = signed.scope_name
    match TABLE[signed.statement.type].chain:
        case Chain.INSTALLATION:
            return replace(chains, installation=(*chains.installation, signed))
        case Chain.ACCOUNT:
            return replace(chains, accounts={**chains.accounts, name: (*chains.accounts.get(name, ()), signed)})
        case Chain.CONSULTATION:
            return replace(chains, consultation=(*chains.consultation, signed))
        case Chain.ROOM:
            return replace(chains, rooms={**chains.rooms, name: (signed,)})


def installed(salt: str = "stage") -> Stage:
    """Founded by both chairs; everybody has a card; each invited party, and Malaysia, has its focal point."""
    stage = Stage(salt)
    stage.found()
    for person in CAST[2:]:
        stage.enrol(person)
    for person in (*FOCAL_POINTS, OUTSIDER):
        stage.focal_point(person)
    return stage


def proposed() -> Stage:
    """Indonesia has proposed the consultation of 13 October 2017; Australia has not answered."""
    stage = installed()
    stage.propose()
    return stage


def concurred() -> Stage:
    """Australia has concurred; nobody has answered the invitation."""
    stage = proposed()
    stage.concur()
    return stage
