"""A person at a desk: a browser of their own, used through pages as a person would use them. Words, labels and buttons; no hidden doors."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django_otp.oath import TOTP
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, Response, expect

from tests.installation import Installation

SHOTS = Path(__file__).resolve().parents[2] / "screenshots"
PASSWORD = "nine grey herons over the strait"
WIDTHS = {"wide": (1280, 900), "narrow": (360, 760)}
#: a key made, a room joined: seconds on a busy small machine
PATIENCE = 30_000


@dataclass
class Desk:
    """`faults` are console errors, uncaught errors and server errors; a story ends with none."""

    name: str
    house: Installation
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    keep_answers: bool = False
    #: what the person has beside the browser once enrolled: the authenticator's secret, the recovery key on paper
    secret: str = ""
    recovery_key: str = ""
    #: the half minute whose six digits were typed last; digits work once
    typed: int = 0

    @classmethod
    async def sit(cls, browser: Browser, house: Installation, name: str, *, origin: str | None = None, keep_answers: bool = False) -> Desk:
        context = await browser.new_context(base_url=origin or house.origin, viewport={"width": 1280, "height": 900}, locale="en-GB")
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        desk = cls(name, house, context, page, keep_answers=keep_answers)
        page.on("console", desk._console)
        page.on("pageerror", lambda error: desk.faults.append(f"{name}: uncaught {error}"))
        page.on("response", desk._response)
        # a page with something on paper only asks before it is left; people say yes
        page.on("dialog", lambda dialog: dialog.accept())
        return desk

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{self.name}: {message.type} {message.text} ({message.location.get('url', '')})")

    async def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.faults.append(f"{self.name}: {response.status} {response.url}")
        if self.keep_answers and not response.url.endswith((".js", ".css", ".woff2")):
            try:
                self.answers.append(await response.body())
            except Exception:  # a redirect has no body
                return

    async def go(self, path: str) -> None:
        try:
            await self.page.goto(path)
        except Error as error:
            # the page was loading itself again after an act; people press once more
            if "ERR_ABORTED" not in str(error):
                raise
            await self.page.goto(path)

    def button(self, words: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=words)

    def label(self, words: str) -> Locator:
        return self.page.get_by_label(words, exact=True)

    async def press(self, words: str | re.Pattern[str]) -> None:
        await self.button(words).click()

    async def sees(self, words: str | re.Pattern[str]) -> None:
        await expect(self.page.get_by_text(words).first).to_be_visible(timeout=PATIENCE)

    async def shot(self, name: str) -> None:
        """The screen at both widths, light and dark, for people to look at."""
        SHOTS.mkdir(exist_ok=True)
        for size, (width, height) in WIDTHS.items():
            await self.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                await self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                await self.page.wait_for_timeout(80)
                await self.page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}.png", full_page="room" not in name)
        await self.page.set_viewport_size({"width": 1280, "height": 900})
        await self.page.emulate_media(color_scheme="light")

    async def widest(self) -> int:
        """How far the page reaches beyond a telephone's width, in pixels."""
        await self.page.set_viewport_size({"width": 360, "height": 760})
        beyond: int = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        await self.page.set_viewport_size({"width": 1280, "height": 900})
        return beyond

    async def enrol(self, code: str, *, sign_in_name: str, shots: bool = False) -> str:
        """From the code to the first page; returns the recovery key from the sheet."""
        await self.go(f"/enrol#{code}")
        await self.press("This is me")
        if shots:
            await self.shot("enrol-sign-in")
        await self.label("Sign-in name").fill(sign_in_name)
        await self.label("Password").fill(PASSWORD)
        await self.label("The same once more").fill(PASSWORD)
        await self.press("Continue")
        letters = self.page.locator('[data-part="secret"]')
        await expect(letters).to_have_text(re.compile(r"\w{4} \w{4}"), timeout=PATIENCE)
        self.secret = (await letters.inner_text()).replace(" ", "")
        if shots:
            await self.shot("enrol-authenticator")
        await self.label("The six digits it shows now").fill(await self.six_digits())
        await self.press("Make my keys and enrol")
        await expect(self.page.get_by_role("heading", name="Recovery codes")).to_be_visible(timeout=PATIENCE)
        key = self.recovery_key = (await self.page.locator('[data-part="recovery-key"]').inner_text()).strip()
        if shots:
            await self.shot("enrol-sheet")
        await self.page.locator("#last-group").fill("-".join(key.split("-")[-2:]))
        await self.press("I have the sheet; finish")
        await self.page.wait_for_url(re.compile(r"/$"))
        return key

    async def six_digits(self) -> str:
        """What the authenticator shows. Digits that were typed already do not work again; the next ones do half a minute early."""
        step = max(int(time.time()) // 30, self.typed + 1)
        while step > int(time.time()) // 30 + 1:
            await self.page.wait_for_timeout(500)
        self.typed = step
        return six_digits(self.secret, step=step)

    async def invite(self, *, opener: str, name: str) -> str:
        """Makes a code on the present page and reads it from the dialog."""
        await self.press(opener)
        asking = self.page.locator("dialog[open]")
        await asking.get_by_label("Name and function").fill(name)
        await asking.get_by_role("button", name="Make the code").click()
        shown = self.page.locator("dialog[open] [data-part='code']")
        await expect(shown).not_to_be_empty(timeout=PATIENCE)
        code = await shown.inner_text()
        await self.press("I have handed it over")
        return code.strip()

    async def enter_room(self, consultation: str) -> None:
        await self.go(f"/consultations/{consultation}/room")
        await expect(self.page.get_by_text("Connected · everything sent")).to_be_visible(timeout=PATIENCE)

    async def say(self, text: str) -> None:
        await self.page.get_by_role("textbox", name="Message").fill(text)
        await self.button("Send").click()

    async def hears(self, text: str) -> Locator:
        """A message of the conversation, whole."""
        message = self.page.get_by_role("log").get_by_role("listitem").filter(has_text=text)
        await expect(message.first).to_be_visible(timeout=PATIENCE)
        return message.first

    async def evaluate(self, script: str, argument: Any = None) -> Any:
        return await self.page.evaluate(script, argument)


def six_digits(secret: str, *, step: int) -> str:
    """What the authenticator shows in this half minute since 1970."""
    totp = TOTP(base64.b32decode(secret + "=" * (-len(secret) % 8)), 30)
    totp.time = 30 * step
    return f"{totp.token():06d}"


def consultation_of(page: Page) -> str:
    """The consultation's name in the address of one of its pages."""
    found = re.search(r"/consultations/([0-9a-f]{64})", page.url)
    assert found, page.url
    return found[1]
