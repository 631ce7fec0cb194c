"""Frames of multi-frame CT images (PS3.3 C.7.6.16, C.8.15.3), each as the header that the frame would
have as an image of its own."""

from collections.abc import Iterator

from ..dicom.dataset import Dataset, items

_SHARED, _PER_FRAME = "5200,9229", "5200,9230"
# Functional groups whose content describes the frame's irradiation. Their elements do not occur in
# two of them.
_GROUPS = (
    "0020,9111",  # Frame Content: Frame Acquisition Number, Frame Acquisition DateTime
    "0020,9113",  # Plane Position
    "0028,9110",  # Pixel Measures: Slice Thickness
    "0020,9071",  # Frame Anatomy
    "0018,9301",  # CT Acquisition Type
    "0018,9304",  # CT Acquisition Details: revolution time, collimation
    "0018,9308",  # CT Table Dynamics: spiral pitch factor
    "0018,9314",  # CT Reconstruction
    "0018,9321",  # CT Exposure: CTDIvol, phantom, tube current, modulation
    "0018,9325",  # CT X-Ray Details: KVP
    "0018,9329",  # CT Image Frame Type
    "0018,9477",  # Irradiation Event Identification
    # Unassigned Shared and Per-Frame Converted Attributes: what a legacy converted image (PS3.3
    # C.7.6.16.2.25, 26) keeps of the images from which it was made.
    "0020,9170",
    "0020,9171",
)
# CT Additional X-Ray Source: one item for each further tube, passed on as a sequence.
ADDITIONAL_SOURCES = "0018,9360"


def is_multi_frame(dataset: Dataset) -> bool:
    """Return whether an image describes its frames in functional groups."""
    return _SHARED in dataset or _PER_FRAME in dataset


def headers_of_frames(dataset: Dataset) -> Iterator[Dataset]:
    """Yield the header of each frame: the image's own elements, those that all frames share, and
    those of the frame, of which the later ones apply. An image without functional groups has one
    header, its own."""
    whole = {tag: value for tag, value in dataset.items() if tag not in (_SHARED, _PER_FRAME)}
    for shared in items(dataset, _SHARED)[:1]:
        whole |= _elements(shared)
    frames = items(dataset, _PER_FRAME)
    if not frames:
        yield whole
    for frame in frames:
        yield whole | _elements(frame)


def reduced_groups(dataset: Dataset, kept: frozenset[str]) -> Dataset:
    """Return the functional groups of an image with only those elements that are kept."""
    out: Dataset = {}
    for tag in (_SHARED, _PER_FRAME):
        if frames := items(dataset, tag):
            out[tag] = [_reduced(frame, kept) for frame in frames]
    return out


def _elements(groups: Dataset) -> Dataset:
    found: Dataset = {}
    for tag in _GROUPS:
        for group in items(groups, tag)[:1]:
            found |= group
    if ADDITIONAL_SOURCES in groups:
        found[ADDITIONAL_SOURCES] = groups[ADDITIONAL_SOURCES]
    return found


def _reduced(groups: Dataset, kept: frozenset[str]) -> Dataset:
    out: Dataset = {}
    for tag in (*_GROUPS, ADDITIONAL_SOURCES):
        found = [
            {name: value for name, value in group.items() if name in kept}
            for group in items(groups, tag)
        ]
        if any(found):
            out[tag] = list(found)
    return out
