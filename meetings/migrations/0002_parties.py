"""The member list as it ships. An installation may change names, codes and zones afterwards; this never overwrites what is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.db import migrations

MEMBERS = Path(__file__).resolve().parent.parent / "data" / "parties.json"


def add_members(apps: Any, _schema_editor: Any) -> None:
    party = apps.get_model("meetings", "Party")
    members = json.loads(MEMBERS.read_text(encoding="utf-8"))
    party.objects.bulk_create([party(**member) for member in members], ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("meetings", "0001_initial")]

    operations = [migrations.RunPython(add_members, migrations.RunPython.noop)]
