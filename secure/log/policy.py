"""Trust policies as C2SP tlog-policy writes them: which keys are a log's, who its witnesses are, and how many must agree. Pure.

The only error that leaves this file is `LogError`: `bad_policy`, or what `parse_vkey` raises for a key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from secure.log.errors import LogError
from secure.log.note import COSIGNATURE, ED25519, MLDSA, Verifier, parse_vkey

MAX_POLICY: Final = 200_000
MAX_MEMBERS: Final = 128
"""Logs, witnesses and groups in one policy, each; the format asks for at least 32."""
NONE: Final = "none"

_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_K = re.compile(r"[1-9][0-9]{0,2}")


@dataclass(frozen=True)
class Log:
    """A key under which checkpoints are accepted. Its name is the origin."""

    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True)
class Witness:
    """`name` has a meaning inside the policy only; the witness signs under the name of its key."""

    name: str
    verifier: Verifier
    url: str | None = None


@dataclass(frozen=True)
class Group:
    """Has agreed once at least `k` of its members have."""

    name: str
    k: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """A whole policy. `quorum` names a witness, a group, or `none`."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """Every key that may sign a checkpoint: logs, then witnesses."""
        return (*(each.verifier for each in self.logs), *(each.verifier for each in self.witnesses))

    def agreed_at(self, times: Mapping[Verifier, int]) -> int | None:
        """When the quorum was reached, if it was: the least time by which enough witnesses had agreed. 0 for `quorum none`.

        `times` are the times of the cosignatures that hold, by their keys.
        """
        if self.quorum == NONE:
            return 0
        reached: dict[str, int] = {each.name: times[each.verifier] for each in self.witnesses if each.verifier in times}
        for group in self.groups:  # members stand before their group
            agreed = sorted(reached[name] for name in group.members if name in reached)
            if len(agreed) >= group.k:
                reached[group.name] = agreed[group.k - 1]
        return reached.get(self.quorum)


@dataclass(frozen=True)
class Needed:
    """`k` of these must agree: each the name under which a witness signs, or again some of several."""

    k: int
    of: tuple[str | Needed, ...]


def needed(policy: Policy) -> Needed | None:
    """Whose agreement the quorum asks for. One witness with several keys counts as one; None for `quorum none`."""
    if policy.quorum == NONE:
        return None
    known: dict[str, str | Needed] = {each.name: each.verifier.name for each in policy.witnesses}
    for group in policy.groups:  # members stand before their group
        members = tuple(known[name] for name in group.members)
        known[group.name] = members[0] if isinstance(members[0], str) and len(set(members)) == 1 else Needed(group.k, members)
    found = known[policy.quorum]
    return Needed(1, (found,)) if isinstance(found, str) else found


def quorum_for(witnesses: int, colluding: int = 0) -> int:
    """How many of `witnesses` must agree so that a host with `colluding` of them on its side cannot show two different logs."""
    if not 0 <= colluding < witnesses:
        raise LogError("bad_policy")
    return (witnesses + colluding) // 2 + 1


def parse_policy(raw: bytes) -> Policy:
    """Reads a policy file. Names and addresses are octets to the format; what is not UTF-8 in them survives as surrogates."""
    if len(raw) > MAX_POLICY or not raw.endswith(b"\n") or _ALLOWED.fullmatch(raw) is None:
        raise LogError("bad_policy")
    reader = _Reader()
    for line in raw.decode("utf-8", "surrogateescape").split("\n"):
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            reader.read(words)
    return reader.done()


class _Reader:
    """One policy, line by line."""

    def __init__(self) -> None:
        self._logs: list[Log] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._defined: set[str] = set()
        self._member: set[str] = set()
        self._quorum: str | None = None

    def read(self, words: list[str]) -> None:
        kinds = {"log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum_line}
        read = kinds.get(words[0])
        if read is None:
            raise LogError("bad_policy")
        read(words[1:])

    def done(self) -> Policy:
        if self._quorum is None or max(len(self._logs), len(self._witnesses), len(self._groups)) > MAX_MEMBERS:
            raise LogError("bad_policy")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _log(self, words: list[str]) -> None:
        verifier = _key(words[:1], {ED25519, MLDSA})
        _once(verifier, [each.verifier for each in self._logs])
        self._logs.append(Log(verifier, _url(words[1:])))

    def _witness(self, words: list[str]) -> None:
        verifier = _key(words[1:2], {COSIGNATURE, MLDSA})
        _once(verifier, [each.verifier for each in self._witnesses])
        self._witnesses.append(Witness(self._new(words[0]), verifier, _url(words[2:])))

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise LogError("bad_policy")
        name, k, *members = words
        for member in members:
            if member not in self._defined or member in self._member:
                raise LogError("bad_policy")
            self._member.add(member)
        self._groups.append(Group(self._new(name), _threshold(k, len(members)), tuple(members)))

    def _quorum_line(self, words: list[str]) -> None:
        if self._quorum is not None or len(words) != 1 or words[0] not in self._defined | {NONE}:
            raise LogError("bad_policy")
        self._quorum = words[0]

    def _new(self, name: str) -> str:
        if name in self._defined or name == NONE:
            raise LogError("bad_policy")
        self._defined.add(name)
        return name


def _key(words: list[str], types: set[int]) -> Verifier:
    if not words:
        raise LogError("bad_policy")
    verifier = parse_vkey(words[0])
    if verifier.type not in types:
        raise LogError("bad_policy")
    return verifier


def _once(verifier: Verifier, known: list[Verifier]) -> None:
    """The same public key twice, under whatever name, is not allowed."""
    if verifier.public_key in [each.public_key for each in known]:
        raise LogError("bad_policy")


def _url(words: list[str]) -> str | None:
    if len(words) > 1:
        raise LogError("bad_policy")
    return words[0] if words else None


def _threshold(k: str, members: int) -> int:
    if k in {"any", "all"}:
        return 1 if k == "any" else members
    if _K.fullmatch(k) is None or int(k) > members:
        raise LogError("bad_policy")
    return int(k)
