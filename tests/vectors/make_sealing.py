"""Writes tests/vectors/sealing.json: what Python seals, to be opened (or made again, where nothing is random) by the browser's code.

    python -m tests.vectors.make_sealing

Wraps hold fresh randomness, so running it again gives other boxes which must open just the same. The browser's side of the same
vectors is hpke.json, made by consult/browser/tests/make_vectors.ts.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from secure import sealing

TARGET = Path(__file__).with_name("sealing.json")
ROOM = "ab" * 32
# draft-connolly-cfrg-xwing-kem, appendix C, first vector: the seed, and how its public key begins.
DRAFT_SEED = "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"
DRAFT_PUBLIC_KEY_BEGINS = "e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5b19cfc3d"


def octets(label: str, length: int = 32) -> bytes:
    """Fixed bytes that are nobody's key."""
    return hashlib.shake_256(f"consult test {label}".encode()).digest(length)


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def briefs() -> list[dict[str, object]]:
    values: list[dict[str, object]] = [
        {"subject": "Haze", "situation": "ไฟป่า — ទឹកជំនន់ — မီး", "agenda": ["Situation", "Next steps"]},
        {"reason": ""},
        {"reason": "x" * 240},
        {"reason": "x" * 241},
    ]
    vectors: list[dict[str, object]] = []
    for index, value in enumerate(values):
        sealed = sealing.seal_text(value, key=octets(f"brief {index}"))
        vectors.append(
            {
                "value": value,
                "key": b64(sealed.key),
                "ciphertext": b64(sealed.ciphertext),
                "sha256": sealed.sha256,
                "commitment": b64(sealed.commitment),
            }
        )
    return vectors


def recoveries() -> list[dict[str, object]]:
    vectors: list[dict[str, object]] = []
    for inst, number in ((None, 1), ("12" * 32, 7)):
        key, nonce = octets(f"recovery {number}"), octets(f"nonce {number}", 12)
        recovery = sealing.Recovery("cd" * 32, octets("account"), octets("card"), inst, number)
        vectors.append(
            {
                "recovery_key": b64(key),
                "text": sealing.format_recovery_key(key),
                "nonce": b64(nonce),
                "card": recovery.card,
                "account_seed": b64(recovery.account_seed),
                "xwing_seed": b64(recovery.xwing_seed),
                "inst": inst,
                "number": number,
                "box": b64(sealing.seal_recovery(recovery, recovery_key=key, nonce=nonce)),
            }
        )
    return vectors


def wraps() -> dict[str, object]:
    seed = octets("card")
    public_key = sealing.xwing_public_key(seed)
    keys = {3: octets("epoch 3"), 4: octets("epoch 4"), 6: octets("epoch 6")}
    plaintext = octets("brief 0")
    return {
        "seed": b64(seed),
        "public_key": b64(public_key),
        "brief": {
            "plaintext": b64(plaintext),
            "box": b64(sealing.wrap(public_key=public_key, purpose="brief", plaintext=plaintext)),
        },
        "ring": {
            "room": ROOM,
            "epoch": 3,
            "key": b64(keys[3]),
            "box": b64(sealing.seal_ring_entry(room=ROOM, epoch=3, key=keys[3], public_key=public_key)),
        },
        "history": {
            "from": 3,
            "to": 6,
            "keys": [{"epoch": epoch, "key": b64(key)} for epoch, key in keys.items()],
            "box": b64(sealing.seal_history(keys=keys, public_key=public_key)),
        },
    }


def main() -> None:
    vectors = {
        "source": "tests/vectors/make_sealing.py",
        "xwing": {"seed": DRAFT_SEED, "public_key_begins": DRAFT_PUBLIC_KEY_BEGINS},
        "briefs": briefs(),
        "recoveries": recoveries(),
        "wraps": wraps(),
    }
    TARGET.write_text(json.dumps(vectors, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
