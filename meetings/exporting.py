"""The evidence bundle of one consultation: which series and chains belong to it, and what a recipient may see of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

from meetings import evidence, reading, report
from meetings.roster import Chains
from secure.log import bundle
from secure.log.bundle import Wanted
from secure.log.own_series import SERIES
from secure.log.store import SeriesEntry
from secure.log.trust import Trust

README: Final = """\
This is the record of one consultation, with everything that is needed to check that nothing in it was altered, left out, moved or
dated back. It holds no word of what was said.

report.html is for reading; it is what the host wrote. To see what can be verified, check this file on your own machine:

    python3 consult-verify.pyz bundle.zip --policy policy.txt --report report-of-my-own.html

or open consult-verify.html in a browser and choose this file there; neither needs a network. Take the verifier and the policy (which
says whose log this is and which states' witnesses must have signed) from your own files, never from the person who gave you this one.

Names are disclosed only as far as the recipient of this bundle may know them. The format is described in docs/protocol.md, section 12.
"""


def file_name(reference: str) -> str:
    """What the file is called on a disk: `CM-2017-02-evidence.zip`."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", reference).strip(".-")
    return f"{plain or 'consultation'}-evidence.zip"


def write(
    out: BinaryIO,
    *,
    consultation_id: str,
    recipient: str | None,
    pin: int | None = None,
) -> int:
    """Writes the bundle to a file that can be sought in; returns the tree size it goes up to.

    `recipient` None is the secretariat or a Co-Chair: all names that are kept, all entries. A card: the names of that person alone, and
    no entries of the host about others. `pin` is the size of a tree the recipient keeps; the bundle then leads back to it.
    Who may have a bundle is the caller's to decide. Raises `Conflict("not_signed")` before the first checkpoint.
    """
    chains = reading.read_chains(consultation_id)
    scopes = [chains.installation[0].scope_name, *chains.accounts, consultation_id, *chains.rooms]
    wanted = Wanted(
        consultation=consultation_id,
        scopes=[*scopes, SERIES],
        chains=scopes,
        recipient=recipient,
        withheld=_withheld(chains) if recipient else lambda _entry: False,
        pin=pin,
    )
    return bundle.write(out, wanted, readme=README.encode(), report=_report)


def _report(members: Mapping[str, bytes]) -> bytes:
    """What the host says of it; whoever verifies makes a report of their own."""
    return report.render(evidence.verify_members(members, Trust()), own=False)


def _withheld(chains: Chains) -> Callable[[SeriesEntry], bool]:
    """The host's own entries in series of the whole installation: who looked what up, who was invited."""
    shared = {chains.installation[0].scope_name, *chains.accounts}

    def withheld(entry: SeriesEntry) -> bool:
        return entry.src == "host" and entry.scope in shared

    return withheld
