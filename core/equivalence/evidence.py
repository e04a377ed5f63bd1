"""A counterexample as a person and a program can use it: rows, what differs, where it begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb

from core.equivalence.case import Case, Row, as_document, cell_text
from core.equivalence.compare import Comparison
from core.equivalence.model_side import ModelSide
from core.equivalence.procedure_side import Observed
from core.equivalence.subject import Subject
from core.equivalence.trial import Differential, Outcome
from core.equivalence.unit_test import unit_test_yaml
from core.interpreter.trace import Step

_WRITES = ("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "SELECT INTO")


def difference_sentence(outcome: Outcome, case: Case) -> str:
    """One sentence: what differs, after which round, on how many rows."""
    size = f"with at most {case.most_rows} row{'s' if case.most_rows != 1 else ''} per table"
    when = f" after round {outcome.round + 1}" if len(case.rounds) > 1 else ""
    if outcome.model_error:
        return f"the model fails{when} where the procedure does not, {size}: {outcome.model_error}"
    found = outcome.difference
    if found.message:
        return f"{found.message}{when}, {size}"
    parts = []
    columns = differing_columns(found.missing, found.unexpected)
    if columns and len(found.missing) == len(found.unexpected):
        parts.append(f"the values of {', '.join(columns[:4])} differ")
    else:
        if found.missing:
            parts.append(f"{_count(len(found.missing))} of the procedure missing from the model")
        if found.unexpected:
            parts.append(f"{_count(len(found.unexpected))} only in the model")
    return f"{' and '.join(parts)}{when}, {size}"


def summary(outcome: Outcome, case: Case, watermark: str) -> str:
    """The sentence, and that it is about late rows only where it is."""
    sentence = difference_sentence(outcome, case)
    if watermark:
        sentence += f"; the difference is visible only for rows behind the watermark ({watermark})"
    return sentence


def behind_watermark(case: Case, outcome: Outcome, both: Differential) -> str:
    """The watermark, where all that differs are rows of the procedure that lie behind it.

    Behind are rows whose watermark column is not above the largest that the target held when the
    failing round began. Empty when the model has no watermark, or other rows differ too.
    """
    column = both.model.facts.watermark_column
    found = outcome.difference
    if not column or not found.missing or found.unexpected:
        return ""
    before = outcome.seen[outcome.round - 1].after if outcome.round else case.prior
    held: list[Any] = [v for row in before if (v := _value(row, column)) is not None]
    late: list[Any] = [_value(row, column) for row in found.missing]
    if not held or None in late:
        return ""
    return f"{column} = {max(held)}" if max(late) <= max(held) else ""


def _value(row: Row, column: str) -> object:
    return next((v for name, v in row.items() if name.lower() == column.lower()), None)


def _count(number: int) -> str:
    return f"{number} row{'s' if number != 1 else ''}"


def differing_columns(missing: Sequence[Row], unexpected: Sequence[Row]) -> list[str]:
    """Columns whose bags of values differ between the two."""
    if not missing or not unexpected:
        return []
    return [
        name
        for name in missing[0]
        if Counter(str(r.get(name)) for r in missing)
        != Counter(str(r.get(name)) for r in unexpected)
    ]


def counterexample_document(
    subject: Subject, case: Case, outcome: Outcome, both: Differential
) -> dict[str, Any]:
    """The JSON document that is saved, replayed, and given to the author."""
    comparison = both.comparison
    explanation = explain(subject, case, outcome, both)
    watermark = behind_watermark(case, outcome, both)
    rows = _states(case, outcome, both)
    return {
        "item_id": subject.item_id,
        "procedure": subject.procedure,
        "model": subject.model_name,
        "seed": subject.seed,
        **as_document(case),
        "failing_round": outcome.round + 1,
        "procedure_leaves": [_shown(r) for r in rows[0]],
        "model_leaves": [_shown(r) for r in rows[1]],
        "missing": [_shown(r) for r in outcome.difference.missing],
        "unexpected": [_shown(r) for r in outcome.difference.unexpected],
        "differing_columns": differing_columns(
            outcome.difference.missing, outcome.difference.unexpected
        ),
        "model_error": outcome.model_error,
        "not_compared": comparison.not_compared,
        "only_behind_watermark": watermark,
        "shrunk_constants": list(subject.shrunk),
        "summary": summary(outcome, case, watermark),
        "explanation": explanation,
        "unit_test": unit_test_yaml(subject, case, outcome, both.model.incremental),
    }


def _shown(row: Row) -> dict[str, Any]:
    return {name: cell_text(value) for name, value in row.items()}


def _states(case: Case, outcome: Outcome, both: Differential) -> tuple[list[Row], list[Row]]:
    procedure = [both.comparison.visible(r) for r in outcome.seen[outcome.round].after]
    if outcome.model_error:
        return procedure, []
    # The model's table is as the failing round left it: nothing ran on it since.
    both.against(case, list(outcome.seen))
    return procedure, [both.comparison.visible(r) for r in both.model.rows()]


def explain(subject: Subject, case: Case, outcome: Outcome, both: Differential) -> dict[str, Any]:
    """The first statement and the first CTE at which the two sides part.

    The statement is the first after which the procedure's target holds a row the model lacks, or
    no longer holds one the model has; the CTE is the one written for that statement's lines, else
    the one that makes the first differing column.
    """
    seen = both.procedure.run(case, trace=True)
    number = min(outcome.round, len(seen) - 1)
    line, kind = _first_statement(seen[number], outcome, both.comparison)
    found: dict[str, Any] = {"statement_line": line, "statement": kind}
    cte = next(
        (
            origin.cte
            for origin in subject.cte_map
            if any(first <= line <= last for first, last in origin.lines)
        ),
        "",
    )
    columns = differing_columns(outcome.difference.missing, outcome.difference.unexpected)
    facts = both.model.facts
    if not cte and columns:
        at = facts.cte_at(facts.line_of_column(columns[0]))
        cte = at.name if at is not None else ""
    if not cte and facts.ctes:
        cte = facts.ctes[-1].name
    found["cte"] = cte
    found["cte_line"] = facts.line_of_cte(cte) if cte else 0
    found["statements"] = [
        {"line": step.line, "kind": step.kind, "rows": step.rows}
        for step in _trace(seen[number])
        if any(word in step.kind.upper() for word in _WRITES)
    ][:40]
    found["cte_rows"] = cte_rows(both.model, case, outcome)
    return found


def _trace(seen: Observed) -> tuple[Step, ...]:
    return seen.result.trace if seen.result is not None else ()


def _first_statement(seen: Observed, outcome: Outcome, comparison: Comparison) -> tuple[int, str]:
    trace = _trace(seen)
    missing = set(comparison.keys(outcome.difference.missing))
    unexpected = set(comparison.keys(outcome.difference.unexpected))
    last: tuple[int, str] = (0, "")
    before: set[Any] | None = None
    names = comparison.shown
    for step in trace:
        for rows in step.tables.values():
            now = set(comparison.keys([dict(zip(names, row, strict=False)) for row in rows]))
            if (before is not None and now != before) or (before is None and now):
                last = (step.line, step.kind)
                came = (now - (before or set())) & missing
                went = ((before or set()) - now) & unexpected
                if came or went:
                    return last
            before = now
    if last[0] == 0 and trace:
        writes = [s for s in trace if any(word in s.kind.upper() for word in _WRITES)]
        if writes:
            return writes[-1].line, writes[-1].kind
    return last


def cte_rows(model: ModelSide, case: Case, outcome: Outcome) -> list[dict[str, Any]]:
    """How many rows each CTE of the failing run holds, on the state the run left."""
    import sqlglot
    from sqlglot import exp

    variant = model.variant(case.parameters)
    sql = variant.compiled.incremental if outcome.round else variant.compiled.full
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    with_ = tree.args.get("with_") or tree.args.get("with")
    if not isinstance(with_, exp.With):
        return []
    found = []
    for cte in with_.expressions:
        query = exp.select(exp.Count(this=exp.Star())).from_(
            exp.to_identifier(cte.alias, quoted=True)
        )
        query.set("with_" if "with_" in tree.args else "with", with_.copy())
        try:
            counted = model.connection.execute(query.sql(dialect="duckdb")).fetchone()
        except duckdb.Error:
            continue
        found.append({"cte": cte.alias, "rows": int(counted[0]) if counted else 0})
    return found
