"""How the predicates of a statement come out on its rows, for coverage.

DuckDB cannot report which arm of a CASE it took. So, when coverage is asked for, every WHERE
conjunct, CASE arm and outer join of a query is counted by a query of its own over the same FROM
clause, right before the statement runs. What depends on an outer query is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.errors import Refused, SqlError
from core.tsql.typing import line_of

if TYPE_CHECKING:
    from core.interpreter.queries import QueryEmitter
    from core.interpreter.session import Session
    from core.interpreter.translate import Translation


@dataclass(frozen=True)
class Probe:
    """One query that counts outcomes; its columns are counts of `outcomes`, in order."""

    kind: str
    line: int
    number: int
    sql: str
    outcomes: tuple[str, ...]


def probes_of(
    query: QueryEmitter, select: exp.Select, source: str, condition: str
) -> Iterator[Probe]:
    """The probes of one SELECT; `source` and `condition` are its FROM and WHERE as SQL."""
    prefix = query.prefix()
    where = select.args.get("where")
    if where is not None and source:
        for number, part in enumerate(_conjuncts(where.this), 1):
            try:
                test = query.expressions.predicate(part)
            except (Refused, SqlError):
                continue
            counts = (
                f"count(*) FILTER (WHERE {test}), count(*) FILTER (WHERE NOT ({test})), "
                f"count(*) FILTER (WHERE ({test}) IS NULL)"
            )
            sql = f"{prefix}SELECT {counts}{source}"
            yield Probe("where", line_of(part), number, sql, ("true", "false", "unknown"))
    for number, case in enumerate(_cases(select), 1):
        found = _case_probe(query, case, number, prefix, source, condition)
        if found is not None:
            yield found


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


def _cases(node: exp.Expr) -> Iterator[exp.Case]:
    """The CASE expressions of this query itself, not those of its subqueries."""
    pending: list[exp.Expr] = list(node.expressions)
    while pending:
        current = pending.pop(0)
        if isinstance(current, exp.Query):
            continue
        if isinstance(current, exp.Case):
            yield current
        pending.extend(current.iter_expressions())


def _case_probe(
    query: QueryEmitter,
    case: exp.Case,
    number: int,
    prefix: str,
    source: str,
    condition: str,
) -> Probe | None:
    operand = case.args.get("this")
    arms = []
    try:
        for index, branch in enumerate(case.args["ifs"], 1):
            if operand is None:
                test = query.expressions.predicate(branch.this)
            else:
                test = query.expressions.compare(operand, branch.this, "=")
            arms.append(f"WHEN {test} THEN {index}")
    except (Refused, SqlError):
        return None
    names = [f"arm {index}" for index in range(1, len(arms) + 1)] + ["else"]
    chosen = f"CASE {' '.join(arms)} ELSE 0 END"
    counts = ", ".join(
        f"count(*) FILTER (WHERE a = {index})" for index in [*range(1, len(arms) + 1), 0]
    )
    sql = f"{prefix}SELECT {counts} FROM (SELECT {chosen} AS a{source}{condition}) AS arms"
    return Probe("case", line_of(case), number, sql, tuple(names))


def run_probes(session: Session, translation: Translation) -> None:
    """Count the outcomes of a translation's predicates as the tables are now."""
    module = session.frame.name or ""
    for probe in translation.collected.probes:
        values = {
            name: session.resolve(source)
            for name, source in translation.parameters.items()
            if f"${name}" in probe.sql
        }
        try:
            counts = session.engine.query(probe.sql, values)[0]
        except (SqlError, Refused):
            # It depends on an outer query, or raises where the statement may not.
            continue
        for outcome, count in zip(probe.outcomes, counts, strict=True):
            session.coverage.branch(
                module, probe.line, probe.number, probe.kind, outcome, int(count)
            )
