"""One world for many tests of a module: built once, each test in a savepoint of its own inside it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from tests.stage import Stage
from tests.world import World


def standing(make: Callable[[], Stage]) -> Callable[..., Iterator[World]]:
    """A module's fixture: `world = standing(concurred)`. Whatever a test changes is undone after it."""

    @pytest.fixture(scope="module")
    def world(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
        whole = transaction.atomic()
        whole._from_testcase = True  # type: ignore[attr-defined]  # as Django's own TestCase says it, so that acts may be durable inside
        with django_db_blocker.unblock(), whole:
            yield World(getattr(request, "param", make)())
            transaction.set_rollback(True)

    return world


def own(world: World) -> World:
    """For a test that makes statements: what it signs is its own, as what it stores is undone."""
    return copy.deepcopy(world)


def on(make: Callable[[], Stage], *, fixture: str = "world") -> pytest.MarkDecorator:
    """`@on(proposed)`: this test stands in another world than the module's."""
    return pytest.mark.parametrize(fixture, [make], indirect=True, ids=[make.__name__])
