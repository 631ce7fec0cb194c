"""Words of reports and charts in the languages of the web UI, from its locale files, one per
language.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..query.filter_types import Choice, Filter
from ..records import MARKS, MODALITIES, SOURCES, Field, Table

# Languages whose files are complete.
LANGUAGES = ("en", "de")
_PACKAGE = Path(__file__).resolve().parents[1]
# In a wheel, within the package; in a checkout, in the source of the web UI.
_PLACES = (_PACKAGE / "locales", _PACKAGE.parents[1] / "webui" / "src" / "locales")


# The value of the setting "date_format" by which each language writes dates in its own way.
BY_LANGUAGE = "language"


class Words:
    """The words of one language.

    What its file lacks is in the English of the declarations, as on the pages.
    """

    def __init__(self, language: str) -> None:
        """Read the words of a language, one of LANGUAGES."""
        self.language = language
        self._words = _file(language)
        self._meanings = _meanings(language)

    def say(self, key: str, count: int | None = None, **values: object) -> str:
        """Return the text of a key as "study.title", with placeholders filled in.

        count: the number for which the singular or plural form is chosen.
        """
        text = self.find(key) or key
        forms = text.split(" | ")
        text = forms[0] if count == 1 else forms[-1]
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def find(self, key: str) -> str | None:
        """Return the text of a key as written; None if the file has none."""
        return self._at(*key.split("."))

    def title(self, field: Field, table: Table, *above: Field) -> str:
        """Return the title of a field. above: the field of structs that contains it."""
        place = ("within", above[-1].name) if above else (table.name,)
        return self._of_dictionary(*place, field.name) or field.title

    def table(self, table: Table) -> str:
        return self._of_dictionary("tables", table.name) or table.title

    def unit(self, field: Field) -> str:
        """Return the unit in which a field is shown; empty if it has none."""
        return self.symbol((field.shown.unit if field.shown else field.unit) or "")

    def symbol(self, unit: str) -> str:
        """Return a unit as it is shown: most are the same in all languages."""
        return self._of_dictionary("units", unit) or unit

    def filter(self, of: Filter) -> str:
        """Return the title of a filter: its own, or that of its field."""
        return (
            self._at("filters", "names", of.name)
            or self._of_dictionary(*of.field.split("."))
            or of.label
        )

    def choice(self, of: Filter, choice: Choice) -> str:
        return self._at("filters", "choices", of.name, choice.value) or choice.label

    def modality(self, code: str) -> str:
        return self._of_dictionary("modalities", code) or MODALITIES[code].title

    def meaning(self, code: Mapping[str, str | None]) -> str | None:
        """Return the meaning of a coded value: in the language if the concept is a common one, else
        as it is stored; the code value if it has no meaning.
        """
        known = self._meanings.get(f"{code.get('scheme')}:{code.get('value')}")
        return known or code.get("meaning") or code.get("value")

    def mark(self, mark: str) -> str:
        return self._of_dictionary("marks", mark) or MARKS.get(mark, mark)

    def source(self, source: str) -> str:
        return self._of_dictionary("source_titles", source.replace(" ", "_")) or source

    def source_sentence(self, source: str) -> str:
        """Return the meaning of a source of records."""
        return self._of_dictionary("sources", source.replace(" ", "_")) or SOURCES.get(
            source, source
        )

    def outcome(self, outcome: str) -> str:
        return self._of_dictionary("outcome_titles", outcome) or outcome

    def events(self, modality: str, count: int) -> str:
        """Return the name of the irradiations or administrations of a modality, for their number."""
        table = MODALITIES[modality].events
        if self._of_dictionary("events", table.name):
            return self.say(f"dictionary.events.{table.name}", count)
        one = table.field("event_number").title.lower()
        return one if count == 1 else f"{one}s"

    def _of_dictionary(self, *path: str) -> str | None:
        return self._at("dictionary", *path)

    def _at(self, *path: str) -> str | None:
        found: Any = self._words
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, str) else None


def date_format(setting: str, language: str) -> str:
    """Return how dates are written, as "dd.mm.yyyy".

    setting: the value of the setting "date_format"; language: that of the text around them.
    """
    return Words(language).say("app.dateFormat") if setting == BY_LANGUAGE else setting


@cache
def _meanings(language: str) -> dict[str, str]:
    """Return the translated meanings of codes, by "SCHEME:value"; empty for English."""
    path = _folder() / "codes" / f"{language}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def _folder() -> Path:
    return next(place for place in _PLACES if place.is_dir())


@cache
def _file(language: str) -> dict[str, Any]:
    path = _folder() / f"{language}.json"
    texts: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return texts
