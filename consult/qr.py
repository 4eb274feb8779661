"""QR codes as SVG in a data URI: shown by `<img>`, so that no picture with a secret in it has an address of its own."""

from __future__ import annotations

import segno

from secure.errors import BadInput

SCHEME = "otpauth://totp/"


def qr_image(otpauth: str) -> str:
    """Dark on white with a quiet zone, whatever the page's colours: phone cameras need it."""
    if not otpauth.startswith(SCHEME):
        raise BadInput("bad_field", field="otpauth")
    try:
        code = segno.make(otpauth, error="m", micro=False)
    except ValueError as error:
        raise BadInput("bad_field", field="otpauth") from error
    return str(code.svg_data_uri(scale=5, border=3, dark="#000", light="#fff"))
