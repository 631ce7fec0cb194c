"""Detection of DICOM file heads (group 2, PS3.10 7.1) that crash Orthanc.

Orthanc reads each element of the head from a buffer of the announced length, and trusts the lengths
that these elements give. With a damaged head it reads beyond its memory (DicomStreamReader), which
may or may not end the process of 1.10.1 and 1.12.7, depending on the memory layout; if eight to
eleven bytes are left at the end, 1.10.1 reads forever. Only uploads by REST carry the sender's
head: for objects received by DICOM, Orthanc writes it."""

from struct import Struct

from .part10 import WITH_SHORT_LENGTH, Raw

# Number of bytes beyond the announced end that Orthanc tolerates, and that files whose head has a
# slightly wrong length may have.
_SLACK = 1024
_u16, _u32 = Struct("<H").unpack_from, Struct("<I").unpack_from


def overruns(raw: Raw) -> bool:
    """Return whether reading the file's head by its own lengths leads beyond its end."""
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
