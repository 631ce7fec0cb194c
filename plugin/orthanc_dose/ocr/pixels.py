"""The picture of an object, prepared for reading text from it: black text on white, one byte per
pixel, enlarged.

This is done without numpy, which nothing else here needs: a picture of a screen is a quarter of a
million pixels, and the operations below process whole pictures at a time. They take some 0.2 s per
screen, compared with 1 to 2 s for the engine."""

import io
from array import array
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.pixels.decoders.base import get_decoder

from ..dicom.dataset import Unreadable

# No dose screen is larger; a larger picture would only keep the engine busy.
MAX_PIXELS = 2048 * 2048


@dataclass(frozen=True)
class Picture:
    """Grey values row by row, one byte per pixel, 0 is black."""

    pixels: bytes
    width: int
    height: int

    def pgm(self) -> bytes:
        """Return the picture as a PGM file."""
        return b"P5\n%d %d\n255\n" % (self.width, self.height) + self.pixels


def picture(raw: bytes) -> Picture:
    """Return the first frame of a DICOM object (MONOCHROME1, MONOCHROME2 or RGB, 8 or 16 bits) as
    black text on white.

    The most frequent value is the background, and what differs from it is text, so that neither the
    polarity nor the window, which archives change, matters (PS3.3 C.11.2). Raises Unreadable with
    the reason, without any value of the object."""
    try:
        dataset = pydicom.dcmread(io.BytesIO(raw), force=True)
        width, height = int(dataset.Columns), int(dataset.Rows)
        kind = str(dataset.PhotometricInterpretation)
        signed = bool(dataset.PixelRepresentation)
        padding = dataset.get("PixelPaddingValue")
    except Exception as error:
        raise Unreadable("the object contains no image from which text could be read") from error
    if not 0 < width * height <= MAX_PIXELS:
        raise Unreadable(
            f"the image has {width} x {height} pixels; at most {MAX_PIXELS} are accepted"
        )
    if kind not in (
        "MONOCHROME1",
        "MONOCHROME2",
        "RGB",
        "YBR_FULL",
        "YBR_FULL_422",
        "YBR_RCT",
        "YBR_ICT",
    ):
        raise Unreadable(
            f"text cannot be read from pixels with the photometric interpretation {kind[:16]}"
        )
    try:
        decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
        frame, made = decoder.as_buffer(dataset, index=0, raw=True)
    except Exception as error:
        raise Unreadable(
            "the pixels cannot be decompressed: no decoder for their transfer syntax is available"
        ) from error
    plain = bytes(frame)
    values: bytes | array[int] = plain
    if made["samples_per_pixel"] == 3:
        values = _brightest(
            plain,
            width * height,
            str(made["photometric_interpretation"]),
            bool(made["planar_configuration"]),
        )
    elif made["bits_allocated"] == 16:
        values = array("h" if signed else "H", plain[: 2 * (len(plain) // 2)])
        if not dataset.is_little_endian and not decoder.is_encapsulated:
            values.byteswap()
    elif made["bits_allocated"] != 8:
        raise Unreadable(f"text cannot be read from pixels with {made['bits_allocated']} bits")
    if len(values) < width * height:
        raise Unreadable("the pixel data is shorter than the rows and columns require")
    return Picture(_black_on_white(values[: width * height], padding), width, height)


def _brightest(values: bytes, count: int, kind: str, planar: bool) -> bytes:
    # Coloured text on black: the brightest of the channels is used. With a separate brightness
    # channel (YBR), only Y is used.
    planes = (
        [values[at * count : (at + 1) * count] for at in range(3)]
        if planar
        else [values[at::3] for at in range(3)]
    )
    return planes[0] if kind.startswith("YBR") else bytes(map(max, *planes))


def _black_on_white(values: "bytes | array[int]", padding: Any) -> bytes:
    counts = Counter(values)
    # The value for "nothing here": as declared, or the lowest 16-bit number, which is used to mask
    # identities.
    for nothing in (padding, -32768):
        if nothing in counts and len(counts) > 2:
            counts.pop(nothing)
    background = counts.most_common(1)[0][0]
    # The farthest value that is not just a few pixels: text consists of at least a few hundred.
    few = max(8, len(values) // 20_000)
    farthest, seen = 0, 0
    for distance, count in sorted(
        ((abs(value - background), n) for value, n in counts.items()), reverse=True
    ):
        seen += count
        farthest = distance
        if seen >= few:
            break
    if not farthest:
        raise Unreadable("the image is empty")
    gray = dict.fromkeys(set(values), 255)
    gray |= {value: 255 - min(255, abs(value - background) * 255 // farthest) for value in counts}
    return bytes(map(gray.__getitem__, values))


def _mean(first: bytes, second: bytes) -> bytes:
    # The mean of two pictures, all pixels at once as one large number: a mean of bytes is the bits
    # that both have in common plus half of those in which they differ, where the lowest bit of each
    # byte is kept from shifting into its neighbour.
    count = len(first)
    one, other = int.from_bytes(first), int.from_bytes(second)
    return ((one & other) + (((one ^ other) & int.from_bytes(b"\xfe" * count)) >> 1)).to_bytes(
        count
    )


def text_height(source: Picture) -> int:
    """Return the typical height of a line of text in pixels, without the gaps between lines; 0 if
    no lines are found.
    """
    white = source.width * b"\xff"
    dark = bytes(range(128))
    runs, run = [], 0
    for at in range(0, len(source.pixels), source.width):
        row = source.pixels[at : at + source.width]
        if row != white and len(row.translate(None, dark)) < source.width:
            run += 1
        elif run:
            runs.append(run)
            run = 0
    lines = sorted(run for run in runs if 4 < run < 80)
    return lines[len(lines) // 2] if lines else 0


def doubled(source: Picture) -> Picture:
    """Return the picture doubled in width and height; new pixels are their neighbours' mean."""
    width, height, pixels = source.width, source.height, source.pixels
    wide = bytearray(2 * len(pixels))
    wide[0::2] = pixels
    wide[1::2] = _mean(pixels, pixels[1:] + pixels[-1:])
    width *= 2
    between = _mean(bytes(wide), bytes(wide[width:] + wide[-width:]))
    rows = b"".join(
        part
        for at in range(0, len(wide), width)
        for part in (wide[at : at + width], between[at : at + width])
    )
    return Picture(rows, width, 2 * height)


def softened(source: Picture) -> Picture:
    """Return the picture smoothed: each pixel becomes half of itself plus a quarter of each of its
    two neighbours, horizontally and vertically, which turns steps into edges.
    """
    pixels = source.pixels
    for step in (1, source.width):
        before, after = pixels[:step] + pixels[:-step], pixels[step:] + pixels[-step:]
        pixels = _mean(_mean(before, pixels), _mean(pixels, after))
    return Picture(pixels, source.width, source.height)
