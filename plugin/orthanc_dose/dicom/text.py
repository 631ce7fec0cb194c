"""Text of DICOM objects: character sets (PS3.3 C.12.1.1.2, PS3.5 6.1), names (PS3.5 6.2.1).

The character set that the object declares is tried first and strictly. Bytes that do not fit it are
read as UTF-8 if they are valid UTF-8, else as Latin-1, which can decode anything; the caller is
told, so that the text is marked and nothing is lost."""

import re
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
# A term whose number is right and whose spelling is not: "ISO_IR_101", "ISO-IR 100", "ISO IR 149".
_NUMBERED = re.compile(r"ISO[ _-]*(?:2022)?[ _-]*(?:IR)?[ _-]*(\d{1,3})", re.IGNORECASE)
# What Python leaves in a text of ISO 2022 IR 58: the escape sequence (PS3.5 annex K).
_OF_GB2312 = ("iso_ir_58", "\x1b$)A")


def decoders(declared: str | None, note: Callable[[str], None]) -> tuple[str, ...]:
    """Return Python's names of the encodings that Specific Character Set (0008,0005) lists; unknown
    terms are left out. Call `note` with the right term if one is spelled otherwise.
    """
    terms = [term.strip() for term in (declared or "").split("\\")]
    for at, term in enumerate(terms):
        if term not in _KNOWN and (right := _defined_term(term)):
            terms[at] = right
            note(f"character set misspelled: read as {right}")
    names = [term for term in terms if term in _KNOWN]
    if not any(terms) or not names:
        return ()
    # An empty first value means the default repertoire, with the others by code extension.
    return tuple("ascii" if name in _DEFAULT else charset.python_encoding[name] for name in names)


def _defined_term(term: str) -> str | None:
    """Return the defined term (PS3.3 C.12.1.1.2) that is meant by another spelling of it, else
    None. The numbers are those of the registry of ISO 2375, so they are not ambiguous."""
    if term.upper() in ("UTF-8", "UTF8"):
        return "ISO_IR 192"
    found = _NUMBERED.fullmatch(term)
    written = [f"{way} {int(found[1])}" for way in ("ISO_IR", "ISO 2022 IR")] if found else []
    ways = reversed(written) if "2022" in term else written
    return next((way for way in ways if way in _KNOWN), None)


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
            if _OF_GB2312[0] in encodings:
                text = text.replace(_OF_GB2312[1], "")
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
