"""The beginning of every story: Co-Chairs, focal points and delegates come in through the pages and stand ready."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import expect

from tests.e2e.conftest import Sit
from tests.e2e.desk import PATIENCE, Desk, consultation_of
from tests.installation import Installation


@dataclass(frozen=True)
class Texts:
    """What is typed; a test that looks for leaks gives strings of its own."""

    reference: str = "CM-2017-01"
    subject: str = "Situation at the Myanmar–Bangladesh border"
    situation: str = "More than half a million people have crossed since 25 August.\n\nShelter and water are beyond their limits."
    agenda: str = "Opening by the Co-Chairs\nSituation in the border area\nNext steps"


@dataclass
class Chairs:
    indonesia: Desk
    australia: Desk


async def found(sit: Sit, house: Installation, *, shots: bool = False) -> Chairs:
    """Both Co-Chairs enrol, compare fingerprints and sign the founding statement."""
    codes = house.invite_chairs(indonesia="Dewi Anggraini", australia="Margaret Lyle")
    chairs = Chairs(await sit("indonesia"), await sit("australia"))
    await chairs.indonesia.enrol(codes[0], sign_in_name="d.anggraini", shots=shots)
    await chairs.australia.enrol(codes[1], sign_in_name="m.lyle")
    fingerprints = []
    for desk in (chairs.indonesia, chairs.australia):
        await desk.go("/chairs")
        lines = desk.page.get_by_label("Fingerprint")
        await expect(lines.nth(1)).not_to_be_empty()
        fingerprints.append(await lines.all_inner_texts())
    assert fingerprints[0] == fingerprints[1], "each Co-Chair reads the same two lines"
    if shots:
        await chairs.indonesia.shot("chairs-compare")
    for desk in (chairs.indonesia, chairs.australia):
        await desk.page.get_by_role("checkbox").check()
        await desk.press("Sign as Co-Chair")
        await desk.sees("You have signed" if desk is chairs.indonesia else "Both Co-Chairs have signed")
        if desk is chairs.indonesia:
            await chairs.australia.page.reload()
    return chairs


async def focal_point(sit: Sit, chairs: Chairs, *, party: str, name: str, sign_in_name: str) -> Desk:
    """Invited by Indonesia, enrolled, named by both signatures."""
    inviter = chairs.indonesia
    await inviter.go("/parties")
    code = await inviter.invite(opener=f"Invite the focal point of {party}", name=name)
    desk = await sit(sign_in_name)
    await desk.enrol(code, sign_in_name=sign_in_name)
    await inviter.go("/parties")
    row = inviter.page.get_by_role("row").filter(has_text=name).filter(has=inviter.page.get_by_role("button", name="Sign"))
    await expect(row).to_contain_text("check mark holds")
    await row.get_by_role("button", name="Sign").click()
    await inviter.sees("The other Co-Chair finds it under Co-Chairs")
    await second(chairs.australia)
    return desk


async def officer(sit: Sit, chairs: Chairs, *, name: str, sign_in_name: str, keep_answers: bool = False) -> Desk:
    inviter = chairs.indonesia
    await inviter.go("/parties")
    code = await inviter.invite(opener="Invite an officer", name=name)
    desk = await sit(sign_in_name, keep_answers=keep_answers)
    await desk.enrol(code, sign_in_name=sign_in_name)
    await inviter.go("/parties")
    await inviter.press("Confirm as officer")
    await expect(inviter.page.get_by_role("row").filter(has_text=name).filter(has_text="In office")).to_be_visible(timeout=PATIENCE)
    return desk


async def second(chair: Desk) -> None:
    """The second signature on whatever waits first."""
    await chair.go("/chairs")
    await chair.button("Sign as second Co-Chair").first.click()
    await expect(chair.page.get_by_text("Nothing waits.")).to_be_visible(timeout=PATIENCE)


async def convene(chairs: Chairs, texts: Texts, *, affected: tuple[str, ...] = ("Bangladesh", "Myanmar"), shots: bool = False) -> str:
    """Indonesia proposes, Australia sees exactly that and concurs; returns the consultation's name."""
    desk = chairs.indonesia
    await desk.go("/proposals/new")
    await desk.label("Reference").fill(texts.reference)
    await desk.label("Subject").fill(texts.subject)
    await desk.label("Situation").fill(texts.situation)
    await desk.page.locator("#agenda").fill(texts.agenda)
    await desk.page.get_by_label("Immediate").check()
    for party in affected:
        await desk.label(f"{party}: invited as").select_option("affected")
    if shots:
        await desk.shot("proposal-write")
    await desk.press("Look at it as it will stand")
    await desk.sees("As it will stand")
    if shots:
        await desk.shot("proposal-preview")
    await desk.press("Sign and propose")
    await desk.page.wait_for_url("**/consultations/*")
    consultation = consultation_of(desk.page)
    other = chairs.australia
    await other.go(f"/consultations/{consultation}")
    await other.sees(texts.subject)
    await other.sees(texts.situation.split("\n")[0])
    if shots:
        await other.shot("proposal-review")
    await other.press("Sign and convene")
    await other.press("Sign as second Co-Chair")
    await other.sees("Convened")
    return consultation


async def accept(desk: Desk, consultation: str) -> None:
    await desk.go(f"/consultations/{consultation}/delegation")
    await desk.page.get_by_role("radio", name="Accept").check()
    await desk.press("Sign the answer")
    await expect(desk.page.get_by_text("Accepted").first).to_be_visible(timeout=PATIENCE)


async def delegate(sit: Sit, desk: Desk, consultation: str, *, name: str, sign_in_name: str, capacity: str = "Head of delegation") -> Desk:
    """Enrolled by the focal point's code, accredited after the mark was checked, undertaking signed."""
    await desk.go(f"/consultations/{consultation}/delegation")
    code = await desk.invite(opener="Make a code for a new delegate", name=name)
    person = await sit(sign_in_name)
    await person.enrol(code, sign_in_name=sign_in_name)
    await desk.go(f"/consultations/{consultation}/delegation")
    row = desk.page.get_by_role("row").filter(has_text=name).filter(has_text="check mark holds")
    await row.get_by_label("Capacity").select_option(label=capacity)
    await row.get_by_role("button", name="Accredit").click()
    await desk.sees("Accredited. The delegate is seated after signing the undertaking.")
    await undertake(person, consultation)
    return person


async def undertake(person: Desk, consultation: str) -> None:
    await person.go(f"/consultations/{consultation}/undertaking")
    await person.page.get_by_role("checkbox").check()
    await person.press("Sign the undertaking")
    await person.sees("You are seated")


async def open_room(desk: Desk, consultation: str) -> None:
    await desk.go(f"/consultations/{consultation}")
    await desk.press("Open the room")
    await expect(desk.page.get_by_role("link", name="Enter the room")).to_be_visible(timeout=PATIENCE)
