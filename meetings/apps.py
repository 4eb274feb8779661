from django.apps import AppConfig


class MeetingsConfig(AppConfig):
    """The rules of procedure."""

    name = "meetings"
    default_auto_field = "django.db.models.BigAutoField"
