"""Names beside the record stand in boxes, their keys in the shred store; a party's code is no personal data.

There is no installation from before: no name is moved from the former columns.
"""

import django.db.models.deletion
from django.db import migrations, models

DIGEST = 44


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
            models.CharField(db_index=True, default="", help_text="whose it is, by a name that is no personal data", max_length=64),
            False,
        ),
        migrations.AddField("disclosure", "box", models.BinaryField(default=b""), False),
        migrations.RemoveConstraint("disclosure", "one_disclosure_per_name"),
        migrations.RemoveField("disclosure", "name"),
        migrations.RemoveField("disclosure", "value"),
        migrations.RemoveField("disclosure", "salt"),
        migrations.AddConstraint("disclosure", models.UniqueConstraint(fields=("event", "digest"), name="one_box_per_digest")),
    ]
