"""A real installation, a real Chromium, one context for each person.

Asynchronous, because a running synchronous Playwright and Django do not mix.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.chromium import ARGUMENTS, find
from tests.e2e.desk import Desk
from tests.installation import Installation

Sit = Callable[..., Awaitable[Desk]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Made by `consult init`, served by `consult serve`, logging everything it can."""
    installation = Installation(tmp_path_factory.mktemp("e2e") / "data", extra={"CONSULT_LOG_LEVEL": "DEBUG"})
    installation.make()
    installation.start()
    yield installation
    installation.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    found = find()
    if found is None:
        pytest.fail("Chromium is missing: run `make test`, which installs it, or set CONSULT_TEST_CHROMIUM.")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found.path, args=ARGUMENTS, env={**_environ(), **found.env})
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sit(chromium: Browser, house: Installation, request: pytest.FixtureRequest) -> AsyncIterator[Sit]:
    """Gives a person a desk. At the end nobody's browser may have complained, and no browser may have reported a breach of policy."""
    desks: list[Desk] = []

    async def seat(name: str, *, keep_answers: bool = False) -> Desk:
        desk = await Desk.sit(chromium, house, name, keep_answers=keep_answers)
        desks.append(desk)
        return desk

    yield seat
    for desk in desks:
        if request.session.testsfailed:
            print(f"\n--- {desk.name} at {desk.page.url}: {desk.faults}\n{await desk.page.locator('body').aria_snapshot()}")
        await desk.context.close()


def _environ() -> dict[str, str | float | bool]:
    import os

    return dict(os.environ)


@pytest.fixture(scope="module")
def shots() -> Path:
    from tests.e2e.desk import SHOTS

    return SHOTS
