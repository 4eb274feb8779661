from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The product's own hash with the smallest cost."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
