"""The confidentiality undertaking. A proposal names its text by hash, a delegate signs that hash; the words themselves are shipped here.

A text that was ever in use stays in this file, byte for byte, so that what was signed can be shown for ever. A new wording is a new entry.
"""

from __future__ import annotations

import hashlib

_FIRST = """\
I take part in this consultation for the party that accredited me, or in the office both Co-Chairs gave me.

I keep confidential what is said, shown or circulated in it, and who said it. I pass it on only within my own government or organisation, \
only to people who need it for this consultation, and only under the same duty.

I use only devices which I alone control, and I report a lost device or key to my focal point at once.

I know that who took part, when, and which acts were signed is recorded for all parties, and that what was said is not.

This undertaking stays in force after the consultation has ended."""

_TEXTS = {hashlib.sha256(text.encode()).hexdigest(): text for text in (_FIRST,)}

CURRENT = _FIRST
"""The text of new proposals."""
CURRENT_SHA256 = hashlib.sha256(CURRENT.encode()).hexdigest()


def text_named(sha256: str) -> str | None:
    """The text with this hash (hex, over UTF-8); None if this version of the product does not know it."""
    return _TEXTS.get(sha256)
