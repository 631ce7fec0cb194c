"""National forms, the pure parts: what views are called, which exposures are left out, text that is
no formula.
"""

import csv
import io

import pytest
from pydicom.sr.codedict import codes

from orthanc_dose import cells
from orthanc_dose.dicom.codes import canonical
from orthanc_dose.export import nhsbsp

# PS3.16 (2013), tables CID 4014 and 4015: SNOMED-RT code, ACR MQCM 1999 equivalent. "..." stands
# for the view.
CID_4014 = """
R-10224 ML   R-10226 MLO  R-10228 LM   R-10230 LMO  R-10242 CC   R-10244 FB
R-102D0 SIO  R-40AAA ISO  R-1024A XCCL R-1024B XCCM
""".split()
CID_4015 = """
R-102D2 CV     R-102D1 AT     R-102D3 ...RL  R-102D4 ...RM  R-102CA ...RI  R-102C9 ...RS  R-102D5 ...ID
R-102D6 M...   R-102D7 S...   R-102C2 TAN    R-40AB3 ...NP  P2-00161 ...AC R-40ABE ...IMF R-40AB2 ...AX
""".split()
LEFT = {"value": "7771000", "scheme": "SCT", "meaning": "Left"}
RIGHT = {"value": "24028007", "scheme": "SCT", "meaning": "Right"}


def coded(srt: str, meaning: str = "as written") -> dict[str, str | None]:
    scheme, _, value = canonical(srt, "SRT").partition(":")
    return {"value": value, "scheme": scheme, "meaning": meaning}


CC, MLO = coded("R-10242"), coded("R-10226")


@pytest.mark.parametrize(("srt", "acr"), [*zip(CID_4014[::2], CID_4014[1::2], strict=True)])
def test_views_have_their_acr_codes_but_mlo_is_ob(srt: str, acr: str) -> None:
    assert nhsbsp.view_code(LEFT, coded(srt), None) == ("LOB" if acr == "MLO" else f"L{acr}")


@pytest.mark.parametrize(("srt", "acr"), [*zip(CID_4015[::2], CID_4015[1::2], strict=True)])
def test_modifiers_stand_before_the_view_behind_it_or_in_its_place(srt: str, acr: str) -> None:
    assert nhsbsp.view_code(RIGHT, CC, [coded(srt)]) == f"R{acr.replace('...', 'CC')}"


def test_no_code_of_the_context_groups_is_missing() -> None:
    def keys(group: str) -> set[str]:
        found = getattr(codes, group)
        return {
            f"{one.scheme_designator}:{one.value}"
            for one in (getattr(found, name) for name in found.dir())
        }

    assert nhsbsp.VIEWS.keys() | {nhsbsp.SPECIMEN} == keys("cid4014")
    assert nhsbsp.PREFIXES.keys() | nhsbsp.SUFFIXES.keys() | nhsbsp.INSTEAD.keys() == keys(
        "cid4015"
    )


def test_several_modifiers_and_views_in_words() -> None:
    spot, magnified, implant = coded("R-102D7"), coded("R-102D6"), coded("R-102D5")
    assert nhsbsp.view_code(LEFT, MLO, [spot, magnified, implant]) == "LSMOBID"
    word = {
        "value": None,
        "scheme": None,
        "meaning": "xccl",
    }  # (0018,5101) of an image without a code
    assert nhsbsp.view_code(RIGHT, word, None) == "RXCCL"
    assert nhsbsp.view_code(RIGHT, word | {"meaning": "MLO"}, None) == "ROB"
    assert nhsbsp.view_code(RIGHT, word | {"meaning": "Somewhere else"}, None) == "RSomewhere else"


def test_without_side_or_view_there_is_no_view_code() -> None:
    both = {"value": "51440002", "scheme": "SCT", "meaning": "Right and left"}
    assert [
        nhsbsp.view_code(side, view, None) for side, view in ((None, CC), (LEFT, None), (both, CC))
    ] == [None] * 3


@pytest.mark.parametrize(
    "protocol",
    [
        "Scout",
        "2D POSTCLIP",
        "PreFire",
        "biopsy",
        "post/Postfire 2",
        "STEREO -15",
        "Specimen",
        "artefacts",
    ],
)
def test_exposures_that_are_no_mammograms_are_left_out(protocol: str) -> None:
    assert nhsbsp.left_out(protocol, CC)


def test_mammograms_and_exposures_without_a_protocol_stay() -> None:
    assert not nhsbsp.left_out("2D Screening", CC) and not nhsbsp.left_out(None, None)
    assert nhsbsp.left_out(None, coded("G-8310"))  # tissue specimen from breast


def test_a_line_gives_what_it_got_and_no_formula() -> None:
    values = [
        "=1+1",
        "+1",
        "-1",
        "@x",
        "\tx",
        'a "quoted", b',
        "two\r\nlines",
        None,
        -1.5,
        0.1 + 0.2,
        12345678901234567,
        "x=1",
    ]
    read = next(csv.reader(io.StringIO(cells.line(values).decode(), newline="")))
    assert read == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", 'a "quoted", b', "two\r\nlines", "", "-1.5", "0.3",
                    "12345678901234567", "x=1"]  # fmt: skip
