"""The OCR engine: Debian's tesseract, run as a program of its own with a time limit.

Why tesseract and not PixelMed (com.pixelmed.doseocr.OCR in Debian's libpixelmed-java)? Both were
tried on Debian 12 on screens that we drew:

                      installed   seconds a screen    dose values read right
  tesseract 5.3.0     23 MB       0.6 to 1.1          130 of 131: 3 makers, 6 fonts, the larger of
  our two sizes
  PixelMed 20220618   200 MB      2.5 to 3.4          none on 7 screens, for which it reports a
  total DLP of 0.00

PixelMed compares glyphs bit by bit with the 770 that it holds. Six of the 7 screens were put
together from these, but not at the makers' own distances, and of real screens there was none to
try: there it may do better. A total of 0.00 for what it cannot read is not acceptable in either
case. With two readings by tesseract that have to agree, and the checks of `extract.screen`, 68 of
90 random screens came out right, 22 failed with a reason (12 of them in a proportional font), and
none came out wrong."""

import contextlib
import os
import shutil
import subprocess
from functools import cache

from ..dicom.dataset import Unreadable
from .pixels import Picture

PACKAGE = "tesseract-ocr"
# The engine takes 1 to 2 s for a screen; what takes longer is no dose screen.
TIME_LIMIT = 60.0
_NICENESS = 10
# One language model is enough: the screens that are known are in English, and digits are digits.
_LANGUAGE = "eng"
# Characters that no dose screen has. Without them a bracket or a full stop is not taken for one of
# them.
_NEVER = ',;?{}<¢“”‘’~|—€£$§©®«»_!"`'
_OPTIONS = (
    "--psm",
    "6",
    "--dpi",
    "300",
    "-c",
    "preserve_interword_spaces=1",
    "-c",
    f"tessedit_char_blacklist={_NEVER}",
)


class Missing(RuntimeError):
    """The OCR engine is not installed; the message says what to install."""


@cache
def _program() -> str | None:
    # By its path: what "python" or the PATH means inside Orthanc is not what it means in a shell.
    return shutil.which("tesseract") or shutil.which("tesseract", path="/usr/bin:/usr/local/bin")


@cache
def available() -> str | None:
    """The engine's name and version, for example "tesseract 5.3.0", or None where it cannot be
    used.
    """
    program = _program()
    if program is None:
        return None
    try:
        told = subprocess.run(
            [program, "--list-langs"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIME_LIMIT,
        )
        version = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIME_LIMIT,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    if (
        told.returncode
        or _LANGUAGE not in (told.stdout + told.stderr).decode("utf-8", "replace").split()
    ):
        return None
    # Version 4 and before write to standard error.
    first = (version.stdout or version.stderr).decode("utf-8", "replace").strip().splitlines()
    return first[0][:60] if first else "tesseract"


def require() -> str:
    """The path of the engine. Raises Missing, with the name of Debian's package, where it cannot be
    used.
    """
    program = _program()
    if program is None or available() is None:
        raise Missing(
            f"dose screens cannot be read: the OCR engine tesseract is not installed. Install "
            f"Debian's package {PACKAGE} "
            f"(apt-get install {PACKAGE}) and start Orthanc again, or leave dose screens out of "
            f"the configuration"
        )
    return program


def lines_of(picture: Picture, *, time_limit: float = TIME_LIMIT) -> list[str]:
    """Text that the engine sees in a picture, line by line, without empty ones.

    Raises Missing where there is no engine, Unreadable where it fails or takes longer than
    `time_limit` seconds. The picture goes to it through a pipe: nothing of it is written to disk,
    and nothing that the engine says gets into a message."""
    command = [require(), "stdin", "stdout", "-l", _LANGUAGE, *_OPTIONS]
    # One thread: more do not make pictures of this size faster, and take the cores of those who
    # store.
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1", "LC_ALL": "C"}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            close_fds=True,
        )
    except OSError as error:
        raise Unreadable(f"the OCR engine could not be started: {type(error).__name__}") from None
    # Over already, or not allowed: it runs at the usual priority.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    try:
        told, _ = process.communicate(picture.pgm(), timeout=time_limit)
    except subprocess.TimeoutExpired:
        raise Unreadable(f"the OCR engine took longer than {time_limit:g} s") from None
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode:
        raise Unreadable(f"the OCR engine failed with status {process.returncode}")
    return [
        line
        for line in map(str.strip, told.decode("utf-8", "replace").replace("\f", "\n").split("\n"))
        if line
    ]
