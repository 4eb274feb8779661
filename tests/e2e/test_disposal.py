"""The end of a consultation's records, in browsers: an officer asks, both Co-Chairs read and sign, and what is left is the certificate."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.e2e import house as setting
from tests.e2e.conftest import Sit
from tests.e2e.desk import PATIENCE, Desk
from tests.e2e.plenary import convened
from tests.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def confirm(desk: Desk, opener: str, *, ready: str | None = None) -> None:
    """Opens the question and answers it; nothing goes before the box is ticked."""
    await desk.press(opener)
    asking = desk.page.locator("dialog[open]")
    if ready is not None:
        await asking.get_by_label(ready).check()
    await asking.get_by_role("button").last.click()


async def test_an_officer_asks_both_co_chairs_sign_and_a_certificate_is_left(sit: Sit, house: Installation) -> None:
    plenary = await convened(sit, house, names={"t.hossain": "Tariq Hossain"})
    chairs, matter = plenary.chairs, f"/consultations/{plenary.consultation}"
    tariq = plenary.delegates["t.hossain"]
    secretariat = await setting.officer(sit, chairs, name="Nalini Perera", sign_in_name="n.perera")
    await chairs.indonesia.enter_room(plenary.consultation)
    await tariq.enter_room(plenary.consultation)
    await tariq.say("This will be forgotten.")
    await chairs.indonesia.hears("This will be forgotten.")

    await secretariat.go("/register")
    await secretariat.page.get_by_role("link", name="Retention and disposal").click()
    await secretariat.page.get_by_role("main").get_by_role("link").filter(has_text=re.compile(r"\d")).first.click()
    await secretariat.sees("What a disposal does")
    await secretariat.shot("disposal-ask")
    await confirm(secretariat, "Ask for the disposal", ready="a legal order requires it")
    await secretariat.sees("Asked for by the secretariat")

    await chairs.indonesia.go(f"{matter}/disposal")
    await chairs.indonesia.sees("Your signature is asked for")
    await confirm(chairs.indonesia, "Sign the disposal", ready="I have read what goes, and that it cannot be undone.")
    await chairs.indonesia.sees("You have signed")

    await chairs.australia.go("/chairs")
    await chairs.australia.sees(re.compile("^Disposal of "))
    await chairs.australia.page.get_by_role("link", name="Read what would be destroyed").click()
    await chairs.australia.sees("The other Co-Chair has signed")
    await chairs.australia.shot("disposal-sign")
    await confirm(chairs.australia, "Sign and destroy", ready="I have read what goes, and that it cannot be undone.")
    await chairs.australia.sees("It has been disposed of")

    await expect(tariq.page.get_by_text(re.compile("no longer have a seat|no seat in this room")).first).to_be_visible(timeout=PATIENCE)
    await tariq.go("/")
    await expect(tariq.page.get_by_text(plenary.consultation)).to_have_count(0)
    await chairs.australia.page.get_by_role("link", name="The certificate").click()
    await chairs.australia.sees("Certificate of disposal")
    await chairs.australia.shot("disposal-certificate")
    assert await chairs.australia.widest() <= 0
    await chairs.indonesia.go(matter)
    await chairs.indonesia.sees("It has been disposed of")

    checked = house.run("verify")
    assert checked.returncode == 0, checked.stdout
    assert "PRUNED" in checked.stdout
    everyone = [chairs.indonesia, chairs.australia, plenary.focal, secretariat]
    assert [fault for desk in everyone for fault in desk.faults] == []
