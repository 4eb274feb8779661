"""A plenary in session with the fewest people: both Co-Chairs, one focal point, delegates of one party."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import BrowserContext, Page, expect

from tests.e2e import house as setting
from tests.e2e.conftest import Sit
from tests.e2e.desk import PASSWORD, PATIENCE, Desk
from tests.installation import Installation

#: runs before a page's own scripts: keeps hold of the page's key worker, so that a test can ask it what no button asks
HOLD_WORKER = """
const Ordinary = Worker;
globalThis.Worker = class extends Ordinary {
  constructor(...given) { super(...given); globalThis.heldWorker = this; }
};
"""
ASK_WORKER = """
([name, args]) => new Promise((resolve) => {
  const id = Math.floor(Math.random() * 1e9) + 1e6;
  const worker = globalThis.heldWorker;
  worker.addEventListener("message", function listen({ data }) {
    if (data.id !== id || data.kind === "progress") return;
    worker.removeEventListener("message", listen);
    resolve(data.kind === "result" ? { result: data.result } : { error: data.error.code });
  });
  worker.postMessage({ kind: "call", id, name, args });
})
"""
FETCH = """
async ([method, path, body]) => {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
  const answer = await fetch(path, { method, headers, body: body === null ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  try { return [answer.status, JSON.parse(text)]; } catch { return [answer.status, text]; }
}
"""


@dataclass
class Plenary:
    chairs: setting.Chairs
    focal: Desk
    consultation: str
    delegates: dict[str, Desk] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def seated(self) -> list[Desk]:
        return [self.chairs.indonesia, self.chairs.australia, *self.delegates.values()]


async def convened(sit: Sit, house: Installation, *, names: dict[str, str], texts: setting.Texts | None = None) -> Plenary:
    """From the founding signatures to a room that Indonesia has opened.

    `names`: sign-in name to person, all of Bangladesh, the first the head of the delegation.
    """
    chairs = await setting.found(sit, house)
    focal = await setting.focal_point(sit, chairs, party="Bangladesh", name="Farhana Rahman", sign_in_name="f.rahman")
    consultation = await setting.convene(chairs, texts or setting.Texts(), affected=("Bangladesh",))
    await setting.accept(focal, consultation)
    plenary = Plenary(chairs, focal, consultation)
    for place, (sign_in_name, name) in enumerate(names.items()):
        capacity = "Adviser" if place else "Head of delegation"
        plenary.delegates[sign_in_name] = await setting.delegate(
            sit, focal, consultation, name=name, sign_in_name=sign_in_name, capacity=capacity
        )
    await setting.open_room(chairs.indonesia, consultation)
    return plenary


async def withdraw(plenary: Plenary, *, name: str) -> None:
    """The focal point takes a delegate's accreditation back."""
    desk = plenary.focal
    await desk.go(f"/consultations/{plenary.consultation}/delegation")
    row = desk.page.locator("[data-people]").get_by_role("row").filter(has_text=name)
    await row.get_by_text("Withdraw", exact=True).click()
    await row.get_by_role("button", name="Sign the withdrawal").click()
    await desk.sees("From this moment the server gives this person nothing more")


async def excluded(plenary: Plenary, *, name: str) -> None:
    """Both Co-Chairs take somebody's seat, for good."""
    first = plenary.chairs.indonesia
    await first.go(f"/consultations/{plenary.consultation}")
    row = first.page.locator("[data-people]").get_by_role("row").filter(has_text=name)
    await row.get_by_text("Exclude", exact=True).click()
    await row.get_by_role("button", name="Sign the exclusion").click()
    await first.sees("The exclusion takes effect once the other Co-Chair has signed too")
    # who signs second reads from whom, and from which consultation, the seat is taken
    await plenary.chairs.australia.go("/chairs")
    draft = plenary.chairs.australia.page.get_by_role("region", name="Exclusion from CM-2017-01")
    await expect(draft).to_contain_text(f"Bangladesh {name}", timeout=PATIENCE)
    await setting.second(plenary.chairs.australia)


async def elsewhere(sit: Sit, desk: Desk, *, sign_in_name: str) -> Desk:
    """Another browser of the same person: signed in, keys brought back from the recovery sheet."""
    other = await sit(f"{sign_in_name} elsewhere")
    other.secret, other.recovery_key, other.typed = desk.secret, desk.recovery_key, desk.typed
    await other.go("/sign-in")
    await other.label("Sign-in name").fill(sign_in_name)
    await other.label("Password").fill(PASSWORD)
    await other.press("Continue")
    await other.label("Code").fill(await other.six_digits())
    desk.typed = other.typed  # one authenticator, whatever browser it is typed into
    await other.press("Sign in")
    await other.page.wait_for_url(re.compile(r"/$"))
    await other.go("/restore")
    await other.label("Recovery key").fill(desk.recovery_key)
    await other.press("Restore")
    await other.sees("Your keys are in this browser again")
    return other


async def room_of(desk: Desk) -> str:
    """The room's name, on the room's own page."""
    found = await desk.page.locator("consult-room").get_attribute("data-room")
    assert found
    return found


async def hold_worker(context: BrowserContext) -> None:
    await context.add_init_script(HOLD_WORKER)


async def ask(page: Page, name: str, **args: Any) -> dict[str, Any]:
    """One call to the page's own key worker: `result`, or `error` with its code."""
    await page.wait_for_function("globalThis.heldWorker !== undefined")
    answer: dict[str, Any] = await page.evaluate(ASK_WORKER, [name, args])
    return answer


async def fetched(page: Page, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """A request as the page itself would make it: same cookies, same token."""
    status, answer = await page.evaluate(FETCH, [method, path, body])
    return int(status), answer
