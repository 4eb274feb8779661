"""The readable report of a bundle, made from what was verified and nothing else. One HTML page without scripts or addresses. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any, Final

from meetings.evidence import Outcome, Verdict
from meetings.proving import Stated
from meetings.register_words import ANSWERS, BASES, CAPACITIES, PURPOSES, SENTENCES, SOMEBODY
from secure.codes import fingerprint
from secure.log.bundle_checks import Item
from secure.log.encoding import b64
from secure.log.entries import PRUNED, Fault

VERDICTS: Final[Mapping[Verdict, tuple[str, str]]] = {
    Verdict.VERIFIED: ("Verified", "Nothing was altered, left out, moved or dated back, and the witnesses of your list have signed."),
    Verdict.TAMPERED: ("Not what was signed", "Something in this file was altered. The first thing that does not hold is named below."),
    Verdict.UNREADABLE: ("Cannot be read", "This is no evidence file, or it was damaged on the way. Ask for it again."),
    Verdict.UNANCHORED: (
        "Consistent, but not anchored",
        "Everything in it agrees with everything else. Whether it is the record that others see is not shown by what you gave.",
    ),
    Verdict.INCOMPLETE: ("Incomplete", "What is there holds, and something that belongs to it is missing."),
}

SOURCES: Final[Mapping[str, str]] = {
    "state": "Signed by the people named",
    "client": "Signed by a person’s device",
    "host": "The host’s word",
}
ABSENT: Final = "withheld from the recipient of this file"
UNNAMED: Final = "a person not named here"
GONE: Final = "destroyed after the time for which it was kept; its place is proven"

STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, "Noto Sans", sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.verdict { border-inline-start: .4rem solid; padding: .25rem 1rem; }
.v0 { border-color: #1a7f4b; } .v1, .v2 { border-color: #b3261e; } .v3, .v4 { border-color: #9a6700; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: start; vertical-align: top; padding: .35rem .5rem; }
tbody tr { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.host td:nth-child(4) { font-style: italic; } .state td:nth-child(4) { font-weight: 600; }
td:nth-child(2) { white-space: nowrap; }
.note { font-size: .875rem; opacity: .8; } code { overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; } dd { margin: 0; overflow-wrap: anywhere; }
@media screen and (max-width: 40rem) {
 thead { display: block; position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
 table, tbody, tr, td, dl { display: block; }
 tbody tr { padding-block: .6rem; } td { padding: .1rem 0; white-space: normal; } td:first-child::before { content: "Entry "; }
 dd { margin-bottom: .5rem; } }
@media print { :root { font-size: 10pt; color-scheme: light; } body { margin: 0; max-width: none; } thead { display: table-header-group; }
 tr { break-inside: avoid; } @page { margin: 18mm; } }
"""


def render(outcome: Outcome, *, own: bool = True) -> bytes:
    """The page. `own` False: it is the host's, and says so."""
    reference = _reference(outcome)
    title = f"Record of consultation {reference}" if reference else "Record of a consultation"
    body = "\n".join([*_head(outcome, title, own=own), *_findings(outcome), *_entries(outcome), *_facts(outcome)])
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    ).encode()


def words(outcome: Outcome) -> Iterator[str]:
    """The same outcome in a few lines, for a terminal."""
    heading, meaning = VERDICTS[outcome.verdict]
    found = outcome.findings
    if outcome.bundle is not None:
        yield f"Consultation {_reference(outcome) or outcome.bundle.manifest.consultation}, {outcome.bundle.manifest.origin}."
        yield f"{len(found.items)} entries up to place {found.size - 1} of the log; {outcome.proving.count} signed statements."
    for kind, faults in (("FAULT", found.faults), ("MISSING", found.missing), ("NOT SHOWN", found.doubts)):
        for fault in faults[:20]:
            yield f"{kind} (check {fault.check}) {fault.where}: {fault.what}."
        if len(faults) > 20:
            yield f"… and {len(faults) - 20} more."
    yield from _absences(outcome)
    yield f"{heading.upper()}: {meaning}"


def moment(ms: int) -> str:
    """A time in UTC, to the second."""
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).strftime("%Y-%m-%d %H:%M:%S UTC")
    except OverflowError:
        return f"{ms} ms"


def _head(outcome: Outcome, title: str, *, own: bool) -> Iterator[str]:
    heading, meaning = VERDICTS[outcome.verdict]
    yield f"<h1>{escape(title)}</h1>"
    if own:
        yield f'<div class="verdict v{outcome.verdict}"><p><strong>{heading}.</strong> {meaning}</p></div>'
    else:
        yield (
            '<p class="verdict v3">This page was written by the host together with the evidence file, for reading. '
            "Whether it holds, your own verifier says, which writes a report of its own.</p>"
        )
    yield (
        '<p class="note">Times are UTC, as the host’s clock gave them when the entry was numbered. Each entry says whose word it is: '
        "what people or their devices signed can be checked; of the host’s own word it is shown only that it was not altered since.</p>"
    )


def _findings(outcome: Outcome) -> Iterator[str]:
    found = outcome.findings
    for title, faults in (
        ("What does not hold", found.faults),
        ("What is missing", found.missing),
        ("What is not shown", found.doubts if outcome.trust.policy or outcome.trust.pin else []),
    ):
        if faults:
            rows = "".join(f"<li>{_fault(fault)}</li>" for fault in faults[:50])
            more = f"<li>… and {len(faults) - 50} more.</li>" if len(faults) > 50 else ""
            yield f"<h2>{title}</h2><ul>{rows}{more}</ul>"
    yield from (f"<p>{escape(line)}</p>" for line in _absences(outcome))


def _fault(fault: Fault) -> str:
    return f"{escape(fault.where)}: {escape(fault.what)} (check {fault.check})."


def _absences(outcome: Outcome) -> Iterator[str]:
    """Withheld, erased and destroyed, in words."""
    items = outcome.findings.items
    pruned = sum(item.absent == PRUNED for item in items)
    withheld = sum(item.absent is not None for item in items) - pruned
    hidden = sum(item.hidden for item in items)
    if pruned:
        yield f"{pruned} entries were destroyed after the time for which they were kept, as a certificate in the record says."
    if withheld:
        yield f"{withheld} entries of the host about the installation are withheld from the recipient of this file."
    if hidden:
        yield f"{hidden} names are withheld from the recipient, or were erased; their places in the record are proven all the same."


def _entries(outcome: Outcome) -> Iterator[str]:
    if outcome.bundle is None:
        return
    speech = _Speech.of(outcome)
    scopes = {series.ns: series.scope for series in outcome.bundle.series}
    shared = [item for item in outcome.findings.items if not speech.is_own(scopes.get(item.leaf.ns, ""))]
    own = [item for item in outcome.findings.items if speech.is_own(scopes.get(item.leaf.ns, ""))]
    for title, items in (("The consultation", own), ("What it rests on: founding, cards and devices", shared)):
        rows = "\n".join(_row(item, speech) for item in items)
        head = "<tr>" + "".join(f'<th scope="col">{name}</th>' for name in ("Entry", "Numbered", "What happened", "Whose word")) + "</tr>"
        yield f"<h2>{title}</h2>\n<table><thead>{head}</thead><tbody>\n{rows}\n</tbody></table>"


def _row(item: Item, speech: _Speech) -> str:
    source = item.event.src if item.event else "none"
    whose = SOURCES.get(source, "")
    by = f'<br><span class="note">witnessed by {moment(item.witnessed)}</span>' if item.witnessed is not None else ""
    hidden = f' <span class="note">({item.hidden} names withheld or erased)</span>' if item.hidden else ""
    when, what = moment(item.leaf.t), escape(speech.sentence(item))
    return f'<tr class="{source}"><td>{item.index}</td><td>{when}{by}</td><td>{what}{hidden}</td><td>{whose}</td></tr>'


def _facts(outcome: Outcome) -> Iterator[str]:
    if outcome.bundle is None:
        return
    manifest, found = outcome.bundle.manifest, outcome.findings
    recipient = f"the card {manifest.recipient[:16]}: its own name alone" if manifest.recipient else "the secretariat: all names kept"
    rows = {
        "Record of": manifest.origin,
        "Its size": f"{found.size} entries, root {b64(found.root) if found.root else 'not shown'}",
        "To keep for next time": f"{found.size}:{b64(found.root)}"
        if found.root and not found.faults
        else "nothing, while it does not hold",
        "Consultation": manifest.consultation,
        "Made for": recipient,
        "Signed acts": str(outcome.proving.count),
    }
    cells = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(value)}</code></dd>" for name, value in rows.items())
    yield f"<h2>Particulars</h2><dl>{cells}</dl>"


def _reference(outcome: Outcome) -> str:
    if outcome.bundle is None:
        return ""
    proposal = outcome.proving.known.get(outcome.bundle.manifest.consultation)
    return str(proposal.signed.statement.body.get("reference", "")) if proposal else ""


@dataclass(frozen=True)
class _Speech:
    """Turns entries into sentences. `people` are names by card, as far as they are disclosed; `devices` cards by key; `own` the
    consultation and its rooms."""

    known: Mapping[str, Stated]
    people: Mapping[str, str]
    devices: Mapping[str, str]
    own: frozenset[str]

    @classmethod
    def of(cls, outcome: Outcome) -> _Speech:
        known = outcome.proving.known
        people = {
            item.event.statement: dict(item.names)["person"]
            for item in outcome.findings.items
            if item.event and item.event.statement and item.event.type == "account.card" and "person" in dict(item.names)
        }
        rooms = {found.scope for found in known.values() if found.type == "room.open"}
        consultation = outcome.bundle.manifest.consultation if outcome.bundle else ""
        added = (found for found in known.values() if found.type == "device.add")
        devices = {str(found.signed.statement.body.get("signature_key")): found.scope for found in added}
        return cls(known, people, devices, frozenset({consultation, *rooms}))

    def is_own(self, scope: str) -> bool:
        return scope in self.own

    def card(self, card: str, *, name: str | None = None, party: object = "") -> str:
        """Party before person; the card's beginning where no name is disclosed. `name`, `party`: what the entry itself says."""
        found = self.known.get(card)
        stated = str(found.signed.statement.body.get("party", "")) if found else str(party or "")
        return " · ".join(part for part in (stated, self.people.get(card) or name or f"card {card[:8]}") if part)

    def sentence(self, item: Item) -> str:
        event = item.event
        if event is None:
            return f"{item.leaf.ty}: {GONE if item.absent == PRUNED else ABSENT}"
        found = SENTENCES.get(event.type)
        if found is None:
            return event.type
        stated = self.known.get(event.statement or "")
        body: Mapping[str, Any] = stated.signed.statement.body if stated else event.data
        names = dict(item.names)
        who = "; ".join(self.card(card) for card in stated.signed.cards) if stated else self._author(item)
        about = str(body.get("card") or "")
        words = {
            "who": who,
            "about": self.card(about, name=names.get("person"), party=event.data.get("party")) if about else names.get("person", SOMEBODY),
            "party": str(names.get("party") or body.get("party") or ""),
            "answer": ANSWERS.get(str(body.get("answer")), ""),
            "capacity": CAPACITIES.get(str(body.get("capacity")), ""),
            "purpose": PURPOSES.get(str(event.data.get("purpose")), ""),
            "basis": BASES.get(str(event.data.get("basis")), ""),
            "build": _build(event.data.get("manifest")),
        }
        sentence = found[1].format_map(_Words({**event.data, **words}))
        return sentence[:1].upper() + sentence[1:]

    def _author(self, item: Item) -> str:
        """Of a device's act its owner; of the host's entries the card that they name, else the party. The host's own acts say so."""
        data = item.event.data if item.event else {}
        named = data.get("by")
        card = self.devices.get(b64(item.signer)) if item.signer else named if isinstance(named, str) else None
        if card:
            return self.card(card)
        return UNNAMED if "card" in data else str(data.get("party") or UNNAMED)


def _build(manifest: object) -> str:
    """A build as it is named at the foot of every page; nothing for what is no hash."""
    return fingerprint(manifest) if isinstance(manifest, str) and re.fullmatch("[0-9a-f]{64}", manifest) else ""


class _Words(dict[str, Any]):
    """What a sentence may ask for: members of the event; one that it has not is left out."""

    def __missing__(self, _name: str) -> str:
        return ""
