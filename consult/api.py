"""JSON doors: `@door` checks method, second factor, media type and size, parses, and turns refusals into answers.

A door is an ordinary Django view. It reads `request.account` (signed in, second factor done) and `request.fields`
(the JSON object of the body, read field by field, each read checked) and returns a mapping or a list (200),
`created(…)` (201), or any `HttpResponse`. One address with several methods is `by_method(first, second)`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, cast

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from consult.errors import MEDIA_TYPE, METHOD, SIGN_IN, json_error, json_refusal
from secure.errors import BadInput, Refusal, TooLarge

if TYPE_CHECKING:
    from secure.models import Account

JSON_BYTES = 1024 * 1024
"""Largest JSON body of an ordinary door, in bytes. A door which takes more says so: `@door("POST", limit=…)`."""
_LARGEST_INTEGER = 2**53 - 1
_HEX = re.compile(r"[0-9a-f]*\Z")

P = ParamSpec("P")


class ApiRequest(HttpRequest):
    """A request that has passed a door's checks. An anonymous door must not read `account`."""

    account: Account
    fields: Fields


Answer = HttpResponseBase | Mapping[str, object] | Sequence[object]
View = Callable[Concatenate[ApiRequest, P], Answer]


class Door(Protocol):
    """What `@door` makes. `anonymous` is read by the second-factor middleware, `methods` by `by_method`."""

    anonymous: bool
    methods: frozenset[str]

    def __call__(self, request: HttpRequest, /, *args: object, **kwargs: object) -> HttpResponseBase: ...


def door(*methods: str, anonymous: bool = False, limit: int = JSON_BYTES, raw: bool = False) -> Callable[[View[P]], Door]:
    """Make a JSON door. `raw` leaves the body unread, for doors which take sealed bytes instead of JSON."""

    def decorate(view: View[P]) -> Door:
        @wraps(view)
        def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method not in methods:
                return _wrong_method(frozenset(methods))
            typed = cast("ApiRequest", request)
            if not anonymous:
                if not _signed_in(request):
                    return json_error(SIGN_IN, 401)
                typed.account = cast("Account", request.user)
            try:
                typed.fields = Fields({} if raw else _body(request, limit=limit))
                return _response(view(typed, *args, **kwargs))
            except MediaTypeError:
                return json_error(MEDIA_TYPE, 415)
            except Refusal as refusal:
                return json_refusal(refusal)

        made = cast("Door", checked)
        made.anonymous = anonymous
        made.methods = frozenset(methods)
        return made

    return decorate


def by_method(*doors: Door) -> Door:
    """One address, one door per method."""
    table = {method: each for each in doors for method in each.methods}

    def choose(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        chosen = table.get(request.method or "")
        return chosen(request, *args, **kwargs) if chosen else _wrong_method(frozenset(table))

    made = cast("Door", choose)
    made.anonymous = all(each.anonymous for each in doors)
    made.methods = frozenset(table)
    return made


def created(content: Mapping[str, object]) -> HttpResponse:
    """201 with a JSON body."""
    return JsonResponse(dict(content), status=201, headers={"Cache-Control": "no-store"})


class MediaTypeError(Exception):
    """The body is not declared as JSON."""


def _wrong_method(allowed: frozenset[str]) -> HttpResponse:
    response = json_error(METHOD, 405)
    response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _signed_in(request: HttpRequest) -> bool:
    """Password and second factor, as `SecondFactorMiddleware` found. Without the middleware nobody is."""
    return getattr(request, "signed_in", False) is True


def _response(answer: Answer) -> HttpResponseBase:
    if isinstance(answer, HttpResponseBase):
        return answer
    content = dict(answer) if isinstance(answer, Mapping) else list(answer)
    return JsonResponse(content, safe=False, headers={"Cache-Control": "no-store"})


def _body(request: HttpRequest, *, limit: int) -> dict[str, object]:
    """The body as a JSON object. No body at all counts as `{}`."""
    if request.method in {"GET", "HEAD"}:
        return {}
    if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
        raise TooLarge("body_too_large")
    try:
        raw = request.body
    except RequestDataTooBig as error:
        raise TooLarge("body_too_large") from error
    if len(raw) > limit:
        raise TooLarge("body_too_large")
    if not raw:
        return {}
    if request.content_type != "application/json":
        raise MediaTypeError
    return parse_object(raw)


def parse_object(raw: bytes | str) -> dict[str, object]:
    """Strict JSON: UTF-8, one object, no key twice, integers only; anything else is `not_json`."""
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        value = json.loads(text, object_pairs_hook=_unique, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadInput("not_json") from error
    if not isinstance(value, dict):
        raise BadInput("not_json")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key twice")
    return value


def _refuse(literal: str) -> object:
    raise ValueError(literal)


class Fields:
    """A JSON object of the caller's. Each reader checks what it reads and refuses with `bad_field` and the name."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values

    def only(self, *names: str) -> None:
        """Refuse members nobody will read: they are a mistake or an attempt."""
        for name in self.values:
            if name not in names:
                raise BadInput("unknown_field")

    def null(self, name: str) -> bool:
        """Absent or null."""
        return self.values.get(name) is None

    def text(self, name: str, *, most: int, least: int = 1) -> str:
        """Text of `least` to `most` characters without control characters other than newline and tab."""
        value = self.values.get(name)
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise _bad(name)
        if any((mark < " " and mark not in "\n\t") or "\ud800" <= mark <= "\udfff" for mark in value):
            raise _bad(name)
        return value

    def choice(self, name: str, among: Sequence[str]) -> str:
        value = self.values.get(name)
        if not isinstance(value, str) or value not in among:
            raise _bad(name)
        return value

    def hex(self, name: str, *, size: int) -> str:
        """Lower-case hex of `size` bytes."""
        return checked_hex(self.values.get(name), size=size, name=name)

    def base64(self, name: str, *, most: int, least: int = 1) -> bytes:
        """Standard base64 of `least` to `most` bytes, which must round-trip."""
        return checked_base64(self.values.get(name), most=most, least=least, name=name)

    def integer(self, name: str, *, least: int = 0, most: int = _LARGEST_INTEGER) -> int:
        value = self.values.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _bad(name)
        return value

    def list(self, name: str, *, most: int) -> Sequence[object]:
        value = self.values.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise _bad(name)
        return value

    def texts(self, name: str, *, most: int, longest: int) -> Sequence[str]:
        """A list of at most `most` texts."""
        return [Fields({name: each}).text(name, most=longest) for each in self.list(name, most=most)]

    def blobs(self, name: str, *, most: int, longest: int) -> Sequence[bytes]:
        """A list of at most `most` byte strings, each of at most `longest` bytes."""
        return [checked_base64(each, most=longest, least=1, name=name) for each in self.list(name, most=most)]

    def object(self, name: str) -> Fields:
        value = self.values.get(name)
        if not isinstance(value, dict):
            raise _bad(name)
        return Fields(value)

    def objects(self, name: str, *, most: int) -> Sequence[Fields]:
        return [Fields({name: each}).object(name) for each in self.list(name, most=most)]


def checked_hex(value: object, *, size: int, name: str) -> str:
    if not isinstance(value, str) or len(value) != 2 * size or not _HEX.match(value):
        raise _bad(name)
    return value


def checked_base64(value: object, *, most: int, least: int, name: str) -> bytes:
    if not isinstance(value, str) or len(value) > 4 * ((most + 2) // 3):
        raise _bad(name)
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad(name) from error
    if base64.b64encode(raw).decode() != value or not least <= len(raw) <= most:
        raise _bad(name)
    return raw


def query_integer(request: HttpRequest, name: str, *, least: int = 0, most: int = _LARGEST_INTEGER, default: int) -> int:
    """An integer of the query string."""
    text = request.GET.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 16 or not least <= int(text) <= most:
        raise _bad(name)
    return int(text)


def query_hex(request: HttpRequest, name: str, *, size: int) -> str:
    """A name (hex) of the query string."""
    return checked_hex(request.GET.get(name), size=size, name=name)


def _bad(name: str) -> BadInput:
    return BadInput("bad_field", field=name)
