"""Disposal: tables for its certificate and manifest, and triggers that let an event be emptied beside a certificate, and nothing else."""

import django.db.models.deletion
from django.db import migrations, models

SAME = ("id", "namespace_id", "type", "src", "statement", "kid", "hash", "at")
"""Columns of an event that never change."""
ONCE = "the record is written once"
TABLES = ("secure_disposal", "secure_destructionmanifest")

EMPTYING = """length(NEW.body) = 0 AND OLD.type NOT IN ('consultation.dispose', 'consultation.disposed')
  AND EXISTS (SELECT 1 FROM secure_disposal d WHERE d.namespace_id = OLD.namespace_id AND OLD.id < d.certificate_id)"""
CERTIFIED = """EXISTS (SELECT 1 FROM secure_logevent e
  WHERE e.id = NEW.certificate_id AND e.namespace_id = NEW.namespace_id AND e.type = 'consultation.disposed')"""


def sqlite_triggers():
    same = " AND ".join(f"NEW.{column} IS OLD.{column}" for column in SAME)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{ONCE}'); END"
    yield "DROP TRIGGER secure_logevent_no_update"
    yield f"CREATE TRIGGER secure_logevent_no_update BEFORE UPDATE ON secure_logevent WHEN NOT ({same} AND {EMPTYING}) {refuse}"
    yield f"CREATE TRIGGER secure_disposal_certified BEFORE INSERT ON secure_disposal WHEN NOT {CERTIFIED} {refuse}"
    for table in TABLES:
        for act in ("UPDATE", "DELETE"):
            yield f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} {refuse}"


def postgresql_triggers():
    same = " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in SAME)
    refuse = f"RAISE EXCEPTION '{ONCE}' USING ERRCODE = 'integrity_constraint_violation'"
    yield (
        "CREATE FUNCTION secure_emptied_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NOT ({same} AND {EMPTYING}) THEN {refuse}; END IF; RETURN NEW; END $$"
    )
    yield (
        "CREATE FUNCTION secure_certified() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NOT {CERTIFIED} THEN {refuse}; END IF; RETURN NEW; END $$"
    )
    written_once = "FOR EACH ROW EXECUTE FUNCTION secure_written_once()"
    yield "DROP TRIGGER secure_logevent_written_once ON secure_logevent"
    yield f"CREATE TRIGGER secure_logevent_written_once BEFORE DELETE ON secure_logevent {written_once}"
    yield (
        "CREATE TRIGGER secure_logevent_emptied_only BEFORE UPDATE ON secure_logevent FOR EACH ROW EXECUTE FUNCTION secure_emptied_only()"
    )
    yield "CREATE TRIGGER secure_disposal_certified BEFORE INSERT ON secure_disposal FOR EACH ROW EXECUTE FUNCTION secure_certified()"
    for table in TABLES:
        yield f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table} {written_once}"


def install(apps, schema_editor):
    statements = postgresql_triggers() if schema_editor.connection.vendor == "postgresql" else sqlite_triggers()
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("secure", "0006_witnesses")]

    operations = [
        migrations.CreateModel(
            name="DestructionManifest",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("body", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="Disposal",
            fields=[
                (
                    "namespace",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="disposal",
                        serialize=False,
                        to="secure.namespace",
                    ),
                ),
                (
                    "certificate",
                    models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="disposal", to="secure.logevent"),
                ),
            ],
        ),
        # no way back: taking the triggers away is not an upgrade's business
        migrations.RunPython(install),
    ]
