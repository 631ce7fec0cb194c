"""Dose screens that we draw, read by the real OCR engine: what comes out is right, or the object
fails.
"""

import stat
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from orthanc_dose import extract, ocr
from orthanc_dose.dicom import part10
from orthanc_dose.dicom.dataset import Unreadable
from orthanc_dose.extract import Extract, screen
from orthanc_dose.ocr import engine, pixels
from orthanc_dose.samples import part10 as as_bytes
from orthanc_dose.samples.screens import (
    ScreenSeries,
    dose_screen,
    draw,
    ge_lines,
    siemens_lines,
    toshiba_lines,
)

needs_engine = pytest.mark.skipif(
    ocr.available() is None, reason=f"the OCR engine is not installed (Debian: {ocr.PACKAGE})"
)
MAKERS = {"toshiba": "Toshiba", "ge": "GE", "siemens": "Siemens"}
DOSES = [(12.3, 549.3), (48.6, 842.7)]


def read(raw: bytes) -> Extract:
    """The road that an object takes: its text, what may be kept of it, the records."""
    kept = extract.keep(part10.read(raw))
    maker = screen.is_dose_screen(kept.dataset)
    assert maker is not None
    kept.screen = screen.dose_lines(ocr.read_lines(raw), maker)
    return screen.extract(kept)


def doses(found: Extract) -> list[tuple[float, float]]:
    return [(row["mean_ctdivol"], row["dlp"]) for row in found.events if "dlp" in row]


@pytest.fixture(params=["program", "nothing"])
def without_engine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    """No engine at all, or a program of its name that cannot read."""
    if request.param == "program":
        program(tmp_path, monkeypatch, "exit 1")
    else:
        monkeypatch.setattr(engine, "_program", lambda: None)
        engine.available.cache_clear()
    yield
    monkeypatch.undo()
    engine.available.cache_clear()


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a shell script in the engine's place."""
    path = folder / "tesseract"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(engine, "_program", lambda: str(path))
    engine.available.cache_clear()


def test_a_missing_engine_is_said_with_the_package_to_install(without_engine: None) -> None:
    assert ocr.available() is None
    with pytest.raises(ocr.Missing, match="apt-get install tesseract-ocr"):
        ocr.read_lines(as_bytes(dose_screen("ge")))


@pytest.mark.parametrize(
    ("script", "said"),
    [("exit 3", "the OCR engine failed with status 3"), ("exec sleep 600", "took longer than 0.2 s")],
)  # fmt: skip
def test_an_engine_that_fails_or_hangs_is_ended(
    script: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program(tmp_path, monkeypatch, f'[ "$1" = stdin ] || {{ echo eng; exit 0; }}\n{script}')
    started: list[subprocess.Popen] = []

    class Watched(subprocess.Popen):
        def __init__(self, *args: object, **more: object) -> None:
            super().__init__(*args, **more)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr(engine.subprocess, "Popen", Watched)
    with pytest.raises(Unreadable, match=said):
        engine.lines_of(pixels.Picture(bytes(64), 8, 8), time_limit=0.2)
    assert all(process.poll() is not None for process in started)
    monkeypatch.undo()
    engine.available.cache_clear()


def test_the_picture_is_black_on_white_whatever_the_pixels_are() -> None:
    lines = ["CTDIvol 12.3"]
    wanted = bytes(255 - value for value in draw(lines))
    inverse = {"photometric": "MONOCHROME1"}
    for kind in ({}, {"bits": 8}, inverse, {**inverse, "bits": 8}, {"photometric": "RGB"}):
        found = pixels.picture(as_bytes(dose_screen("ge", lines, **kind)))
        assert (found.width, found.height) == (512, 512)
        assert found.pixels == wanted, kind
    doubled = pixels.doubled(found)
    assert (doubled.width, doubled.height, len(doubled.pixels)) == (1024, 1024, 1024 * 1024)
    assert doubled.pixels[0:1024:2] == found.pixels[:512]
    flat = pixels.Picture(bytes([200]) * 64, 8, 8)
    assert pixels.softened(flat) == flat


def test_covered_identities_do_not_hide_the_text() -> None:
    ds = dose_screen("ge")
    covered = bytearray(ds.PixelData)
    covered[: 2 * 512 * 60] = b"\x00\x80" * (512 * 60)
    ds.PixelData = bytes(covered)
    assert pixels.picture(as_bytes(ds)).pixels.count(0) > 1_000


def test_run_length_encoding_is_undone() -> None:
    ds = pydicom.dcmread(BytesIO(as_bytes(dose_screen("siemens"))))
    plain = pixels.picture(as_bytes(ds))
    numpy = pytest.importorskip("numpy", reason="pydicom encodes with numpy")
    assert numpy
    ds.compress(pydicom.uid.RLELossless)
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, ds)
    assert pixels.picture(buffer.getvalue()) == plain


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Rows": 0}, "512 x 0 pixels"), ({"Rows": 60_000}, "at most"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "PALETTE"),
        ({"PixelData": b"\0\0"}, "decompressed|shorter"), ({"PixelData": bytes(512 * 512 * 2)}, "empty"),
        ({"Columns": None}, "contains no image"),
    ],
)  # fmt: skip
def test_pictures_that_cannot_be_read_say_why(change: dict[str, object], said: str) -> None:
    ds = dose_screen("ge")
    for name, value in change.items():
        if value is None:
            delattr(ds, name)
        else:
            setattr(ds, name, value)
    with pytest.raises(Unreadable, match=said):
        pixels.picture(as_bytes(ds))


@needs_engine
@pytest.mark.parametrize("maker", MAKERS)
def test_drawn_screens_are_read_right(maker: str) -> None:
    found = read(as_bytes(dose_screen(maker)))
    assert doses(found) == DOSES
    assert found.accumulated[0]["dlp_total"] == 1392.0
    assert [row["ctdiw_phantom_type"]["value"] for row in found.events[1:]] == ["113691", "113690"]


@needs_engine
@pytest.mark.parametrize(
    "more",
    [{"bits": 8, "photometric": "MONOCHROME1"}, {"photometric": "RGB"}, {"size": 1024, "scale": 2}],
    ids=str,
)
def test_other_pixels_and_sizes_are_read_right(more: dict[str, object]) -> None:
    assert doses(read(as_bytes(dose_screen("ge", **more)))) == DOSES


@needs_engine
@pytest.mark.parametrize("noise", [0.0, 0.003, 0.03], ids=str)
@pytest.mark.parametrize("font", ["8x13", "6x13", "7x13B"])
@pytest.mark.parametrize("maker", MAKERS)
def test_numbers_come_out_right_or_the_object_fails(maker: str, font: str, noise: float) -> None:
    series = [
        ScreenSeries("Chest", "Helical", (18.5, -291.5), 6.7, 221.9),
        ScreenSeries("Head", "Helical", (0, -158.0), 51.8, 903.6, "Head"),
    ]
    lines = {"toshiba": toshiba_lines, "ge": ge_lines, "siemens": siemens_lines}[maker](series)
    try:
        found = read(as_bytes(dose_screen(maker, lines, font=font, noise=noise)))
    except Unreadable as failed:
        # The reason names fields and numbers, never the person in the picture.
        assert "Sample" not in str(failed) and "000001" not in str(failed)
        return
    assert doses(found) in ([(6.7, 221.9), (51.8, 903.6)], [])
    assert all(row["dlp_total"] == 1125.5 for row in found.accumulated)
    assert found.accumulated or found.events


@needs_engine
def test_nothing_of_the_patient_is_kept_and_nothing_is_left_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    lines = ocr.read_lines(as_bytes(dose_screen("ge")))
    assert any("Sample" in line for line in lines), "the engine sees the name that is burnt in"
    kept = "\n".join(screen.dose_lines(lines, "GE"))
    assert "Sample" not in kept and "000001" not in kept and "4711" not in kept
    assert list(tmp_path.iterdir()) == []
