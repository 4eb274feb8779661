"""Requests for evidence, and who once sat: they may ask for it too."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def remember_who_sits(apps: Any, _schema_editor: Any) -> None:
    delegate = apps.get_model("meetings", "Delegate")
    delegate.objects.filter(seated=True).update(seated_at=models.F("undertaken_at"))


class Migration(migrations.Migration):
    dependencies = [("meetings", "0003_disposal"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AddField(
            model_name="delegate",
            name="seated_at",
            field=models.DateTimeField(null=True, help_text="when the roster first gave a seat; it stays when the seat is gone"),
        ),
        migrations.RunPython(remember_who_sits, migrations.RunPython.noop),
        migrations.CreateModel(
            name="EvidenceExport",
            fields=[
                ("id", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("card", models.CharField(max_length=64)),
                ("party", models.CharField(max_length=16)),
                ("whole", models.BooleanField(help_text="every name that is kept; otherwise the recipient's own alone")),
                (
                    "purpose",
                    models.CharField(
                        max_length=12,
                        choices=[("files", "Files"), ("check", "Check"), ("inquiry", "Inquiry"), ("handover", "Handover")],
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        max_length=12,
                        choices=[
                            ("requested", "Requested"),
                            ("approved", "Approved"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="requested",
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("decided_by", models.CharField(max_length=64, blank=True, help_text="the Co-Chair's card")),
                ("decided_at", models.DateTimeField(null=True)),
                ("downloads", models.PositiveIntegerField(default=0)),
                ("downloaded_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="exports", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "consultation",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="exports", to="meetings.consultation"),
                ),
            ],
        ),
    ]
