"""CT dose screens whose values are in the pixels alone: choosing those to read, and OCR of them."""

from .. import ocr
from ..extract import Ignored, Kept, screen

# Patterns "MANUFACTURER/MODEL" of the systems whose dose screens may be read.
Screens = tuple[str, ...]


class NoEngine(Exception):
    """Raised when a screen may be read by the configuration, but the OCR engine is not installed.

    The message says what to install.
    """


def read(kept: Kept, raw: bytes, patient: tuple[str, ...], screens: Screens) -> None:
    """Read the lines of a dose screen into `kept`, if its system is named in the configuration.

    Leaves other objects alone. patient: texts that identify the patient, which the picture may
    show. Raises Ignored for a dose screen of another system, NoEngine, or Unreadable if the pixels
    cannot be read.
    """
    maker = screen.is_dose_screen(kept.dataset)
    if maker is None:
        return
    if not screen.allowed(kept.dataset, screens):
        raise Ignored(
            "dose_screen",
            f"This is a dose screen of {maker} with its values in the pixels. They are read by "
            'OCR only for the manufacturers and models that "Dose.DoseScreens" lists.',
        )
    try:
        kept.screen = screen.dose_lines(ocr.read_lines(raw), maker, patient)
    except ocr.Missing as error:
        raise NoEngine(str(error)) from error
