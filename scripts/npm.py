"""npm in the front end's folder, with the system's node or the one from PyPI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hatch_build import npm  # noqa: E402

if __name__ == "__main__":
    command, environ = npm()
    sys.exit(subprocess.run([*command, *sys.argv[1:]], cwd=ROOT / "consult" / "browser", env=environ, check=False).returncode)
