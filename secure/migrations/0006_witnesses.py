"""Cosignatures of witnesses, and the numbered policies, which are written once."""

import django.db.models.deletion
from django.db import migrations, models


def write_once(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE TRIGGER secure_logpolicy_written_once BEFORE UPDATE OR DELETE ON secure_logpolicy "
            "FOR EACH ROW EXECUTE FUNCTION secure_written_once()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        schema_editor.execute(
            f"CREATE TRIGGER secure_logpolicy_no_{act.lower()} BEFORE {act} ON secure_logpolicy "
            "BEGIN SELECT RAISE(ABORT, 'the record is written once'); END"
        )


class Migration(migrations.Migration):
    dependencies = [("secure", "0005_checkpoint_again")]

    operations = [
        migrations.CreateModel(
            name="LogPolicy",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("note", models.BinaryField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Cosignature",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("witness", models.CharField(help_text="the name of the witness's key", max_length=255)),
                ("key_id", models.CharField(help_text="hex; with the name it says which key", max_length=8)),
                ("time", models.PositiveBigIntegerField(help_text="seconds since 1970, as the witness says")),
                ("line", models.BinaryField(help_text="the signature line of a note, as it came")),
                (
                    "checkpoint",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="cosignatures", to="secure.checkpoint"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("checkpoint", "witness", "key_id"), name="one_cosignature_per_key"),
                ],
            },
        ),
        migrations.CreateModel(
            name="OfferedCheckpoint",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
                (
                    "checkpoint",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="secure.checkpoint"),
                ),
            ],
            options={"constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_offered_checkpoint")]},
        ),
        migrations.CreateModel(
            name="WitnessedCheckpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "checkpoint",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="witnessed", to="secure.checkpoint"),
                ),
                (
                    "policy",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="witnessed", to="secure.logpolicy"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("policy", "checkpoint"), name="one_quorum_per_policy")],
            },
        ),
        migrations.RunPython(write_once),
    ]
