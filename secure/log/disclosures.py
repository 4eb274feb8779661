"""Personal values of the record, boxed: the event holds a salted digest, the row beside it a box, the keys lie in the shred store.

box = nonce (12 bytes) ‖ AES-256-GCM of JCS [salt, name, value], associated data = the digest as it stands in `_sd`, under
HKDF-SHA-256(subject key ‖ scope key, info = `consult/disclosure/v1` ‖ event id). The subject is the person, the scope the event's
namespace: either key gone, the value is gone (docs/decisions/0024-names-are-boxes.md).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from secure.log import jcs
from secure.log.encoding import b64, disclosure_digest, parse_event, unb64
from secure.log.errors import LogError
from secure.log.shred import ShredStore
from secure.models import Disclosure, LogEvent

if TYPE_CHECKING:
    from secure.log.encoding import Event
    from secure.models import Account, Enrolment

INFO: Final = b"consult/disclosure/v1\n"
NONCE: Final = 12
SALT: Final = 32


@dataclass(frozen=True)
class Personal:
    """A value that tells of a person. `name` says what it is; `subject`, whose: see `subject_of` and `invited_subject`."""

    name: str
    value: str
    subject: str


@dataclass(frozen=True)
class Boxed:
    """A personal value with the digest by which its event holds it."""

    personal: Personal
    salt: bytes
    digest: str


@dataclass(frozen=True)
class Opened:
    """What a row says today. `name` None: its keys are gone, or not those it was boxed with. `digest` is the row's own word;
    `holds`, whether the event says the same of what was opened."""

    event_id: int
    digest: str
    subject: str
    name: str | None = None
    value: str = ""
    holds: bool = True
    salt: bytes = b""


def shred_store() -> ShredStore:
    return ShredStore(settings.CONSULT_SHRED)


def subject_of(account: Account) -> str:
    """The person's name in the record that is no personal data: the card; before there is one, the number of the row."""
    card = account.cards.filter(current=True).values_list("hash", flat=True).first()
    return str(card) if card else f"account-{account.pk}"


def invited_subject(row: Enrolment) -> str:
    """Somebody who was invited: by the card once there is one, until then by the invitation."""
    return subject_of(row.account) if row.account else row.id


def subjects_of(account: Account) -> list[str]:
    """Every name the person has had in the record: cards, the invitation, the row."""
    cards = account.cards.order_by("hash").values_list("hash", flat=True)
    invitation = [account.enrolment.id] if hasattr(account, "enrolment") else []
    return [*cards, *invitation, f"account-{account.pk}"]


def boxed(names: Iterable[Personal]) -> list[Boxed]:
    """Values with fresh salts: what `_sd` will hold. Two of one event may say the same; their salts differ."""
    made = []
    for each in names:
        salt = secrets.token_bytes(SALT)
        made.append(Boxed(each, salt, disclosure_digest(salt=salt, name=each.name, value=each.value)))
    return made


def keep(values: Sequence[Boxed], *, event: LogEvent, event_id: bytes) -> None:
    """The rows beside the event. Inside the transaction of the act."""
    rows = [
        Disclosure(
            event=event, digest=each.digest, subject=each.personal.subject, box=box_of(each, tag=event.namespace_id, event_id=event_id)
        )
        for each in values
    ]
    Disclosure.objects.bulk_create(rows)


def box_of(each: Boxed, *, tag: str, event_id: bytes) -> bytes:
    """The value in its box; keys that are not there yet are made."""
    store = shred_store()
    subject, scope = store.make(_subject_name(each.personal.subject)), store.make(_scope_name(tag))
    return _seal(_key(subject, scope, event_id), each)


def opened(rows: Iterable[Disclosure]) -> list[Opened]:
    """Opens what can be opened. Rows come with their events loaded; keys are read once for all."""
    store, held = shred_store(), dict[str, bytes | None]()

    def key(name: str) -> bytes | None:
        if name not in held:
            held[name] = store.key(name)
        return held[name]

    return [_open(row, key(_subject_name(row.subject)), key(_scope_name(row.event.namespace_id))) for row in rows]


def shred_subject(subject: str) -> bool:
    """The person's key goes: every value that tells of the person, in every copy. False if it was gone."""
    return shred_store().shred(_subject_name(subject))


def shred_scope(tag: str) -> bool:
    """The namespace's key goes, and with it every value boxed in it."""
    return shred_store().shred(_scope_name(tag))


def _open(row: Disclosure, subject: bytes | None, scope: bytes | None) -> Opened:
    try:
        event = parse_event(bytes(row.event.body))
    except LogError:
        return Opened(row.event_id, row.digest, row.subject)
    digests = event.data.get("_sd", [])
    held = isinstance(digests, list) and row.digest in digests
    found = _contents(row, event, subject, scope)
    if found is None:
        return Opened(row.event_id, row.digest, row.subject, holds=held)
    salt, name, value = found
    held = held and disclosure_digest(salt=salt, name=name, value=value) == row.digest
    return Opened(row.event_id, row.digest, row.subject, name, value, held, salt)


def _contents(row: Disclosure, event: Event, subject: bytes | None, scope: bytes | None) -> tuple[bytes, str, str] | None:
    """Salt, name and value; None if a key is gone or is not the one it was boxed with."""
    if subject is None or scope is None:
        return None
    try:
        return _unseal(_key(subject, scope, event.id), bytes(row.box), row.digest)
    except (InvalidTag, LogError):
        return None


def _seal(key: bytes, each: Boxed) -> bytes:
    nonce = secrets.token_bytes(NONCE)
    plain = jcs.encode([b64(each.salt), each.personal.name, each.personal.value])
    return nonce + AESGCM(key).encrypt(nonce, plain, each.digest.encode())


def _unseal(key: bytes, box: bytes, digest: str) -> tuple[bytes, str, str]:
    if len(box) <= NONCE:
        raise InvalidTag
    value = jcs.decode(AESGCM(key).decrypt(box[:NONCE], box[NONCE:], digest.encode()))
    if not isinstance(value, list) or len(value) != 3 or not all(isinstance(each, str) for each in value):
        raise InvalidTag
    salt, name, told = cast("list[str]", value)
    return unb64(salt, SALT), name, told


def _key(subject: bytes, scope: bytes, event_id: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=INFO + event_id).derive(subject + scope)


def _subject_name(subject: str) -> str:
    return f"subject-{subject}"


def _scope_name(tag: str) -> str:
    return f"scope-{tag}"
