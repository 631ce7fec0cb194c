"""Volumes of cone-beam CT, each acquisition counted once.

One acquisition can be reconstructed into several volumes or series of slices. Those that name no
irradiation event or acquisition in common show the same one if they are of the same moment, since no
system exposes twice within a second, and no value contradicts. If they do not say when they were
exposed, they must have the same frame of reference."""

from .exposures import SAME_MOMENT, Exposure, Image, contradict, differ, first_moment, in_order


def join_reconstructions(found: list[Exposure], images: list[Image]) -> list[Exposure]:
    """Return the exposures, those that are reconstructions of one acquisition joined, in the order of
    the images."""
    joined: list[Exposure] = []
    for one in found:
        same = next((other for other in joined if _are_of_one_acquisition(one, other)), None)
        if same is None:
            joined.append(one)
        else:
            same.images += one.images
    return in_order(joined, images)


def _are_of_one_acquisition(one: Exposure, other: Exposure) -> bool:
    mine, theirs = one.images[0], other.images[0]
    here, there = (image.origin.acquisition if image.origin else None for image in (mine, theirs))
    if here is None or there is None or differ(one.uids, other.uids):
        return False
    if {id(image.part) for image in one.images} & {id(image.part) for image in other.images}:
        return False  # the object itself names two
    start, end = first_moment(one), first_moment(other)
    if start and end:
        same = abs(start - end) <= SAME_MOMENT
    else:
        same = here.frame_of_reference is not None and (
            here.frame_of_reference == there.frame_of_reference
        )
    return same and not contradict(mine.row, theirs.row)
