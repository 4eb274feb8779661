"""The invented people of the demonstration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Persona:
    """`slug` is the host name's first label and the sign-in name; `inviter` the slug of who invited the person."""

    slug: str
    name: str
    party: str
    purpose: str
    office: str
    inviter: str | None = None


CAST = (
    Persona("indonesia", "Dewi Anggraini", "IDN", "chair", "Indonesia · Co-Chair"),
    Persona("australia", "Margaret Lyle", "AUS", "chair", "Australia · Co-Chair"),
    Persona("thailand", "Somchai Rattanakul", "THA", "focal_point", "Thailand · Focal point", "indonesia"),
    Persona("newzealand", "Hana Whaanga", "NZL", "focal_point", "New Zealand · Focal point", "indonesia"),
    Persona("iom", "Luis Ferreira", "IOM", "focal_point", "IOM · Focal point", "indonesia"),
    Persona("unhcr", "Astrid Lindqvist", "UNHCR", "focal_point", "UNHCR · Focal point", "indonesia"),
    Persona("myanmar", "Kyaw Zin Htet", "MMR", "focal_point", "Myanmar · Focal point", "australia"),
    Persona("bangladesh", "Farhana Rahman", "BGD", "focal_point", "Bangladesh · Focal point", "australia"),
    Persona("myanmar-head", "Thida Aung", "MMR", "delegate", "Myanmar · Head of delegation", "myanmar"),
    Persona("bangladesh-head", "Tariq Hossain", "BGD", "delegate", "Bangladesh · Head of delegation", "bangladesh"),
    Persona("secretariat", "Nalini Perera", "RSO", "secretariat", "Secretariat · Officer", "indonesia"),
)

BY_SLUG = {persona.slug: persona for persona in CAST}
