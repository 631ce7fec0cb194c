"""The "Dose" section: defaults, and errors that name the key and what is allowed."""

from pathlib import Path

import pytest

from orthanc_dose import config


def test_defaults_and_relative_folders(tmp_path: Path) -> None:
    read = config.read({"DataDirectory": "records", "BatchSize": 5}, tmp_path)
    assert read.data_directory == tmp_path / "records" and read.data_directory.is_dir()
    assert (read.batch_size, read.audit_at_start) == (5, True)
    assert config.read(None, tmp_path).data_directory == tmp_path / "dose"


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"DataDirectroy": "x"}, ["DataDirectroy", 'did you mean "DataDirectory"', "BatchSize"]),
        ({"BatchSize": "many"}, ["Dose.BatchSize", "a whole number"]),
        ({"BatchSize": 2.5}, ["Dose.BatchSize", "a whole number"]),
        ({"BatchSize": 0}, ["Dose.BatchSize", "from 1 to 5000"]),
        ({"PollSeconds": True}, ["Dose.PollSeconds", "a number"]),
        ({"AuditAtStart": 1}, ["Dose.AuditAtStart", "true or false"]),
        ({"DataDirectory": ""}, ["Dose.DataDirectory", "a path"]),
        ({"DataDirectory": None}, ["Dose.DataDirectory", "a path", "null"]),
        (["DataDirectory"], ['"Dose" must be an object']),
    ],
)
def test_an_error_names_the_key_and_what_is_allowed(
    tmp_path: Path, section: object, words: list[str]
) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.read(section, tmp_path)
    for word in words:
        assert word in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(config.ConfigError, match=r"DataDirectory.*cannot write to the folder"):
        config.read({"DataDirectory": "file/below"}, tmp_path)
