"""Secondary captures: most are pictures, some carry dose; the reader is chosen by the header."""

from ..dicom.dataset import first
from . import dose_info, image
from .extract import Extract, Ignored
from .kept import Kept


def extract_secondary_capture(kept: Kept) -> Extract:
    """Return what a secondary capture says about dose. Raises Ignored if it is a picture,
    Unreadable if the object is broken.
    """
    if kept.screen is not None:
        from . import screen

        return screen.extract_screen(kept)
    if dose_info.is_dose_info(kept.dataset):
        return dose_info.extract_dose_info(kept)
    if (first(kept.dataset, "0008,0060") or "").upper() in image.MODALITY_TYPES:
        # Hologic writes the projections of tomosynthesis as secondary captures.
        return image.extract_image(kept)
    raise Ignored(
        "no_dose",
        "A secondary capture that is no dose screen of a known kind, without dose data in its "
        "header.",
    )
