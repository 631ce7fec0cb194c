"""The file that Orthanc loads (option "PythonScript"): finds the package orthanc_dose and starts
it.

Orthanc embeds the interpreter of /usr/bin/python3, which does not know virtual environments. The
dependencies are therefore searched in the repository's .venv, in the environment in which this file
was installed with the wheel (share/orthanc-dose/main.py), and finally wherever the interpreter
itself searches (PYTHONPATH, the system's packages).
"""

import site
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"

# This would otherwise be Orthanc: anything that starts Python by this name would start a second
# Orthanc.
sys.executable = str(Path(sys.base_exec_prefix, "bin", PYTHON))

for environment in (HERE.parent / ".venv", HERE.parent.parent):
    packages = environment / "lib" / PYTHON / "site-packages"
    if (environment / "pyvenv.cfg").is_file() and packages.is_dir():
        before = len(sys.path)
        site.addsitedir(str(packages))
        # Before the system's packages, which may include an older numpy or pyarrow.
        sys.path[:] = sys.path[before:] + sys.path[:before]
        sys.executable = str(environment / "bin" / "python")
        break
if (HERE / "orthanc_dose").is_dir():
    sys.path.insert(0, str(HERE))

try:
    from orthanc_dose import app
except ImportError as error:
    raise RuntimeError(
        f"Orthanc Dose cannot start: {error}. Orthanc uses {PYTHON} of {sys.base_prefix}. In the "
        "repository, run 'make setup'. With your own Orthanc, install the wheel into a virtual "
        "environment of this same Python (/usr/bin/python3 -m venv /opt/orthanc-dose; "
        '/opt/orthanc-dose/bin/pip install orthanc_dose-*.whl) and set "PythonScript" to '
        "/opt/orthanc-dose/share/orthanc-dose/main.py."
    ) from error

app.start()
