"""The cast. Who they are never changes between tests, nor do their keys: every seed follows from the person's name.

These keys are for tests alone; the demonstration has its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secure.ed25519 import public_bytes
from secure.sealing import xwing_public_key


@dataclass(frozen=True)
class Person:
    """`id` is also the sign-in name. `purpose` as in an enrolment: chair, focal_point, delegate or secretariat."""

    id: str
    name: str
    party: str
    purpose: str

    @property
    def password(self) -> str:
        return f"long pass phrase of {self.id}"

    @cached_property
    def key(self) -> Ed25519PrivateKey:
        """The account key."""
        return Ed25519PrivateKey.from_private_bytes(self.seed("account"))

    @property
    def account_key(self) -> bytes:
        return public_bytes(self.key)

    @property
    def account_seed(self) -> bytes:
        return self.seed("account")

    @property
    def xwing_seed(self) -> bytes:
        return self.seed("xwing")

    @cached_property
    def xwing_key(self) -> bytes:
        return xwing_public_key(self.xwing_seed)

    def device_key(self, number: int = 1) -> Ed25519PrivateKey:
        """The MLS signature key of their first, second, … device."""
        return Ed25519PrivateKey.from_private_bytes(self.seed(f"device {number}"))

    def seed(self, purpose: str) -> bytes:
        return hashlib.sha256(f"consult/tests/{self.id}/{purpose}".encode()).digest()


INDONESIA: Final = Person("indonesia", "Ratna Wijaya", "IDN", "chair")
AUSTRALIA: Final = Person("australia", "Margaret Ellis", "AUS", "chair")

THAILAND: Final = Person("thailand", "Somchai Rattanakul", "THA", "focal_point")
MYANMAR: Final = Person("myanmar", "Khin Thida Aung", "MMR", "focal_point")
BANGLADESH: Final = Person("bangladesh", "Farhana Rahman", "BGD", "focal_point")
NEW_ZEALAND: Final = Person("new_zealand", "Aroha Tamihana", "NZL", "focal_point")
IOM: Final = Person("iom", "Claire Dubois", "IOM", "focal_point")
UNHCR: Final = Person("unhcr", "Samuel Okello", "UNHCR", "focal_point")
FOCAL_POINTS: Final = (THAILAND, MYANMAR, BANGLADESH, NEW_ZEALAND, IOM, UNHCR)

THAI_HEAD: Final = Person("thai_head", "Anong Suwan", "THA", "delegate")
THAI_ADVISER: Final = Person("thai_adviser", "Prasert Chai", "THA", "delegate")
MYANMAR_HEAD: Final = Person("myanmar_head", "Min Zaw Oo", "MMR", "delegate")
BANGLADESH_HEAD: Final = Person("bangladesh_head", "Kamal Hossain", "BGD", "delegate")
BANGLADESH_OBSERVER: Final = Person("bangladesh_observer", "Nusrat Jahan", "BGD", "delegate")
NEW_ZEALAND_HEAD: Final = Person("new_zealand_head", "James Whitfield", "NZL", "delegate")
DELEGATES: Final = (THAI_HEAD, THAI_ADVISER, MYANMAR_HEAD, BANGLADESH_HEAD, BANGLADESH_OBSERVER, NEW_ZEALAND_HEAD)

OFFICER: Final = Person("officer", "Lena Hartono", "RSO", "secretariat")
CHAIR_STAFF: Final = Person("chair_staff", "Budi Santoso", "IDN", "delegate")
SUCCESSOR: Final = Person("successor", "Niran Boonmee", "THA", "focal_point")
"""Takes over as Thailand's focal point when a test has the key replaced."""
OUTSIDER: Final = Person("outsider", "Dato Rahim", "MYS", "focal_point")
"""Malaysia's focal point: a member, not invited."""

CAST: Final = (
    INDONESIA,
    AUSTRALIA,
    *FOCAL_POINTS,
    *DELEGATES,
    OFFICER,
    CHAIR_STAFF,
    SUCCESSOR,
    OUTSIDER,
)
