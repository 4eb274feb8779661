"""The built wheel works alone: no node, no checkout, no build."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.installation import Installation

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in a folder of its own; installing it means nothing else."""
    built = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([str(uv), "build", "--quiet", "--wheel", "--out-dir", str(built), str(ROOT)], check=True)
    wheel = next(built.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built / "site")
    return built / "site"


def test_it_holds_the_front_end_and_no_source_of_it(unpacked: Path) -> None:
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert "consult/static/consult/dist/manifest.json" in names
    assert "consult/static/consult/dist/NOTICES.txt" in names
    assert "meetings/data/parties.json" in names
    assert [name for name in names if name.endswith((".ts", ".mjs")) or "/tests/" in name or name.startswith("tests/")] == []


def test_it_serves_and_demonstrates_where_there_is_no_node(unpacked: Path, tmp_path: Path) -> None:
    alone = {"PATH": str(tmp_path / "nothing"), "PYTHONPATH": str(unpacked), "PYTHONSAFEPATH": "1"}
    installation = Installation(tmp_path / "data", extra=alone)
    where = subprocess.run(
        [sys.executable, "-c", "import consult; print(consult.__file__)"],
        cwd=tmp_path,
        env={**os.environ, **alone},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(unpacked)
    installation.make()
    assert installation.run("check").returncode == 0
    installation.start()
    assert installation.stop() == 0
    demonstration = Installation(tmp_path / "demo", extra=alone)
    demonstration.start(("--data", str(demonstration.data), "demo", "--port", str(demonstration.port)))
    assert demonstration.run("verify").returncode == 0
    assert demonstration.stop() == 0
