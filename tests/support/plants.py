"""Names and IDs of a patient in all places of an object where people and vendors put them, each
place in a different form.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

# Texts that do not appear anywhere by chance.
FAMILY, GIVEN, MIDDLE = "Qvörtrupsen", "Zebulönia", "Kunigundis"
OTHER_FAMILY, OTHER_GIVEN, BORN = "Fjordhavnsen", "Ottiliane", "Wexelblatten"
ID, OTHER_ID, THIRD_ID, RETIRED_ID = "4829157", "0000915377", "HXW-90210", "RTD-55318"
NAME = f"{FAMILY}^{GIVEN}^{MIDDLE}^Dr^Jr=久瀬川^蓮太郎=くぜがわ^れんたろう"
WORDS = [
    *(
        "qvörtrupsen",
        "qvortrupsen",
        "qvoertrupsen",
        "qv&#",
        "qv\\u00f6",
        "qv%c3",
        "久瀬川",
        "蓮太郎",
    ),
    *("zebulönia", "zebulonia", "kunigundis", "くぜがわ", "クゼガワ"),
    *("fjordhavnsen", "ottiliane", "wexelblatten"),
    *(ID, "915377", THIRD_ID.lower(), RETIRED_ID.lower()),
]
FORMS = [
    f"{FAMILY}^{GIVEN}",
    f"{GIVEN} {FAMILY}",
    f"{FAMILY}, {GIVEN} {MIDDLE}",
    "QVORTRUPSEN ZEBULONIA",
    "Dr. Zebulönia K. Qvoertrupsen Jr.",
    "qvörtrupsen_zebulönia",
    "ZEBULONIA.QVORTRUPSEN",
    f"{FAMILY}-{GIVEN}",
    f"{FAMILY}\n{GIVEN}",
    "久瀬川 蓮太郎",
    "クゼガワ レンタロウ",
    f"{OTHER_GIVEN} {OTHER_FAMILY}",
    f"{OTHER_FAMILY.upper()}^{OTHER_GIVEN.upper()}",
    f"{GIVEN} {BORN}",
    ID,
    f"000{ID}",
    OTHER_ID,
    "915377",
    THIRD_ID,
    THIRD_ID.lower(),
    RETIRED_ID,
]
MARKED = [
    f"<Patient><LastName>{FAMILY}</LastName><Age>7</Age><FirstName>{GIVEN}</FirstName></Patient>",
    f"<Family>{OTHER_FAMILY}</Family><Given>{OTHER_GIVEN}</Given>",
    f"<Name><![CDATA[{FAMILY}^{GIVEN}]]></Name><PatientID>{ID}</PatientID>",
    "<PatientName>Qv&#246;rtrupsen, Zebul&#xF6;nia</PatientName>",
    f'{{"patient": {{"family": "{FAMILY}", "given": ["{GIVEN}"], "mrn": "{THIRD_ID}"}}}}',
    '{"name": "Qv\\u00f6rtrupsen Zebul\\u00f6nia"}',
    "file=Zebul%C3%B6nia%20Qv%C3%B6rtrupsen.csv",
]
RAW = [
    *(f"\x01\x02{GIVEN} {FAMILY}".encode(one) for one in ("latin-1", "utf-8", "utf-16-le")),
    f"{FAMILY}^{GIVEN}".encode("utf-16-be"),
    b"\0" + f"{OTHER_FAMILY} {OTHER_GIVEN}".encode("utf-16-le"),
    "久瀬川^蓮太郎".encode("iso2022_jp"),
    "久瀬川 蓮太郎".encode("utf-16-le"),
    MARKED[0].encode("latin-1"),
    MARKED[4].encode(),
    f"{OTHER_ID}\0{THIRD_ID}".encode(),
]
_TEXTS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT", "UR", "CS", "AE"})
_OF_ASCII = frozenset({"CS", "AE", "UR"})
# Elements needed to read an object, and those that distinguish systems, which are stored unchanged.
_BY_WHAT_IT_IS_READ = frozenset({
    0x00080005, 0x00080008, 0x00080060, 0x00080061, 0x00080068, 0x00080070, 0x00080100, 0x00080102, 0x00080103, 0x00081010,
    0x00081090, 0x00181000, 0x00181020, 0x0040A010, 0x0040A040, 0x0040A050, 0x0040DB00, 0x00080105,
    0x00080201, 0x0040A491, 0x0040A493, 0x0040A496,
})  # fmt: skip


def planted(dataset: Dataset) -> Dataset:
    """Return the object with names and IDs in every element that holds text.

    This includes private elements and those of its file meta information.
    """
    forms = itertools.cycle(FORMS)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    _plant(dataset, forms, top=True)
    dataset.PatientName, dataset.PatientID = NAME, ID
    dataset.OtherPatientNames = f"{OTHER_FAMILY}^{OTHER_GIVEN}"
    dataset.PatientBirthName = f"{BORN}^{GIVEN}"
    dataset.add_new(0x00101000, "LO", RETIRED_ID)
    others = []
    for one in (OTHER_ID, THIRD_ID):
        other = Dataset()
        other.PatientID, other.TypeOfPatientID = one, "TEXT"
        others.append(other)
    dataset.OtherPatientIDsSequence = Sequence(others)
    dataset.ImageComments = f"Mrs {FAMILY} came; {GIVEN} left"
    meta = getattr(dataset, "file_meta", None)
    if meta is not None:
        meta.PrivateInformationCreatorUID = "1.2.3"
        meta.PrivateInformation = f"{GIVEN} {FAMILY} {ID} ".encode()
        meta.SourceApplicationEntityTitle = ID
    return dataset


def _plant(dataset: Dataset, forms: Iterator[str], top: bool = False) -> None:
    for element in list(dataset):
        if element.VR == "SQ":
            for item in element.value:
                _plant(item, forms)
        elif element.tag in _BY_WHAT_IT_IS_READ or element.tag.is_private_creator:
            continue
        elif element.VR == "PN":
            element.value = next(forms).replace("\n", "^")
        elif element.VR in _TEXTS:
            one = next(forms)
            while element.VR in _OF_ASCII and not one.isascii():
                one = next(forms)
            written = "" if element.value is None else str(element.value)
            if isinstance(element.value, str) or element.value is None:
                element.value = f"{written[:40]} {one}".strip()
        elif element.VR in ("OB", "UN") and element.tag.is_private:
            element.value = (element.value or b"") + RAW[len(element.value or b"") % len(RAW)]
    if top:
        block = dataset.private_block(0x0029, "PLANTED", create=True)
        for at, text in enumerate(MARKED):
            block.add_new(0x10 + at, "UT", text)
        for at, raw in enumerate(RAW):
            block.add_new(0x30 + at, "OB", raw + b"\0" * (len(raw) % 2))
