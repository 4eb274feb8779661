"""Names beside the record go from plain text into boxes, their keys into the shred store; a party's code is no personal data."""

import django.db.models.deletion
from django.db import migrations, models

from secure.log import jcs
from secure.log.disclosures import Boxed, Personal, box_of
from secure.log.encoding import disclosure_digest, parse_event

DIGEST = 44


def box_names(apps, _schema_editor):
    for row in rows(apps, "Disclosure").order_by("pk").select_related("event").iterator(chunk_size=500):
        if row.name == "party":
            rows(apps, "EventParty").create(event_id=row.event_id, party=row.value)
            row.delete()
            continue
        event, salt = parse_event(bytes(row.event.body)), bytes(row.salt)
        digest = disclosure_digest(salt=salt, name=row.name, value=row.value)
        subject = whose(apps, row, event)
        each = Boxed(Personal(row.name, row.value, subject), salt, digest)
        row.digest, row.subject, row.box = digest, subject, box_of(each, tag=event.ns, event_id=event.id)
        row.save()


def whose(apps, row, event):
    """Until now nobody wrote down whose a value is: the event, its statement, or whoever acted says it."""
    said = dict(event.data)
    stored = rows(apps, "StatementRow").filter(hash=event.statement).first() if event.statement else None
    if stored is not None:
        said |= jcs.decode_object(bytes(stored.body))["statement"]["body"]
    if event.type == "account.card":
        return event.statement
    if row.name in ("added", "removed"):
        client = rows(apps, "Client").filter(hash=row.value.split(",")[0]).first()
        return client.card_id if client else f"event-{row.event_id}"
    if isinstance(said.get("card"), str):
        return said["card"]
    enrolment = rows(apps, "Enrolment").filter(id=said.get("enrolment") or "").first()
    if enrolment is not None:
        card = enrolment.account.cards.filter(current=True).first() if enrolment.account else None
        return card.hash if card else enrolment.id
    acted = rows(apps, "EventPerson").filter(event_id=row.event_id).first()
    return acted.card if acted else f"event-{row.event_id}"


def rows(apps, name):
    return apps.get_model("secure", name).objects


class Migration(migrations.Migration):
    dependencies = [("secure", "0003_departure")]

    operations = [
        migrations.CreateModel(
            name="EventParty",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="party_row",
                        serialize=False,
                        to="secure.logevent",
                    ),
                ),
                ("party", models.CharField(db_index=True, max_length=16)),
            ],
        ),
        migrations.AddField(
            "disclosure", "digest", models.CharField(default="", help_text="as the event holds it", max_length=DIGEST), False
        ),
        migrations.AddField(
            "disclosure",
            "subject",
            models.CharField(default="", help_text="whose it is, by a name that is no personal data", max_length=64),
            False,
        ),
        migrations.AddField("disclosure", "box", models.BinaryField(default=b""), False),
        # no way back: nobody takes a name out of its box
        migrations.RunPython(box_names),
        migrations.RemoveConstraint("disclosure", "one_disclosure_per_name"),
        migrations.RemoveField("disclosure", "name"),
        migrations.RemoveField("disclosure", "value"),
        migrations.RemoveField("disclosure", "salt"),
        migrations.AlterField(
            "disclosure",
            "subject",
            models.CharField(db_index=True, help_text="whose it is, by a name that is no personal data", max_length=64),
        ),
        migrations.AddConstraint("disclosure", models.UniqueConstraint(fields=("event", "digest"), name="one_box_per_digest")),
    ]
