"""What a checkpoint says: origin, tree size, root (C2SP tlog-checkpoint). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from secure.log.encoding import b64, unb64
from secure.log.errors import LogError
from secure.log.tiles import MAX_SIZE

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class TreeHead:
    """What a checkpoint says. Extension lines are refused: cosignatures of witnesses would not cover them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> bytes:
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n".encode()


def parse_tree_head(text: bytes) -> TreeHead:
    try:
        lines = text.decode().split("\n")
    except UnicodeDecodeError as error:
        raise LogError("bad_checkpoint") from error
    if len(lines) != 4 or lines[3] or not lines[0] or _SIZE.fullmatch(lines[1]) is None:
        raise LogError("bad_checkpoint")
    head = TreeHead(lines[0], int(lines[1]), unb64(lines[2], 32))
    if head.size > MAX_SIZE:
        raise LogError("bad_checkpoint")
    return head
