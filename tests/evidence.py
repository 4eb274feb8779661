"""A consultation on the record, witnessed by three states, and its evidence bundle: made by the product, taken apart by tests."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from django.db import transaction

from meetings import evidence, exporting
from meetings.evidence import Outcome, Verdict
from secure import chains
from secure.keys import LogKey, LogKeys, create_receipt_key
from secure.log import bundle_format as form
from secure.log import cosigning, events, policies, signer_state, store
from secure.log.archive import Members, Writer
from secure.log.disclosures import Personal
from secure.log.events import milliseconds
from secure.log.note import COSIGNATURE, ED25519, MLDSA, Verifier, split_note
from secure.log.policy_chain import write_numbered
from secure.log.signer import HeldSigner
from secure.log.signing import SigningKey
from secure.log.trust import Trust, read_trust
from tests.people import AUSTRALIA, BANGLADESH, BANGLADESH_HEAD, INDONESIA, THAI_HEAD, THAILAND, Person
from tests.secure.log.devices import Device, text
from tests.secure.log.logs import Log
from tests.stage import concurred
from tests.world import NOW, World

ORIGIN = "consult.test/log"
SIGNER = SigningKey(ORIGIN, ED25519, hashlib.sha256(b"log").digest())
MLDSA_SEED = hashlib.sha256(b"log, too").digest()
LOGS = (SIGNER.verifier, SigningKey(ORIGIN, MLDSA, MLDSA_SEED).verifier)
WITNESSES = tuple(
    SigningKey(f"witness.{party.lower()}.example", kind, hashlib.sha256(party.encode()).digest())
    for party, kind in (("IDN", COSIGNATURE), ("AUS", COSIGNATURE), ("THA", MLDSA))
)


def policy_lines(*witnesses: SigningKey, logs: tuple[Verifier, ...] = LOGS, k: int = 2) -> list[str]:
    names = [key.verifier.name for key in witnesses]
    rows = [f"witness {key.verifier.name} {key.verifier.vkey}" for key in witnesses]
    group = [f"group quorum {k} {' '.join(names)}", "quorum quorum"] if names else ["quorum none"]
    return [*(f"log {log.vkey}" for log in logs), *rows, *group]


def policy_text(number: int = 2, *, lines: list[str] | None = None) -> bytes:
    return write_numbered(number, origin=ORIGIN, lines=lines or policy_lines(*WITNESSES))


POLICY = policy_text()
"""Policy 2, which the story puts in force after the one that knows no witness."""


def cosigned(note: bytes, *, at: int, by: tuple[SigningKey, ...] = WITNESSES[:2]) -> bytes:
    """The note with cosignatures; `at` in seconds since 1970."""
    return note + b"".join(key.sign(split_note(note)[0], time=at) for key in by)


@dataclass
class Story:
    """The consultation on the server, step by step."""

    world: World
    room: str
    first: int = 0
    """the size of the first checkpoint that was cosigned"""

    @classmethod
    def told(cls, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Story:
        """Thailand's and Bangladesh's heads sit; two devices have written; two checkpoints, each cosigned five seconds later."""
        monkeypatch.setattr("tests.stage.LOG", SIGNER.verifier.vkey)
        monkeypatch.setattr("tests.world.make_log", lambda _folder, origin: kept_log(folder))
        stage = concurred()
        for party, head in ((THAILAND, THAI_HEAD), (BANGLADESH, BANGLADESH_HEAD)):
            stage.answer(party)
            stage.accredit(party, head)
            stage.undertake(head)
        world = World(stage)
        opened = world.stage.open_room()
        with transaction.atomic():
            chains.append(signed=opened, now=world.now)
        story = cls(world, opened.hash)
        world.sealed()
        story.adopt()
        story.first = story.sign()
        story.write(INDONESIA, THAI_HEAD, INDONESIA)
        with transaction.atomic():
            sought = [Personal("sought", "Anong", "sought-anong")]
            events.record_host(ns=story.inst, type="register.searched", data={"kind": "seats"}, at=world.now, names=sought)
        world.now += timedelta(minutes=5)
        story.sign()
        return story

    @property
    def inst(self) -> str:
        return self.world.stage.chains.installation[0].scope_name

    def write(self, *people: Person) -> None:
        """Each sends a message that names the newest checkpoint."""
        newest = store.published()
        assert newest is not None
        for person in people:
            device = Device()
            device.key, device.hash = person.device_key(), self.world.stage.devices[f"{person.id} 1"]
            device.public_key = device.key.public_key().public_bytes_raw()
            place = events.author_place(ns=self.room, client_hash=device.hash)
            raw = device.event(place, seen=[newest.size, text(newest.root)])
            with transaction.atomic():
                events.record_client(
                    raw=raw, client_hash=device.hash, public_key=device.public_key, at=self.world.now, expect_type="message.sent"
                )

    def adopt(self) -> None:
        snippets = [f"witness {key.verifier.name} {key.verifier.vkey}\n".encode() for key in WITNESSES]
        log = self.world.log
        proposed = policies.propose(witnesses=snippets, colluding=0, logs=log.verifiers, sign=log.signer.sign_policy)
        assert split_note(proposed)[0] == POLICY
        policies.adopt(proposed, endorsements=[], now=self.world.now)

    def sign(self, *, by: tuple[SigningKey, ...] = WITNESSES[:2]) -> int:
        """The sequencer seals, the log signs, two witnesses cosign five seconds later."""
        self.world.sealed()
        newest = store.published()
        assert newest is not None
        cosigning.take(cosigned(newest.note, at=milliseconds(self.world.now) // 1000 + 5, by=by), now=self.world.now)
        return newest.size

    def bundle(self, recipient: Person | None = None, *, pin: int | None = None) -> bytes:
        out = io.BytesIO()
        card = self.world.card(recipient) if recipient else None
        exporting.write(out, consultation_id=self.world.consultation, recipient=card, pin=pin)
        return out.getvalue()


def kept_log(folder: Path) -> Log:
    """A log whose keys the tests know too."""
    folder.mkdir(mode=0o700)
    signer_state.create(folder, origin=ORIGIN)
    ed25519 = LogKey(ORIGIN, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"log").digest()))
    keys = LogKeys(ed25519, MLDSA44PrivateKey.from_seed_bytes(MLDSA_SEED))
    receipts = create_receipt_key(folder / "receipt.key", origin=ORIGIN)
    return Log(folder, ORIGIN, HeldSigner(keys, folder, clock=lambda: NOW), receipts)


def story() -> Any:
    """A fixture for one module: the whole story once, undone after its last test."""

    @pytest.fixture(scope="module")
    def told(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
        whole = transaction.atomic()
        whole._from_testcase = True  # type: ignore[attr-defined]  # as Django's own TestCase says it, so that acts may be durable inside
        with pytest.MonkeyPatch.context() as monkeypatch, django_db_blocker.unblock(), whole:
            yield Story.told(monkeypatch, tmp_path_factory.mktemp("log") / "signer")
            transaction.set_rollback(True)

    return told


class Parts(dict[str, bytes]):
    """A bundle taken apart. `packed` puts it together again, with a manifest that fits: whoever tampers does that too."""

    @classmethod
    def of(cls, raw: bytes) -> Parts:
        return cls(Members(raw))

    def __repr__(self) -> str:
        return f"<{len(self)} files>"

    def packed(self, *, manifest: bool = True) -> bytes:
        if manifest:
            rows = sorted((name, hashlib.sha256(raw).hexdigest()) for name, raw in self.items() if name != form.MANIFEST)
            self.say(files=[list(row) for row in rows])
        out = io.BytesIO()
        writer = Writer(out)
        for name, raw in self.items():
            writer.add(name, [raw])
        writer.close()
        return out.getvalue()

    def say(self, **changes: object) -> None:
        """Changes members of the manifest."""
        value = {**json.loads(self[form.MANIFEST]), **changes}
        self[form.MANIFEST] = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def rows(self, name: str) -> dict[int, bytes]:
        return dict(form.records(self[name]))

    def put(self, name: str, rows: Mapping[int, bytes] | list[tuple[int, bytes]]) -> None:
        listed = rows if isinstance(rows, list) else sorted(rows.items())
        self[name] = b"".join(form.record(index, raw) for index, raw in listed)

    def change(self, name: str, index: int, change: Callable[[bytes], bytes]) -> None:
        rows = self.rows(name)
        changed = change(rows[index])
        assert changed != rows[index]
        self.put(name, {**rows, index: changed})

    @property
    def size(self) -> int:
        return int(json.loads(self[form.MANIFEST])["size"])

    def find(self, type: str, nth: int = 0) -> int:
        """The index of an event of this type."""
        found = [index for index, raw in self.rows(form.EVENTS).items() if json.loads(raw)["type"] == type]
        return found[nth]


def verified(raw: bytes, trust: Trust | None = None) -> Outcome:
    return evidence.verify(raw, trust or read_trust(POLICY))


def checks(outcome: Outcome) -> set[int]:
    return {fault.check for fault in outcome.findings.faults}


def said(outcome: Outcome) -> Any:
    found = outcome.findings
    return [*found.faults, *found.missing, *found.doubts]


__all__ = ["AUSTRALIA", "POLICY", "Parts", "Story", "Verdict", "checks", "cosigned", "said", "verified"]
