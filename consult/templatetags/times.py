"""Times in pairs: the reader's zone first, UTC beside it; the day is repeated where the two differ."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

register = template.Library()

DAY_AND_TIME = "j M Y, H:i"
TIME = "H:i"
CLEAR_NAMES = frozenset({"UTC", "WIB", "WITA", "WIT", "AEST", "AEDT", "NZST", "NZDT", "CET", "CEST"})
"""Letters that mean one zone only. Others are shown as a distance: PST is Manila's and California's, CST Shanghai's and Chicago's."""


@register.simple_tag(takes_context=True)
def pair(context: template.Context, moment: datetime | None, zone: str = "") -> SafeString | str:
    """`11 Oct 2017, 16:05 AEDT · 05:05 UTC`; an en dash where there is no moment yet."""
    if moment is None:
        return "–"
    local = moment.astimezone(_zone(zone or str(context.get("reader_zone") or "")))
    utc = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}">{}\N{NO-BREAK SPACE}{} · <i>{} UTC</i></time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        date_format(local, DAY_AND_TIME),
        _zone_name(local),
        date_format(utc, TIME if utc.date() == local.date() else "j M, H:i"),
    )


@register.simple_tag
def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in one unit: `40 minutes ago`, `3 hours ago`. Another clock may be ahead of ours: that is `just now` too."""
    if (now - moment).total_seconds() < 60:
        return _("just now")
    return _("{time} ago").format(time=timesince(moment, now, depth=1))


@register.simple_tag
def local_time(zone: str, now: datetime | None = None) -> SafeString:
    """What the clock shows in a party's capital, with the day where it is not UTC's: `12:05`, `Thu 00:05`."""
    utc = (now or timezone.now()).astimezone(UTC)
    local = utc.astimezone(_zone(zone))
    shown = date_format(local, TIME if local.date() == utc.date() else "D H:i")
    return format_html('<time datetime="{}">{}\N{NO-BREAK SPACE}{}</time>', utc.strftime("%Y-%m-%dT%H:%MZ"), shown, _zone_name(local))


@register.simple_tag
def zone_letters(zone: str, now: datetime | None = None) -> str:
    """For clocks drawn in the browser, which has no such letters: `UTC+11=AEDT UTC+10=AEST`; empty where none are clear."""
    year = (now or timezone.now()).year
    moments = [datetime(year, month, 1, 12, tzinfo=_zone(zone)) for month in (1, 7)]
    pairs = {_distance(moment): _zone_name(moment) for moment in moments}
    return " ".join(f"{distance}={letters}" for distance, letters in pairs.items() if letters != distance)


def _zone(name: str) -> ZoneInfo:
    """A party's zone is editable data: an unknown one shows UTC rather than an error page."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _zone_name(moment: datetime) -> str:
    """The zone's letters where they are clear (WIB, AEDT); else its distance from UTC (`UTC+7`)."""
    name = moment.tzname() or ""
    return name if name in CLEAR_NAMES else _distance(moment)


def _distance(moment: datetime) -> str:
    offset = moment.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    sign = "+" if minutes >= 0 else "-"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}:{rest:02d}" if rest else f"UTC{sign}{hours}"
