"""Everything the bottom layer keeps. Importable only from `secure` itself."""

from secure.models.delivery import (
    Blob,
    BlobChunk,
    Departure,
    Handshake,
    HistoryGrant,
    KeyPackage,
    Room,
    RoomItem,
    RoomLeaf,
    Welcome,
)
from secure.models.identity import (
    Account,
    Card,
    Client,
    Draft,
    Enrolment,
    RecoveryBox,
    RingEntry,
    SealedText,
    SignInFailures,
    SignInSession,
    StatementRow,
    Wrap,
)
from secure.models.log import *  # noqa: F403

__all__ = [
    "Account",
    "Blob",
    "BlobChunk",
    "Card",
    "Client",
    "Departure",
    "Draft",
    "Enrolment",
    "Handshake",
    "HistoryGrant",
    "KeyPackage",
    "RecoveryBox",
    "RingEntry",
    "Room",
    "RoomItem",
    "RoomLeaf",
    "SealedText",
    "SignInFailures",
    "SignInSession",
    "StatementRow",
    "Welcome",
    "Wrap",
]
