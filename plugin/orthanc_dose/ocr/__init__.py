"""Reading text from the pixels of dose screens. What the text means is the work of
`extract.screen`.
"""

from ..dicom.dataset import Unreadable
from .engine import PACKAGE, Missing, available, lines_of, require
from .pixels import MAX_PIXELS, doubled, picture, softened, text_height

# Stands between two readings of one screen.
BETWEEN_READINGS = "\f"
# Height of a line of text in pixels that the engine reads well (its own models are of lines of 36).
LEAST_HEIGHT = 16


def read_lines(raw: bytes) -> list[str]:
    """The text of a dose screen, read twice: the lines of both readings with BETWEEN_READINGS
    between them.

    raw: the bytes of the DICOM object. The readings see the picture in two sizes, so that what the
    engine guesses at comes out differently and shows. Raises Missing where no engine is installed,
    Unreadable with the reason where the object cannot be read; no message holds anything of the
    object. The lines may name the patient: keep only what `extract.screen.dose_lines` leaves of
    them."""
    require()
    shown = picture(raw)
    while text_height(shown) < LEAST_HEIGHT and shown.width * shown.height < MAX_PIXELS:
        shown = doubled(shown)
    shown = softened(shown)
    return [*lines_of(doubled(shown)), BETWEEN_READINGS, *lines_of(shown)]


__all__ = [
    "BETWEEN_READINGS",
    "Missing",
    "PACKAGE",
    "Unreadable",
    "available",
    "read_lines",
    "require",
]
