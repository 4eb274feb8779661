"""The member list as it ships. An installation may change names, codes and zones afterwards; this never overwrites what is there."""

import json
from pathlib import Path

from django.db import migrations

MEMBERS = Path(__file__).resolve().parent.parent / "data" / "parties.json"


def add_members(apps, _schema_editor):
    Party = apps.get_model("meetings", "Party")
    members = json.loads(MEMBERS.read_text(encoding="utf-8"))
    Party.objects.bulk_create([Party(**member) for member in members], ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("meetings", "0001_initial")]

    operations = [migrations.RunPython(add_members, migrations.RunPython.noop)]
