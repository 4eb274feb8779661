"""Times in pairs that cannot be misread."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.template import Context, Template

from consult.templatetags import times

MOMENT = datetime(2017, 10, 12, 17, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Jakarta", "13 Oct 2017, 00:30\xa0WIB · <i>12 Oct, 17:30 UTC</i>"),
        ("Australia/Sydney", "13 Oct 2017, 04:30\xa0AEDT · <i>12 Oct, 17:30 UTC</i>"),
        ("Asia/Bangkok", "13 Oct 2017, 00:30\xa0UTC+7 · <i>12 Oct, 17:30 UTC</i>"),
        ("Asia/Yangon", "13 Oct 2017, 00:00\xa0UTC+6:30 · <i>12 Oct, 17:30 UTC</i>"),
        ("America/New_York", "12 Oct 2017, 13:30\xa0UTC-4 · <i>17:30 UTC</i>"),
        ("Nowhere/Atlantis", "12 Oct 2017, 17:30\xa0UTC · <i>17:30 UTC</i>"),
    ],
)
def test_a_time_shows_the_readers_zone_and_utc_and_the_day_where_they_differ(zone: str, shown: str) -> None:
    template = Template("{% load times %}{% pair moment %}")
    text = template.render(Context({"moment": MOMENT, "reader_zone": zone}))
    assert text == f'<time datetime="2017-10-12T17:30:00Z">{shown}</time>'


def test_no_time_yet_is_a_dash() -> None:
    assert Template("{% load times %}{% pair moment %}").render(Context({"moment": None})) == "–"


def test_a_capitals_clock_names_its_day_only_where_it_is_not_utcs() -> None:
    assert "Fri 00:30\xa0WIB" in times.local_time("Asia/Jakarta", MOMENT)
    assert ">13:30\xa0UTC-4<" in times.local_time("America/New_York", MOMENT)


def test_a_clock_drawn_in_the_browser_has_the_letters_of_both_halves_of_the_year() -> None:
    assert times.zone_letters("Australia/Sydney", MOMENT) == "UTC+11=AEDT UTC+10=AEST"
    assert times.zone_letters("Asia/Jakarta", MOMENT) == "UTC+7=WIB"
    assert times.zone_letters("Asia/Dhaka", MOMENT) == ""
