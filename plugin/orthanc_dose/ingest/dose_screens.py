"""Dose screens of CT whose values are in the pixels alone: which of them are read by OCR, and
reading them.
"""

from .. import ocr
from ..extract import Ignored, Kept, screen

# Patterns "MANUFACTURER/MODEL" of the systems whose dose screens may be read.
Screens = tuple[str, ...]


class NoEngine(Exception):
    """The configuration lets the screen be read, and the OCR engine is not installed; the message
    says what to install.
    """


def read(kept: Kept, raw: bytes, patient: tuple[str, ...], screens: Screens) -> None:
    """Where the object is a dose screen of a system that the configuration names, read its lines
    into `kept`.

    patient: texts that name the patient, which the picture may show. Raises Ignored for a dose
    screen of another system, NoEngine, Unreadable where the pixels cannot be read."""
    maker = screen.is_dose_screen(kept.dataset)
    if maker is None:
        return
    if not screen.allowed(kept.dataset, screens):
        raise Ignored(
            "dose_screen",
            f"This is a dose screen of {maker} with its values in the pixels. They are read by OCR "
            f"only for the"
            ' makers and models that "Dose.DoseScreens" names.',
        )
    try:
        kept.screen = screen.dose_lines(ocr.read_lines(raw), maker, patient)
    except ocr.Missing as error:
        raise NoEngine(str(error)) from error
