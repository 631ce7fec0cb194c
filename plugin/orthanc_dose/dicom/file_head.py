"""Whether the head of a DICOM file (its group 2, PS3.10 7.1) is one that Orthanc dies of.

Orthanc takes each element of the head out of a buffer of the announced length, and believes
the lengths that these elements give: of a damaged one it reads beyond its memory (DicomStreamReader),
which ends the process of 1.10.1 and 1.12.7 or not, as memory happens to lie; of eight to eleven
bytes at the end 1.10.1 reads for ever. Only uploads by REST have the sender's head: of what comes by DICOM Orthanc writes
it."""

from struct import Struct

from .part10 import WITH_SHORT_LENGTH, Raw

# Bytes beyond the announced end that Orthanc bears, and that files with a length of the head that
# is a little wrong may have.
_SLACK = 1024
_u16, _u32 = Struct("<H").unpack_from, Struct("<I").unpack_from


def overruns(raw: Raw) -> bool:
    """Return whether reading the file's head by its own lengths leads out of it."""
    if raw[128:136] != b"DICM\x02\x00\x00\x00" or raw[136:140] != b"UL\x04\x00" or len(raw) < 144:
        return False
    pos = 144
    end: int = pos + _u32(raw, 140)[0]
    if end > len(raw):
        return True
    while pos + 8 <= end:
        if raw[pos + 4 : pos + 6] in WITH_SHORT_LENGTH:
            pos += 8 + _u16(raw, pos + 6)[0]
        elif pos + 12 > end:
            return True
        else:
            pos += 12 + _u32(raw, pos + 8)[0]
    return pos > end + _SLACK
