"""What the rules of procedure need to look up quickly. Everything here follows from statements and can be rebuilt."""

from meetings.models.consultation import Composition, Consultation, Delegate, ProposalDraft, SeatedDevice
from meetings.models.party import Officer, Party

__all__ = ["Composition", "Consultation", "Delegate", "Officer", "Party", "ProposalDraft", "SeatedDevice"]
