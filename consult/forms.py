"""What people type on pages that need no keys. Input only; what is right or wrong is judged below."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

    from secure.errors import Refusal

TYPED_MOST = 4096
"""Longer than any password we take, so that the refusal comes from the rule and not from the form."""

SENTENCES: dict[str, StrPromise] = {
    "sign_in_refused": _(
        "Name or password is wrong. Look at both and try again. If you have lost access, ask the secretariat for a new sign-in."
    ),
    "code_wrong": _("This code is wrong or was used already. Wait for the next one in your app and type that."),
    "too_many": _("Too many attempts. Wait a little, then try again. A browser in which you have signed in before does not have to wait."),
    "password_weak": _("Choose another password: at least 15 characters, not a common one, and without your name."),
    "password_too_long": _("Choose a password of at most 1,024 characters."),
    "reset_used": _("This one-use password was used already. Sign in with the password you chose, or ask for a new one."),
    "passwords_differ": _("The two new passwords differ. Type the same one twice."),
}


def sentence_for(refusal: Refusal) -> str | StrPromise:
    """A refusal in words, for a form's own error line."""
    return SENTENCES.get(refusal.code) or _("This did not work. Load the page again and try once more.")


class _Form(forms.Form):
    """Fields as our pages draw them: label, input, hint."""

    use_required_attribute = True
    required_css_class: ClassVar[str] = ""


def _password(label: StrPromise, autocomplete: str, hint: StrPromise | str = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, widget=widget, strip=False, max_length=TYPED_MOST, help_text=hint)


def _code(hint: StrPromise | str = "") -> forms.CharField:
    attributes = {"autocomplete": "one-time-code", "inputmode": "text", "class": "code", "spellcheck": "false"}
    return forms.CharField(label=_("Code"), widget=forms.TextInput(attrs=attributes), max_length=32, help_text=hint)


class SignInForm(_Form):
    sign_in_name = forms.CharField(
        label=_("Sign-in name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}),
    )
    password = _password(_("Password"), "current-password")


class CodeForm(_Form):
    code = _code(_("Six digits from your authenticator app, or one of your printed recovery codes."))


class NewPasswordForm(_Form):
    """Two times the same new password."""

    new = _password(
        _("New password"), "new-password", _("At least 15 characters. A sentence you can remember is better than a word with signs.")
    )
    again = _password(_("The same once more"), "new-password")

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or {}
        if cleaned.get("new") and cleaned.get("again") and cleaned["new"] != cleaned["again"]:
            self.add_error("again", SENTENCES["passwords_differ"])
        return cleaned


class RenewForm(NewPasswordForm):
    code = _code(_("Six digits from your authenticator app, after it has read the picture."))


class PasswordForm(NewPasswordForm):
    current = _password(_("Present password"), "current-password")
    field_order = ("current", "new", "again")
