"""Checkpoints under a newer time."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("secure", "0004_boxed_names")]

    operations = [
        migrations.CreateModel(
            name="CheckpointAgain",
            fields=[
                (
                    "checkpoint",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="again",
                        serialize=False,
                        to="secure.checkpoint",
                    ),
                ),
                ("note", models.BinaryField()),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
