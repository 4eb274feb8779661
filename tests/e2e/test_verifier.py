"""The verifier's page, opened from a file in a real Chromium that has no network: it says what the one in Python says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests import evidence
from tests.consult import test_attacks as attacks
from tests.evidence import POLICY, SIGNER, WITNESSES, Parts, Story, policy_lines, verified
from tests.people import THAI_HEAD

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.asyncio(loop_scope="module")]
story = evidence.story()
PAGE = Path(__file__).resolve().parents[2] / "consult" / "static" / "consult" / "dist" / "consult-verify.html"


@pytest.fixture(scope="module")
def bundle(story: Story) -> bytes:
    return story.bundle()


@pytest.fixture(scope="module")
def delegates(story: Story) -> bytes:
    return story.bundle(THAI_HEAD)


SEEN_HERE = [(tamper, check) for tamper, check in attacks.TAMPERINGS if tamper is not attacks.mldsa_cosignature_forged]


@pytest.fixture(scope="module")
def tampered(bundle: bytes, story: Story) -> dict[str, bytes]:
    """Every tampered bundle by the name of its tampering; some need the host's own tree, and with it the database."""
    made = {}
    for tamper, _ in attacks.TAMPERINGS:
        parts = Parts.of(bundle)
        tamper(parts)
        made[tamper.__name__] = parts.packed()
    left_out = Parts.of(bundle)
    attacks.series_left_out(left_out, story.world.card(attacks.MYANMAR))
    return {**made, "a card left out": left_out.packed()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(tampered: dict[str, bytes], delegates: bytes, chromium: Browser) -> AsyncIterator[Page]:
    """No answer ever comes from a network, no script complains."""
    context = await chromium.new_context(offline=True)
    made = await context.new_page()
    faults: list[str] = []
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on("console", lambda line: faults.append(line.text) if line.type in {"error", "warning"} else None)
    made.on("request", lambda request: None if request.url.startswith("file:") else faults.append(request.url))
    await made.goto(PAGE.as_uri())
    yield made
    assert faults == []
    await context.close()


async def told(page: Page, raw: bytes, policy: bytes | None = POLICY) -> str:
    """The page's verdict, by the class of its box."""
    await page.locator("#outcome").evaluate("(outcome) => outcome.replaceChildren()")
    chosen: Any = {"name": "policy.txt", "mimeType": "text/plain", "buffer": policy} if policy is not None else []
    await page.locator("#policy").set_input_files(chosen)
    await page.locator("#bundle").set_input_files({"name": "bundle.zip", "mimeType": "application/zip", "buffer": raw})
    box = page.locator("#verdict")
    await box.wait_for()
    return str(await box.get_attribute("class")).removeprefix("verdict ")


async def text(page: Page) -> str:
    return await page.locator("#outcome").inner_text()


async def test_a_bundle_is_verified_without_a_network_and_read(page: Page, bundle: bytes) -> None:
    assert await told(page, bundle) == "verified"
    said = await text(page)
    assert "Nothing was altered" in said
    assert "A party answered its invitation" in said
    assert "THA · Anong Suwan" in said
    assert "A message was sent; what it says is not known here" in said
    assert "Anong Suwan" in said
    assert "2026-10-13 09:05:00 UTC" in said
    assert {"Signed by the people named", "Signed by a person’s device", "The host’s word"} <= set(said.replace("\t", "\n").split("\n"))


async def test_it_says_which_signatures_it_could_not_check(page: Page, bundle: bytes) -> None:
    await told(page, bundle)
    assert f"ML-DSA-44 cannot be checked in a browser; those of {SIGNER.verifier.name} were not" in await text(page)


async def test_a_quorum_that_stands_on_what_it_cannot_check_is_not_shown(page: Page, bundle: bytes) -> None:
    own = "\n".join([*policy_lines(*WITNESSES, k=3), ""]).encode()
    parts = Parts.of(bundle)
    name = attacks.checkpoint(parts)
    parts[name] += WITNESSES[2].sign(attacks.split_note(parts[name])[0], time=1_791_882_305)
    assert verified(parts.packed(), attacks.read_trust(own)).verdict == 0
    assert await told(page, parts.packed(), own) == "unanchored"
    assert WITNESSES[2].verifier.name in await text(page)


async def test_without_a_policy_it_is_not_anchored(page: Page, bundle: bytes) -> None:
    assert await told(page, bundle, None) == "unanchored"
    assert "no list of witnesses was given" in await text(page)


async def test_a_file_that_is_no_policy_is_said_to_be_none(page: Page, bundle: bytes) -> None:
    assert await told(page, bundle, b"quorum of my choice\n") == "unreadable"
    assert "The list of witnesses cannot be read" in await text(page)


async def test_a_delegates_bundle_is_verified_and_says_what_is_withheld(page: Page, delegates: bytes) -> None:
    assert await told(page, delegates) == "verified"
    said = await text(page)
    assert "withheld from the recipient of this file" in said
    assert "Kamal Hossain" not in said


@pytest.mark.parametrize(("tamper", "check"), SEEN_HERE)
async def test_it_finds_what_the_one_in_python_finds(tamper: Any, check: int, page: Page, tampered: dict[str, bytes]) -> None:
    assert await told(page, tampered[tamper.__name__]) == "tampered", await text(page)
    said = await text(page)
    assert f"(check {check})" in said
    assert "The first thing that does not hold" in said


async def test_a_forged_signature_that_it_cannot_check_is_said_and_never_counted(page: Page, tampered: dict[str, bytes]) -> None:
    raw = tampered["mldsa_cosignature_forged"]
    assert await told(page, raw) == "verified"  # the two others are enough
    assert f"{WITNESSES[2].verifier.name} were not" in await text(page)
    assert await told(page, raw, "\n".join([*policy_lines(*WITNESSES, k=3), ""]).encode()) == "unanchored"


@pytest.mark.parametrize("tamper", attacks.NO_BUNDLES)
async def test_what_is_no_bundle_is_not_read(tamper: Any, page: Page, bundle: bytes) -> None:
    assert await told(page, tamper(Parts.of(bundle))) == "unreadable"


async def test_a_card_left_out_makes_it_incomplete(page: Page, tampered: dict[str, bytes]) -> None:
    assert await told(page, tampered["a card left out"]) == "incomplete"


async def test_files_may_be_dropped_on_it(page: Page, bundle: bytes) -> None:
    await page.locator("#outcome").evaluate("(outcome) => outcome.replaceChildren()")
    drop = """([bundle, policy]) => {
        const held = new DataTransfer();
        held.items.add(new File([Uint8Array.from(bundle)], "bundle.zip"));
        held.items.add(new File([Uint8Array.from(policy)], "policy.txt"));
        document.dispatchEvent(new DragEvent("drop", { dataTransfer: held, bubbles: true, cancelable: true }));
    }"""
    await page.evaluate(drop, [list(bundle), list(POLICY)])
    await page.locator("#verdict.verified").wait_for()


async def test_it_is_whole_on_a_telephone(page: Page, bundle: bytes) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    await told(page, bundle)
    assert await page.evaluate("document.documentElement.scrollWidth <= 360")
    await page.set_viewport_size({"width": 1280, "height": 900})
