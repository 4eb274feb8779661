"""Slows whoever guesses, without locking out the rightful owner.

Every attempt is counted before it is judged (so that fifty at once are fifty), and a success takes its own count back. A count is kept
per *bucket*; once a bucket has used its free attempts, the next one must wait, twice as long each time, up to the bucket's limit:

1. **known browser + name** – a browser in which this person has signed in before carries a signed cookie. It has a bucket of its own and
   none of the others apply to it: an attacker who fails a thousand times elsewhere costs the owner nothing at the usual desk.
2. **address + name** – somebody guessing from one place is slowed to a few attempts an hour. The owner, elsewhere, does not notice.
3. **address** – one place trying many names.
4. **name** – many places trying one name. The wait is short, because here the owner on a *new* browser waits along with the attacker;
   nobody is ever locked, and waiting tries do not make the wait longer.

Codes of the second factor have the same four buckets apart from passwords', with a longer wait for 4: whoever gets there knows the
password already. A bucket is forgotten a day after its last attempt. Keys are keyed hashes: no name and no address is stored.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from secure.errors import TooMany
from secure.models import SignInFailures

FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Source:
    """Where an attempt comes from. `browser`: the known browser's random name, or None."""

    address: str
    browser: str | None = None


@dataclass(frozen=True)
class Pace:
    """`free` attempts at once, then waits of `base`, 2·`base`, 4·`base` … up to `longest` seconds."""

    free: int
    base: int
    longest: int

    def wait(self, count: int) -> timedelta:
        """How long after attempt number `count` the next one may come."""
        if count < self.free:
            return timedelta(0)
        return timedelta(seconds=min(self.base * 2 ** min(count - self.free, 16), self.longest))


_MINUTE = 60
PACES = {
    "browser": Pace(free=10, base=2, longest=5 * _MINUTE),
    "pair": Pace(free=5, base=4, longest=15 * _MINUTE),
    "address": Pace(free=30, base=2, longest=5 * _MINUTE),
    "name": Pace(free=30, base=1, longest=30),
    "code_name": Pace(free=30, base=2, longest=10 * _MINUTE),
}


@transaction.atomic
def attempt(*, act: str, name: str | None, source: Source, now: datetime) -> None:
    """Count one attempt, or refuse it as `too_many` with the seconds to wait.

    `act`: what is guessed, `password`, `code`, `locator`. Without a name only the address counts.
    """
    buckets = _buckets(act, name, source)
    rows = {row.bucket: row for row in SignInFailures.objects.select_for_update().filter(bucket__in=buckets)}
    waits = [_wait(row, buckets[key], now) for key, row in rows.items()]
    longest = max(waits, default=timedelta(0))
    if longest > timedelta(0):
        raise TooMany("too_many", seconds=int(longest.total_seconds()) + 1)
    for key in buckets:
        row = rows.get(key)
        count = row.count + 1 if row and now - row.last < FORGOTTEN_AFTER else 1
        SignInFailures.objects.update_or_create(bucket=key, defaults={"count": count, "last": now})
    SignInFailures.objects.filter(last__lt=now - FORGOTTEN_AFTER).delete()


@transaction.atomic
def succeeded(*, act: str, name: str | None, source: Source) -> None:
    """The attempt just counted was right: the person's own buckets are emptied, the shared ones lose this one count."""
    for key, pace in _buckets(act, name, source).items():
        row = SignInFailures.objects.filter(bucket=key)
        if pace in {PACES["browser"], PACES["pair"]}:
            row.delete()
        else:
            row.filter(count__gt=0).update(count=F("count") - 1)


def _buckets(act: str, name: str | None, source: Source) -> dict[str, Pace]:
    place = network_of(source.address)
    if name is None:
        return {_key(act, "address", place): PACES["address"]}
    if source.browser is not None:
        return {_key(act, "browser", source.browser, name): PACES["browser"]}
    by_name = PACES["code_name"] if act == "code" else PACES["name"]
    return {
        _key(act, "pair", place, name): PACES["pair"],
        _key(act, "address", place): PACES["address"],
        _key(act, "name", name): by_name,
    }


def network_of(address: str) -> str:
    """An IPv6 customer owns at least a /64, so that counts as one place; text that is no address counts as itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def _key(*parts: str) -> str:
    return salted_hmac("consult.throttle", "\x00".join(parts), algorithm="sha256").hexdigest()


def _wait(row: SignInFailures, pace: Pace, now: datetime) -> timedelta:
    if now - row.last >= FORGOTTEN_AFTER:
        return timedelta(0)
    return row.last + pace.wait(row.count) - now
