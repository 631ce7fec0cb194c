"""The plugin with the tests' follower, loaded by Orthanc in place of plugin/main.py."""

import runpy
import site
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"

# Packages first, as in main.py, which finds the module loaded.
before = len(sys.path)
site.addsitedir(str(ROOT / ".venv" / "lib" / VERSION / "site-packages"))
sys.path[:] = [str(ROOT / "plugin"), *sys.path[before:], *sys.path[:before], str(ROOT)]

from orthanc_dose import app  # noqa: E402
from tests.support.follower import Echo  # noqa: E402

app.FOLLOWERS = (Echo,)
runpy.run_path(str(ROOT / "plugin" / "main.py"))
