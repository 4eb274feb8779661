"""Codes of the field as words of the interface. One place, so that the board, the first page and the register say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from meetings.board import Board
    from meetings.exports import Request
    from meetings.models import Consultation
    from secure.log.policy import Needed

CAPACITIES: Final = {
    "chair": gettext_lazy("Co-Chair"),
    "steering_group": gettext_lazy("Steering Group"),
    "affected": gettext_lazy("Affected party"),
    "invited": gettext_lazy("Invited party"),
    "observer": gettext_lazy("Observer"),
    "head": gettext_lazy("Head of delegation"),
    "alternate": gettext_lazy("Alternate"),
    "adviser": gettext_lazy("Adviser"),
    "interpreter": gettext_lazy("Interpreter"),
    "secretariat": gettext_lazy("Secretariat"),
    "chair_staff": gettext_lazy("Co-Chair’s staff"),
}
LEVELS: Final = {"senior_officials": gettext_lazy("Senior Officials"), "ministers": gettext_lazy("Ministers")}
URGENCIES: Final = {"routine": gettext_lazy("Routine"), "urgent": gettext_lazy("Urgent"), "immediate": gettext_lazy("Immediate")}
ANSWERS: Final = {
    "none": gettext_lazy("No answer yet"),
    "accept": gettext_lazy("Accepted"),
    "decline": gettext_lazy("Declined"),
    "awaiting_instructions": gettext_lazy("Awaiting instructions"),
}
PARTY_STEPS: Final = {
    "not_invited": gettext_lazy("Both signatures are needed first"),
    "needs_focal_point": gettext_lazy("The Co-Chairs put a focal point in office"),
    "not_reached": gettext_lazy("Call the focal point: the invitation has not been opened"),
    "no_answer": gettext_lazy("The focal point answers"),
    "awaiting_instructions": gettext_lazy("The focal point hears from the capital"),
    "declined": gettext_lazy("Nothing; the party may still accept"),
    "needs_delegates": gettext_lazy("The focal point accredits delegates"),
    "needs_undertaking": gettext_lazy("The delegates sign the undertaking"),
    "needs_device": gettext_lazy("A delegate signs in, so that a device is ready"),
    "ready": gettext_lazy("Ready"),
}


class Step(NamedTuple):
    """What one reader has to do about one consultation. `tone` is the panel's: next, wait, done."""

    words: str
    label: str
    url: str
    tone: str
    consultation: Consultation | None


def due_step(board: Board) -> Step | None:
    """The reader's next step, if there is one that waits for the reader and not for somebody else."""
    url = f"/consultations/{board.consultation.id}"
    table: Mapping[str, tuple[str, str, str, str]] = {
        "sign_or_return": (_("Your counterpart proposes a consultation"), _("Read and sign"), url, "next"),
        "open_room": (_("Both have signed: the room can be opened"), _("Go and open it"), url, "next"),
        "answer": (_("Your party is invited"), _("Read and answer"), f"{url}/delegation", "next"),
        "answer_when_instructed": (_("Your party’s answer waits for the capital"), _("Answer"), f"{url}/delegation", "wait"),
        "accredit": (_("Your party has accepted: accredit its delegates"), _("Your delegation"), f"{url}/delegation", "next"),
        "undertake": (_("You are accredited: sign the undertaking"), _("Read the undertaking"), f"{url}/undertaking", "next"),
        "enter_room": (_("You are seated and the room is open"), _("Enter the room"), f"{url}/room", "done"),
    }
    found = table.get(board.step)
    return Step(*found, board.consultation) if found else None


def found_step() -> Step:
    """A Co-Chair before the installation is founded."""
    return Step(_("Compare fingerprints with your counterpart and sign"), _("Go to Co-Chairs"), "/chairs", "next", None)


PURPOSES: Final = {
    "files": gettext_lazy("For the party’s own files"),
    "check": gettext_lazy("To check the record"),
    "inquiry": gettext_lazy("For an inquiry or a court"),
    "handover": gettext_lazy("To hand over the office"),
}


def export_step(request: Request) -> Step:
    """A request for evidence that waits for the reader: to decide it, or to fetch the file."""
    url = f"/consultations/{request.row.consultation_id}/evidence"
    if request.decidable:
        who = f"{request.row.party} · {request.row.account.name}"
        return Step(_("{who} asks for the evidence").format(who=who), _("Look and decide"), url, "next", request.row.consultation)
    return Step(_("The evidence you asked for is approved"), _("Get the file"), url, "done", request.row.consultation)


def disposal_step(consultation: Consultation) -> Step:
    """A disposal that both Co-Chairs decide; it waits until both have signed, so it stays after one has."""
    url = f"/consultations/{consultation.id}/disposal"
    return Step(_("The secretariat asks both Co-Chairs for a disposal"), _("Look and decide"), url, "wait", consultation)


def needed_words(needed: Needed) -> str:
    """Whose agreement is needed: `all of a, b`, `at least 2 of a, b, c`, `one of a, (all of b, c)`."""
    names = ", ".join(each if isinstance(each, str) else f"({needed_words(each)})" for each in needed.of)
    if len(needed.of) == 1:
        return names
    if needed.k == len(needed.of):
        return _("all of {names}").format(names=names)
    if needed.k == 1:
        return _("one of {names}").format(names=names)
    return _("at least {k} of {names}").format(k=needed.k, names=names)
