"""Text of DICOM objects: character sets (PS3.3 C.12.1.1.2, PS3.5 6.1), names (PS3.5 6.2.1).

The character set that the object declares is tried first and strictly. Bytes that do not fit it are
read as UTF-8 if they are valid UTF-8, else as Latin-1, which can decode anything; the caller is
told, so that the text is marked and nothing is lost."""

import warnings
from collections.abc import Callable

from pydicom import charset

# pydicom warns and substitutes characters where bytes do not fit; substitutions are detected below.
# Its warnings contain values of the object, which do not belong in a log.
warnings.filterwarnings("ignore", module=r"pydicom\.")

# Characters that end the scope of an escape sequence (PS3.5 6.1.2.5.3): line ends, the value
# delimiter and the name delimiters.
TEXT_DELIMITERS = set(b"\r\n\t\f\\")
NAME_DELIMITERS = TEXT_DELIMITERS | set(b"^=")
_KNOWN = frozenset(charset.python_encoding) | {""}
# Terms of the default repertoire, which is ASCII: pydicom reads it as Latin-1 and so hides bytes
# that do not belong there.
_DEFAULT = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})


def decoders(declared: str | None) -> tuple[str, ...]:
    """Return Python's names of the encodings that Specific Character Set (0008,0005) lists; unknown
    terms are left out.
    """
    terms = [term.strip() for term in (declared or "").split("\\")]
    names = [term for term in terms if term in _KNOWN]
    if not any(terms) or not names:
        return ()
    # An empty first value means the default repertoire, with the others by code extension.
    return tuple("ascii" if name in _DEFAULT else charset.python_encoding[name] for name in names)


def decode(
    raw: bytes, encodings: tuple[str, ...], note: Callable[[str], None], delimiters: set[int]
) -> str:
    """Decode one value; call `note` with a reason if its bytes do not fit the declared set."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    if encodings:
        try:
            if len(encodings) == 1 and b"\x1b" not in raw:
                return raw.decode(encodings[0])
            # Code extensions by escape sequences; pydicom warns and substitutes where a part does
            # not fit.
            text = charset.decode_bytes(raw, list(encodings), delimiters)
            if "\ufffd" not in text and "\x1b" not in text:
                return text
        except (UnicodeError, LookupError):
            pass
    try:
        text = raw.decode("utf-8")
        note("character set missing or wrong: read as UTF-8")
        return text
    except UnicodeDecodeError:
        note("character set missing or wrong: read as Latin-1")
        return raw.decode("latin-1")


def person_name(value: str | None) -> str | None:
    """Return a PN value for display: the alphabetic group as "Family, Given Middle", followed by
    the other groups.
    """
    groups = [_name_group(group) for group in (value or "").split("=")]
    shown = [group for group in groups if group]
    if not shown:
        return None
    return shown[0] + (f" ({', '.join(shown[1:])})" if len(shown) > 1 else "")


def _name_group(group: str) -> str:
    family, *rest = ([part.strip() for part in group.split("^")] + [""])[:4]
    given = " ".join(part for part in rest if part)
    return ", ".join(part for part in (family, given) if part)
