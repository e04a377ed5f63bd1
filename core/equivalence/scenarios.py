"""How the reference earns its trust: captured scenarios through the interpreter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.dbt.scenarios import clock_of, constant_default, listed_columns
from core.dbt.values import Misfit, canonical, read_value
from core.equivalence.compare import Comparison
from core.equivalence.procedure_side import ProcedureSide
from core.equivalence.subject import Subject
from core.interpreter import SqlError
from core.project.testspec import UnitTest


@dataclass(frozen=True)
class Agreement:
    """How many captured scenarios the reference reproduces, and which it does not."""

    judged: int = 0
    agreed: int = 0
    disagreements: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """``agrees with 6 of 6 captured scenarios``."""
        return f"agrees with {self.agreed} of {self.judged} captured scenarios"


def agreement(subject: Subject, side: ProcedureSide, comparison: Comparison) -> Agreement:
    """Play every scenario of the test spec on the reference."""
    judged = agreed = 0
    wrong: list[str] = []
    skipped: list[str] = []
    for scenario in subject.spec.unit_tests:
        if scenario.expect is None:
            skipped.append(f"{scenario.name}: it has no expected rows")
            continue
        found = _play(subject, side, comparison, scenario)
        judged += 1
        if found:
            wrong.append(f"{scenario.name}: {found}")
        else:
            agreed += 1
    return Agreement(judged, agreed, tuple(wrong), tuple(skipped))


def _play(subject: Subject, side: ProcedureSide, comparison: Comparison, scenario: UnitTest) -> str:
    reference = side.reference
    reference.reset()
    reference.set_clock(clock_of(subject.spec, scenario, subject.clock))
    try:
        for given in scenario.given:
            key = given.table.item_id
            if subject.table(key) is not None:  # else the procedure cannot see it
                reference.load(key, [_complete(subject, key, row) for row in given.rows])
    except SqlError as error:
        return f"its rows cannot be loaded: {error}"
    result = reference.run_procedure(subject.procedure, scenario.parameters)
    if result.error is not None and result.error.refused:
        return f"the interpreter cannot run line {result.error.line}: {result.error.message}"
    assert scenario.expect is not None
    skipped = set(comparison.renamed | comparison.excluded)
    if scenario.captured_at is None:
        skipped |= comparison.by_null
    columns = [c for c in listed_columns(scenario.expect.rows) if c.lower() not in skipped]
    actual = reference.table(subject.target.table.item_id).dicts()
    if len(actual) != len(scenario.expect.rows):
        return (
            f"the reference leaves {len(actual)} rows, the server left {len(scenario.expect.rows)}"
        )
    wanted = Counter(_key(row, columns, comparison) for row in scenario.expect.rows)
    found = Counter(_key(row, columns, comparison) for row in actual)
    if wanted != found:
        column = next(
            (
                c
                for c in columns
                if Counter(_key(r, [c], comparison) for r in scenario.expect.rows)
                != Counter(_key(r, [c], comparison) for r in actual)
            ),
            columns[0] if columns else "",
        )
        return f"the rows differ, for example in {column}"
    return ""


def _complete(subject: Subject, table: str, row: Mapping[str, object]) -> dict[str, object]:
    """A given row with the constant defaults of the columns it leaves out."""
    known = subject.table(table)
    filled = dict(row)
    named = {name.casefold() for name in row}
    for column in known.columns if known is not None else ():
        if column.default and column.name.casefold() not in named:
            value = constant_default(column.default)
            if value is not None:
                filled[column.name] = value[0]
    return filled


def _key(
    row: Mapping[str, object], columns: list[str], comparison: Comparison
) -> tuple[object, ...]:
    folded = {k.casefold(): v for k, v in row.items()}
    key = []
    for column in columns:
        sql_type = comparison.types.get(column.lower(), "")
        value = folded.get(column.casefold())
        read = read_value(value, sql_type) if sql_type and not _is_python(value) else value
        key.append(canonical(None if isinstance(read, Misfit) else read, sql_type))
    return tuple(key)


def _is_python(value: object) -> bool:
    """Whether a value is one the reference gave, not one a file spells."""
    return value is not None and not isinstance(value, str | int | bool)
