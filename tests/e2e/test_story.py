"""The consultation of 13 October 2017, played from the founding signatures to the verified record, by seven people in seven browsers."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, expect

from tests.e2e import house as setting
from tests.e2e.conftest import Sit
from tests.e2e.desk import PATIENCE
from tests.installation import Installation

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAPER = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj
4 0 obj<</Length 58>>stream
BT /F1 18 Tf 30 120 Td (Situation report, 12 October) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
"""


async def test_the_consultation_from_the_founding_signatures_to_the_verified_record(sit: Sit, house: Installation) -> None:
    texts = setting.Texts()
    chairs = await setting.found(sit, house, shots=True)
    myanmar = await setting.focal_point(sit, chairs, party="Myanmar", name="Kyaw Zin Htet", sign_in_name="kyaw.zin.htet")
    bangladesh = await setting.focal_point(sit, chairs, party="Bangladesh", name="Farhana Rahman", sign_in_name="f.rahman")
    secretariat = await setting.officer(sit, chairs, name="Nalini Perera", sign_in_name="n.perera")
    await chairs.indonesia.shot("parties")

    consultation = await setting.convene(chairs, texts, shots=True)
    await myanmar.go("/")
    await myanmar.sees(texts.subject)
    await myanmar.shot("home-invited")
    for desk in (myanmar, bangladesh):
        await setting.accept(desk, consultation)
    thida = await setting.delegate(sit, myanmar, consultation, name="Thida Aung", sign_in_name="thida.aung")
    tariq = await setting.delegate(sit, bangladesh, consultation, name="Tariq Hossain", sign_in_name="t.hossain")
    await bangladesh.shot("delegation")
    await chairs.indonesia.go(f"/consultations/{consultation}")
    await chairs.indonesia.sees(texts.subject)
    await chairs.indonesia.shot("board")

    await setting.open_room(chairs.indonesia, consultation)
    seated = [chairs.indonesia, tariq, thida, chairs.australia]
    for desk in seated:
        await desk.enter_room(consultation)

    await chairs.indonesia.say("The floor is open on item 2.")
    for desk in seated:
        message = await desk.hears("The floor is open on item 2.")
        await expect(message).to_contain_text("Indonesia")
    await tariq.say("My delegation thanks IOM. We ask that shelter be treated as the first need.")
    await (await thida.hears("shelter be treated")).get_by_role("button", name="Reply").click()
    await thida.say("Myanmar takes note.")
    reply = await tariq.hears("Myanmar takes note.")
    await expect(reply).to_contain_text("Bangladesh: My delegation thanks IOM.")

    paper: FilePayload = {"name": "Situation report.pdf", "mimeType": "application/pdf", "buffer": PAPER}
    await tariq.page.get_by_label("Papers to attach").set_input_files(paper)
    shown = await thida.hears("Situation report.pdf")
    await shown.get_by_role("button", name="Open").click()
    frame = thida.page.frame_locator("dialog.viewer iframe")
    await expect(frame.get_by_role("img")).to_be_visible(timeout=PATIENCE)
    await thida.shot("room-paper")
    await thida.press("Close")
    await tariq.shot("room")
    assert await tariq.widest() <= 0

    await secretariat.go("/register")
    await expect(secretariat.page.get_by_role("row").filter(has_text="Bangladesh").first).to_be_visible()
    await secretariat.shot("register")
    checked = house.run("verify")
    assert checked.returncode == 0, checked.stdout
    assert "VERIFIED" in checked.stdout

    everyone = [chairs.indonesia, chairs.australia, myanmar, bangladesh, thida, tariq, secretariat]
    assert [fault for desk in everyone for fault in desk.faults] == []
    assert "content policy" not in house.log
