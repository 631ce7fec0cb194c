"""What is said of the lines of a file of sizes has words on the pages, in each language that is
complete.
"""

import re

import pytest

from orthanc_dose.sizes.matching import OUTCOMES, message_parts
from tests.unit.test_languages import COMPLETE, LANGUAGES


@pytest.mark.parametrize("language", COMPLETE)
def test_each_part_of_a_message_and_each_outcome_has_a_word(language: str) -> None:
    known = LANGUAGES[language]["sizes"]
    assert set(known["said"]) == {re.sub("[^a-z]+", "_", word) for word in message_parts()}
    outcomes = {outcome.replace(" ", "_") for outcome in OUTCOMES}
    assert set(known["meaning"]) == outcomes <= set(LANGUAGES[language]["tasks"]["outcomes"])
