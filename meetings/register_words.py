"""Entries of the record in plain words: a sentence for every type of act, grouped by what the secretariat asks for.

`{who}`: party before person, those who acted. `{about}`: the person the act is about. `{party}`: the party it concerns.
`{build}`: the fingerprint that stands at the foot of every page.
Pure, so that a verifier without the product speaks the same words: marked for translation here, translated where they are shown.
"""

from __future__ import annotations

from typing import Final


def _(text: str) -> str:
    """Marks a text for translation."""
    return text


KINDS: Final[dict[str, str]] = {
    "installation": _("Founding and focal points"),
    "people": _("People and devices"),
    "convening": _("Convening"),
    "accreditation": _("Answers and delegations"),
    "seats": _("Seats given and taken"),
    "room": _("Room and papers"),
    "sign_in": _("Sign-in"),
    "disposal": _("Retention and disposal"),
    "exports": _("Evidence asked for and handed out"),
    "register": _("Use of the register"),
    "log": _("The record itself"),
    "service": _("The service itself"),
}

SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "chairs.root": ("installation", _("The two Co-Chairs founded this installation: {who}.")),
    "party.key": ("installation", _("{about} became focal point of {party}. Signed by {who}.")),
    "account.card": ("people", _("{who} enrolled with keys of their own.")),
    "device.add": ("people", _("{who} added a device.")),
    "device.revoke": ("people", _("{who} took a device out of use.")),
    "invitation.made": ("people", _("{who} made an enrolment code for {about}.")),
    "invitation.withdrawn": ("people", _("{who} withdrew the enrolment code of {about}.")),
    "invitation.confirmed": ("people", _("{who} checked and confirmed the keys of {about}.")),
    "subject.erased": ("people", _("The host erased the details of a person; what the person did stays recorded.")),
    "account.enrolled": ("people", _("{about} used an enrolment code.")),
    "officer.confirmed": ("people", _("{about} became an officer of the secretariat, confirmed by {who}.")),
    "recovery.replaced": ("people", _("A recovery sheet was replaced.")),
    "consultation.propose": ("convening", _("{who} proposed the consultation.")),
    "consultation.concur": ("convening", _("{who} concurred: the consultation is convened.")),
    "consultation.return": ("convening", _("{who} returned the proposal.")),
    "consultation.withdraw": ("convening", _("{who} withdrew the proposal.")),
    "invitation.opened": ("convening", _("{who} opened the invitation.")),
    "invitation.answer": ("accreditation", _("{party} answered its invitation: {answer}. Signed by {who}.")),
    "accredit": ("accreditation", _("{party} accredited {about} as {capacity}. Signed by {who}.")),
    "withdraw": ("accreditation", _("{party} withdrew {about}. Signed by {who}.")),
    "undertaking": ("accreditation", _("{who} gave the undertaking of confidentiality.")),
    "seat": ("seats", _("Both Co-Chairs seated {about} as {capacity}: {who}.")),
    "unseat": ("seats", _("Both Co-Chairs ended the seat of {about}: {who}.")),
    "exclude": ("seats", _("Both Co-Chairs excluded {about}: {who}.")),
    "room.open": ("room", _("{who} opened the plenary’s room.")),
    "room.epoch": ("room", _("{who} brought the room’s keys in line with who is seated.")),
    "message.sent": ("room", _("{who} sent a message. What it says is not known here.")),
    "document.uploaded": ("room", _("{who} put a sealed paper into the room. What it says is not known here.")),
    "sign_in.password_changed": ("sign_in", _("A password was changed.")),
    "sign_in.recovery_codes": ("sign_in", _("New recovery codes for sign-in were made.")),
    "sign_in.reset": ("sign_in", _("The host reset the sign-in of {about}; keys and seats were not touched.")),
    "sign_in.renewed": ("sign_in", _("Sign-in was renewed after a reset.")),
    "session.ended_everywhere": ("sign_in", _("Somebody signed out everywhere.")),
    "log.genesis": ("log", _("The record began, and named the keys that sign it.")),
    "log.policy": ("log", _("A list of witnesses came into force, as policy {number}.")),
    "disposal.requested": ("disposal", _("{who} asked for the disposal of the consultation: {basis}.")),
    "consultation.dispose": ("disposal", _("Both Co-Chairs signed the disposal of the consultation: {who}.")),
    "consultation.disposed": ("disposal", _("{count} entries were disposed of, numbers {first} to {last}: {basis}.")),
    "export.requested": ("exports", _("{who} asked for the evidence of this consultation: {purpose}.")),
    "export.approved": ("exports", _("{who} approved that {about} receives the evidence of this consultation.")),
    "export.declined": ("exports", _("{who} declined that {about} receives the evidence of this consultation.")),
    "export.withdrawn": ("exports", _("{who} withdrew the request for the evidence of this consultation.")),
    "export.created": ("exports", _("{who} received the evidence of this consultation, as one file.")),
    "register.searched": ("register", _("{who} searched the register.")),
    "register.opened": ("register", _("{who} opened entry {number} of the register.")),
    "build.deployed": ("service", _("The host put another build into service: {build}, version {version}.")),
}

PURPOSES: Final[dict[str, str]] = {
    "files": _("for the party’s own files"),
    "check": _("to check the record"),
    "inquiry": _("for an inquiry or a court"),
    "handover": _("to hand over the office"),
}

CAPACITIES: Final[dict[str, str]] = {
    "head": _("head of delegation"),
    "alternate": _("alternate"),
    "adviser": _("adviser"),
    "observer": _("observer"),
    "interpreter": _("interpreter"),
    "secretariat": _("secretariat"),
    "chair_staff": _("a Co-Chair’s staff"),
}

ANSWERS: Final[dict[str, str]] = {
    "accept": _("accepted"),
    "decline": _("declined"),
    "awaiting_instructions": _("awaiting instructions"),
}

SOURCES: Final[dict[str, str]] = {
    "state": _("signed by the people named"),
    "client": _("signed by the person’s device"),
    "host": _("on the host’s word"),
}

BASES: Final[dict[str, str]] = {
    "retention_over": _("the agreed retention period is over"),
    "agreed_early": _("the parties agreed to it before the period was over"),
    "legal_order": _("a legal order requires it"),
}

PRUNED: Final = _("This entry was disposed of together with its consultation. That it was here, and when, can still be proven.")
SOMEBODY: Final = _("a person whose details were erased")
SOMEONE: Final = _("the host")


def types_of(kind: str) -> tuple[str, ...]:
    """The types of act of one kind; none for a word that is no kind."""
    return tuple(each for each, (of, _sentence) in SENTENCES.items() if of == kind)
