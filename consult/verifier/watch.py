"""Watches a log as it is served: each round fetches its checkpoint and demands that it goes on from the one kept before.

The proof is computed here from tiles (C2SP tlog-tiles), so any log that serves them can be watched. Two trees that do not follow one
another are kept beside the state file, signatures and all: that is the evidence of a fork.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from meetings.evidence import Verdict
from meetings.report import VERDICTS
from secure.errors import Refusal
from secure.log import jcs
from secure.log.encoding import b64, natural, unb64
from secure.log.entries import Fault
from secure.log.errors import LogError
from secure.log.merkle import HASH_BYTES, prove_consistency, verify_consistency
from secure.log.note import MAX_NOTE
from secure.log.tiles import WIDTH, Subtrees, TilePlace, tile_path, width_at
from secure.log.tree_head import TreeHead
from secure.log.trust import Judged, Trust, is_witnessed, judge, newest_policy
from secure.witness import web

FRESH = 15 * 60_000
"""ms: witnesses sign at least every ten minutes, also when nothing happens."""
MOST_POLICIES = 64
"""After the one that is kept: whoever is further behind keeps a newer one first."""
CHECKPOINT, PIN, FRESHNESS, QUORUM = 11, 18, 23, 22

Fetch = Callable[[str, int], bytes]
"""`fetch(path, most)`: the bytes served under the log's address; raises `OSError`."""


@dataclass
class Seen:
    """One round."""

    verdict: Verdict = Verdict.UNREADABLE
    size: int = 0
    root: bytes = b""
    faults: list[Fault] = field(default_factory=list)
    doubts: list[Fault] = field(default_factory=list)
    note: bytes = b""
    why: str = ""


@dataclass(frozen=True)
class Kept:
    """The last tree that was accepted."""

    head: TreeHead
    note: str


def rounds(url: str, *, trust: Trust, state: Path, every: float, times: int) -> Iterator[Seen]:
    """At most `times` rounds; ends at once when the log was tampered with. A host that cannot be reached is asked again next time."""
    fetch = fetching(url)
    for turn in range(max(times, 1)):
        if turn:
            time.sleep(every)
        seen = look(fetch, trust=trust, state=state, now=int(time.time() * 1000))
        yield seen
        if seen.verdict is Verdict.TAMPERED:
            return


def look(fetch: Fetch, *, trust: Trust, state: Path, now: int) -> Seen:
    """One round; `now` in ms. Keeps the new tree in `state` if it is accepted.

    Raises `OSError` if the state file cannot be read or written.
    """
    seen = Seen()
    kept = _read_state(state)
    try:
        seen.note = fetch("checkpoint", MAX_NOTE)
        trust = _in_force(seen, trust, fetch)
        judged = _judge(seen, trust)
        if judged is not None:
            _compare(seen, judged, kept, trust, fetch)
            _anchor(seen, _witnessed(seen, judged, trust, fetch), trust, now)
    except OSError as error:
        seen.why = f"The log cannot be reached: {error}."
        return seen
    seen.verdict = Verdict.TAMPERED if seen.faults else Verdict.UNANCHORED if seen.doubts else Verdict.VERIFIED
    if seen.verdict is Verdict.TAMPERED:
        _keep_evidence(state, seen, kept)
    elif judged is not None and (kept is None or judged.head.size >= kept.head.size):
        _write_state(state, Kept(judged.head, seen.note.decode()))
    return seen


def words(seen: Seen) -> Iterator[str]:
    if seen.why:
        yield seen.why
    for kind, faults in (("FAULT", seen.faults), ("NOT SHOWN", seen.doubts)):
        yield from (f"{kind} (check {fault.check}) {fault.where}: {fault.what}." for fault in faults)
    if seen.size:
        yield f"The log has {seen.size} entries. Root: {b64(seen.root)}"
    heading, meaning = VERDICTS[seen.verdict]
    yield f"{heading.upper()}: {meaning}" if not seen.why else "NOT CHECKED"


def fetching(url: str) -> Fetch:
    """Asks the installation at this address, and no other."""
    base = url.rstrip("/") + "/log/"

    def fetch(path: str, most: int) -> bytes:
        try:
            answer = web.fetch(base + path)
        except web.UnreachableError as error:
            raise OSError(str(error)) from error
        if answer.status != 200:
            raise OSError(f"it answers {answer.status}")
        if len(answer.body) > most:
            raise OSError("it answers with too much")
        return answer.body

    return fetch


def _in_force(seen: Seen, trust: Trust, fetch: Fetch) -> Trust:
    """With the policy that those which the log serves lead to from the one that is kept (check 21)."""
    if trust.numbered is None:
        return trust
    notes: dict[int, bytes] = {}
    for number in range(trust.numbered.number + 1, trust.numbered.number + 1 + MOST_POLICIES):
        try:
            notes[number] = fetch(f"policy/{number}", MAX_NOTE)
        except OSError:
            break
    policy, _genuine, faults = newest_policy(trust, notes)
    seen.faults += faults
    return replace(trust, policy=policy)


def _judge(seen: Seen, trust: Trust) -> Judged | None:
    try:
        judged = judge(seen.note, trust.policy) if trust.policy else None
    except LogError:
        judged = None
    if judged is None or not judged.signed:
        seen.faults.append(Fault(CHECKPOINT, "the checkpoint", "the log of your policy has not signed it"))
        return None
    seen.size, seen.root = judged.head.size, judged.head.root
    return judged


def _compare(seen: Seen, judged: Judged, kept: Kept | None, trust: Trust, fetch: Fetch) -> None:
    """The new tree begins with the one that was kept, and with the pin."""
    former = [kept.head] if kept else []
    if trust.pin:
        former.append(TreeHead(judged.head.origin, *trust.pin))
    for head in former:
        where = f"the tree of {head.size} entries"
        if head.origin != judged.head.origin:
            seen.faults.append(Fault(PIN, where, "it is another log's than the one you keep"))
        elif head.size > judged.head.size:
            seen.doubts.append(Fault(PIN, where, "the host shows an older one than you have seen"))
        elif head.size and not _continues(head, judged.head, fetch):
            seen.faults.append(Fault(PIN, where, "what is served does not begin with it: the log was forked"))


def _continues(before: TreeHead, after: TreeHead, fetch: Fetch) -> bool:
    def read(level: int, n: int) -> bytes:
        width = width_at(level, n, after.size)
        return fetch(f"tile/{tile_path(TilePlace(level, n, width))}", WIDTH * HASH_BYTES)

    try:
        proof = prove_consistency(before.size, after.size, Subtrees(read)) if before.size < after.size else []
        verify_consistency(before.size, before.root, after.size, after.root, proof)
    except LogError:
        return False
    return True


def _witnessed(seen: Seen, newest: Judged, trust: Trust, fetch: Fetch) -> Judged:
    """The newest tree that the quorum has signed, where the log serves it apart; what is served now must begin with it."""
    if newest.first is not None or trust.policy is None or not is_witnessed(trust.policy):
        return newest
    try:
        found = judge(fetch("witnessed", MAX_NOTE), trust.policy)
    except (OSError, LogError):
        return newest
    if not found.signed or found.head.size > newest.head.size:
        return newest
    if found.head.origin != newest.head.origin or not _continues(found.head, newest.head, fetch):
        seen.faults.append(Fault(PIN, f"the tree of {found.head.size} entries", "what is served does not begin with what was witnessed"))
    return found


def _anchor(seen: Seen, judged: Judged, trust: Trust, now: int) -> None:
    where = f"the checkpoint at {judged.head.size}"
    if trust.policy is None or not is_witnessed(trust.policy):
        seen.doubts.append(Fault(QUORUM, where, "the policy asks for no witnesses: this is the host's word alone"))
    elif judged.first is None or judged.last is None:
        seen.doubts.append(Fault(QUORUM, where, "fewer witnesses than the policy asks for have signed it"))
    elif now - judged.last > FRESH:
        seen.doubts.append(Fault(FRESHNESS, where, "its witnesses signed it more than a quarter of an hour ago: you may be shown the past"))


def _read_state(path: Path) -> Kept | None:
    if not path.exists():
        return None
    try:
        value = jcs.decode_object(path.read_bytes())
        origin, note = value["origin"], value["note"]
        if not isinstance(origin, str) or not isinstance(note, str):
            raise LogError("bad_encoding")
        return Kept(TreeHead(origin, natural(value["size"]), unb64(value["root"], 32)), note)
    except (Refusal, KeyError) as error:
        raise OSError(0, "the state file is damaged; nothing is compared with it", str(path)) from error


def _write_state(path: Path, kept: Kept) -> None:
    head = kept.head
    value = {"origin": head.origin, "size": head.size, "root": b64(head.root), "note": kept.note}
    _write(path, jcs.encode(value))


def _keep_evidence(path: Path, seen: Seen, kept: Kept | None) -> None:
    told = {"kept": kept.note if kept else None, "served": seen.note.decode("utf-8", "replace")}
    _write(path.with_name(f"{path.name}.evidence"), json.dumps(told, ensure_ascii=False, indent=1).encode())


def _write(path: Path, raw: bytes) -> None:
    """Whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
