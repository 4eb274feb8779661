"""Where the tests' Chromium is: the one named, the system's, or the one unpacked into the user's cache."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

NPM_PACKAGE = "@sparticuz/chromium"
NPM_VERSION = "147.0.0"
#: the wrapper in /usr/bin prints shell errors; the program itself does not
SYSTEM = ("/usr/lib/chromium/chromium", "/usr/lib/chromium-browser/chromium-browser")
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@dataclass(frozen=True)
class Chromium:
    path: str
    env: dict[str, str]


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "consult-tests" / f"chromium-{NPM_VERSION}"


def find() -> Chromium | None:
    named = os.environ.get("CONSULT_TEST_CHROMIUM")
    candidates = [named] if named else [*SYSTEM, *(shutil.which(name) for name in NAMES)]
    for path in candidates:
        if path and Path(path).is_file():
            return Chromium(path, {})
    unpacked = cache_folder() / "chromium"
    if not unpacked.is_file() or not (cache_folder() / "fonts.conf").is_file():
        return None
    library = cache_folder() / "al2023" / "lib"
    library = library if library.is_dir() else cache_folder() / "lib"
    return Chromium(str(unpacked), {"LD_LIBRARY_PATH": str(library), "FONTCONFIG_FILE": str(cache_folder() / "fonts.conf")})
