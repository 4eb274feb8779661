"""Another build of the product: a copy of its doors with one changed file, described as `make` describes it, to be really served."""

from __future__ import annotations

import shutil
from pathlib import Path

from consult import __version__, release

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "consult" / "static" / "consult"


def installed() -> release.Release:
    return release.read((STATIC / "dist" / release.NAME).read_bytes())


def another_build(folder: Path) -> release.Release:
    """Copies the `consult` package below the folder; run from there, Python takes the copy."""
    shutil.copytree(ROOT / "consult", folder / "consult", ignore=shutil.ignore_patterns("browser", "__pycache__"))
    static = folder / "consult" / "static" / "consult"
    sheet = static / "css" / "consult.css"
    sheet.write_text(f"{sheet.read_text(encoding='utf-8')}\n/* another build */\n", encoding="utf-8")
    described = release.describe(static, version=__version__)
    (static / "dist" / release.NAME).write_bytes(described.raw)
    return described
