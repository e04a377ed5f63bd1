"""How the predicates of a statement come out on its rows, for coverage.

DuckDB cannot report which arm of a CASE it took. So, when coverage is asked for, the outcomes of
WHERE conjuncts, HAVING, CASE arms and joins are counted by queries of their own over the same FROM
clause, right before the statement runs: one query for the conjuncts of a SELECT, one for its CASEs,
one for each join. A predicate of a correlated subquery is counted over the pairs of outer and inner
rows. A query whose outcomes have all been seen is not asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.coverage import OPTIONAL_OUTCOMES
from core.interpreter.errors import LimitExceeded, Refused, SqlError
from core.tsql import functions as built_in
from core.tsql.typing import line_of

if TYPE_CHECKING:
    from core.interpreter.queries import QueryEmitter
    from core.interpreter.session import Session
    from core.interpreter.translate import Translation

#: How often a query is asked again for an outcome that may be impossible (``unknown``).
_PATIENCE = 20
_TRUTH = ("true", "false", "unknown")
_MATCHES = ("matched", "unmatched", "several")


@dataclass(frozen=True)
class Place:
    """One predicate, CASE or join of a statement and the outcomes it can have, in order."""

    kind: str
    line: int
    number: int
    outcomes: tuple[str, ...]


@dataclass(frozen=True)
class Probe:
    """A query that counts the outcomes of some places; its columns are the counts, in order.

    `paired` is the same query over outer and inner rows, for a subquery that is correlated;
    `parts` are probes of the places one by one, for when the value of one of them raises.
    """

    places: tuple[Place, ...]
    sql: str
    paired: str = ""
    parts: tuple[Probe, ...] = ()


@dataclass(frozen=True)
class _Test:
    """A place with the SQL whose value says how it came out, and the SQL of each outcome's test."""

    place: Place
    value: str
    counted: tuple[str, ...]


def row_probes(query: QueryEmitter, select: exp.Select, source: str) -> Iterator[Probe]:
    """The probes of a SELECT's joins and WHERE; `source` is its FROM clause as SQL."""
    if not source:
        return
    yield from _joins(query)
    where = select.args.get("where")
    if where is not None:
        yield from _probe(query, _truths(query, "where", where.this), source)


def value_probes(
    query: QueryEmitter, select: exp.Select, source: str, condition: str, *, inside: bool
) -> Iterator[Probe]:
    """The probes of the CASEs in a select list.

    Those inside aggregates see the rows, those around them the groups: `inside` says which of the
    two are meant. `source` and `condition` are FROM and WHERE (or HAVING) as SQL.
    """
    tests = []
    for case, aggregated in _cases(select):
        if aggregated is inside:
            found = _case(query, case)
            if found is not None:
                tests.append(found)
    yield from _probe(query, tests, source, condition)


def having_probes(query: QueryEmitter, having: exp.Expr, source: str) -> Iterator[Probe]:
    """The probes of a HAVING clause over the groups `source`."""
    yield from _probe(query, _truths(query, "having", having), source)


# --- writing ------------------------------------------------------------------------------------


def _probe(
    query: QueryEmitter, tests: Sequence[_Test], source: str, condition: str = ""
) -> Iterator[Probe]:
    if not tests:
        return
    outer = query.outer_source()
    paired = f"{outer}, {source.removeprefix(' FROM ')}" if outer and source else ""

    def written(of: Sequence[_Test], rows: str) -> str:
        values = ", ".join(f"{test.value} AS p{n}" for n, test in enumerate(of))
        counts = ", ".join(
            f"count(*) FILTER (WHERE {counted.format(f'p.p{n}')})"
            for n, test in enumerate(of)
            for counted in test.counted
        )
        return f"{query.prefix()}SELECT {counts} FROM (SELECT {values}{rows}{condition}) AS p"

    def probe(of: Sequence[_Test], parts: tuple[Probe, ...] = ()) -> Probe:
        places = tuple(test.place for test in of)
        return Probe(places, written(of, source), written(of, paired) if paired else "", parts)

    parts = tuple(probe([test]) for test in tests) if len(tests) > 1 else ()
    yield probe(tests, parts)


def _truths(query: QueryEmitter, kind: str, condition: exp.Expr) -> list[_Test]:
    found = []
    for part in _conjuncts(condition):
        try:
            test = query.expressions.predicate(part)
        except (Refused, SqlError):
            continue
        place = Place(kind, line_of(part), query.context.place_number(), _TRUTH)
        found.append(_Test(place, test, ("{0}", "NOT {0}", "{0} IS NULL")))
    return found


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    pending = [node]
    while pending:
        current = pending.pop()
        while isinstance(current, exp.Paren):
            current = current.this
        if isinstance(current, exp.And):
            pending += [current.expression, current.this]
        else:
            yield current


def _cases(select: exp.Select) -> Iterator[tuple[exp.Expr, bool]]:
    """The CASE and IIF expressions of a query itself, and whether an aggregate is around each."""
    pending: list[tuple[exp.Expr, bool]] = [(item, False) for item in select.expressions]
    while pending:
        current, inside = pending.pop(0)
        if isinstance(current, exp.Query):
            continue
        called = current.name.upper() if isinstance(current, exp.Anonymous) else ""
        if isinstance(current, exp.Case) or called == "IIF":
            yield current, inside
        inside = inside or called in built_in.AGGREGATES
        pending.extend((child, inside) for child in current.iter_expressions())


def _case(query: QueryEmitter, case: exp.Expr) -> _Test | None:
    operand = case.args.get("this") if isinstance(case, exp.Case) else None
    arms = []
    try:
        for index, condition in enumerate(_conditions(case), 1):
            if operand is None:
                test = query.expressions.predicate(condition)
            else:
                test = query.expressions.compare(operand, condition, "=")
            arms.append(f"WHEN {test} THEN {index}")
    except (Refused, SqlError):
        return None
    names = (*(f"arm {index}" for index in range(1, len(arms) + 1)), "else")
    place = Place("case", line_of(case), query.context.place_number(), names)
    counted = tuple(f"{{0}} = {index}" for index in [*range(1, len(arms) + 1), 0])
    return _Test(place, f"CASE {' '.join(arms)} ELSE 0 END", counted)


def _conditions(case: exp.Expr) -> list[exp.Expr]:
    if isinstance(case, exp.Case):
        return [branch.this for branch in case.args["ifs"]]
    return [case.expressions[0]]


def _joins(query: QueryEmitter) -> Iterator[Probe]:
    """How often a row so far met no, one or several rows of the next source."""
    for step in query.sources.steps:
        place = Place("join", step.line, query.context.place_number(), _MATCHES)
        condition = f" WHERE {step.condition}" if step.condition else ""
        matches = f"(SELECT count(*) FROM {step.right}{condition})"
        test = _Test(place, matches, ("{0} > 0", "{0} = 0", "{0} > 1"))
        yield from _probe(query, [test], f" FROM {step.left}")
        if step.keeps_right:
            place = Place("join", step.line, query.context.place_number(), ("right unmatched",))
            test = _Test(place, f"EXISTS (SELECT 1 FROM {step.left}{condition})", ("NOT {0}",))
            yield from _probe(query, [test], f" FROM {step.right}")


# --- counting -----------------------------------------------------------------------------------


def run_probes(session: Session, translation: Translation) -> None:
    """Count the outcomes of a translation's predicates as the tables are now."""
    module = session.frame.name or ""
    for probe in translation.collected.probes:
        if not _is_exhausted(session, module, probe):
            _ask(session, translation, module, probe)


def _is_exhausted(session: Session, module: str, probe: Probe) -> bool:
    """Whether every outcome was seen, or all but those that may be impossible for long enough."""
    coverage = session.coverage
    tried = coverage.tried(probe) > _PATIENCE
    return all(
        coverage.branches.get((module, place.line, place.number, place.kind, outcome), 0) > 0
        or (tried and outcome in OPTIONAL_OUTCOMES)
        for place in probe.places
        for outcome in place.outcomes
    )


def _ask(session: Session, translation: Translation, module: str, probe: Probe) -> None:
    counts = _counts(session, translation, probe)
    if counts is None:
        for part in probe.parts:
            _ask(session, translation, module, part)
        return
    position = 0
    for place in probe.places:
        for outcome in place.outcomes:
            count = int(counts[position])  # type: ignore[call-overload]
            position += 1
            if count or outcome not in OPTIONAL_OUTCOMES:
                session.coverage.branch(
                    module, place.line, place.number, place.kind, outcome, count
                )


def _counts(session: Session, translation: Translation, probe: Probe) -> tuple[object, ...] | None:
    """The counts, over rows or over pairs of rows; None when neither can be had."""
    for sql in (probe.sql, probe.paired):
        if not sql or session.coverage.is_dead(sql):
            continue
        values = {
            name: session.resolve(source)
            for name, source in translation.parameters.items()
            if f"${name}" in sql
        }
        try:
            return session.engine.query(sql, values)[0]
        except LimitExceeded:
            raise
        except SqlError:
            # Its value raises on some row where the statement itself may not.
            return None
        except Refused:
            session.coverage.bury(sql)
    return None
