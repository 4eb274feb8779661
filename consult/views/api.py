"""JSON doors of statements, drafts, chains, sealed texts and consultations (docs/protocol.md, section 5)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone

from consult.api import ApiRequest, Fields, by_method, checked_hex, created, door
from meetings import access, acts, board, briefs, convening
from meetings.acts import Performed
from meetings.board import Board, DelegateRow, PartyRow
from secure import chains, limits, sealed_texts
from secure.errors import BadInput, NotFound
from secure.statements import Signed, encode_signed, parse_signature, parse_signed

if TYPE_CHECKING:
    from secure.models import Account

Json = Mapping[str, object]

MOST_CHAINS = 4000
"""Far above the accounts of an installation."""


def _hash(name: str, *, size: int = 32) -> str:
    """A name in an address. What is no name is not found, like a name of nothing."""
    try:
        return checked_hex(name, size=size, name="name")
    except BadInput as error:
        raise NotFound from error


# ------------------------------------------------------------------------------------------------------------------ statements


@door("POST", limit=limits.COMMIT_BODY_BYTES)
def submit(request: ApiRequest) -> HttpResponse:
    request.fields.only("statement", "signatures", "enclosed")
    performed = acts.submit(actor=request.account, signed=_signed(request), enclosed=_enclosed(request), now=timezone.now())
    return created(_performed(performed))


@door("POST")
def begin(request: ApiRequest) -> HttpResponse:
    request.fields.only("statement", "signatures", "enclosed")
    draft = acts.begin(actor=request.account, signed=_signed(request), enclosed=_enclosed(request), now=timezone.now())
    return created({"draft": draft})


@door("GET")
def drafts(request: ApiRequest) -> Sequence[Json]:
    return [
        {
            "draft": waiting.hash,
            **encode_signed(waiting.signed),
            "enclosed": waiting.enclosed,
            "at": _milliseconds(waiting.at.timestamp()),
        }
        for waiting in acts.waiting_drafts(account=request.account)
    ]


@door("POST")
def second(request: ApiRequest, draft: str) -> HttpResponse:
    request.fields.only("signature")
    performed = acts.second(
        actor=request.account,
        draft=_hash(draft),
        signature=parse_signature(request.fields.values.get("signature")),
        now=timezone.now(),
    )
    return created(_performed(performed))


@door("DELETE")
def discard(request: ApiRequest, draft: str) -> Json:
    acts.discard(actor=request.account, draft=_hash(draft))
    return {}


def _signed(request: ApiRequest) -> Signed:
    values = request.fields.values
    return parse_signed({name: values.get(name) for name in ("statement", "signatures")})


def _enclosed(request: ApiRequest) -> Json:
    return {} if request.fields.null("enclosed") else request.fields.object("enclosed").values


def _performed(performed: Performed) -> Json:
    return {"hash": performed.hash, "scope": performed.scope, "n": performed.n}


# ---------------------------------------------------------------------------------------------------------------------- chains


@door("POST")
def read_chains(request: ApiRequest) -> Json:
    fields = request.fields
    fields.only("consultation", "have")
    consultation = None if fields.null("consultation") else fields.hex("consultation", size=32)
    have = fields.object("have") if not fields.null("have") else None
    if have is not None and len(have.values) > MOST_CHAINS:
        raise BadInput("bad_field", field="have")
    return chains.settled(lambda: _served(request.account, consultation, have))


def _served(account: Account, consultation: str | None, have: Fields | None) -> Json:
    counts = chains.counts(access.visible_chains(account=account, consultation_id=consultation))
    places = {scope: have.integer(scope) if have and scope in have.values else 0 for scope in counts}
    return {
        "statements": {
            scope: [encode_signed(signed) for signed in chains.read(scope, start=places[scope])]
            for scope, count in counts.items()
            if places[scope] < count
        },
        "heads": counts,
    }


# ---------------------------------------------------------------------------------------------------------------- sealed texts


@door("GET")
def sealed(request: ApiRequest, sha256: str) -> Json:
    found = briefs.read_sealed(account=request.account, sha256=_hash(sha256))
    return {
        "ciphertext": b64encode(found.ciphertext).decode(),
        "commitment": found.commitment,
        "box": b64encode(found.box).decode() if found.box else None,
    }


@door("GET")
def unwrapped(request: ApiRequest, consultation: str) -> Sequence[Json]:
    cards = briefs.unwrapped(account=request.account, consultation_id=_hash(consultation))
    return [{"card": card} for card in cards]


@door("POST")
def wrap(request: ApiRequest, consultation: str) -> HttpResponse:
    count = briefs.wrap(account=request.account, consultation_id=_hash(consultation), enclosed=request.fields.values)
    return created({"count": count})


# ------------------------------------------------------------------------------------------------------- proposals in preparation


@door("PUT")
def keep_draft(request: ApiRequest, draft: str) -> Json:
    request.fields.only("box")
    box = request.fields.base64("box", most=convening.DRAFT_BYTES)
    name = _hash(draft, size=16)
    convening.keep_draft(account=request.account, draft=name, box=box, now=timezone.now())
    return {"id": name}


@door("GET")
def own_drafts(request: ApiRequest) -> Sequence[Json]:
    return [
        {"id": draft.id, "box": b64encode(draft.box).decode(), "at": _milliseconds(draft.at.timestamp())}
        for draft in convening.drafts_of(request.account)
    ]


@door("DELETE")
def discard_draft(request: ApiRequest, draft: str) -> Json:
    convening.discard_draft(account=request.account, draft=_hash(draft, size=16))
    return {}


# --------------------------------------------------------------------------------------------------------------- a consultation


@door("GET")
def consultations(request: ApiRequest) -> Sequence[Json]:
    """Names of all the caller may see: a Co-Chair's browser wraps briefs of consultations which it has never shown."""
    return [{"id": found.id, "state": found.state} for found in access.visible_consultations(request.account)]


@door("GET")
def consultation(request: ApiRequest, consultation: str) -> Json:
    found = board.read_board(account=request.account, consultation_id=_hash(consultation), now=timezone.now())
    return _consultation(found)


def _consultation(found: Board) -> Json:
    matter = found.consultation
    return {
        "id": matter.id,
        "reference": matter.reference,
        "state": matter.state,
        "level": matter.level,
        "urgency": matter.urgency,
        "brief": {"sha256": matter.brief, "commitment": sealed_texts.commitment_of(matter.brief)},
        "rooms": [
            {"room": room.room, "kind": room.kind, "epoch": room.epoch, "head": room.head} for room in ([found.room] if found.room else [])
        ],
        "parties": [_party(row) for row in found.rows],
        "seated": [_delegate(row) for row in found.officers],
        "step": found.step,
    }


def _party(row: PartyRow) -> Json:
    return {
        "party": row.code,
        "name": row.name,
        "zone": row.zone,
        "capacity": row.capacity,
        "history": row.history,
        "focal_point": row.focal_point or None,
        "invited": row.invited,
        "reached_at": _milliseconds(row.reached_at.timestamp()) if row.reached_at else None,
        "answer": row.answer,
        "answered_at": _milliseconds(row.answered_at.timestamp()) if row.answered_at else None,
        "delegates": [_delegate(delegate) for delegate in row.delegates],
        "ready": row.ready,
        "step": row.step,
    }


def _delegate(row: DelegateRow) -> Json:
    return {
        "card": row.card,
        "name": row.name,
        "party": row.party,
        "capacity": row.capacity,
        "undertaken": row.undertaken,
        "seated": row.seated,
        "devices": row.devices,
        "ready": row.ready,
    }


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


urlpatterns = [
    path("api/statements", submit),
    path("api/drafts", by_method(begin, drafts)),
    path("api/drafts/<str:draft>/sign", second),
    path("api/drafts/<str:draft>", discard),
    path("api/chains", read_chains),
    path("api/sealed/<str:sha256>", sealed),
    path("api/proposal-drafts", own_drafts),
    path("api/proposal-drafts/<str:draft>", by_method(keep_draft, discard_draft)),
    path("api/consultations", consultations),
    path("api/consultations/<str:consultation>", consultation),
    path("api/consultations/<str:consultation>/unwrapped", unwrapped),
    path("api/consultations/<str:consultation>/wraps", wrap),
]
