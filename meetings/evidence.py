"""Verifies an evidence bundle: the log's part (`secure/log/bundle_checks.py`), the statements in it, and what they say together. Pure.

Two checks are made here, after those of `secure/log/bundle_checks.py` and `meetings/proving.py`; and 20, that the log names its own key:

24. nothing is withheld but the host's own entries outside the consultation
25. the bundle is about one consultation, and holds every chain it needs
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from meetings.proving import FIRST_WORDS, Proving, cards_named, rows_of
from meetings.statements import TABLE, Chain
from secure.errors import Refusal
from secure.log.archive import Members
from secure.log.bundle_checks import Findings, check
from secure.log.bundle_reader import Bundle, read
from secure.log.entries import PRUNED, WITHHELD, Fault
from secure.log.errors import LogError
from secure.log.note import Verifier, parse_vkey
from secure.log.own_series import SERIES
from secure.log.policy_chain import NumberedPolicy
from secure.log.trust import Trust, check_begun
from secure.statements import ROOT

WITHHOLDING, WHOLE = 24, 25


class Verdict(IntEnum):
    """The exit codes."""

    VERIFIED = 0
    TAMPERED = 1
    UNREADABLE = 2
    UNANCHORED = 3
    INCOMPLETE = 4


@dataclass(frozen=True)
class Outcome:
    """The verdict, what it rests on, and what was found. `bundle` None: it could not be read."""

    verdict: Verdict
    bundle: Bundle | None = None
    findings: Findings = field(default_factory=Findings)
    proving: Proving = field(default_factory=Proving)
    trust: Trust = field(default_factory=Trust)


def verify(raw: bytes, trust: Trust) -> Outcome:
    """The outcome for a file of these bytes."""
    try:
        members = Members(raw)
    except LogError:
        return Outcome(Verdict.UNREADABLE)
    return verify_members(members, trust)


def verify_members(members: Mapping[str, bytes], trust: Trust) -> Outcome:
    try:
        bundle = read(members)
    except Refusal:
        return Outcome(Verdict.UNREADABLE)
    proving = Proving()
    proving.read(rows_of(bundle.chains))
    named = named_log(proving)
    findings = check(bundle, trust=trust, named=named, public_keys=proving.device_keys(), on_event=proving.hear)
    _check_statements(bundle, proving, findings, accepted(named, trust))
    findings.faults += proving.faults
    return Outcome(_verdict(findings), bundle, findings, proving, trust)


def _verdict(findings: Findings) -> Verdict:
    if findings.faults:
        return Verdict.TAMPERED
    if findings.missing:
        return Verdict.INCOMPLETE
    return Verdict.UNANCHORED if findings.doubts else Verdict.VERIFIED


def _check_statements(bundle: Bundle, proving: Proving, findings: Findings, logs: list[str]) -> None:
    proving.check_signatures(*logs)
    findings.faults += check_begun((item.event for item in findings.items if item.event), logs)
    scopes = {series.ns: series.scope for series in bundle.series}
    proving.check_disposals(scopes, findings.pruned)
    proving.check_entries(scopes, disposed=frozenset(each.certificate.ns for each in findings.pruned))
    _check_withheld(bundle, proving, findings)
    if _is_whole(bundle, proving, findings):
        proving.check_rules()


def named_log(proving: Proving) -> Verifier | None:
    """The log's key as the Co-Chairs named it."""
    for found in proving.known.values():
        if found.type == ROOT:
            try:
                return parse_vkey(str(found.signed.statement.body.get("log")))
            except LogError:
                return None
    return None


def accepted(named: Verifier | None, trust: Trust) -> list[str]:
    """Keys which `chairs.root` may name: those of the policy; under a later policy also a former key of the same log."""
    if trust.policy is None:
        return [named.vkey] if named else []
    logs = [log.verifier for log in trust.policy.logs]
    rotated = isinstance(trust.numbered, NumberedPolicy) and trust.numbered.number > 1
    if named and rotated and named.name in {log.name for log in logs}:
        logs.append(named)
    return [log.vkey for log in logs]


def _check_withheld(bundle: Bundle, proving: Proving, findings: Findings) -> None:
    """Check 24. A leaf shows the first word of its event's type, so nothing withheld can be a statement of its chain."""
    scopes = {series.ns: series.scope for series in bundle.series}
    kinds = _kinds(proving)
    for item in findings.items:
        if item.absent != WITHHELD:
            continue
        kind = kinds.get(scopes.get(item.leaf.ns, ""))
        if kind not in {Chain.INSTALLATION, Chain.ACCOUNT} or item.leaf.ty in FIRST_WORDS[kind]:
            findings.fault(WITHHOLDING, f"entry {item.index}", "it is withheld, and may not be")


def _is_whole(bundle: Bundle, proving: Proving, findings: Findings) -> bool:
    """Check 25."""
    kinds = _kinds(proving)
    missing = [
        *(f"the chain {series.scope[:16]}" for series in bundle.series if series.scope not in {*bundle.chains, SERIES}),
        *(f"the series of {scope[:16]}" for scope in bundle.chains if scope not in {series.scope for series in bundle.series}),
        *(f"the card {card[:16]}" for card in cards_named(found.signed for found in proving.known.values()) if card not in kinds),
    ]
    pruned = any(item.absent == PRUNED for item in findings.items)
    if kinds.get(bundle.manifest.consultation) is not Chain.CONSULTATION and not pruned:
        missing.append("the consultation")
    if list(kinds.values()).count(Chain.INSTALLATION) != 1:
        missing.append("the installation")
    others = [scope for scope, kind in kinds.items() if kind is Chain.CONSULTATION and scope != bundle.manifest.consultation]
    if others:
        findings.fault(WHOLE, f"the chain {others[0][:16]}", "it is another consultation's")
    findings.missing += [Fault(WHOLE, where, "it is not in the bundle") for where in sorted(missing)]
    return not missing and not others


def _kinds(proving: Proving) -> dict[str, Chain]:
    return {found.scope: TABLE[found.type].chain for found in proving.known.values() if found.n == 0 and found.type in TABLE}
