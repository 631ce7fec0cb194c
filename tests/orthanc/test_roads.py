"""Our reader of bytes, pydicom, and Orthanc's own JSON of an object give the same data set."""

import io

import pydicom

from orthanc_dose.dicom import part10
from orthanc_dose.dicom.dataset import BINARY_URI, Dataset, from_pydicom
from orthanc_dose.samples import make_studies
from orthanc_dose.samples import part10 as as_bytes
from tests.support.corpus import DOSE_REPORTS
from tests.support.server import OrthancServer


def plain(dataset: Dataset) -> Dataset:
    """Without padding, group lengths, and binary values, which Orthanc leaves out of this
    answer.
    """
    out: Dataset = {}
    for tag, value in dataset.items():
        if isinstance(value, list):
            out[tag] = [plain(item) for item in value]
        elif value is not None and not value.startswith(BINARY_URI) and int(tag[:4], 16) % 2 == 0:
            out[tag] = "\\".join(part.strip(" \0") for part in value.split("\\"))
    return out


def without_empty(dataset: Dataset) -> Dataset:
    return {
        tag: [without_empty(item) for item in value] if isinstance(value, list) else value
        for tag, value in dataset.items()
        if value or isinstance(value, str)
    }


def test_three_roads_lead_to_the_same_data_set(shared_server: OrthancServer) -> None:
    raws = [as_bytes(study.datasets[0]) for study in make_studies(25, seed=31)] + [
        path.read_bytes() for path in DOSE_REPORTS
    ]
    compared = 0
    for raw in raws:
        status, stored = shared_server.upload(raw)
        assert status == 200
        # Without ignore-length Orthanc leaves out text of more than 256 characters.
        theirs: Dataset = shared_server.ok(
            f"/instances/{stored['ID']}/tags?short&ignore-length=0040-a160"
        )
        ours = part10.read_part10(raw).dataset
        by_pydicom = from_pydicom(pydicom.dcmread(io.BytesIO(raw)))
        assert plain(ours) == plain(by_pydicom)
        if "ISO 2022" not in str(ours.get("0008,0005")) and not part10.read_part10(raw).notes:
            # Orthanc drops what does not fit the declared character set, and knows one set at a
            # time.
            assert without_empty(plain(ours)) == without_empty(plain(theirs))
            compared += 1
    assert compared > 20
