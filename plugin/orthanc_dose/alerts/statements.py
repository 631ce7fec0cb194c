"""The SQL of each kind of bound: the values that a rule compares with a bound, with that bound.

Each has the columns study_id, event, equipment_id, day, value, bound, doubted, n (values that the
bound or the value was made from), left_out (studies without a usable value in a sum), parts (numbers
of the studies that a sum was made from) and missing (names of missing values). Only studies of
the scope are compared; what they are compared with can be any study.
"""

from collections.abc import Callable

import duckdb

from ..records import CT_EVENT, MODALITIES, STUDY_NAMES, index_name
from ..records.ct import DOSE_CHECK
from . import bounds, levels
from .measure import DAY, MEASURES, Matching, Measure, size_class
from .rule import STUDIES, Rule
from .scope import Scope, Statement

# A median absolute deviation times this is the standard deviation of a normal distribution.
ROBUST = 1.4826
_NOTHING = "0::BIGINT AS n, 0::BIGINT AS left_out, []::BIGINT[] AS parts, []::VARCHAR[] AS missing"


def statement(connection: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> Statement | None:
    """Return the statement of a rule; None if there is nothing to compare with."""
    return _KINDS[type(rule.bound)](connection, rule, scope)


def _number(value: float) -> str:
    return f"{float(value)!r}::DOUBLE"


def _measured(rule: Rule) -> tuple[Measure, Matching]:
    measure = rule.measure
    assert measure is not None
    return measure, Matching.of(rule.filters, measure)


def _fixed(_: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> Statement:
    bound = rule.bound
    assert isinstance(bound, bounds.FixedValue)
    measure, matching = _measured(rule)
    rows = matching.values(measure, conditions=(scope.condition,))
    query = f"SELECT *, {_number(bound.value)} AS bound, {_NOTHING} FROM ({rows})"
    return Statement(query, matching.bound, bound.compare)


def _of_level(connection: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> Statement | None:
    bound = rule.bound
    assert isinstance(bound, bounds.OfLevel)
    measure, matching = _measured(rule)
    fields = levels.names_for(measure, bound.names)
    tables = levels.level_tables(connection, measure, rule.modalities, fields)
    if tables is None:
        return None
    rows = matching.values(measure, *levels.columns(measure), conditions=(scope.condition,))
    query = f"""
        WITH {tables}, found AS MATERIALIZED ({rows})
        SELECT *, level * {_number(bound.factor)} AS bound, {_NOTHING}
        FROM ({levels.leveled("found", measure, fields, bound.compare != "below")})
    """
    return Statement(query, matching.bound, bound.compare)


_BOUNDS_OF_PEERS = {
    "mad": (
        "exp(median(ln(p.value)) {sign} {limit} * {robust} * nullif(mad(ln(p.value)), 0))"
    ),
    "iqr": (
        "median(p.value) {sign} {limit} * nullif(quantile_cont(p.value, 0.75) - "
        "quantile_cont(p.value, 0.25), 0)"
    ),
    "median": "median(p.value) * {limit}",
    "percentile": "quantile_cont(p.value, {share!r})",
}  # fmt: skip


def _outlier(_: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> Statement:
    bound = rule.bound
    assert isinstance(bound, bounds.Outlier)
    measure, matching = _measured(rule)
    below = bound.compare == "below"
    of_peers = _BOUNDS_OF_PEERS[bound.method].format(
        sign="-" if below else "+",
        limit=_number(bound.limit),
        robust=ROBUST,
        share=min(bound.limit / 100, 1.0),
    )
    with_name = _named(bound.same, measure)
    columns = (
        "s.modality AS modality",
        f"{'s.equipment_id' if bound.same_system else '0'} AS system",
        f"{size_class('s.patient_weight') if bound.same_size else '0'} AS class",
        *(("t.acquisition_protocol AS protocol",) if measure.has_protocol else ()),
    )
    dated = "s.study_date IS NOT NULL"
    judged = matching.values(measure, *columns, conditions=(scope.condition, dated))
    all_values = matching.values(measure, *columns, conditions=(dated,))
    query = f"""
        WITH judged AS MATERIALIZED (
            SELECT v.*, {with_name[0]} AS name, date_trunc('month', study_date)::DATE AS month
            FROM ({judged}) v {with_name[1]} WHERE class IS NOT NULL
        ),
        wanted AS (SELECT DISTINCT modality, name, system, class, month FROM judged),
        peer AS (
            SELECT v.*, {with_name[0]} AS name FROM ({all_values}) v {with_name[1]}
            WHERE NOT doubted
        ),
        bounded AS (
            SELECT w.*, count(*) AS n, {of_peers} AS bound FROM wanted w JOIN peer p
            ON p.modality = w.modality AND p.name = w.name AND p.system = w.system
            AND p.class = w.class AND p.study_date < w.month
            AND p.study_date >= w.month - {bound.days:d}
            GROUP BY ALL
        )
        SELECT j.*, b.bound, b.n, 0::BIGINT AS left_out, []::BIGINT[] AS parts,
        []::VARCHAR[] AS missing
        FROM judged j JOIN bounded b ON b.modality = j.modality AND b.name = j.name
        AND b.system = j.system AND b.class = j.class AND b.month = j.month
        WHERE b.n >= {bound.fewest:d} AND b.bound > 0
        QUALIFY row_number() OVER (
            PARTITION BY j.study_id, j.event ORDER BY b.bound {"ASC" if below else "DESC"}, b.n
        ) = 1
    """
    return Statement(query, matching.bound, bound.compare)


def _named(field: str, measure: Measure) -> tuple[str, str]:
    """Return the name of a value `v` as SQL, and the join that it needs."""
    if field == levels.PROTOCOLS and measure.has_protocol:
        return "lower(nullif(v.protocol, ''))", ""
    if field == "standard_names":
        names = f"SELECT DISTINCT study_id, lower(standard_name) AS name FROM {STUDY_NAMES}"
    else:
        names = (
            f'SELECT DISTINCT i.study_id, lower(te.value) AS name FROM "{index_name(field)}" i '
            "JOIN term te ON te.id = i.term"
        )
    return "x.name", f"JOIN ({names}) x ON x.study_id = v.study_id"


def _sum(_: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> Statement:
    bound = rule.bound
    assert isinstance(bound, bounds.PatientSum)
    dated = "s.study_date IS NOT NULL AND s.patient_id <> ''"
    columns = (
        "s.patient_id AS patient",
        "s.study_instance_uid AS uid",
        f"({scope.condition}) AS in_scope",
    )
    total, counted = "sum(p.value) FILTER (p.usable)", "count(*) FILTER (p.usable)"
    if rule.measure_name == STUDIES:
        measure = MEASURES["number_of_events"]  # any value of the study: only the rows are needed
        total = counted = "count(DISTINCT p.uid)"
        usable = "true"
    else:
        measure, _matching = _measured(rule)
        usable = "coalesce(value > 0, false) AND NOT doubted"
    matching = Matching.of(rule.filters, measure)
    rows = matching.values(measure, *columns, conditions=(dated,), given=False)
    query = f"""
        WITH every AS (SELECT *, {usable} AS usable FROM ({rows})),
        judged AS MATERIALIZED (SELECT * FROM every WHERE in_scope AND usable)
        SELECT j.study_id, 0 AS event, j.equipment_id, j.day, {total}::DOUBLE AS value,
        {_number(bound.value)} AS bound, false AS doubted, {counted} AS n,
        count(*) FILTER (NOT p.usable) AS left_out,
        list(p.study_id ORDER BY p.study_id) AS parts, []::VARCHAR[] AS missing
        FROM judged j JOIN every p ON p.patient = j.patient
        AND p.study_date > j.study_date - {bound.days:d}
        AND (p.study_date, p.hour, p.study_id) <= (j.study_date, j.hour, j.study_id)
        GROUP BY j.study_id, j.equipment_id, j.day
    """
    return Statement(query, matching.bound, bound.compare)


def _run(connection: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> Statement | None:
    bound = rule.bound
    assert isinstance(bound, bounds.Running)
    measure, matching = _measured(rule)
    fields = levels.names_for(measure, bound.names)
    tables = levels.level_tables(connection, measure, rule.modalities, fields)
    if tables is None:
        return None
    of_systems = "true"
    if scope.ids is not None:
        systems = f"SELECT s.equipment_id FROM study s WHERE {scope.condition}"
        of_systems = f"s.equipment_id IN ({systems})"
    rows = matching.values(
        measure,
        *levels.columns(measure),
        f"({scope.condition}) AS in_scope",
        conditions=("s.study_date IS NOT NULL", of_systems),
    )
    trigger = (
        "coalesce(before <= bound * {factor}, true)"
        if bound.trigger is None
        else f"own > level * {_number(bound.trigger)} * (1 + 1e-9)"
    )
    each = levels.leveled("found", measure, fields, True)
    if measure.events is not None:  # of a study, the event that exceeds its level most
        each = f"""
            SELECT * FROM ({each}) QUALIFY row_number() OVER (
                PARTITION BY study_id ORDER BY value / level DESC, event
            ) = 1
        """
    query = f"""
        WITH {tables}, found AS MATERIALIZED (SELECT * FROM ({rows}) WHERE NOT doubted),
        each AS ({each}),
        run AS (
            SELECT *, avg(value) OVER last AS mean, count(*) OVER last AS n FROM each
            WINDOW last AS (
                PARTITION BY equipment_id, level_id ORDER BY study_date, hour, study_id
                ROWS BETWEEN {bound.n - 1:d} PRECEDING AND CURRENT ROW
            )
        ),
        compared AS (
            SELECT *, lag(CASE WHEN n = {bound.n:d} THEN mean END) OVER (
                PARTITION BY equipment_id, level_id ORDER BY study_date, hour, study_id
            ) AS before FROM run
        )
        SELECT study_id, event, equipment_id, day, mean AS value,
        level * {_number(bound.factor)} AS bound, doubted, n, 0::BIGINT AS left_out,
        []::BIGINT[] AS parts, []::VARCHAR[] AS missing, value AS own, level, before
        FROM compared WHERE in_scope AND n = {bound.n:d}
    """
    return Statement(query, matching.bound, "above", trigger)


def _dose_check(_: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> Statement:
    bound = rule.bound
    assert isinstance(bound, bounds.DoseCheckPassed)
    of_events = MEASURES["ct_event_dlp"]  # any value of CT events: only the events are needed
    assert of_events.events is CT_EVENT
    matching = Matching.of(rule.filters, of_events)
    tests = [
        f"((t.{limit.estimate} >= t.{limit.value}) AND coalesce(trim(t.{check.reason}), '') = '')"
        for check in DOSE_CHECK
        if bound.check in ("either", check.kind)
        for limit in check.limits
    ]
    rows = matching.values(
        of_events, conditions=(scope.condition, f"({' OR '.join(tests)})"), given=False
    )
    query = f"""
        SELECT study_id, 0 AS event, any_value(equipment_id) AS equipment_id, any_value(day) AS day,
        count(*)::DOUBLE AS value, 0::DOUBLE AS bound, false AS doubted, {_NOTHING}
        FROM ({rows}) GROUP BY study_id
    """
    return Statement(query, matching.bound)


def _missing(_: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> Statement:
    bound = rule.bound
    assert isinstance(bound, bounds.Missing)
    matching = Matching.of(rule.filters, None)
    listed = ", ".join(
        f"CASE WHEN {_is_missing(MEASURES[name])} THEN '{name}' END"
        for name in dict.fromkeys(bound.of)
    )
    names = f"list_filter([{listed}], x -> x IS NOT NULL)"
    rows = matching.rows(
        "s.id AS study_id", "s.equipment_id AS equipment_id", f"{DAY} AS day",
        f"{names} AS missing", conditions=(scope.condition,),
    )  # fmt: skip
    query = f"""
        SELECT study_id, 0 AS event, equipment_id, day, len(missing)::DOUBLE AS value,
        0::DOUBLE AS bound, false AS doubted, 0::BIGINT AS n, 0::BIGINT AS left_out,
        []::BIGINT[] AS parts, missing FROM ({rows})
    """
    return Statement(query, matching.bound)


def _is_missing(measure: Measure) -> str:
    """Return the SQL saying that a study lacks a value that its modality type can have."""
    events = measure.events
    have = measure.filter.modalities or tuple(
        code for code, modality in MODALITIES.items() if events is None or modality.events is events
    )
    listed = ", ".join(f"'{code}'" for code in have)
    there = f"{measure.expression} > 0"
    if events is not None:
        there = f'EXISTS (SELECT 1 FROM "{events.name}" t WHERE t.study_id = s.id AND {there})'
    return f"s.modality IN ({listed}) AND NOT coalesce({there}, false)"


def _silent(_: duckdb.DuckDBPyConnection, rule: Rule, scope: Scope) -> Statement:
    bound = rule.bound
    assert isinstance(bound, bounds.Silent)
    today = f"DATE '{scope.today.isoformat()}'"
    # Studies that do not count, and tests of constancy, show that the system sends.
    matching = Matching.of(rule.filters, None, with_all=True)
    of_systems = "true"
    if scope.ids is not None:
        of_systems = f"s.equipment_id IN (SELECT s.equipment_id FROM study s WHERE {scope.among()})"
    rows = matching.rows(
        "s.equipment_id AS equipment_id", "s.study_date AS last", "arg_max(s.id, s.id) AS study_id",
        conditions=(f"s.study_date <= {today}", of_systems),
    )  # fmt: skip
    query = f"""
        WITH worked AS ({rows} GROUP BY s.equipment_id, s.study_date),
        pause AS (
            SELECT *, coalesce(
                lead(last) OVER (PARTITION BY equipment_id ORDER BY last), {today}
            ) - last AS days FROM worked
        )
        SELECT study_id, 0 AS event, equipment_id, last + {bound.days + 1:d} AS day,
        days::DOUBLE AS value, {bound.days:d}::DOUBLE AS bound, false AS doubted, {_NOTHING}
        FROM pause WHERE {scope.not_before(f"last + {bound.days + 1:d}")}
    """
    return Statement(query, matching.bound)


_KINDS: dict[type, Callable[[duckdb.DuckDBPyConnection, Rule, Scope], Statement | None]] = {
    bounds.FixedValue: _fixed,
    bounds.OfLevel: _of_level,
    bounds.Outlier: _outlier,
    bounds.PatientSum: _sum,
    bounds.Running: _run,
    bounds.DoseCheckPassed: _dose_check,
    bounds.Missing: _missing,
    bounds.Silent: _silent,
}
