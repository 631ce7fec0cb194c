"""The OCR engine: Debian's tesseract, run as a separate program with a time limit.

Why tesseract and not PixelMed (com.pixelmed.doseocr.OCR in Debian's libpixelmed-java)? Both were
tried on Debian 12 on screens that we drew:

                      installed   seconds per screen   dose values read correctly
  tesseract 5.3.0     23 MB       0.6 to 1.1           130 of 131: 3 manufacturers, 6 fonts, the
                                                       larger of our two sizes
  PixelMed 20220618   200 MB      2.5 to 3.4           none on 7 screens, for which it reports a
                                                       total DLP of 0.00

PixelMed compares glyphs bit by bit with the 770 that it contains. Six of the 7 screens were
composed of these glyphs, but not with the manufacturers' own spacing, and no real screens were
available for the test: on these it may do better. In either case, a total of 0.00 for what it
cannot read is not acceptable. With two readings by tesseract that have to agree, and the checks of
`extract.screen`, 68 of 90 random screens were read correctly, 22 failed with a reason (12 of them
in a proportional font), and none was read wrongly."""

import contextlib
import os
import shutil
import subprocess
from functools import cache

from ..dicom.dataset import Unreadable
from .pixels import Picture

PACKAGE = "tesseract-ocr"
# The engine takes 1 to 2 s per screen; anything that takes longer than this limit is not a dose
# screen.
TIME_LIMIT = 60.0
_NICENESS = 10
# One language model is enough: the known screens are in English, and digits are digits.
_LANGUAGE = "eng"
# Characters that appear on no dose screen. Excluding them keeps the engine from reading a bracket
# or a full stop as one of them.
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
    # By its path: inside Orthanc, "python" and the PATH are not the same as in a shell.
    return shutil.which("tesseract") or shutil.which("tesseract", path="/usr/bin:/usr/local/bin")


@cache
def available() -> str | None:
    """Return the engine's name and version, such as "tesseract 5.3.0", or None if unusable."""
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
    # Version 4 and earlier write to standard error.
    first = (version.stdout or version.stderr).decode("utf-8", "replace").strip().splitlines()
    return first[0][:60] if first else "tesseract"


def require() -> str:
    """Return the engine's path. Raises Missing, naming Debian's package, if it cannot be used."""
    program = _program()
    if program is None or available() is None:
        raise Missing(
            "dose screens cannot be read: the OCR engine tesseract is not installed. Install the "
            f"Debian package {PACKAGE} (apt-get install {PACKAGE}) and restart Orthanc, or "
            "remove the dose screens from the configuration"
        )
    return program


def lines_of(picture: Picture, *, time_limit: float = TIME_LIMIT) -> list[str]:
    """Return the text that the engine reads in a picture, line by line, without empty lines.

    Raises Missing if there is no engine, Unreadable if it fails or takes longer than `time_limit`
    seconds. The picture is passed through a pipe: nothing of it is written to disk, and no output
    of the engine gets into a message."""
    command = [require(), "stdin", "stdout", "-l", _LANGUAGE, *_OPTIONS]
    # One thread: more are not faster for pictures of this size, and take cores away from storing.
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
        raise Unreadable(f"could not start the OCR engine: {type(error).__name__}") from None
    # If the process has already ended or this is not permitted, it runs at the usual priority.
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
