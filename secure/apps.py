from django.apps import AppConfig


class SecureConfig(AppConfig):
    """Moves sealed bytes and proves it; has never heard of a meeting."""

    name = "secure"
    default_auto_field = "django.db.models.BigAutoField"
