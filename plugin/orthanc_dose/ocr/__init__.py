"""Reading of text from the pixels of dose screens. `extract.screen` interprets the text."""

from ..dicom.dataset import Unreadable
from .engine import PACKAGE, Missing, available, lines_of, require
from .pixels import MAX_PIXELS, doubled, picture, softened, text_height

# Separates two readings of one screen.
BETWEEN_READINGS = "\f"
# Height of a line of text in pixels that the engine reads well (its own models are of 36-pixel
# lines).
LEAST_HEIGHT = 16


def read_lines(raw: bytes) -> list[str]:
    """Read the text of a dose screen twice; return the lines of both readings, separated by
    BETWEEN_READINGS.

    raw: the bytes of the DICOM object. The two readings use pictures of different size, so that
    where the engine guesses, the results differ and reveal it. Raises Missing if no engine is
    installed, Unreadable with the reason if the object cannot be read; no message contains anything
    of the object. The lines may name the patient: keep only what `extract.screen.dose_lines`
    retains of them."""
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
