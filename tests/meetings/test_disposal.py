"""A consultation is disposed of: an officer asks, both Co-Chairs sign, and nothing is left of it but the proof that it was."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live
from django.db import IntegrityError, connection, transaction

from consult import verify
from meetings import acts, disposal, drafting, evidence, exports, journal, register, rooms
from meetings.models import Consultation, Delegate, SeatedDevice
from meetings.register import Search
from secure import blobs, delivery, recovery
from secure import disposal as destroying
from secure.errors import BadInput, Conflict, Forbidden, NotFound
from secure.log import jcs
from secure.log.certificate import certificate_of
from secure.log.disclosures import opened as opened_values
from secure.log.disclosures import shred_store
from secure.log.encoding import parse_event
from secure.log.trust import Trust
from secure.models import Disclosure, Disposal, EventPerson, LogEvent, LogLeaf, Namespace, RoomItem
from secure.recovery import RingBox
from secure.statements import Signed
from secure.writer import write_batch
from tests import stage as stages
from tests.flow import ROOM
from tests.people import AUSTRALIA, BANGLADESH_HEAD, INDONESIA, OFFICER, THAI_HEAD, THAILAND, Person
from tests.plenary import Plenary
from tests.room_story import opened
from tests.rooms import Sender
from tests.secure.log.logs import Log, make_log, open_log
from tests.secure.log.tampering import without_triggers
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

PAPER = secrets.token_bytes(4096)
BLOB = "5e" * 16
CONTENT = (
    "roomitem", "handshake", "welcome", "departure", "historygrant", "roomleaf", "blob", "blobchunk", "ringentry", "sealedtext", "wrap",
)  # fmt: skip


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> None:
    settings.CONSULT_SHRED, settings.CONSULT_BLOBS = tmp_path / "shred", tmp_path / "papers"
    settings.CONSULT_LOG_VKEYS = tmp_path / "log.vkey"
    make_log(tmp_path, origin=settings.CONSULT_ORIGIN)


@pytest.fixture
def finish(django_capture_on_commit_callbacks: Any) -> Callable[..., Any]:
    """Acts, and what follows their commit."""

    def act(work: Callable[[], Any]) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return work()

    return act


def log() -> Log:
    return open_log(live.CONSULT_LOG_VKEYS.parent, origin=live.CONSULT_ORIGIN)


def convened() -> World:
    """Without a room: Thailand accepted, its head sits. The Co-Chairs founded it with the key of this log."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.stage.LOG", log().vkey)
        stage = stages.concurred()
    stage.answer(THAILAND)
    stage.accredit(THAILAND, THAI_HEAD)
    stage.undertake(THAI_HEAD)
    return World(stage)


def spoken() -> World:
    """The plenary after three commits, two messages, a paper, a grant of history and a backup of the key ring."""
    plenary = Plenary(World(opened()[0])).at(3)
    world = plenary.world
    sender = Sender("indonesia 1", leaf=0)
    write_batch([sender.sealed(epoch=3)], standing=rooms.standing, now=world.now)
    write_batch([sender.sealed(epoch=3)], standing=rooms.standing, now=world.now)
    upload = blobs.Upload(BLOB, len(PAPER), 1, hashlib.sha256(PAPER).hexdigest())
    blobs.start(room_id=ROOM, card=world.card(INDONESIA), upload=upload, now=world.now)
    source = io.BytesIO(PAPER)
    blobs.put(blob_id=BLOB, n=0, sha256=upload.sha256, read=source.read)
    blobs.finish(blob_id=BLOB, now=world.now)
    due = rooms.due(ROOM).history[0]
    body = {"card": due.card, "from": due.first, "to": due.last, "box": "AAAA"}
    assert plenary.post(INDONESIA, "/history", body).status_code == 201
    recovery.add_to_ring(account=world.account(INDONESIA), room=ROOM, entries=[RingBox(0, b"sealed")])
    return world


def settle(world: World) -> None:
    sequencer = log().sequencer()
    sequencer.drain(world.now)
    sequencer.publish(world.now)


def requested(world: World, basis: str = "agreed_early") -> World:
    disposal.request(account=world.account(OFFICER), consultation_id=world.consultation, basis=basis, now=world.now)
    settle(world)
    return world


def manifest(world: World) -> bytes:
    return disposal.manifest_for(account=world.account(INDONESIA), consultation_id=world.consultation)[1]


def signed(world: World, basis: str = "agreed_early", listed: bytes | None = None) -> Any:
    named = hashlib.sha256(manifest(world) if listed is None else listed).hexdigest()
    return world.stage.sign(drafting.draft_dispose(world.stage.standing, basis=basis, manifest=named), INDONESIA, AUSTRALIA)


def disposed(world: World, finish: Callable[..., Any]) -> World:
    requested(world)
    statement = world.stage.put(signed(world))
    finish(lambda: world.act(statement))
    return world


def faults() -> set[int]:
    return {fault.check for fault in report().faults}


def report() -> verify.Report:
    return verify.verify(verifiers=log().verifiers)


def printed() -> tuple[int, str]:
    out = io.StringIO()
    return verify.run(out), out.getvalue()


def rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM secure_{table}")  # noqa: S608
        return int(cursor.fetchone()[0])


def of_consultation(world: World) -> Any:
    return LogEvent.objects.filter(namespace__scope__in=disposal.whole_of(world.consultation).scopes)


# ------------------------------------------------------------------------------------------------------------------- what goes


def test_nothing_said_no_key_and_no_sealed_text_is_left(finish: Callable[..., Any]) -> None:
    world = spoken()
    assert [table for table in CONTENT if not rows(table)] == ["departure"]
    path = Path(live.CONSULT_BLOBS) / BLOB[:2] / BLOB
    assert path.is_dir()
    disposed(world, finish)
    assert {table: rows(table) for table in CONTENT} == dict.fromkeys(CONTENT, 0)
    assert not path.exists()
    room = delivery.room_view(ROOM)
    assert (room.group_info, room.tree) == (b"", b"")


def test_event_bodies_names_and_who_acted_go_and_the_leaves_stay(finish: Callable[..., Any]) -> None:
    world = requested(spoken())
    leaves = dict(LogLeaf.objects.values_list("index", "body"))
    disposed(world, finish)
    settle(world)
    left = {event.type for event in of_consultation(world) if bytes(event.body)}
    assert left == {"consultation.dispose", "consultation.disposed"}
    gone = of_consultation(world).filter(body=b"")
    assert gone.count() == LogEvent.objects.filter(body=b"").count() == len(of_consultation(world)) - 3
    assert not Disclosure.objects.filter(event__in=gone.values("pk")).exists()
    assert not EventPerson.objects.filter(event__in=gone.values("pk")).exists()
    assert {index: bytes(body) for index, body in LogLeaf.objects.filter(index__in=leaves).values_list("index", "body")} == {
        index: bytes(body) for index, body in leaves.items()
    }


def test_the_scopes_keys_are_shredded_and_other_scopes_keep_theirs(finish: Callable[..., Any]) -> None:
    world = spoken()
    tags = [each.tag for each in Namespace.objects.filter(scope__in=disposal.whole_of(world.consultation).scopes)]
    assert all(shred_store().key(f"scope-{tag}") for tag in tags)
    disposed(world, finish)
    assert not any(shred_store().key(f"scope-{tag}") for tag in tags)
    host = Namespace.objects.get(scope="host")
    assert shred_store().key(f"scope-{host.tag}")
    assert Disclosure.objects.filter(event__namespace=host).exists()


def test_the_manifest_lists_the_hashes_of_what_went(finish: Callable[..., Any]) -> None:
    world = requested(spoken())
    items = [hashlib.sha256(body.encode()).hexdigest() for body in RoomItem.objects.values_list("body", flat=True)]
    events = list(of_consultation(world).values_list("hash", flat=True))
    disposed(world, finish)
    kept = disposal.stored_manifest(account=world.account(OFFICER), consultation_id=world.consultation, now=world.now)
    listed = jcs.decode_object(kept, max_bytes=len(kept))
    goes: Any = listed["goes"]
    assert {digest for word, digest in goes if word == "item"} == set(items)
    assert set(events) <= {digest for word, digest in goes if word == "event"}
    assert ["paper", hashlib.sha256(PAPER).hexdigest()] in goes
    words = {"item", "handshake", "state", "text", "paper", "event", "disclosure"}
    assert {word for word, _ in goes} == words
    assert (
        hashlib.sha256(kept).hexdigest()
        == disposal.destroyed(account=world.account(OFFICER), consultation_id=world.consultation, now=world.now)[0].certificate.manifest
    )


def test_what_a_machine_left_behind_that_failed_after_the_commit_goes_when_it_starts(finish: Callable[..., Any]) -> None:
    world = requested(spoken())
    statement = world.stage.put(signed(world))
    tag = Namespace.objects.get(scope=ROOM).tag
    world.act(statement)
    path = Path(live.CONSULT_BLOBS) / BLOB[:2] / BLOB
    assert path.is_dir()
    assert shred_store().key(f"scope-{tag}")
    destroying.complete()
    assert not path.exists()
    assert shred_store().key(f"scope-{tag}") is None


def test_who_was_given_the_evidence_afterwards_stays_known_when_the_server_starts_again(finish: Callable[..., Any]) -> None:
    world = disposed(spoken(), finish)
    row = exports.request(account=world.account(OFFICER), consultation_id=world.consultation, purpose="check", now=world.now)
    exports.approve(account=world.account(INDONESIA), export_id=row.id, now=world.now)
    destroying.complete()
    approved = Disclosure.objects.filter(event__type="export.approved").select_related("event")
    assert [each.value for each in opened_values(approved)] == [OFFICER.name]


# ------------------------------------------------------------------------------------------------------------ what still verifies


def test_the_verifier_says_pruned_with_the_certified_range(finish: Callable[..., Any]) -> None:
    world = disposed(convened(), finish)
    settle(world)
    code, said = printed()
    certificate = certificate_of(parse_event(bytes(LogEvent.objects.get(type="consultation.disposed").body)))
    assert code == verify.VERIFIED, said
    assert f"PRUNED: {certificate.count} entries between {certificate.first} and {certificate.last}" in said
    assert "agreed_early" in said


def test_the_evidence_of_what_was_disposed_of_can_still_be_had_by_whoever_could_before(finish: Callable[..., Any]) -> None:
    world = disposed(convened(), finish)
    settle(world)
    for person, whole in ((OFFICER, True), (THAI_HEAD, False)):
        row = exports.request(account=world.account(person), consultation_id=world.consultation, purpose="files", now=world.now)
        assert row.whole is whole
        exports.approve(account=world.account(INDONESIA), export_id=row.id, now=world.now)
        out = io.BytesIO()
        exports.download(account=world.account(person), export_id=row.id, out=out, now=world.now)
        outcome = evidence.verify(out.getvalue(), Trust())
        assert (outcome.findings.faults, outcome.findings.missing) == ([], [])
        assert outcome.findings.pruned
    settle(world)
    assert printed()[0] == verify.VERIFIED


def test_consultation_and_room_are_certified_each_and_the_whole_log_recomputes(finish: Callable[..., Any]) -> None:
    world = spoken()
    settle(world)
    before = faults()
    disposed(world, finish)
    settle(world)
    found = report()
    assert {fault.check for fault in found.faults} == before == {verify.SIGNATURE}  # the story's founding names another log's key
    whole = disposal.whole_of(world.consultation)
    tags = {row.tag for row in Namespace.objects.filter(scope__in=whole.scopes)}
    assert {certificate.ns for certificate in found.pruned} == tags
    assert len(tags) == 2


def prune_one_more() -> None:
    """An event of the host's own series, which nobody disposed of."""
    event = LogEvent.objects.filter(namespace__scope="host", leaf__isnull=False).order_by("pk")[2]
    sql("UPDATE secure_logevent SET body = %s WHERE id = %s", b"", event.pk)


def empty_the_certificate() -> None:
    sql("UPDATE secure_logevent SET body = %s WHERE type = 'consultation.disposed'", b"")


def lie_in_the_certificate() -> None:
    event = LogEvent.objects.get(type="consultation.disposed")
    said = jcs.decode_object(bytes(event.body))
    data: Any = said["data"]
    other = jcs.encode({**said, "data": {**data, "count": data["count"] + 1}})
    sql("UPDATE secure_logevent SET body = %s WHERE id = %s", other, event.pk)


def empty_the_disposal() -> None:
    sql("UPDATE secure_logevent SET body = %s WHERE type = 'consultation.dispose'", b"")


def lose_the_statement() -> None:
    sql("DELETE FROM secure_statementrow WHERE type = 'consultation.dispose'")


def exchange_the_manifest() -> None:
    sql("UPDATE secure_destructionmanifest SET body = %s", b'{"goes":[],"v":1}')


def lose_the_manifest() -> None:
    sql("DELETE FROM secure_destructionmanifest")


def sql(statement: str, *values: object) -> None:
    with without_triggers(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("tamper", "expected"),
    [
        (prune_one_more, {5}),
        (empty_the_certificate, {5}),
        (lie_in_the_certificate, {5}),
        (empty_the_disposal, {5}),
        (lose_the_statement, {verify.DISPOSAL}),
        (exchange_the_manifest, {verify.DISPOSAL}),
        (lose_the_manifest, {verify.DISPOSAL}),
    ],
)
def test_a_missing_event_without_a_signed_certificate_stays_a_fault(tamper: Any, expected: set[int], finish: Callable[..., Any]) -> None:
    world = disposed(convened(), finish)
    settle(world)
    assert faults() == set()
    tamper()
    assert faults() >= expected
    assert printed()[0] == verify.TAMPERED


# ---------------------------------------------------------------------------------------------------------------- who may, when


def test_only_an_officer_asks_and_only_for_what_was_convened() -> None:
    world = convened()
    for person in (INDONESIA, AUSTRALIA):
        with pytest.raises(Forbidden, match="officers_only"):
            ask(world, person)
    for person in (THAILAND, THAI_HEAD):
        with pytest.raises(Forbidden, match="officers_only"):
            ask(world, person)
    with pytest.raises(BadInput, match="bad_field"):
        ask(world, OFFICER, "tidying_up")
    with pytest.raises(NotFound):
        disposal.request(account=world.account(OFFICER), consultation_id="ab" * 32, basis="legal_order", now=world.now)


def test_a_proposal_is_hidden_from_officers_here_too() -> None:
    world = World(stages.proposed())
    with pytest.raises(NotFound):
        ask(world, OFFICER)
    assert disposal.all_kept(account=world.account(OFFICER), now=world.now) == []


def ask(world: World, person: Person, basis: str = "legal_order") -> None:
    disposal.request(account=world.account(person), consultation_id=world.consultation, basis=basis, now=world.now)


def test_a_request_is_on_the_record_with_its_basis() -> None:
    world = requested(convened(), "legal_order")
    event = LogEvent.objects.get(type="disposal.requested")
    assert event.namespace.scope == world.consultation
    assert parse_event(bytes(event.body)).data["basis"] == "legal_order"
    assert [person.card for person in event.people.all()] == [world.card(OFFICER)]


def test_before_the_period_is_over_its_end_is_no_basis(finish: Callable[..., Any]) -> None:
    world = convened()
    kept = disposal.kept(account=world.account(OFFICER), consultation_id=world.consultation, now=world.now)
    assert (kept.until.year - world.now.year, kept.due) == (10, False)
    with pytest.raises(Conflict, match="retention_runs"):
        ask(world, OFFICER, "retention_over")
    began = world.now
    world.now = kept.until - timedelta(seconds=1)
    with pytest.raises(Conflict, match="retention_runs"):
        ask(world, OFFICER, "retention_over")
    world.now = kept.until
    requested(world, "retention_over")
    statement = world.stage.put(signed(world, "retention_over"))
    early, world.now = world.now, began
    with pytest.raises(Conflict, match="retention_runs"):
        world.act(statement)
    world.now = early
    finish(lambda: world.act(statement))
    assert Consultation.objects.get().state == "disposed"


def test_without_a_request_nothing_is_signed() -> None:
    world = convened()
    settle(world)
    with pytest.raises(Conflict, match="not_requested"):
        manifest(world)
    with pytest.raises(Conflict, match="not_requested"):
        world.act(signed(world, listed=b"anything"))
    requested(world, "legal_order")
    with pytest.raises(Conflict, match="not_requested"):
        world.act(signed(world, "agreed_early"))


def test_what_has_changed_since_is_not_destroyed_unseen() -> None:
    world = requested(convened())
    listed = manifest(world)
    first = signed(world, listed=listed)
    by, other = (INDONESIA, AUSTRALIA) if first.cards[0] == world.card(INDONESIA) else (AUSTRALIA, INDONESIA)
    one = Signed(first.statement, first.signatures[:1])
    draft = acts.begin(actor=world.account(by), signed=one, enclosed={}, now=world.now)
    journal_more(world)
    with pytest.raises(Conflict, match="manifest_moved"):
        acts.second(actor=world.account(other), draft=draft, signature=first.signatures[1], now=world.now)
    with pytest.raises(Conflict, match="manifest_moved"):
        world.act(signed(world, listed=listed))
    assert not Disposal.objects.exists()
    assert not of_consultation(world).filter(body=b"").exists()


def journal_more(world: World) -> None:
    with transaction.atomic():
        journal.note(type="invitation.opened", about={}, now=world.now, scope=world.consultation, party="THA")
    settle(world)


def test_a_browser_that_renews_its_copies_of_keys_does_not_stop_a_disposal(finish: Callable[..., Any]) -> None:
    world = requested(spoken())
    statement = world.stage.put(signed(world))
    recovery.add_to_ring(account=world.account(AUSTRALIA), room=ROOM, entries=[RingBox(1, b"sealed anew")])
    finish(lambda: world.act(statement))
    assert not rows("ringentry")


def test_what_no_checkpoint_covers_cannot_go_yet() -> None:
    world = convened()
    ask(world, OFFICER)
    with pytest.raises(Conflict, match="not_sealed_yet"):
        manifest(world)
    settle(world)
    assert manifest(world)


def test_one_co_chair_alone_destroys_nothing(finish: Callable[..., Any]) -> None:
    world = requested(convened())
    whole = signed(world)
    with pytest.raises(BadInput, match="needs_draft"):
        acts.submit(actor=world.account(INDONESIA), signed=whole, enclosed={}, now=world.now)
    only = Signed(whole.statement, whole.signatures[:1])
    first = INDONESIA if only.cards[0] == world.card(INDONESIA) else AUSTRALIA
    acts.begin(actor=world.account(first), signed=only, enclosed={}, now=world.now)
    assert not of_consultation(world).filter(body=b"").exists()
    for person in (OFFICER, THAILAND, THAI_HEAD):
        with pytest.raises(NotFound):
            disposal.manifest_for(account=world.account(person), consultation_id=world.consultation)


def test_every_seat_ends_and_nothing_follows(finish: Callable[..., Any]) -> None:
    world = disposed(spoken(), finish)
    assert not SeatedDevice.objects.exists()
    assert not Delegate.objects.filter(withdrawn_at=None).exists()
    assert not rooms.seated_devices(ROOM)
    for person in (INDONESIA, THAI_HEAD, BANGLADESH_HEAD):
        assert Plenary(world).get(person, "").status_code == 404
    again = drafting.draft_exclude(world.stage.standing, card=world.card(THAI_HEAD))
    with pytest.raises(Conflict, match="not_due"):
        world.act(world.stage.sign(again, INDONESIA, AUSTRALIA))
    with pytest.raises(Conflict, match="not_due"):
        ask(world, OFFICER)


def test_the_register_still_says_that_it_was(finish: Callable[..., Any]) -> None:
    world = disposed(convened(), finish)
    settle(world)
    account = world.account(OFFICER)
    found = register.search(account=account, wanted=Search(kind="disposal"), zone=UTC, now=world.now).lines
    texts = {line.type: line.text for line in found}
    assert "were disposed of" in texts["consultation.disposed"]
    assert "the parties agreed to it before the period was over" in texts["consultation.disposed"]
    assert AUSTRALIA.name in texts["consultation.dispose"]
    assert texts["disposal.requested"].startswith("This entry was disposed of")
    pruned = next(line for line in found if line.type == "disposal.requested")
    shown = register.open_entry(account=account, number=pruned.number, now=world.now)
    assert shown.proof is not None
    assert (shown.people, shown.line.reference) == ((), "BP/CM/2017/1")


# ------------------------------------------------------------------------------------------------------------- what the database lets


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE secure_logevent SET body = '' WHERE type = 'chairs.root'",
        "UPDATE secure_logevent SET body = 'another' WHERE type = 'consultation.concur'",
        "UPDATE secure_logevent SET body = '', kid = 'other' WHERE type = 'consultation.concur'",
        "UPDATE secure_logevent SET body = '' WHERE type = 'consultation.dispose'",
        "UPDATE secure_logevent SET body = '' WHERE type = 'consultation.disposed'",
        "DELETE FROM secure_logevent WHERE type = 'consultation.concur'",
        "UPDATE secure_logleaf SET body = ''",
        "UPDATE secure_disposal SET certificate_id = 1",
        "DELETE FROM secure_disposal",
        "UPDATE secure_destructionmanifest SET body = ''",
        "DELETE FROM secure_destructionmanifest",
        "INSERT INTO secure_disposal (namespace_id, certificate_id)"
        " SELECT namespace_id, id FROM secure_logevent WHERE type = 'chairs.root'",
    ],
)
def test_the_database_lets_events_be_emptied_only_in_a_disposed_namespace(statement: str, finish: Callable[..., Any]) -> None:
    disposed(convened(), finish)
    with pytest.raises(IntegrityError, match="written once"), connection.cursor() as cursor:
        cursor.execute(statement)


def test_before_a_disposal_no_event_is_emptied() -> None:
    convened()
    with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
        LogEvent.objects.filter(type="consultation.concur").update(body=b"")
