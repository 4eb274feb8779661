"""Every size, rate and lifetime of the delivery side, each with its reason. Sizes in bytes, times in seconds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta

KEY_PACKAGES_KEPT = 40
"""Unclaimed packages one device may have waiting: twice what a client tops up to."""
KEY_PACKAGE_BYTES = 8 * 1024
"""A package of our suite has about 2 650 bytes."""
KEY_PACKAGE_LIFETIME = timedelta(days=35)
CLOCK_SKEW = timedelta(hours=1)
"""How far in the future a package's lifetime may begin: people's clocks differ."""

ROOM_LEAVES = 512
"""Two devices for each of 256 delegates; far above a consultation, far below what slows a tree down."""
COMMIT_BYTES = 1024 * 1024
"""A commit that adds 200 leaves has 530 kB."""
WELCOME_BYTES = 1024 * 1024
TREE_BYTES = 1024 * 1024
GROUP_INFO_BYTES = 64 * 1024
COMMIT_BODY_BYTES = 2 * 1024 * 1024
"""A whole commit request, base64 and all: what the server takes of any body (settings.DATA_UPLOAD_MAX_MEMORY_SIZE)."""
EPOCH_GRACE = timedelta(seconds=30)
"""How long content for the former epoch is taken after a commit that removed nobody (messages cross on the wire)."""

FRAME_BYTES = 64 * 1024
HEADER_BYTES = 4 * 1024
BOX_BYTES = 32 * 1024 + 16
"""A sealed object: padded to 32 KiB at most, and its tag. With header and event in base64 it fits one frame."""
EVENT_BYTES = 4 * 1024
ITEMS_PER_PAGE = 200
ITEMS_PAGE_BYTES = 1024 * 1024
HISTORY_BOX_BYTES = 1024 * 1024
"""1 000 epochs in a ring slice are 41 kB; ten times that, and room."""
HANDSHAKES_PER_PAGE = 50

STRIKES = 3
"""Bad frames before a socket is closed."""
SOCKETS_PER_ACCOUNT = 5
"""Per process. The oldest goes when a sixth comes."""
SEND_BUDGET = 2 * 1024 * 1024
"""Bytes waiting for one socket's reader before the socket is closed as too slow."""
SEND_STALL = 20.0
"""Or seconds during which nothing of what waits could be handed over."""
GUARD_EVERY = 1.5
"""How often each process looks again at sessions and seats of its sockets: sign-out must close them within 2 s."""
HELLO_WITHIN = 10.0
MESSAGES_PER_SECOND = 20.0
MESSAGES_BURST = 60
FRAMES_PER_SECOND = 40.0
FRAMES_BURST = 200
RATE_STRIKES = 20
"""Refusals for rate before a socket is closed."""
CLAIMS_PER_MINUTE = 600
"""Key packages one account may claim: an opening of a large room takes 120."""
COMMITS_PER_MINUTE = 120
"""Commits one account may offer, refused ones too: checking one costs milliseconds."""

BLOB_CHUNK = 256 * 1024 + 16
"""A sealed chunk: 256 KiB and its tag."""
BLOB_PLAIN = 50 * 1024 * 1024
BLOB_CHUNKS = BLOB_PLAIN // (256 * 1024)
BLOB_BYTES = BLOB_PLAIN + 16 * BLOB_CHUNKS
BLOBS_UNFINISHED = 8
"""Uploads one person may have under way."""
BLOB_ABANDONED = timedelta(hours=24)

BATCH = 128
"""Messages in one transaction at most: large enough for group commit to pay, small enough for a quick answer."""
QUEUE = 2048
"""Messages waiting for the writer before new ones are refused with `busy`."""


@dataclass
class _Level:
    tokens: float
    at: float


class Buckets:
    """Token buckets by key, in this process. The least recently used keys are forgotten: a forgotten bucket is full."""

    def __init__(self, *, per_second: float, burst: int, kept: int = 4096) -> None:
        self._per_second = per_second
        self._burst = burst
        self._kept = kept
        self._levels: OrderedDict[str, _Level] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, count: int = 1) -> bool:
        """Whether `count` tokens were there; if not, none is taken."""
        now = time.monotonic()
        with self._lock:
            level = self._levels.pop(key, None) or _Level(float(self._burst), now)
            level.tokens = min(float(self._burst), level.tokens + (now - level.at) * self._per_second)
            level.at = now
            self._levels[key] = level
            if len(self._levels) > self._kept:
                self._levels.popitem(last=False)
            if level.tokens < count:
                return False
            level.tokens -= count
            return True
