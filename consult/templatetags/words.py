"""Codes of the field as words: `{{ row.capacity|capacity }}`. An unknown code shows itself."""

from __future__ import annotations

from django import template

from consult import words
from secure.log.policy import Needed

register = template.Library()


@register.filter
def capacity(code: str) -> str:
    return str(words.CAPACITIES.get(code, code))


@register.filter
def level(code: str) -> str:
    return str(words.LEVELS.get(code, code))


@register.filter
def urgency(code: str) -> str:
    return str(words.URGENCIES.get(code, code))


@register.filter
def party_step(code: str) -> str:
    return str(words.PARTY_STEPS.get(code, code))


@register.filter
def purpose(code: str) -> str:
    return str(words.PURPOSES.get(code, code))


@register.filter
def needed(found: Needed) -> str:
    return words.needed_words(found)
