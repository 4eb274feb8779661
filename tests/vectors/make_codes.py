"""Writes codes.json: enrolment codes, their locators and marks, and card fingerprints. Run as `python -m tests.vectors.make_codes`.

The derived values were computed here by `secure/codes.py` and are checked by both sides' tests; the mistyped texts are written by hand.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from secure.codes import HALF, Code, fingerprint, in_groups, parse_code, to_crockford
from secure.errors import BadInput

FILE = Path(__file__).with_name("codes.json")
INST = hashlib.sha256(b"an installation").hexdigest()
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CARD = hashlib.sha256(b"a card").hexdigest()


def code(secret: bytes, inst: str | None) -> dict[str, Any]:
    made = Code(secret, bytes.fromhex(inst)[:HALF] if inst else None)
    return {
        "secret": secret.hex(),
        "inst": inst,
        "text": made.text,
        "locator": made.locator,
        "card": CARD,
        "mac": made.mac(CARD),
    }


def spellings(text: str) -> list[str]:
    """What a person may type for the same code."""
    return [
        text,
        text.lower(),
        text.replace("-", ""),
        text.replace("-", " "),
        f"  {text}\n",
        text.replace("0", "O").replace("1", "l"),
        text.replace("0", "o").replace("1", "I"),
    ]


def mistyped(text: str) -> dict[str, str]:
    body = bytes(range(2 * HALF))
    wrong_sum = in_groups(to_crockford(body + bytes([hashlib.sha256(b"consult/code/v1\n" + body).digest()[0] ^ 1])))
    other = "Z" if text[0] != "Z" else "Y"
    return {
        "nothing": "",
        "one character short": text[:-1],
        "one character more": text + "0",
        "another first character": other + text[1:],
        "two characters exchanged": text[3] + text[1:3] + text[0] + text[4:],
        "a letter that is none": "U" + text[1:],
        "a wrong checksum": wrong_sum,
        "letters of another script": "Ж" + text[1:],
        "filling bits set": text[:-1] + to_crockford(bytes([(DIGITS.index(text[-1]) | 1) << 3]))[0],
    }


def text() -> str:
    codes = [
        code(bytes(range(HALF)), INST),
        code(b"\xff" * HALF, INST),
        code(hashlib.sha256(b"chair").digest()[:HALF], None),
    ]
    typed = codes[0]["text"]
    value = {
        "source": "tests/vectors/make_codes.py",
        "codes": codes,
        "spellings": {"text": typed, "typed": spellings(typed)},
        "mistyped": mistyped(typed),
        "fingerprints": {card: fingerprint(card) for card in (CARD, INST, "00" * 32, "ff" * 32)},
    }
    assert all(parse_code(spelt) == parse_code(typed) for spelt in spellings(typed))
    for wrong in mistyped(typed).values():
        with pytest.raises(BadInput):
            parse_code(wrong)
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
