"""Secondary captures: most are pictures, some carry dose; the reader is chosen by the header."""

from ..dicom.dataset import first
from . import dose_info, image
from .extract import Extract, Ignored
from .kept import Kept


def extract(kept: Kept) -> Extract:
    """Return what a secondary capture says about dose. Raises Ignored if it is a picture,
    Unreadable if the object is broken.
    """
    if kept.screen is not None:
        from . import screen

        return screen.extract(kept)
    if dose_info.is_dose_info(kept.dataset):
        return dose_info.extract(kept)
    if (first(kept.dataset, "0008,0060") or "").upper() in image.MODALITY_TYPES:
        # Hologic writes the projections of tomosynthesis as secondary captures.
        return image.extract(kept)
    raise Ignored("no_dose", "A secondary capture without dose data in its header.")
