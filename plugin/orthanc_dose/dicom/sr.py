"""The content tree of a structured report (PS3.3 C.17.3), in a form that is easy to read from code.

A tree consists of `Item` objects: the concept is the canonical key of the concept name code
("DCM:113813"), and the value depends on the value type. Numbers stay text with the unit beside
them; code that knows the field decides what they mean."""

from collections.abc import Callable, Iterator
from typing import cast

from . import codes, decimals
from .codes import Code
from .dataset import Dataset, Unreadable
from .long_sequence import MOST_AS_A_WHOLE, LongSequence, TooLarge

# Value types whose value is one text element.
_VALUE_TAGS = {
    "TEXT": "0040,a160",
    "UIDREF": "0040,a124",
    "DATETIME": "0040,a120",
    "DATE": "0040,a121",
    "TIME": "0040,a122",
    "PNAME": "0040,a123",
}
_REFERENCES = frozenset({"IMAGE", "COMPOSITE", "WAVEFORM"})


class Item:
    """One content item.

    value: text for TEXT, UIDREF, DATETIME, DATE, TIME, PNAME; `Code` for CODE; the SOP instance UID
    for IMAGE, COMPOSITE and WAVEFORM; the number as written for NUM, or None if it is empty; None
    for CONTAINER. unit: the code value of the unit of a NUM, None if none is given; unit_scheme:
    its scheme. sign: the decimal sign that the numbers of the report have. qualifier: why a NUM is
    empty or special (CID 42), if the object says so."""

    __slots__ = (
        "vt",
        "relationship",
        "concept",
        "meaning",
        "value",
        "unit",
        "unit_scheme",
        "sign",
        "qualifier",
        "children",
    )

    def __init__(
        self, vt: str, relationship: str | None, concept: str | None, meaning: str | None
    ) -> None:
        self.vt = vt
        self.relationship = relationship
        self.concept = concept
        self.meaning = meaning
        self.value: str | Code | None = None
        self.unit: str | None = None
        self.unit_scheme: str | None = None
        self.sign = "."
        self.qualifier: Code | None = None
        self.children: list[Item] = []

    def as_dict(self) -> dict[str, object]:
        """Return the item as a dict for display and JSON; keys without a value are left out."""
        out: dict[str, object] = {"value_type": self.vt, "relationship": self.relationship}
        out |= {"concept": self.concept, "meaning": self.meaning}
        if self.value is not None:
            out["value"] = self.value._asdict() if isinstance(self.value, Code) else self.value
        if self.unit is not None:
            out["unit"] = self.unit
        if self.qualifier is not None:
            out["qualifier"] = self.qualifier._asdict()
        if self.children:
            out["children"] = [child.as_dict() for child in self.children]
        return {key: value for key, value in out.items() if value is not None}


def _text(dataset: Dataset, tag: str) -> str | None:
    value = dataset.get(tag)
    return value.strip(" \0") or None if isinstance(value, str) else None


def read_code(sequence: object) -> Code | None:
    """Return the concept in a code sequence (PS3.3 8.8), or None if it is absent or empty."""
    if not isinstance(sequence, list) or not sequence or not isinstance(sequence[0], dict):
        return None
    entry = sequence[0]
    value = _text(entry, "0008,0100") or _text(entry, "0008,0119") or _text(entry, "0008,0120")
    meaning = _text(entry, "0008,0104")
    if value is None:
        # A meaning without a code can be shown but not recognised.
        return Code("", "", meaning) if meaning else None
    scheme = _text(entry, "0008,0102") or ("DCM" if codes.dicom_value(value, meaning) else "")
    return codes.code(value, scheme, meaning)


# The element that holds the value of each type, by which an item without Value Type is recognised.
_IMPLIED = {"0040,a168": "CODE", "0040,a300": "NUM", "0040,a160": "TEXT", "0040,a124": "UIDREF"}


def _implied_type(entry: Dataset) -> str:
    """Return the value type of an item that does not state it, or "" if its value does not tell."""
    return next((vt for tag, vt in _IMPLIED.items() if entry.get(tag)), "")


def read_tree(dataset: Dataset, note: Callable[[str], None] | None = None) -> Item:
    """Return the root of the report's content tree. Raises Unreadable if the object has none.

    note: called with the mark of what holds for the whole report, such as codes without a scheme.
    """
    if not isinstance(dataset.get("0040,a043"), list) and not isinstance(
        dataset.get("0040,a730"), list
    ):
        raise Unreadable("the report has no content")
    tree = _Tree()
    root = tree.item(dataset, root=True)
    if isinstance(root.children, LongItems):
        tree.lacks_schemes |= root.children.lacks_schemes
    else:
        tree.finish(root)
    if note is not None and tree.lacks_schemes:
        note("no_scheme")
    return root


class _Tree:
    """Builds the items of one report. The content of a code sequence is decoded once for all places
    that share the list (see part10), which the report keeps alive meanwhile."""

    def __init__(self) -> None:
        self.names: dict[int, tuple[str | None, str | None]] = {}
        self.codes: dict[int, Code | None] = {}
        self.units: dict[int, tuple[str | None, str | None]] = {}
        self.has_comma = False
        self.lacks_schemes = False

    def finish(self, root: Item) -> None:
        """Tell the numbers the decimal sign of the report, which all of them together show."""
        if self.has_comma:
            numbers = [item for item in _all_items(root) if item.vt == "NUM" and item.value]
            sign = decimals.decimal_sign(str(item.value) for item in numbers)
            for item in numbers:
                item.sign = sign

    def item(self, entry: Dataset, root: bool = False) -> Item:
        vt = entry.get("0040,a040")
        vt = vt.strip(" \0") if isinstance(vt, str) else ("CONTAINER" if root else "")
        name = entry.get("0040,a043")
        vt = vt or _implied_type(entry)
        concept = meaning = None
        if isinstance(name, list) and name:
            known = self.names.get(id(name))
            if known is None:
                known = self.names[id(name)] = self.name(name)
            concept, meaning = known
        relationship = entry.get("0040,a010")
        item = Item(vt, relationship if isinstance(relationship, str) else None, concept, meaning)
        if vt == "NUM":
            self.number(item, entry)
        elif vt == "CODE":
            value = entry.get("0040,a168")
            if id(value) not in self.codes:
                self.codes[id(value)] = found = read_code(value)
                self.lacks_schemes |= found is not None and _lacks_scheme(value, found.scheme)
            item.value = self.codes[id(value)]
        elif vt in _VALUE_TAGS:
            item.value = _text(entry, _VALUE_TAGS[vt])
        elif vt in _REFERENCES:
            referenced = entry.get("0008,1199")
            if isinstance(referenced, list) and referenced:
                item.value = _text(referenced[0], "0008,1155")
        elif not vt and "0040,db73" in entry:
            item.vt, item.value = "REFERENCE", _text(entry, "0040,db73")
        children = entry.get("0040,a730")
        if isinstance(children, list):
            item.children = (
                [self.item(child) for child in children]
                if type(children) is list
                else LongItems(cast("LongSequence", children))
            )
        return item

    def number(self, item: Item, entry: Dataset) -> None:
        measured = entry.get("0040,a300")
        if isinstance(measured, list) and measured:
            item.value = value = _text(measured[0], "0040,a30a")
            if value is not None and "," in value:
                self.has_comma = True
            units = measured[0].get("0040,08ea")
            if isinstance(units, list) and units:
                known = self.units.get(id(units))
                if known is None:
                    known = self.units[id(units)] = (
                        _text(units[0], "0008,0100"),
                        _text(units[0], "0008,0102"),
                    )
                item.unit, item.unit_scheme = known
        qualifier = entry.get("0040,a301")
        if qualifier:
            item.qualifier = read_code(qualifier)

    def name(self, sequence: list[Dataset]) -> tuple[str | None, str | None]:
        """Return (canonical key, meaning) of a concept name."""
        named = sequence[0]
        value, scheme = named.get("0008,0100"), named.get("0008,0102")
        meaning = named.get("0008,0104")
        if isinstance(value, str) and value and isinstance(scheme, str) and scheme:
            concept: str | None = codes.canonical(value, scheme)
        elif isinstance(value, str) and not scheme and codes.dicom_concept(value.strip()):
            concept = codes.canonical(value, "DCM")
            self.lacks_schemes = True
        else:
            other = read_code(sequence)
            concept = other.key if other and other.value else None
        return concept, meaning if isinstance(meaning, str) else None


class LongItems(list[Item]):
    """The items below the root of a long report, which are made anew each time one iterates over
    them: changes to them are lost.

    concepts: of the items. lacks_schemes: whether codes without a scheme were recognised.
    """

    def __init__(self, entries: LongSequence) -> None:
        """Look through all items once."""
        super().__init__()
        self._entries = entries
        self._sign = "."
        self.lacks_schemes = has_comma = False
        self.concepts: set[str | None] = set()
        for entry in entries:
            tree = _Tree()
            self.concepts.add(tree.item(entry).concept)
            self.lacks_schemes |= tree.lacks_schemes
            has_comma |= tree.has_comma
        if has_comma:
            self._sign = decimals.decimal_sign(
                str(item.value)
                for child in self
                for item in _all_items(child)
                if item.vt == "NUM" and item.value
            )

    def __iter__(self) -> Iterator[Item]:
        for entry in self._entries:
            # What a tree knows of codes lasts as long as the lists that it knows them by.
            item = _Tree().item(entry)
            if self._sign != ".":
                for part in _all_items(item):
                    if part.vt == "NUM" and part.value:
                        part.sign = self._sign
            yield item

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._entries)


def as_a_whole(items: list[Item]) -> list[Item]:
    """Return items that can be gone over many times and changed. Raises TooLarge."""
    if not isinstance(items, LongItems):
        return items
    out, size = [], 0
    for item in items:
        out.append(item)
        size += sum(1 for _ in _all_items(item))
        if size > MOST_AS_A_WHOLE:
            raise TooLarge(
                f"it has more than {MOST_AS_A_WHOLE:,} content items, the limit on what is read of "
                "a report of its template"
            )
    return out


def concepts_below(item: Item) -> set[str | None]:
    """Return the concepts of the items directly below an item."""
    below = item.children
    return below.concepts if isinstance(below, LongItems) else {child.concept for child in below}


def _all_items(item: Item) -> Iterator[Item]:
    yield item
    for child in item.children:
        yield from _all_items(child)


def _lacks_scheme(sequence: object, found: str) -> bool:
    """Return whether a code that was written without its scheme was recognised by its value."""
    entry = sequence[0] if isinstance(sequence, list) and sequence else {}
    return bool(found) and not _text(entry, "0008,0102")
