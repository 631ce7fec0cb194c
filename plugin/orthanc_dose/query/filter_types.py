"""Definition of filters: one declaration gives API parameters, documentation, form and SQL.

A filter declares where it looks (`Place`) and the type of its values; TYPES declares which
parameters a type has and what each means. Every condition applies to the study, which is `s` in
SQL. A study matches by its events if one of them does; "not" means that none does, and a study
without any value matches "not" and "is empty" only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..records import TABLES, Shown, index_name

Bind = Callable[
    [Any], str
]  # keeps a value for the statement, and returns the placeholder that represents it
Given = dict[str, Any]  # the values of one filter's parameters, by role


@dataclass(frozen=True)
class Place:
    """The place of values: an expression over a table.

    `key` is the column of the table by which studies hold its rows: `study_id` in tables of events,
    `id` of equipment; empty for the study itself. `s` is the study, `t` the other table. together:
    its conditions apply to one row `t`, which must meet those of all such places of the table (see
    filters.where). more: a list of the study that has further values beside the expression.
    of_study: the value as an expression over the study alone, if the table has one for each study.
    """

    expression: str
    table: str = ""
    key: str = ""
    together: bool = False
    more: str = ""
    of_study: str = ""

    def holds(self, condition: str) -> str:
        """Return the SQL saying that a value of the study, or of the row, meets `condition`."""
        if self.more:
            of_one = condition.replace(self.expression, "x")
            others = f"list_bool_or(list_transform({self.more}, x -> ({of_one})))"
            return f"(coalesce({condition}, false) OR coalesce({others}, false))"
        if not self.table or self.together:
            return f"({condition})"
        if self.table.startswith("index_"):
            terms = (
                f"SELECT t.id FROM term t WHERE t.field = "
                f"'{self.table.removeprefix('index_')}' AND ({condition})"
            )
            # The first condition is always true. It makes DuckDB expect fewer rows of the index
            # than there are studies, so that it hashes the studies found, and not all others.
            return (
                f's.id IN (SELECT i.study_id FROM "{self.table}" i WHERE i.study_id % 1 = 0 AND '
                f"i.term IN ({terms}))"
            )
        of_study = "s.equipment_id" if self.table == "equipment" else "s.id"
        return f'{of_study} IN (SELECT t.{self.key} FROM "{self.table}" t WHERE {condition})'

    def lacks(self, condition: str) -> str:
        """Return the SQL saying that no value of the study meets `condition`.

        This is true for studies without any value.
        """
        return f"NOT coalesce({self.holds(condition)}, false)"


def _has_limits(entry: str) -> bool:
    table, _, name = entry.partition(".")
    fields = next((one.fields for one in TABLES if one.name == table), ())
    return any(field.name == name and field.limits is not None for field in fields)


def study(column: str) -> Place:
    return Place(f"s.{column}")


def equipment(column: str) -> Place:
    return Place(f"t.{column}", "equipment", "id")


def indexed(field: str) -> Place:
    """Return the place of a field of the study whose texts have an index."""
    return Place("t.value", index_name(field), "study_id")


def event(table: str, expression: str, together: bool = False) -> Place:
    return Place(f"t.{expression}", table, "study_id", together)


@dataclass(frozen=True)
class Choice:
    """A value that can be chosen, with its label.

    condition: the condition on the place's expression, where it is not equality.
    """

    value: str
    label: str
    condition: str = ""


@dataclass(frozen=True)
class Role:
    """The role of one parameter of a filter.

    suffix: of its name; kind: of its values (see rest.parameters.KINDS); and its description.
    values: of a choice.
    """

    suffix: str
    kind: str
    description: str
    values: tuple[str, ...] = ("yes", "no")


@dataclass(frozen=True)
class Type:
    """A type of filters: its parameters by role, and the conditions built from their values."""

    roles: dict[str, Role]
    conditions: "Callable[[Filter, Given, Bind], list[str]]"


@dataclass(frozen=True)
class Filter:
    """One filter.

    type: a key of TYPES. group: a key of GROUPS. field: the entry of the data dictionary that it is
    about, such as "study.dlp_total". unit: of stored values; shown: how forms show them, by a power
    of ten. made_of: the entries that a computed value is made of. modalities: those that have it;
    empty for all. identity: only for users who may see the patient's identity.
    """

    name: str
    label: str
    type: str
    group: str
    place: Place
    field: str = ""
    unit: str | None = None
    shown: Shown | None = None
    modalities: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    description: str = ""
    identity: bool = False
    made_of: tuple[str, ...] = ()

    @property
    def can_be_implausible(self) -> bool:
        """Whether the value has limits, and so may be marked as implausible."""
        return any(_has_limits(entry) for entry in self.made_of or (self.field,))

    @property
    def is_plausible(self) -> str:
        """The SQL condition that no mark on the value, or on what it is made of, says that it is
        implausible; over the study `s` and, for events, the event `t`."""
        return " AND ".join(
            f"NOT coalesce(list_contains([m.field FOR m IN {'s' if table == 'study' else 't'}.marks "
            f"IF m.mark = 'implausible'], '{name}'), false)"
            for table, _, name in (entry.partition(".") for entry in self.made_of or (self.field,))
        )

    @property
    def roles(self) -> dict[str, Role]:
        return TYPES[self.type].roles

    def parameter(self, role: str) -> str:
        """Return the name of the parameter with this role."""
        return self.name + self.roles[role].suffix

    def conditions(self, values: dict[str, Any], bind: Bind) -> list[str]:
        """Return the conditions set by these values, which are given by name of parameter."""
        named = {role: values.get(self.parameter(role)) for role in self.roles}
        given = {role: value for role, value in named.items() if value is not None and value != []}
        return TYPES[self.type].conditions(self, given, bind) if given else []

    def as_dict(self) -> dict[str, Any]:
        """Return the filter for forms, which show it if it has a group.

        of_one: the table of events of which a single one must meet all such filters; empty for
        others.
        """
        shown = self.shown or Shown(self.unit or "")
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "group": self.group,
            "field": self.field,
            "modalities": list(self.modalities),
            "unit": self.unit,
            "shown_unit": shown.unit,
            "shown_factor": shown.factor,
            "choices": [{"value": choice.value, "label": choice.label} for choice in self.choices],
            "parameters": {role: self.parameter(role) for role in self.roles},
            "description": self.description,
            "identity": self.identity,
            "of_one": self.place.table if self.place.together else "",
        }


def _text(what: Filter, given: Given, bind: Bind) -> list[str]:
    at = f"lower({what.place.expression})"

    def contains(terms: list[str]) -> str:
        return " OR ".join(f"contains({at}, lower({bind(term)}))" for term in terms)

    out = []
    if "contains" in given:
        out.append(what.place.holds(contains(given["contains"])))
    if "not" in given:
        out.append(what.place.lacks(contains(given["not"])))
    if "is" in given:
        out.append(
            what.place.holds(" OR ".join(f"{at} = lower({bind(term)})" for term in given["is"]))
        )
    if "exactly" in given:
        out.append(what.place.holds(f"{what.place.expression} = {bind(given['exactly'])}"))
    if "empty" in given:
        out.append(_there(what, f"{what.place.expression} <> ''", given["empty"] == "no"))
    return out


def _there(what: Filter, condition: str, is_there: bool) -> str:
    return (what.place.holds if is_there else what.place.lacks)(condition)


def _between(what: Filter, given: Given, bind: Bind) -> list[str]:
    # Both bounds apply to one value: of events with 60 and 120 kV none is between 80 and 100.
    bounds = (("from", ">="), ("to", "<="))
    tests = [
        f"{what.place.expression} {sign} {bind(given[role])}"
        for role, sign in bounds
        if role in given
    ]
    if given.get("given") in ("yes", "plausible"):
        tests.append(f"{what.place.expression} <> 0")
    if given.get("given") == "plausible" and what.can_be_implausible:
        tests.append(what.is_plausible)
    out = [what.place.holds(" AND ".join(tests))] if tests else []
    if given.get("given") == "no":
        out.append(what.place.lacks(f"{what.place.expression} <> 0"))
    if "empty" in given:
        out.append(_there(what, f"{what.place.expression} IS NOT NULL", given["empty"] == "no"))
    return out


def _clock(what: Filter, given: Given, bind: Bind) -> list[str]:
    if not {"from", "to"} <= given.keys() or given["from"] <= given["to"]:
        return _between(what, given, bind)
    at = what.place.expression
    over_midnight = what.place.holds(
        f"({at} >= {bind(given['from'])} OR {at} <= {bind(given['to'])})"
    )
    return [
        over_midnight,
        *_between(what, {role: given[role] for role in given.keys() - {"from", "to"}}, bind),
    ]


def _choices(what: Filter, given: Given, bind: Bind) -> list[str]:
    by_value = {choice.value: choice for choice in what.choices}
    tests = (
        by_value[value].condition or f"{what.place.expression} = {bind(value)}"
        for value in given["any"]
    )
    return [what.place.holds(" OR ".join(f"({test})" for test in tests))]


def _equal(what: Filter, given: Given, bind: Bind) -> list[str]:
    return [what.place.holds(f"{what.place.expression} = {bind(given['is'])}")]


_TERMS = (
    'Terms are separated by commas; a term that contains a comma must be in "double quotes". '
    "Case is ignored."
)


EMPTY = Role("_empty", "choice", "yes: the field is empty; no: it is not.")


def _interval(kind: str, low: str, high: str, until: str = "") -> dict[str, Role]:
    return {
        "from": Role("_from", kind, f"{low}."),
        "to": Role("_to", until or kind, f"{high}."),
        "empty": EMPTY,
    }


def _quantity(kind: str) -> dict[str, Role]:
    return {
        "from": Role("_from", kind, "At least this value."),
        "to": Role("_to", kind, "At most this value."),
        "given": Role(
            "_given",
            "choice",
            "yes: present, not zero; plausible: nor marked implausible; no: missing or zero.",
            ("yes", "plausible", "no"),
        ),
    }


TYPES: dict[str, Type] = {
    "text": Type(
        {
            "contains": Role("", "terms", f"Contains one of the terms. {_TERMS}"),
            "not": Role("_not", "terms", f"Contains none of the terms. {_TERMS}"),
            "is": Role("_is", "terms", f"Equals one of the terms. {_TERMS}"),
            "exactly": Role("_exactly", "text", "Equals this text exactly, including case."),
            "empty": EMPTY,
        },
        _text,
    ),
    "number": Type(_quantity("number"), _between),
    "integer": Type(_quantity("integer"), _between),
    "date": Type(_interval("date", "On or after this date", "On or before this date"), _between),
    "time": Type(
        _interval(
            "time",
            "At or after this time of day; a time later than the upper limit spans midnight",
            "At or before this time of day, including the whole of the given minute or second",
            "time_until",
        ),
        _clock,
    ),
    "choices": Type({"any": Role("", "choices", "One of these, separated by commas.")}, _choices),
    "uid": Type({"is": Role("", "uid", "Equals this value.")}, _equal),
    "id": Type({"is": Role("", "integer", "Equals this value.")}, _equal),
}
