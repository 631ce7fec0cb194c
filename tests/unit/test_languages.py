"""The files of the web UI's languages: German is complete, none has a text that the pages do not
know.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_dose.charts import OPTIONS
from orthanc_dose.dicom.codes import canonical, code
from orthanc_dose.export.exports import FORMATS
from orthanc_dose.manage.settings import SETTINGS, TOPICS
from orthanc_dose.query.filters import FILTERS, GROUPS
from orthanc_dose.records import (
    EQUIPMENT,
    MARKS,
    MODALITIES,
    OBJECT,
    OUTCOMES,
    SOURCES,
    STUDY,
    Field,
)
from orthanc_dose.records.access import GROUPS as PERSONS
from orthanc_dose.records.found import FETCHING
from orthanc_dose.retrieve import gaps, node_search, question, remote_node, rules
from orthanc_dose.store.causes import CAUSES

ROOT = Path(__file__).parents[2]
LOCALES = ROOT / "webui" / "src" / "locales"
LANGUAGES = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(LOCALES.glob("*.json"))
}
COMPLETE = ("en", "de")
# The tables whose fields the pages show.
_OF_MODALITIES = [
    table for one in MODALITIES.values() for table in (one.events, one.accumulated) if table
]
TABLES = {table.name: table for table in (STUDY, EQUIPMENT, OBJECT, *_OF_MODALITIES)}
# What the server says in English, and what other languages have words of their own for: fields,
# marks, errors, filters.
DICTIONARY = "dictionary."
SERVER_SAYS = (
    DICTIONARY,
    *(f"filters.{kind}." for kind in ("names", "about", "choices", "groups")),
    *(f"settings.{kind}." for kind in ("titles", "about", "choices", "topics")),
)


def texts(node: dict[str, Any], *above: str) -> Iterator[tuple[str, str]]:
    for name, value in node.items():
        if isinstance(value, dict):
            yield from texts(value, *above, name)
        else:
            assert isinstance(value, str) and value.strip(), (
                f"{'.'.join((*above, name))} has no text"
            )
            yield ".".join((*above, name)), value


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_stands_twice(language: str) -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert sorted(names) == sorted(set(names))
        return dict(pairs)

    json.loads((LOCALES / f"{language}.json").read_text("utf-8"), object_pairs_hook=once)


def of_pages(language: str) -> dict[str, str]:
    return {
        key: text for key, text in texts(LANGUAGES[language]) if not key.startswith(SERVER_SAYS)
    }


def of_server(language: str) -> set[str]:
    return {key for key, _ in texts(LANGUAGES[language]) if key.startswith(SERVER_SAYS)}


def placeholders(text: str) -> list[set[str]]:
    """Those of each plural form."""
    return [set(re.findall(r"\{(\w+)\}", form)) for form in text.split("|")]


def fields(of: tuple[Field, ...], place: str) -> Iterator[tuple[str, str]]:
    """Each field with where its title stands: by table, or by the structure that it is in."""
    for field in of:
        yield place, field.name
        yield from fields(field.fields, f"within.{field.name}")


# What else a task can say; its numbers, and what stands behind a colon at the end, are told as they
# are.
TASKS_SAY = (
    "The statement failed: run it on the page to see why.",
    "The statement required more memory than the permitted {size:d} MB (setting sql_memory).",
    "The statement ended its process, probably because it required more memory than {size:d} MB (setting sql_memory).",
    "The statement was stopped after {seconds:g} s, which is the time limit (setting sql_seconds).",
    "The file exceeds the size limit or the free space on its disk.",
    "The kept patient identity has just changed: run the statement again.",
    "It failed because of an internal error: ",
    "The disk is full.",
    "The folder of backups does not exist, perhaps because its disk is not mounted",
    "The folder of backups cannot be written",
    "The copy differs from the store and was deleted",
    "The copy could not be read and was deleted.",
)


def sentence_words(source: str) -> set[str]:
    """Keys of the sentences of tasks, as webui/src/shared/dose/fields.ts makes them."""
    assert [one for one in TASKS_SAY if one not in source] == []
    said = (*re.findall(r'raise Failed\("([^"{]+)"', source), *TASKS_SAY, *remote_node.SENTENCES)
    return {re.sub("[^a-z]+", "_", re.sub(r"\{.*?\}", "", one).lower()).strip("_") for one in said}


def dictionary_words() -> set[str]:
    """Keys of all that the data dictionary, errors and tasks name."""
    source = "".join(path.read_text("utf-8") for path in (ROOT / "plugin").rglob("*.py"))
    codes = set(re.findall(r'ApiError\(\s*\d{3},\s*"(\w+)"', source))
    assert {"bad_parameter", "not_found", "internal"} <= codes
    titles = {
        f"{place}.{name}"
        for table in TABLES.values()
        for place, name in fields((*table.fields, *table.derived), table.name)
    }
    units = {
        str(field.as_dict()["shown_unit"]) for table in TABLES.values() for field in table.fields
    }
    sources = {source.replace(" ", "_") for source in SOURCES}
    words = titles.union(
        (f"tables.{name}" for name in TABLES),
        (f"modalities.{code}" for code in MODALITIES),
        (f"events.{modality.events.name}" for modality in MODALITIES.values()),
        (f"marks.{mark}" for mark in MARKS),
        (f"{kind}.{source}" for kind in ("sources", "source_titles") for source in sources),
        (f"{kind}.{outcome}" for kind in ("outcomes", "outcome_titles") for outcome in OUTCOMES),
        (f"errors.{code}" for code in codes),
        (f"causes.{cause}" for cause in CAUSES),
        (f"sentences.{one}" for one in sentence_words(source)),
        (f"units.{unit}" for unit in units if re.search(r"[a-z]{5}", unit)),
    )
    return {DICTIONARY + word for word in words}


def choice_words() -> set[str]:
    """Keys of the choices of filters, but of those whose choices the data dictionary names."""
    named = {"modality", "source", "mark"}
    return {
        f"filters.choices.{one.name}.{choice.value}"
        for one in FILTERS
        if one.name not in named
        for choice in one.choices
    }


def setting_words() -> set[str]:
    """Keys of all that settings say. A choice whose label has no letters, as a date, is the same in
    every language.
    """
    words = {f"settings.topics.{topic}" for topic in TOPICS}
    for one in SETTINGS:
        words |= {f"settings.titles.{one.name}"} | (
            {f"settings.about.{one.name}"} if one.description else set()
        )
        words |= {
            f"settings.choices.{one.name}.{value}"
            for value, label in one.choices
            if re.search("[A-Za-z]", label)
        }
    return words


def test_german_has_every_text_of_the_pages() -> None:
    assert set(COMPLETE) <= set(LANGUAGES)
    assert sorted(of_pages("en").keys() - of_pages("de").keys()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_has_a_text_that_the_pages_do_not_know(language: str) -> None:
    assert sorted(of_pages(language).keys() - of_pages("en").keys()) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_have_the_placeholders_and_plural_forms_of_the_english_ones(language: str) -> None:
    english = of_pages("en")
    for key, text in of_pages(language).items():
        forms, wanted = placeholders(text), placeholders(english[key])
        assert set().union(*forms) == set().union(*wanted), (
            f"{language}: {key} has other placeholders"
        )
        assert (len(forms) == 1) == (len(wanted) == 1), f"{language}: {key} has other plural forms"
        if language in COMPLETE:
            assert len(forms) == len(wanted), (
                f"{language}: {key} has another number of plural forms"
            )


def test_german_has_a_word_for_all_that_the_server_names() -> None:
    words = of_server("de")
    needed = dictionary_words() | choice_words() | {f"filters.groups.{group}" for group in GROUPS}
    needed |= setting_words()
    assert sorted(needed - words) == [], (
        "what the server names in English has to stand in de.json, too"
    )
    # A filter is called as its field is, or has a name of its own.
    unnamed = [
        one.name
        for one in FILTERS
        if not {f"filters.names.{one.name}", DICTIONARY + one.field} & words
    ]
    assert unnamed == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_has_a_word_that_the_server_does_not_know(language: str) -> None:
    known = dictionary_words() | choice_words() | {f"filters.groups.{group}" for group in GROUPS}
    known |= {f"filters.{kind}.{one.name}" for kind in ("names", "about") for one in FILTERS}
    known |= setting_words()
    known |= {word.replace(DICTIONARY, f"{DICTIONARY}descriptions.") for word in known}
    assert sorted(of_server(language) - known) == []


@pytest.mark.parametrize(
    "path", sorted((LOCALES / "codes").glob("*.json")), ids=lambda path: path.stem
)
def test_translated_codes_are_those_that_are_compared(path: Path) -> None:
    """A key that is not canonical, as a retired code, would never be found."""
    assert path.stem in LANGUAGES
    meanings = json.loads(path.read_text("utf-8"))
    assert len(meanings) > 300
    for key, text in meanings.items():
        scheme, _, value = key.partition(":")
        assert canonical(value, scheme) == key and code(value, scheme).meaning, key
        assert text.strip() == text != "", key


def test_formats_of_exports_have_words() -> None:
    needed = {f"exports.{kind}.{name}" for kind in ("formats", "about") for name in FORMATS}
    for language in COMPLETE:
        assert sorted(needed - of_pages(language).keys()) == []


def test_options_of_charts_have_words() -> None:
    needed = {f"charts.options.{kind}.{name}" for kind in ("titles", "about") for name in OPTIONS}
    needed |= {
        f"charts.options.choices.{one.name}.{value}"
        for one in OPTIONS.values()
        if one.kind == "choice"
        for value in one.allowed
    }
    for language in COMPLETE:
        assert sorted(needed - of_pages(language).keys()) == []


def test_searches_and_retrievals_have_words() -> None:
    flags = {"station_of_study", "unseen_reports", "toshiba", "by_day"}
    assert flags < set(question.Question.__dataclass_fields__)
    words = {
        "reasons": {*rules.KEPT, *rules.LEFT},
        "studyReasons": node_search.LEFT,
        "doubts": node_search.DOUBTS,
        "search.stages": node_search.STAGES,
        "search.split": ("limit", "refused"),
        "nodes.wouldSend": remote_node.WOULD_SEND,
        "nodes.wouldSendWords": remote_node.WOULD_SEND,
        "became": FETCHING,
        "asked": flags,
        "gaps.why": gaps.WHY,
    }
    needed = {f"retrieve.{place}.{name}" for place, names in words.items() for name in names}
    for language in COMPLETE:
        assert sorted(needed - of_pages(language).keys()) == []


def test_groups_and_actions_of_the_audit_log_have_words() -> None:
    package = ROOT / "plugin" / "orthanc_dose"
    paths = [
        path for room in ("rest", "manage", "ingest") for path in (package / room).glob("*.py")
    ]
    source = "".join(path.read_text("utf-8") for path in paths)
    actions = set(
        re.findall(
            r'\baction="([^"]+)"|\bnote\(\s*\w+,\s*"([^"]+)"|_note\(\w+, \w+, "([^"]+)"', source
        )
    )
    names = {"".join(found) for found in actions}
    assert {"sign-in", "user added", "object taken out"} <= names
    needed = {f"audit.actions.{re.sub('[ -]', '_', name)}" for name in names}
    needed |= {
        f"groups.{kind}.{re.sub('[ -]', '_', group)}"
        for kind in ("titles", "opens")
        for group in PERSONS
    }
    for language in COMPLETE:
        missing = sorted(needed - of_pages(language).keys())
        assert missing == [], f"{language}.json has to say what these are called"
