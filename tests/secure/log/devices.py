"""A device as another client would write it from docs/protocol.md: signs events, counts, and holds no code of ours but the encodings."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secure.log.events import AuthorPlace

NOTHING_SEEN = [0, base64.b64encode(hashlib.sha256().digest()).decode()]


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class Device:
    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.public_key = self.key.public_key().public_bytes_raw()
        self.hash = hashlib.sha256(self.public_key).hexdigest()

    def event(self, place: AuthorPlace, *, seen: list[object] | None = None, **changes: object) -> bytes:
        """A signed `message.sent`; `changes` replace members before signing."""
        salt = base64.b64decode(place.salt)
        event: dict[str, object] = {
            "v": 1,
            "id": text(secrets.token_bytes(16)),
            "ns": place.ns,
            "type": "message.sent",
            "src": "client",
            "at": 1790000000123,
            "data": {"ct_sha256": "ab" * 32, "ct_len": 300, "epoch": 1, "seq_id": "cd" * 16},
            "author": {
                "kid": text(hashlib.sha256(b"consult/kid/v1\n" + salt + self.public_key).digest()),
                "dseq": place.dseq,
                "dprev": place.dprev,
                "seen": seen or NOTHING_SEEN,
            },
        }
        author = event["author"]
        assert isinstance(author, dict)
        author |= {name: changes.pop(name) for name in list(changes) if name in author}
        event |= changes
        author["sig"] = text(self.key.sign(b"consult/event/v1\n" + canonical(event)))
        return canonical(event)
