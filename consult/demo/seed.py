"""What the demonstration begins with: an installation, its people, one consultation to propose and one ready to open.

Everything is signed and sealed by the product's own code, through the functions its doors call. People have cards and recovery
backups, and no device: a persona is not here until its browser has restored the keys and made a device of its own.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction

from consult.demo import texts
from consult.demo.cast import CAST, Persona
from consult.install import make_keys
from meetings import acts, board, convening, drafting, parties, reading, undertaking
from meetings.drafting import Invited
from meetings.roster import stand
from meetings.standing import Standing
from secure import accounts, cards, chains, codes, enrolling, enrolment, recovery, sealing, second_factor, statements
from secure.keys import load_vkeys
from secure.log import jcs
from secure.log.disclosures import Personal
from secure.statements import Signed, Statement

if TYPE_CHECKING:
    from secure.models import Account

KEYS = "personas.json"
PASSWORD = secrets.token_hex(16)
"""Nobody signs in with it: in the demonstration one walks in."""


@dataclass
class Player:
    """A persona's secrets, as only its own browser would hold them, while the seed is sown."""

    persona: Persona
    account: Account
    key: Ed25519PrivateKey
    xwing_seed: bytes
    recovery_key: bytes
    card: str

    @property
    def xwing_key(self) -> bytes:
        return sealing.xwing_public_key(self.xwing_seed)


def recovery_keys() -> dict[str, str]:
    """slug → the recovery key as printed. The demonstration hands each persona's browser its own."""
    found: dict[str, str] = json.loads((settings.CONSULT_DATA / KEYS).read_text(encoding="utf-8"))
    return found


def sow(*, now: datetime) -> None:
    """Sows once; a demonstration that has begun is left as it is."""
    if (settings.CONSULT_DATA / KEYS).is_file():
        return
    if not settings.CONSULT_LOG_VKEYS.is_file():
        make_keys(settings.ENV, origin=settings.CONSULT_ORIGIN)
    Sowing(now=now).sow()


class Sowing:
    """The acts in their order, each a minute after the one before."""

    def __init__(self, *, now: datetime) -> None:
        self.at = now - timedelta(hours=3)
        self.players: dict[str, Player] = {}
        self.sheets: dict[str, str] = {}
        self.inst: str | None = None

    def sow(self) -> None:
        self._enrol_chairs()
        self._found()
        for persona in CAST:
            if persona.purpose != "chair":
                self._enrol(persona)
        self._seal_draft()
        self._convene()
        path = settings.CONSULT_DATA / KEYS
        path.write_text(json.dumps(self.sheets, indent=1), encoding="utf-8")
        path.chmod(0o600)

    # ---------------------------------------------------------------------------------------------------------- people

    def _enrol_chairs(self) -> None:
        texts_of_codes = enrolment.invite_chairs(indonesia_name=CAST[0].name, australia_name=CAST[1].name, now=self._tick())
        for persona, text in zip(CAST[:2], texts_of_codes, strict=True):
            self._admit(persona, codes.parse_code(str(text)))

    def _enrol(self, persona: Persona) -> None:
        """Invited, enrolled, the card's mark checked, and named by whoever must name it."""
        inviter = self.players[str(persona.inviter)]
        code = codes.new_code(inst=self.inst)
        enrolment.invite(
            actor=inviter.account,
            locator=code.locator,
            purpose=persona.purpose,
            party=persona.party,
            name=persona.name,
            may_invite=lambda account, purpose, party: parties.may_invite(account=account, purpose=purpose, party=party),
            now=self._tick(),
        )
        player = self._admit(persona, code)
        if persona.purpose == "focal_point":
            self._both(drafting.draft_party_key(self._standing(), party=persona.party, card=player.card, former=None), {"wraps": []})
        elif persona.purpose == "secretariat":
            row = next(each for each in enrolment.invitations_of(inviter.account, now=self.at) if each.locator == code.locator)
            enrolment.confirm(
                actor=inviter.account,
                enrolment=row.id,
                card=player.card,
                now=self._tick(),
                then=lambda account: parties.confirm_officer(actor=inviter.account, account=account, now=self.at),
            )

    def _admit(self, persona: Persona, code: codes.Code) -> Player:
        """Account, card, recovery backup, second factor: all of an enrolment but the device."""
        key, xwing_seed, recovery_key = Ed25519PrivateKey.generate(), secrets.token_bytes(32), secrets.token_bytes(32)
        unsigned = drafting.draft_card(
            self._standing(),
            account_key=key.public_key().public_bytes_raw(),
            xwing_key=sealing.xwing_public_key(xwing_seed),
            party=persona.party,
        )
        signed = statements.sign(unsigned, card=None, key=key)
        hashed = accounts.hash_new_password(password=PASSWORD, sign_in_name=persona.slug, name=persona.name)
        with transaction.atomic():
            account = enrolling.use_code(
                code.locator, sign_in_name=persona.slug, hashed=hashed, mac=code.mac(signed.hash), now=self._tick()
            )
            reading.lawful(signed)
            chains.append(signed=signed, now=self.at, names=[Personal("person", account.name, signed.hash)], party=persona.party)
            cards.add_card(account=account, signed=signed)
            second_factor.add_authenticator(account=account, salt=second_factor.new_salt())
        player = Player(persona, account, key, xwing_seed, recovery_key, signed.hash)
        self.players[persona.slug] = player
        if self.inst:
            self._back_up(player)
        return player

    def _back_up(self, player: Player) -> None:
        """The recovery backup, bound to the installation."""
        seed = player.key.private_bytes_raw()
        backup = sealing.Recovery(card=player.card, account_seed=seed, xwing_seed=player.xwing_seed, inst=self.inst, number=1)
        recovery.keep(account=player.account, box=sealing.seal_recovery(backup, recovery_key=player.recovery_key), number=1, now=self.at)
        self.sheets[player.persona.slug] = sealing.format_recovery_key(player.recovery_key)

    # ------------------------------------------------------------------------------------------------------------ acts

    def _found(self) -> None:
        log = load_vkeys(settings.CONSULT_LOG_VKEYS, origin=settings.CONSULT_ORIGIN)[0].vkey
        chairs = {player.persona.party: player.card for player in self.players.values()}
        accounts_of_chairs = reading.read_chains(also=chairs.values())
        root = self._both(drafting.draft_root(stand(accounts_of_chairs), chairs=chairs, log=log), {})
        self.inst = statements.installation_name(root.statement.body)
        for player in self.players.values():
            self._back_up(player)

    def _seal_draft(self) -> None:
        """The proposal of 13 October 2017, written and not signed: Indonesia's own."""
        author = self.players["indonesia"]
        box = sealing.wrap(public_key=author.xwing_key, purpose="draft", plaintext=jcs.encode(texts.draft(undertaking.CURRENT_SHA256)))
        convening.keep_draft(account=author.account, draft=secrets.token_hex(16), box=box, now=self._tick())

    def _convene(self) -> None:
        """Proposed, concurred, answered, accredited and undertaken: all but opened."""
        sealed = sealing.seal_text(texts.VESSEL)
        proposed = self._one(
            "australia",
            drafting.draft_propose(
                self._standing(),
                reference="CM-2017-02",
                level="senior_officials",
                urgency="immediate",
                composition=[Invited(party, capacity) for party, capacity in texts.COMPOSITION],
                brief=drafting.Sealed(sealed.sha256, sealed.commitment),
                marking="Confidential to seated parties",
                retention_years=5,
                undertaking=undertaking.CURRENT_SHA256,
            ),
            {"brief": _base64(sealed.ciphertext), "wraps": self._wraps(sealed.key, "indonesia", "australia")},
        )
        consultation = proposed.hash
        focal_points = ["thailand", "newzealand", "iom", "unhcr", "myanmar", "bangladesh"]
        self._one("indonesia", drafting.draft_concur(self._standing(consultation)), {"wraps": self._wraps(sealed.key, *focal_points)})
        for slug in focal_points:
            party = self.players[slug].persona.party
            board.mark_reached(account=self.players[slug].account, consultation_id=consultation, now=self._tick())
            self._one(slug, drafting.draft_answer(self._standing(consultation), party=party, answer="accept"), {})
        for slug, delegate in texts.VESSEL_HEADS.items():
            party, card = self.players[slug].persona.party, self.players[delegate].card
            standing = self._standing(consultation, card)
            act = drafting.draft_accredit(standing, party=party, card=card, capacity="head")
            self._one(slug, act, {"wraps": self._wraps(sealed.key, delegate)})
            self._one(delegate, drafting.draft_undertaking(self._standing(consultation), card=card), {})

    def _one(self, slug: str, unsigned: Statement, enclosed: dict[str, object]) -> Signed:
        player = self.players[slug]
        signed = statements.sign(unsigned, card=player.card, key=player.key)
        acts.submit(actor=player.account, signed=signed, enclosed=enclosed, now=self._tick())
        return signed

    def _both(self, unsigned: Statement, enclosed: dict[str, object]) -> Signed:
        """An act of both Co-Chairs: Indonesia drafts, Australia signs too."""
        first, second = self.players["indonesia"], self.players["australia"]
        signed = statements.sign(unsigned, card=first.card, key=first.key)
        draft = acts.begin(actor=first.account, signed=signed, enclosed=enclosed, now=self._tick())
        both = statements.cosign(signed, card=second.card, key=second.key)
        acts.second(actor=second.account, draft=draft, signature=(second.card, dict(both.signatures)[second.card]), now=self._tick())
        return both

    def _wraps(self, key: bytes, *slugs: str) -> list[dict[str, str]]:
        """The brief's key, sealed to each one's card. Somebody may be named twice and is served once."""
        readers = {self.players[slug].card: self.players[slug] for slug in slugs}
        return [
            {"card": card, "box": _base64(sealing.wrap(public_key=player.xwing_key, purpose="brief", plaintext=key))}
            for card, player in readers.items()
        ]

    def _standing(self, consultation: str | None = None, *also: str) -> Standing:
        return stand(reading.read_chains(consultation, also=also))

    def _tick(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
