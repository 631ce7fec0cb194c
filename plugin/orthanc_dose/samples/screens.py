"""Dose screens of CT: pictures of a table, sent as Secondary Capture instead of a dose report.

The layouts are the known ones of GE ("Dose Report", series 999), Siemens ("Patient Protocol",
series 501) and Toshiba/Canon ("SUMMARY", series 9000): the same words, columns and units, with a
fictitious patient burnt in at the top as on the real ones. Numbers are parameters, so that a test
knows what to expect. Text is drawn in bitmap fonts that are stored here, X.Org's "misc-fixed"
(public domain), so that the same call gives the same bytes on every machine; Pillow and its fonts
would not."""

from __future__ import annotations

import zlib
from base64 import b85decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from struct import pack
from typing import Any

from pydicom.dataset import Dataset

from orthanc_dose.samples.document import Patient, Study, System, header, put, uid
from orthanc_dose.samples.vendors import Vendor

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

# Glyphs of the characters 32 to 126: 13 rows each, one byte per row, the leftmost pixel in the
# highest bit; zlib, base 85.
_FONTS = {
    "8x13": (
        "c-m!DJ&NNn7&XF$iZG~1;Ucgms0drRG)4?Uh+t9-CM;8>SaO1tDU1j{f{!r=nbYhUhW-BJcxT^?h@U>`@uVlIDE@(A6b6a4c2%-A!5{Y+Hw^7|"
        "d#7Rhv(?(zpOMEkeczm7Cu-06B@8k~>k>(gU%+cpu2N;!9>(=NK-+lv8jEj!TO6rWsZH%45A3RJK-h}v%|HvHc`gK1R<%z^63p2t6&!inY;BCG"
        "ByY+4%QaVaHL}12=b-6Y)B-gj#|~_?D_iVMet8Mx)96x({Y3u=kKMS4#i-VW7V>s}KY6z-E<r<bk0DayVIIMDpclavSdYI$OKaknId9+`Nf2d{"
        "9_1j=zWpc(kro$XKl~p0NW;8<q^IfgW1gpJVzuk}bQCog802k)kMZdMaXvYfD_I)7xtzk6$p=%6E^5;hV>}!VhRHO|^ZXH|axjO;c8Fww#K(nQ"
        "yP832j|b(TD4)A#&?bUX@jt$xpuhDw^(s5+`RH6Pxe{_dN~!J`WEfSFRCfEi9?_3fx)@vUuqJA}qi{i+C7+@!HWUyh1jAx~lTB>aF#`U;?#z>r"
        "m6`<Mo|WrG5-Pwb9&J9dm;K6{3(ZF6u<89yDiP5=iR42;<a{tmTfu?Ogszb2B}|C&d4ZRrflK$YdY(AO8{EYWJR>)HLw@x+fWJu@n(_"
    ),
    "6x13": (
        "c-m!Dt$M>S3=A|h95fsZ95f8nBLof#1{xX$1_m1L5e5qf_ZWeO)32Lt>X$UqN$Sa`beeuyQkxPx0C0l<I(;;fw)4c-*Gtlt1~Fx5yFmFo^Lgy="
        ")@_u>lrmdNk&@`nMlnun*wURtztyqLlE&7jKYWohL!eeUmm(pkY#=StddfgjhqVUEE8=u|#1JY9xi|ytJw`!F`FJ>jwUmq6q1EUZ)~%u={IGeA"
        "(Nb>qts}_K=M=+p9Ggg@j6R8)3gjHEeUxns*Xd&CT9yUrx|}GPGGJtJgytz1UH$HqQFGV`)jCUSv_%l)O|**ps%iWAdG4B4%(^1qt$Bm`c(isL"
        ")~%{3H+r}+5NjA5@z%_3=+l!grV$<8L~4L1(#Sv^3IiA&cDzBibz#<+-B9MC1&uK<8;owK2S5Ec>X71}7>2DL?{+#oQoS6hu1^S*#49t9Zpggk"
        "d}Uj)u~>{1UQ0h-T8(w+GsS5Zfmk6*Q-K&*?=q5o@#**=w{9kcr@2JpY`WUPYFs&~S)<h`>18&Ao9P*-1CWN}`mjTqjB}L|e}lTer!P$ZlW#B2"
        "zbBDVg96K+(Cz~K07eiV5C"
    ),
    "7x13B": (
        "c-mc5EqdcH5cL6c0D(O~puhry9>9kv5LjqnP%yxtpfCqmutz8;C@c^t99UprP*6}15NIH<^D8?YC!g~)KYF7#O4r?35~CM`aU6Hg=`_#$IY}72"
        "zQFHSkg%`k@0jxa$3F(svMkfbx;%KbRv@O7b51ET;CJK|^$n@kG&Bwb(t%XpdtBGmAAE&E2vjTQQe<gBwm~YS=|wt{G(ZeJMG2@OCI|t6LHKny"
        "BGwSZQ_6<!0c3;<s%%6%Sv3Ur@Q>MZjFxiKx3xff=8{tkdpFjQtg^Qebrs-zetUj<Jhy!+x5t2a$=8XJDT58wHtVNs#oIPeJZEL*4DeXG>LBR3"
        "1vM@Gj?4A)y5PI8Hj}U?tdfsf?Q*H>ssM~m<91-cc3B~~$4fJ}rjOG}PPA2Hr3W~Ah{Ti9p>-G(P&BjxEMxLHfUE}E4^3!{ItLKdKt<F-H&!c8"
        "a=cxHFx!b19UWD{TC#Zy9AshQspjd&oUhEsJP*XY0Q<Ze>K*B(gFfA^5YNDJrBjsKc$ATB5rquw)m#WTcs5h0n{~8<d0aWk$<cCh-iY(qn+K20"
        "p&b4WY8@H?XbdF9ZxG$itorn%2tB#q|DH_7iS8mjabobN{&fNV1FuzxEC"
    ),
}

ROWS_OF_CELL = 13


@dataclass(frozen=True)
class ScreenSeries:
    """One line of a dose screen: mm, mAs, s, kV, mGy, mGy.cm. A `ctdi` of None is a localizer
    without dose.

    type: as the manufacturer calls it. positions: first and last position of the scan, for screens
    that print them."""

    protocol: str = "Abdomen"
    type: str = "Helical"
    positions: tuple[float, float] = (10.0, -410.0)
    ctdi: float | None = 17.95
    dlp: float | None = 812.41
    phantom: str = "Body"
    mas: float = 210
    exposure_time: float = 6.2
    rotation_time: float = 0.5
    kvp: float = 120
    collimation: float = 1.2


LOCALIZER = ScreenSeries("Scano", "Scanoscope", (0.0, 0.0), None, None, "", 22, 4.1)
SERIES = (
    LOCALIZER,
    ScreenSeries("Chest/Abdomen", "Helical", (10.0, -412.5), 12.3, 549.3, "Body", 6480, 8.7),
    ScreenSeries("Head", "Helical", (0.0, -142.0), 48.6, 842.7, "Head", 5120, 7.4),
)


@cache
def _glyphs(font: str) -> tuple[int, tuple[bytes, ...]]:
    # Width of a cell, and for each of its rows the bytes of all characters from 32 on.
    table = zlib.decompress(b85decode(_FONTS[font]))
    return int(font[0]), tuple(table[row::ROWS_OF_CELL] for row in range(ROWS_OF_CELL))


def draw(
    lines: Sequence[str],
    *,
    font: str = "8x13",
    size: int = 512,
    scale: int = 1,
    leading: int = 2,
    noise: float = 0.0,
    seed: int = 1,
) -> bytes:
    """Return lines of text as a square picture, one byte per pixel, text 255 on 0.

    font: "8x13", "6x13" or "7x13B". scale: pixels per pixel of the font. leading: empty rows
    between lines. noise: the fraction of all pixels that is set to a random value. Characters
    outside ASCII are drawn as "?"; what does not fit is cut off."""
    width, rows = _glyphs(font)
    picture = bytearray(size * size)
    top = 4
    for line in lines:
        codes = [code - 32 if 32 <= (code := ord(char)) < 127 else 31 for char in line]
        for row in rows:
            bits = "".join(format(row[code], "08b")[:width] for code in codes)
            drawn = bytes(255 if bit == "1" else 0 for bit in bits for _ in range(scale))[
                : size - 4
            ]
            for _ in range(scale):
                if top < size:
                    picture[top * size + 4 : top * size + 4 + len(drawn)] = drawn
                top += 1
        top += leading
    if noise:
        rng = Random(f"noise|{seed}")
        for _ in range(round(noise * size * size)):
            picture[rng.randrange(size * size)] = rng.randrange(256)
    return bytes(picture)


def _person(patient: Patient) -> str:
    return patient.name.replace("^", " ")


def toshiba_lines(
    series: Sequence[ScreenSeries] = SERIES,
    *,
    total: dict[str, float] | None = None,
    patient: Patient | None = None,
    positions: bool = False,
    details: bool = True,
    suffix: str = "",
    digits: int = 1,
) -> list[str]:
    """Return the dose summary of Toshiba and Canon.

    total: DLP in mGy.cm by phantom, by default the sums of the series; an empty dict leaves the
    section out. positions: use the layout that prints start and end of the scan. details: include
    the section with the series. suffix: ".e" as in newer software."""
    patient = patient or Patient()
    lines = [
        f"Name        : {_person(patient)}",
        f"Patient ID  : {patient.patient_id}   Birth : {patient.birth_date}",
        "",
    ]
    given = sums(series) if total is None else total
    if given:

        def both(values: dict[str, float]) -> str:
            return "   ".join(
                f"({p}): {values[p]:.{digits}f}" if p in values else f"({p}): -"
                for p in ("Head", "Body")
            )

        largest = {
            p: max(s.ctdi for s in series if s.phantom == p and s.ctdi is not None) for p in given
        }
        lines += [
            "<< Dose Information >>",
            f"Total mAs : {sum(s.mas for s in series):.0f}",
            f"CTDIvol{suffix} (mGy)   {both(largest)}",
            f"DLP{suffix} (mGy.cm)   {both(given)}",
            "",
        ]
    if not details:
        return lines
    lines += ["<< Contrast/Enhance Information >>", "", "<< Detail Information >>"]
    for number, one in enumerate(series, 1):
        lines.append(f"{number}. {one.protocol}")
        dose = (
            []
            if one.ctdi is None
            else [f"{one.ctdi:.{digits}f}({one.phantom})", f"{one.dlp:.{digits}f}({one.phantom})"]
        )
        if positions:
            lines += [
                "            Start Pos.  End Pos.   Exposure Time  Total mAs",
                "            Eff. CTDIvol Mean  Eff. DLP",
                f"{one.type:<12}{one.positions[0]:<+12.1f}{one.positions[1]:<+11.1f}{one.exposure_time:<15.1f}{one.mas:.0f}",
                *([f"            {dose[0]:<19}{dose[1]}"] if dose else []),
            ]
        else:
            lines += [
                f"            Total mAs  Exposure Time  CTDIvol{suffix}(mGy)  DLP{suffix}(mGy.cm)",
                f"{one.type:<12}{one.mas:<11.0f}{one.exposure_time:<15.1f}"
                + "".join(f"{value:<14}" for value in dose),
            ]
    return lines


def ge_lines(
    series: Sequence[ScreenSeries] = SERIES,
    *,
    total: float | None = None,
    patient: Patient | None = None,
) -> list[str]:
    """Return the "Dose Report" of GE; `total` is the total exam DLP in mGy.cm, by default the sum
    of the series.
    """
    patient = patient or Patient()
    given = sum(sums(series).values()) if total is None else total
    lines = [
        "                     Dose Report",
        "",
        f"Patient Name: {_person(patient):<26}Exam no: 4711",
        f"Patient ID: {patient.patient_id:<28}14 Mar 2025",
        "Exam Description: CT ABDOMEN",
        "",
        "Series  Type       Scan Range         CTDIvol  DLP      Phantom",
        "                   (mm)               (mGy)    (mGy-cm) cm",
    ]
    for number, one in enumerate(series, 1):
        if one.ctdi is None:
            lines.append(f"{number:<8}{'Scout':<11}{'-':<19}{'-':<9}{'-':<9}-")
            continue
        span = "-".join(f"{'S' if z >= 0 else 'I'}{abs(z):.3f}" for z in one.positions)
        phantom = "Body 32" if one.phantom == "Body" else "Head 16"
        lines.append(f"{number:<8}{one.type:<11}{span:<19}{one.ctdi:<9.2f}{one.dlp:<9.2f}{phantom}")
    return [
        *lines,
        "",
        f"               Total Exam DLP:        {given:.2f}",
        "",
        "                              1/1",
    ]


def siemens_lines(
    series: Sequence[ScreenSeries] = SERIES,
    *,
    total: float | None = None,
    patient: Patient | None = None,
    letters: tuple[str, str] = ("L", "S"),
) -> list[str]:
    """Return the "Patient Protocol" of Siemens; `total` is the total DLP in mGy.cm, by default the
    sum of the series; below 0 it is left out.

    letters: those of the body and of the head phantom, L and S in newer software, A and B in older
    software.
    """
    patient = patient or Patient()
    given = sum(sums(series).values()) if total is None else total
    lines = [
        f"{_person(patient)}                           SOMATOM",
        f"{patient.patient_id}   {patient.birth_date}  F",
        "",
        "14-Mar-2025 09:26",
        "Ward:          Physician: Sample",
        "Operator: Operator Sample",
        "",
        f"Total mAs {sum(s.mas for s in series):.0f}"
        + (f"     Total DLP {given:.1f} mGy*cm" if given >= 0 else ""),
        "",
        "                Scan  KV   mAs / ref.   CTDIvol   DLP      TI    cSL",
        "                                        mGy       mGy*cm   s     mm",
        "Patient Position H-SP",
    ]
    for number, one in enumerate(series, 1):
        name = one.protocol.split()[0][:15]
        if one.ctdi is None:
            lines.append(
                f"{'Topogram':<16}{number:<6}{one.kvp:<5.0f}35 mA                           4.1   "
                f"0.6"
            )
            continue
        letter = letters[one.phantom == "Head"]
        mas = f"{one.mas:.0f} / {one.mas + 30:.0f}"
        lines.append(
            f"{name:<16}{number:<6}{one.kvp:<5.0f}{mas:<13}{f'{one.ctdi:.2f}{letter}':<10}{one.dlp:<9.1f}"
            f"{one.rotation_time:<6.1f}{one.collimation:.1f}"
        )
    return [*lines, "", f" {letters[0]} = 32cm, {letters[1]} = 16cm"]


def sums(series: Sequence[ScreenSeries]) -> dict[str, float]:
    """Return the DLP in mGy.cm by phantom."""
    out: dict[str, float] = {}
    for one in series:
        if one.dlp is not None:
            out[one.phantom] = round(out.get(one.phantom, 0) + one.dlp, 4)
    return dict(sorted(out.items(), reverse=True))


# How each manufacturer's object indicates that it is a dose screen, and how it holds the pixels.
_SIGNS = {
    "toshiba": (9000, "SUMMARY", ["DERIVED", "SECONDARY"], "1", "0", 16),
    "ge": (999, "Dose Report", ["DERIVED", "SECONDARY", "SCREEN SAVE"], "1", "-2", 16),
    "siemens": (
        501,
        "Patient Protocol",
        ["DERIVED", "SECONDARY", "OTHER", "CT_SOM5 PROT"],
        "255",
        "128",
        8,
    ),
}
_MODELS = {
    "toshiba": Vendor("toshiba-old", "TOSHIBA", "Aquilion", "V3.35ER003", ("ct",)),
    "ge": Vendor("ge-old", "GE MEDICAL SYSTEMS", "LightSpeed16", "07MW11.10", ("ct",)),
    "siemens": Vendor("siemens-old", "SIEMENS", "Sensation 64", "syngo CT 2007S", ("ct",)),
}
_LINES: dict[str, Callable[..., list[str]]] = {
    "toshiba": toshiba_lines,
    "ge": ge_lines,
    "siemens": siemens_lines,
}


def dose_screen(
    maker: str = "toshiba",
    lines: Sequence[str] | None = None,
    *,
    picture: bytes | None = None,
    seed: int = 1,
    size: int = 512,
    bits: int | None = None,
    photometric: str = "MONOCHROME2",
    patient: Patient | None = None,
    study: Study | None = None,
    system: System | None = None,
    key: str = "",
    instance: int = 1,
    **drawing: Any,
) -> Dataset:
    """Return a dose screen of "toshiba", "ge" or "siemens" as Secondary Capture.

    lines: the text, by default the manufacturer's layout with the series above. picture: pixels
    instead, as `draw` gives them. bits: 8 or 16 bits per pixel, by default as the manufacturer
    does. photometric: MONOCHROME1, MONOCHROME2 or RGB. drawing: passed on to `draw`. The patient's
    name and ID appear in the picture."""
    patient = patient or Patient()
    number, description, image_type, window, centre, usual_bits = _SIGNS[maker]
    system = system or System(vendor=_MODELS[maker])
    key = key or f"screen|{maker}|{seed}"
    study = study or Study(description="CT abdomen", requested_procedure="CT chest and abdomen")
    study = replace(study, instance_uid=study.instance_uid or uid(key, "study"))
    text = _LINES[maker](patient=patient) if lines is None else lines
    pixels = picture if picture is not None else draw(text, size=size, seed=seed, **drawing)
    bits = usual_bits if bits is None else bits
    ds = header(
        patient,
        study,
        system,
        SECONDARY_CAPTURE,
        uid(key, "instance", instance),
        uid(key, "series"),
        "CT",
        number,
        description,
    )
    put(
        ds,
        ImageType=image_type,
        ConversionType="WSD",
        InstanceNumber=str(instance),
        SamplesPerPixel=1,
        PhotometricInterpretation=photometric,
        Rows=size,
        Columns=size,
        BitsAllocated=bits,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelRepresentation=int(bits == 16),
        WindowWidth=window,
        WindowCenter=centre,
        BurnedInAnnotation="YES",
    )
    if photometric == "MONOCHROME1":
        pixels = bytes(255 - value for value in pixels)
    if photometric == "RGB":
        put(
            ds,
            SamplesPerPixel=3,
            PlanarConfiguration=0,
            BitsAllocated=8,
            BitsStored=8,
            HighBit=7,
            PixelRepresentation=0,
        )
        pixels = bytes(value for gray in pixels for value in (gray, gray, 0))
    elif bits == 16:
        # Black is -1024 and text lies above the window's centre, as with these manufacturers' width
        # of 1.
        put(ds, RescaleIntercept="-1024", RescaleSlope="1")
        levels = [pack("<h", value * 2047 // 255) for value in range(256)]
        pixels = b"".join(map(levels.__getitem__, pixels))
    put(ds, PixelData=pixels)
    ds["PixelData"].VR = "OW" if bits == 16 and photometric != "RGB" else "OB"
    return ds
