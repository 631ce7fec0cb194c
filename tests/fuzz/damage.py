"""What is done to an object: functions that change its tree in place, functions that change its
bytes; and mutants.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from pydicom.uid import ExplicitVRLittleEndian

from .seeds import files, trees
from .tree import (
    CONTENT,
    NAME,
    Element,
    Tree,
    all_elements,
    element,
    encode,
    first,
    items,
    sequences,
    whole,
)

EXPLICIT_VRS = b"AE AS AT CS DA DS DT FD FL IS LO LT OB OF OW PN SH SL SQ SS ST TM UI UL UN UR US UT UV".split()
_HEAD = re.compile(rb"(?s)(?=(..[\x00-\x30]\x00|....)(" + b"|".join(EXPLICIT_VRS) + rb"))")


@dataclass
class Mutant:
    """A damaged object: its bytes, what was done to which seed, and its tree where what it says is
    known.
    """

    raw: bytes
    seed: str
    done: list[str] = field(default_factory=list)
    tree: Tree | None = None

    def __str__(self) -> str:
        return f"{self.seed}: {', '.join(self.done)}"


# --- damage to the tree; a function gives False where its damage leaves open what the object says ---

NUMBERS = (b"NaN", b"inf", b"-Infinity", b"1e999", b"1E308", b"-1e308", b"1.7976931348623157e308", b"1e-400", b"0", b"-0.0",
           b"abc", b"", b"1,5", b"0x10", b"1_000", b"\xd9\xa3", b"--1", b"1\\2", b"9" * 400, b" 12.5 ", b"+.5", b"5.", b"e5",
           b"\xff\xfe", b"1e5", b"12 3", b"\\\\", b"." * 5000)  # fmt: skip
UNITS = (b"Gy", b"mGy", b"uGy", b"cGy", b"Gy.m2", b"Gym2", b"dGy.cm2", b"Gy.cm2", b"cGy.cm2", b"mGy.cm2", b"uGy.m2",
         b"mGy.cm", b"mGycm", b"mSv", b"s", b"ms", b"mm", b"cm", b"m", b"km", b"mA", b"uA", b"uA.s", b"mA.s", b"mAs", b"kV",
         b"deg", b"%", b"1", b"{ratio}", b"{anything at all}", b"N", b"{pulse}/s", b"dGy.dm2", b"furlong", b"GY", b"gy",
         b"dgy.cm2", b"", b"{", b"Gy.m3", b"mGy.cm\\Gy", b"M", b"k", b"\xb5Gy.m2x", b"x" * 3000)  # fmt: skip
SCHEMES = (
    b"DCM",
    b"SRT",
    b"SCT",
    b"UCUM",
    b"UCUN",
    b"99X",
    b"",
    b"LN",
    b"SNM3",
    b"dcm",
    b"DCM ",
    b"\\",
)
VALUE_TYPES = (
    b"NUM",
    b"CODE",
    b"TEXT",
    b"CONTAINER",
    b"UIDREF",
    b"DATETIME",
    b"IMAGE",
    b"PNAME",
    b"",
    b"SCOORD",
    b"num",
)
CHARACTER_SETS = (b"", b"ISO_IR 100", b"ISO_IR 192", b"\\ISO 2022 IR 87", b"ISO_IR 13", b"GB18030", b"GBK", b"ISO_IR 6",
                  b"ISO 2022 IR 149\\ISO_IR 192", b"nonsense", b"\\\\\\", b"ISO_IR 100\\nonsense", b"\xff")  # fmt: skip
DATES = (b"", b"20250230", b"20251301", b"00000000", b"99991231", b"2025", b"20250101250000", b"20250101120060",
         b"00010101000000", b"20250101120000.1234567+1900", b"20250101-0030", b"2025-01-01", b"yesterday")  # fmt: skip
TEXTS = (b"", b"\0", b"a\0b", b"\xed\xa0\x80", b"\xff\xfe\xfd", b"\x1b$B", b"\x1b(B\x1b$)C\xa4", b"\x836\xc79", b"\\" * 40,
         b"=^" * 60, b"\r\n\t", b"'; DROP TABLE study; --", b"x" * 60_000, "\U0001f480é".encode(), b"{}[]\"")  # fmt: skip


def _pick(rng: Random, found: list[Element], text: tuple[bytes, ...]) -> None:
    if found:
        rng.choice(found).value = rng.choice(text)


def _of(tree: Tree, tag: str) -> list[Element]:
    return [e for e in all_elements(tree) if e.tag == tag and isinstance(e.value, bytes)]


def numbers_changed(rng: Random, tree: Tree) -> None:
    _pick(rng, _of(tree, "0040a30a"), NUMBERS)


def units_changed(rng: Random, tree: Tree) -> None:
    codes = [code for units in sequences(tree, "004008ea") for code in units]
    if codes:
        _pick(
            rng,
            [
                e
                for e in rng.choice(codes)
                if e.tag == ("00080102" if rng.random() < 0.15 else "00080100")
            ],
            SCHEMES if rng.random() < 0.15 else UNITS,
        )


def concept_changed(rng: Random, tree: Tree) -> None:
    """The number of every item of one concept, the unit of all of them, or both: sums and means
    over them.
    """
    by_concept: dict[bytes, list[Tree]] = {}
    for content in sequences(tree, CONTENT):
        for item in content:
            for measured in items(item, "0040a300")[:1]:
                names = items(item, NAME)
                by_concept.setdefault(first(names[0], "00080100") if names else b"", []).append(
                    measured
                )
    if not by_concept:
        return
    number, unit, what = rng.choice(NUMBERS), rng.choice(UNITS), rng.randrange(3)
    for measured in by_concept[rng.choice(sorted(by_concept))]:
        for one in measured:
            if one.tag == "0040a30a" and what != 1:
                one.value = number
            elif one.tag == "004008ea" and what != 0 and isinstance(one.value, list) and one.value:
                _pick(rng, [e for e in one.value[0] if e.tag == "00080100"], (unit,))


def _exchange(tag: str) -> Callable[[Random, Tree], None]:
    def exchange(rng: Random, tree: Tree) -> None:
        found = [e for e in all_elements(tree) if e.tag == tag]
        if len(found) > 1:
            one, other = rng.sample(found, 2)
            one.value, other.value = other.value, one.value

    exchange.__name__ = f"exchange_{tag}"
    return exchange


def codes_changed(rng: Random, tree: Tree) -> None:
    values = _of(tree, "00080100")
    _pick(rng, values, tuple({e.value for e in values} | {b"", b"113701"}))  # type: ignore[arg-type]


def schemes_changed(rng: Random, tree: Tree) -> None:
    _pick(rng, _of(tree, "00080102"), SCHEMES)


def value_types_changed(rng: Random, tree: Tree) -> None:
    _pick(rng, _of(tree, "0040a040"), VALUE_TYPES)


def dates_changed(rng: Random, tree: Tree) -> None:
    _pick(rng, [e for e in all_elements(tree) if e.vr in (b"DA", b"TM", b"DT", b"AS")], DATES)


def texts_changed(rng: Random, tree: Tree) -> None:
    _pick(
        rng,
        [
            e
            for e in all_elements(tree)
            if e.vr in (b"LO", b"SH", b"UT", b"PN", b"UI", b"ST")
            and e.tag not in (CONTENT, "00080100", "00080102")
        ],
        TEXTS,
    )


def character_set_changed(rng: Random, tree: Tree) -> None:
    tree[:] = [e for e in tree if e.tag != "00080005"]
    tree.insert(0, Element("00080005", b"CS", rng.choice(CHARACTER_SETS)))
    texts_changed(rng, tree)


def items_damaged(rng: Random, tree: Tree) -> None:
    """Content items removed, repeated, moved elsewhere, put in another order."""
    places = [content for content in sequences(tree, CONTENT) if content]
    if not places:
        return
    place, other = rng.choice(places), rng.choice(places)
    at = rng.randrange(len(place))
    what = rng.randrange(4)
    if what == 0:
        del place[at]
    elif what == 1:
        most = max(
            1, 20_000 // len(all_elements(tree))
        )  # repeats of repeats would grow without end
        place[at:at] = [place[at]] * min(most, rng.choice((1, 1, 2, 7, 100)))
    elif what == 2:
        rng.shuffle(place)
    elif not any(inner is other for inner in sequences(place[at], CONTENT)):
        other.insert(rng.randrange(len(other) + 1), place[at])


def content_wrapped(rng: Random, tree: Tree) -> None:
    """A content item put below containers of its own kind, a few levels deep or very many."""
    found = [item for content in sequences(tree, CONTENT) for item in content]
    if found:
        item = rng.choice(found)
        for _ in range(rng.choice((1, 2, 5, 40, 80))):
            head = [element(e) for e in item if e.tag in (NAME, "0040a010")] + [
                Element("0040a040", b"CS", b"CONTAINER")
            ]
            item[:] = [*head, Element(CONTENT, b"SQ", [[element(e) for e in item]])]


def elements_damaged(rng: Random, tree: Tree) -> None:
    """An element removed, emptied or doubled, anywhere."""
    item = rng.choice([item for item in whole(tree) if item])
    at = rng.randrange(len(item))
    what = rng.randrange(3)
    if what == 0:
        del item[at]
    elif what == 1:
        item[at].value = [] if isinstance(item[at].value, list) else b""
    else:
        item.insert(rng.randrange(len(item) + 1), element(item[at]))


def representation_changed(rng: Random, tree: Tree) -> bool:
    """Another value representation: text as binary, a sequence as text, text as a sequence."""
    one = rng.choice(all_elements(tree))
    one.vr = rng.choice(EXPLICIT_VRS)
    return False


TREE_DAMAGE: tuple[Callable[[Random, Tree], bool | None], ...] = (
    numbers_changed,
    numbers_changed,
    units_changed,
    units_changed,
    concept_changed,
    concept_changed,
    concept_changed,
    codes_changed,
    schemes_changed,
    value_types_changed,
    dates_changed,
    texts_changed,
    character_set_changed,
    items_damaged,
    items_damaged,
    content_wrapped,
    elements_damaged,
    elements_damaged,
    representation_changed,
    _exchange("00080100"),
    _exchange(NAME),
    _exchange("004008ea"),
    _exchange("0040a30a"),
)

# --- damage to bytes ---


def _span(rng: Random, raw: bytes) -> tuple[int, int]:
    start = rng.randrange(len(raw))
    return start, min(len(raw), start + int(2 ** rng.uniform(0, 12)))


def bits_flipped(rng: Random, raw: bytes) -> bytes:
    out = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def truncated(rng: Random, raw: bytes) -> bytes:
    return raw[: rng.randrange(len(raw))]


def block_deleted(rng: Random, raw: bytes) -> bytes:
    start, end = _span(rng, raw)
    return raw[:start] + raw[end:]


def block_doubled(rng: Random, raw: bytes) -> bytes:
    start, end = _span(rng, raw)
    return raw[:end] + raw[start:end] * rng.choice((1, 1, 3)) + raw[end:]


def blocks_swapped(rng: Random, raw: bytes) -> bytes:
    (a, b), (c, d) = sorted((_span(rng, raw), _span(rng, raw)))
    return raw if b > c else raw[:a] + raw[c:d] + raw[b:c] + raw[a:b] + raw[d:]


def bytes_overwritten(rng: Random, raw: bytes) -> bytes:
    start, end = _span(rng, raw)
    noise = (
        rng.randbytes(end - start)
        if rng.random() < 0.5
        else bytes([rng.randrange(256)]) * (end - start)
    )
    return raw[:start] + noise + raw[end:]


def _head(rng: Random, raw: bytes) -> tuple[int, bytes]:
    """Where an element begins, and its VR."""
    start = rng.randrange(len(raw))
    found = _HEAD.search(raw, start) or _HEAD.search(raw)
    return (found.start(), found[2]) if found else (start, b"")


def length_changed(rng: Random, raw: bytes) -> bytes:
    at, vr = _head(rng, raw)
    long = (
        vr in (b"OB", b"OF", b"OW", b"SQ", b"UN", b"UR", b"UT", b"UV")
        or not vr
        or rng.random() < 0.1
    )
    place, form = (at + 8, "<I") if long else (at + 6, "<H")
    if place + struct.calcsize(form) > len(raw):
        return raw
    (length,) = struct.unpack_from(form, raw, place)
    most = 256 ** struct.calcsize(form) - 1
    length = (
        rng.choice(
            (
                0,
                1,
                length - 1,
                length + 1,
                length + 2,
                length - 2,
                length * 2,
                most,
                most - 1,
                most // 2,
                8,
            )
        )
        & most
    )
    return raw[:place] + struct.pack(form, length) + raw[place + struct.calcsize(form) :]


def vr_overwritten(rng: Random, raw: bytes) -> bytes:
    at, _ = _head(rng, raw)
    return raw[: at + 4] + rng.choice([*EXPLICIT_VRS, b"??", b"\0\0", b"sq"]) + raw[at + 6 :]


def deflated_again(rng: Random, raw: bytes) -> bytes:
    """Damage within what is deflated, which damage to the file itself hardly reaches."""
    at = raw.find(b"\x08\x00", 140)
    if at < 0 or ExplicitVRLittleEndian.encode() not in raw[:at]:
        return raw
    inner = rng.choice(BYTE_DAMAGE[:6])(rng, raw[at:])
    deflater = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = raw[:at].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    grown = len(head) - at  # the element of the transfer syntax and the group are longer now
    head = head.replace(
        b"\x10\x00UI\x14\x00", struct.pack("<2s2sH", b"\x10\x00", b"UI", 20 + grown)
    )
    return head + deflater.compress(inner) + deflater.flush()


BYTE_DAMAGE: tuple[Callable[[Random, bytes], bytes], ...] = (
    bits_flipped,
    block_deleted,
    block_doubled,
    blocks_swapped,
    bytes_overwritten,
    truncated,
    length_changed,
    length_changed,
    vr_overwritten,
    deflated_again,
)

# --- mutants ---


def mutant(seed: int, number: int) -> Mutant:
    """Object `number` of a run."""
    rng = Random(f"fuzz|{seed}|{number}")
    times = rng.choice((1, 1, 1, 2, 2, 3, 6))
    if rng.random() < 0.6:
        name = rng.choice(sorted(trees()))
        tree, exact, done = [element(e) for e in trees()[name]], True, []
        for _ in range(times):
            damage = rng.choice(TREE_DAMAGE)
            exact = damage(rng, tree) is not False and exact
            done.append(damage.__name__)
        return Mutant(
            encode(tree, undefined=rng.random() < 0.3), name, done, tree if exact else None
        )
    name = rng.choice(sorted(files()))
    raw, done = files()[name], []
    for _ in range(times):
        if raw:
            damage_bytes = rng.choice(BYTE_DAMAGE)
            raw = damage_bytes(rng, raw)
            done.append(damage_bytes.__name__)
    return Mutant(raw, name, done)


def mutants(seed: int) -> Iterator[tuple[int, Mutant]]:
    """Objects of a run without end, numbered from 1."""
    number = 0
    while True:
        number += 1
        yield number, mutant(seed, number)
