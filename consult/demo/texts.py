"""What the demonstration's two consultations say. Invented, close to what such papers look like."""

from __future__ import annotations

from secure.log.jcs import Json

BORDER: dict[str, Json] = {
    "subject": "Situation at the Myanmar–Bangladesh border",
    "situation": (
        "Since 25 August more than half a million people have crossed into Cox's Bazar. Shelter, water and health services are beyond "
        "their limits, and smugglers are offering passage by sea before the calm season.\n\n"
        "Indonesia proposes that the Co-Chairs convene Senior Officials in Jakarta on 13 October to hear the affected states, agree on "
        "the facts, and see which support the region can offer at once."
    ),
    "agenda": ["Opening by the Co-Chairs", "Situation in the border area", "Support and response options", "Next steps"],
}

VESSEL: dict[str, Json] = {
    "subject": "Vessel adrift in the Andaman Sea",
    "situation": (
        "A wooden vessel with an estimated 180 people on board was sighted without propulsion 90 nautical miles west of Phuket at "
        "21:40 UTC. Water is reported to be running out. No state has yet confirmed a rescue."
    ),
    "agenda": ["Position and condition of the vessel", "Search and rescue", "Disembarkation"],
}

STEERING_GROUP: tuple[tuple[str, str], ...] = (
    ("IDN", "chair"),
    ("AUS", "chair"),
    ("THA", "steering_group"),
    ("NZL", "steering_group"),
    ("IOM", "steering_group"),
    ("UNHCR", "steering_group"),
)
COMPOSITION = (*STEERING_GROUP, ("MMR", "affected"), ("BGD", "affected"))

#: focal point → who sits as head of delegation
VESSEL_HEADS = {
    "thailand": "thailand",
    "newzealand": "newzealand",
    "iom": "iom",
    "unhcr": "unhcr",
    "myanmar": "myanmar-head",
    "bangladesh": "bangladesh-head",
}


def draft(undertaking: str) -> dict[str, Json]:
    """Indonesia's unsigned proposal, as the proposal page keeps it."""
    return {
        "reference": "CM-2017-01",
        "level": "senior_officials",
        "urgency": "urgent",
        "composition": [{"party": party, "capacity": capacity, "history": "opening"} for party, capacity in sorted(COMPOSITION)],
        **BORDER,
        "options": {"marking": "Confidential to seated parties", "retention_years": 5, "undertaking": undertaking},
    }
