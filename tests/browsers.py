"""Browsers of the cast, as far as accounts go: every step through the door a browser uses. `founded` is a house with both chairs."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client
from django_otp.oath import TOTP

from meetings import drafting, reading
from meetings.roster import stand
from secure import codes, enrolment, sealing, statements
from secure.codes import Code
from secure.ed25519 import public_bytes
from secure.statements import Signed, Statement, encode_signed
from tests.people import AUSTRALIA, INDONESIA, Person

LOG = "consult.test+9c3a1f0e+AQTmBzGTCmm6lKTBFv1rFB0oT3kXQ2mPmzn1S0s2l8yWkQ=="
RECOVERY_KEY = bytes(range(32))


def now() -> datetime:
    return datetime.now(UTC)


def six_digits(otpauth: str, *, ahead: int = 0) -> str:
    """What an authenticator shows for this address, `ahead` half minutes from now."""
    secret = parse_qs(urlsplit(otpauth).query)["secret"][0]
    totp = TOTP(base64.b32decode(secret + "=" * (-len(secret) % 8)), 30)
    totp.time = now().timestamp() + 30 * ahead
    return f"{totp.token():06d}"


class Browser:
    """One browser of one person: cookies, keys, the authenticator on the telephone beside it."""

    def __init__(self, person: Person, *, address: str = "198.51.100.7") -> None:
        self.person = person
        self.client = Client(REMOTE_ADDR=address)
        self.card = ""
        self.otpauth = ""
        self.recovery_codes: list[str] = []

    # ------------------------------------------------------------------------------------------------------------ plain doors

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.client.post(path, json.dumps(body), content_type="application/json")

    def put(self, path: str, body: dict[str, Any]) -> Any:
        return self.client.put(path, json.dumps(body), content_type="application/json")

    def get(self, path: str) -> Any:
        return self.client.get(path)

    def delete(self, path: str) -> Any:
        return self.client.delete(path)

    # -------------------------------------------------------------------------------------------------------------- enrolment

    def reserve(self, code: Code, **changes: str) -> Any:
        body = {"locator": code.locator, "sign_in_name": self.person.id, "password": self.person.password, **changes}
        answer = self.post("/api/enrolments/sign-in-details", body)
        if answer.status_code == 200:
            self.otpauth = answer.json()["otpauth"]
        return answer

    def application(self, code: Code) -> dict[str, Any]:
        """Card, first device and recovery box, made and signed as a browser makes them."""
        card, device = self.statements()
        recovery = sealing.Recovery(card.hash, self.person.account_seed, self.person.xwing_seed, card.statement.inst, 1)
        box = sealing.seal_recovery(recovery, recovery_key=RECOVERY_KEY)
        return {
            "locator": code.locator,
            "sign_in_name": self.person.id,
            "password": self.person.password,
            "totp": six_digits(self.otpauth) if self.otpauth else "000000",
            "card": encode_signed(card),
            "device": encode_signed(device),
            "label": "Firefox on Linux",
            "mac": code.mac(card.hash),
            "recovery": {"box": base64.b64encode(box).decode(), "number": 1},
            "key_packages": [],
            "last_resort": None,
        }

    def statements(self, *, party: str | None = None) -> tuple[Signed, Signed]:
        standing = stand(reading.read_chains())
        unsigned = drafting.draft_card(
            standing, account_key=self.person.account_key, xwing_key=self.person.xwing_key, party=party or self.person.party
        )
        card = statements.sign(unsigned, card=None, key=self.person.key)
        device = Statement(
            type="device.add",
            inst=card.statement.inst,
            scope=card.hash,
            n=1,
            prev=card.hash,
            up=card.statement.up,
            nonce=statements.new_nonce(),
            body={"signature_key": base64.b64encode(public_bytes(self.person.device_key())).decode()},
        )
        self.card = card.hash
        return card, statements.sign(device, card=card.hash, key=self.person.key)

    def enrol(self, code: Code) -> Any:
        assert self.reserve(code).status_code == 200
        answer = self.post("/api/enrolments/complete", self.application(code))
        if answer.status_code == 201:
            self.recovery_codes = answer.json()["recovery_codes"]
        return answer

    # ---------------------------------------------------------------------------------------------------------------- sign-in

    def give_password(self, password: str | None = None, *, path: str = "/sign-in") -> Any:
        return self.client.post(path, {"sign_in_name": self.person.id, "password": password or self.person.password})

    def give_code(self, code: str) -> Any:
        return self.client.post("/sign-in/code", {"code": code})

    def sign_in(self, code: str | None = None) -> Any:
        """With the next unused recovery code, since six digits cannot be used twice within half a minute."""
        self.give_password()
        return self.give_code(code or self.recovery_codes.pop())

    def is_in(self) -> bool:
        return self.get("/api/recovery").status_code == 200

    def elsewhere(self, *, address: str = "203.0.113.9") -> Browser:
        """Another browser of the same person, which nobody has used yet."""
        other = Browser(self.person, address=address)
        other.card, other.otpauth, other.recovery_codes = self.card, self.otpauth, self.recovery_codes
        return other

    # -------------------------------------------------------------------------------------------------------------- inviting

    def invite(self, person: Person, *, code: Code) -> Any:
        body = {"locator": code.locator, "purpose": person.purpose, "party": person.party, "name": person.name}
        return self.post("/api/enrolments", body)


class House:
    """An installation founded by both Co-Chairs, each signed in at their own browser."""

    def __init__(self) -> None:
        texts = enrolment.invite_chairs(indonesia_name=INDONESIA.name, australia_name=AUSTRALIA.name, now=now())
        self.indonesia, self.australia = Browser(INDONESIA), Browser(AUSTRALIA)
        for browser, text in zip((self.indonesia, self.australia), texts, strict=True):
            assert browser.enrol(codes.parse_code(str(text))).status_code == 201
        self.inst = self._found()

    def _found(self) -> str:
        chairs = {browser.person.party: browser.card for browser in (self.indonesia, self.australia)}
        root = self.both(drafting.draft_root(stand(reading.read_chains(also=chairs.values())), chairs=chairs, log=LOG))
        return statements.installation_name(root.statement.body)

    def both(self, unsigned: Statement, enclosed: dict[str, Any] | None = None) -> Signed:
        """Indonesia drafts, Australia signs too."""
        first, second = self.indonesia, self.australia
        signed = statements.sign(unsigned, card=first.card, key=INDONESIA.key)
        draft = first.post("/api/drafts", {**encode_signed(signed), "enclosed": enclosed or {}})
        assert draft.status_code == 201, draft.content
        both = statements.cosign(signed, card=second.card, key=AUSTRALIA.key)
        mark = base64.b64encode(dict(both.signatures)[second.card]).decode()
        answer = second.post(f"/api/drafts/{draft.json()['draft']}/sign", {"signature": [second.card, mark]})
        assert answer.status_code == 201, answer.content
        return both

    def code_for(self, person: Person, *, by: Browser | None = None) -> Code:
        code = codes.new_code(inst=self.inst)
        answer = (by or self.indonesia).invite(person, code=code)
        assert answer.status_code == 201, answer.content
        return code

    def admit(self, person: Person, *, by: Browser | None = None) -> Browser:
        """Invited, enrolled and signed in."""
        browser = Browser(person)
        answer = browser.enrol(self.code_for(person, by=by))
        assert answer.status_code == 201, answer.content
        return browser

    def focal_point(self, person: Person) -> Browser:
        browser = self.admit(person)
        standing = stand(reading.read_chains(also=[browser.card]))
        self.both(drafting.draft_party_key(standing, party=person.party, card=browser.card, former=None), {"wraps": []})
        return browser


def founded() -> House:
    return House()
