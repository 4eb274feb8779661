"""Triggers which refuse to change or delete what is in the record, and room for whole tiles on PostgreSQL."""

from django.db import migrations

TABLES = ("secure_logevent", "secure_logleaf", "secure_checkpoint")


def sqlite_triggers():
    for table in TABLES:
        for act in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the record is written once'); END"
            )


def postgresql_triggers():
    yield (
        "CREATE FUNCTION secure_written_once() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the record is written once' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for table in TABLES:
        yield (
            f"CREATE TRIGGER {table}_written_once BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION secure_written_once()"
        )
    # a full tile of 8,192 bytes does not fit a heap page, and hashes do not compress
    yield "ALTER TABLE secure_logtile ALTER COLUMN hashes SET STORAGE EXTERNAL"


def install(apps, schema_editor):
    statements = postgresql_triggers() if schema_editor.connection.vendor == "postgresql" else sqlite_triggers()
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("secure", "0001_initial")]

    # no way back: taking the triggers away is not an upgrade's business
    operations = [migrations.RunPython(install)]
