"""People, their cards and devices, statements, and what is sealed to a card. Hashes are lower-case hex."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone

HEX_32 = 64
HEX_16 = 32


class AccountManager(BaseUserManager["Account"]):
    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(sign_in_name=username)


class Account(AbstractBaseUser):
    """A person who can sign in. What the person may do follows from statements about their card, never from here."""

    sign_in_name = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(default=timezone.now)
    password_must_change = models.BooleanField(default=False, help_text="a one-use password; see `reset_sign_in`")
    password_expires = models.DateTimeField(null=True, help_text="only of a one-use password")

    objects: ClassVar[AccountManager] = AccountManager()

    USERNAME_FIELD = "sign_in_name"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class StatementRow(models.Model):
    """One signed statement in its chain. `body` is JCS of {"signatures", "statement"}."""

    hash = models.CharField(max_length=HEX_32, primary_key=True)
    type = models.CharField(max_length=40)
    scope = models.CharField(max_length=HEX_32, help_text="the chain's name, also for the founding statement")
    n = models.PositiveIntegerField()
    prev = models.CharField(max_length=HEX_32, blank=True)
    up = models.CharField(max_length=HEX_32, blank=True)
    body = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "n"], name="one_statement_per_place"),
        ]


class Draft(models.Model):
    """A statement of both Co-Chairs with one signature; outside every chain, seen by the two only."""

    hash = models.CharField(max_length=HEX_32, primary_key=True)
    type = models.CharField(max_length=40)
    scope = models.CharField(max_length=HEX_32, blank=True)
    body = models.BinaryField()
    enclosed = models.BinaryField(help_text="canonical JSON")
    signed_by = models.CharField(max_length=HEX_32)
    at = models.DateTimeField()


class Card(models.Model):
    """A person's account key and X-Wing key, as their `account.card` says. One account may have had several."""

    hash = models.CharField(max_length=HEX_32, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="cards")
    party = models.CharField(max_length=16)
    account_key = models.BinaryField()
    xwing_key = models.BinaryField()
    current = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account"], condition=models.Q(current=True), name="one_current_card"),
        ]


class Client(models.Model):
    """One device's MLS identity. The hash is that of its `device.add` statement."""

    hash = models.CharField(max_length=HEX_32, primary_key=True)
    card = models.ForeignKey(Card, on_delete=models.PROTECT, related_name="clients")
    signature_key = models.BinaryField(unique=True)
    label = models.CharField(max_length=80)
    added = models.DateTimeField()
    revoked = models.DateTimeField(null=True)
    last_seen = models.DateTimeField(null=True)


class Enrolment(models.Model):
    """A nomination: a code for one person, one use, expiring. The server knows the locator, never the secret."""

    class Purpose(models.TextChoices):
        CHAIR = "chair"
        FOCAL_POINT = "focal_point"
        DELEGATE = "delegate"
        SECRETARIAT = "secretariat"

    id = models.CharField(max_length=HEX_16, primary_key=True)
    locator = models.CharField(max_length=HEX_16, unique=True)
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    party = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    inviter = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="invitations")
    created = models.DateTimeField()
    expires = models.DateTimeField()
    account = models.OneToOneField(Account, null=True, on_delete=models.PROTECT, related_name="enrolment")
    mac = models.CharField(max_length=64, blank=True)
    totp_salt = models.CharField(max_length=40, blank=True, help_text="hex; the second factor reserved while enrolling")
    totp_reserved = models.DateTimeField(null=True)
    used = models.DateTimeField(null=True)
    confirmed = models.DateTimeField(null=True)
    withdrawn = models.DateTimeField(null=True)


class RecoveryBox(models.Model):
    """The static part of recovery, sealed under the printed recovery key."""

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.CASCADE, related_name="recovery_box")
    box = models.BinaryField()
    number = models.PositiveIntegerField()
    at = models.DateTimeField()


class RingEntry(models.Model):
    """One room epoch's content key, sealed by the account's own device to its own card."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    room = models.CharField(max_length=HEX_32)
    epoch = models.PositiveIntegerField()
    box = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "room", "epoch"], name="one_ring_entry_per_epoch"),
        ]


class SealedText(models.Model):
    """A brief or a reason: ciphertext named by its SHA-256, as the statement carries it."""

    sha256 = models.CharField(max_length=HEX_32, primary_key=True)
    commitment = models.CharField(max_length=48)
    ciphertext = models.BinaryField()
    scope = models.CharField(max_length=HEX_32)


class Wrap(models.Model):
    """The key of a sealed text, HPKE-sealed to one card."""

    sealed = models.ForeignKey(SealedText, on_delete=models.CASCADE, related_name="wraps")
    card = models.CharField(max_length=HEX_32)
    box = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["sealed", "card"], name="one_wrap_per_card")]


class SignInSession(models.Model):
    """A signed-in browser, for the list of sessions. `key` is the session's key; deleting the session ends it."""

    key = models.CharField(max_length=40, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sign_in_sessions")
    label = models.CharField(max_length=80)
    created = models.DateTimeField()
    last_seen = models.DateTimeField()


class SignInFailures(models.Model):
    """Recent failed sign-ins of one bucket (`secure/throttle.py`). The key is a keyed hash: no name, no address."""

    bucket = models.CharField(max_length=HEX_32, primary_key=True)
    count = models.PositiveIntegerField()
    last = models.DateTimeField(db_index=True)
