"""What the rules of procedure need to look up quickly. All but officers and requests for evidence follows from statements
and can be rebuilt."""

from meetings.models.consultation import Composition, Consultation, Delegate, ProposalDraft, SeatedDevice
from meetings.models.evidence import EvidenceExport
from meetings.models.party import Officer, Party

__all__ = ["Composition", "Consultation", "Delegate", "EvidenceExport", "Officer", "Party", "ProposalDraft", "SeatedDevice"]
