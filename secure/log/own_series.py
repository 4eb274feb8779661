"""The series in which the log speaks of itself, and the types of its entries. Pure."""

from __future__ import annotations

from typing import Final

SERIES: Final = "log"
BEGAN: Final = "log.genesis"
"""The log's first entry: its keys."""
ADOPTED: Final = "log.policy"
"""A policy came into force."""
DEPLOYED: Final = "build.deployed"
"""A build was put into service."""
