"""From a case that differs to the smallest one found: rounds, rows, columns, values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from core.equivalence.case import Case, Round, Row, Rows
from core.equivalence.subject import Subject
from core.tsql.schema import Column

MAX_ATTEMPTS = 400
"""Cases tried at most; a count, so that the result does not depend on the machine."""


@dataclass
class Shrinker:
    """Keeps whatever still differs. ``differs`` says whether a case does, in the same way."""

    subject: Subject
    differs: Callable[[Case], bool]
    attempts: int = 0

    def smallest(self, case: Case, failing_round: int) -> Case:
        """The smallest case found."""
        case = self._fewer_rounds(replace(case, rounds=case.rounds[: failing_round + 1]))
        before = None
        while before != case and self.attempts < MAX_ATTEMPTS:
            before = case
            case = self._fewer_rows(case)
            case = self._fewer_rounds(case)
        case = self._plainer_cells(case)
        return self._fewer_columns(self._fewer_rows(case))

    def _keep(self, smaller: Case, case: Case) -> Case:
        if smaller == case or self.attempts >= MAX_ATTEMPTS:
            return case
        self.attempts += 1
        return smaller if self.differs(smaller) else case

    def _fewer_rounds(self, case: Case) -> Case:
        if len(case.rounds) > 1:
            merged = {k: v for r in case.rounds for k, v in r.tables.items()}
            only = replace(case.rounds[-1], tables=merged, note="first run")
            case = self._keep(replace(case, rounds=(only,)), case)
        for number in range(len(case.rounds) - 2, 0, -1):
            if number >= len(case.rounds) - 1:
                continue
            following = case.rounds[number + 1]
            tables = {**case.rounds[number].tables, **following.tables}
            rounds = (
                *case.rounds[:number],
                replace(following, tables=tables),
                *case.rounds[number + 2 :],
            )
            case = self._keep(replace(case, rounds=rounds), case)
        if case.prior:
            case = self._keep(replace(case, prior=()), case)
        return case

    # -- rows ----------------------------------------------------------------------------------

    def _fewer_rows(self, case: Case) -> Case:
        for number, name in list(_places(case)):
            rows = _rows(case, number, name)
            if len(rows) > 1:
                case = self._keep(_with_rows(case, number, name, ()), case)
            size = max(1, len(_rows(case, number, name)) // 2)
            while size:
                start = 0
                while start < len(_rows(case, number, name)):
                    rows = _rows(case, number, name)
                    fewer = rows[:start] + rows[start + size :]
                    kept = self._keep(_with_rows(case, number, name, fewer), case)
                    if kept is case:
                        start += size
                    case = kept
                size //= 2
        return case

    # -- cells ---------------------------------------------------------------------------------

    def _plainer_cells(self, case: Case) -> Case:
        for number, name in list(_places(case)):
            table = self.subject.table(name or ".".join(self.subject.target_key))
            if table is None:
                continue
            keys = {c.lower() for key in table.keys for c in key}
            rows = _rows(case, number, name)
            plain = {
                c.name: None if c.nullable else _plain(c)
                for c in table.columns
                if c.name.lower() not in keys and not c.identity
            }
            for column, value in plain.items():
                rows = _rows(case, number, name)
                if rows and any(column in row and row[column] != value for row in rows):
                    changed = tuple(
                        {**row, column: value} if column in row else row for row in rows
                    )
                    case = self._keep(_with_rows(case, number, name, changed), case)
        return case

    def _fewer_columns(self, case: Case) -> Case:
        """Leave out the columns of a table that are NULL in every row: absent means NULL."""
        for number, name in list(_places(case)):
            rows = _rows(case, number, name)
            empty = {c for row in rows for c in row if all(r.get(c) is None for r in rows)}
            if empty:
                fewer = tuple({c: v for c, v in row.items() if c not in empty} for row in rows)
                if all(fewer):
                    case = self._keep(_with_rows(case, number, name, fewer), case)
        return case


def _places(case: Case) -> Iterator[tuple[int, str]]:
    """Where rows are: round and table; round -1 without a name are the prior rows."""
    if case.prior:
        yield -1, ""
    for number in range(len(case.rounds) - 1, -1, -1):
        for name in sorted(case.rounds[number].tables):
            yield number, name


def _rows(case: Case, number: int, name: str) -> Rows:
    return case.prior if number < 0 else case.rounds[number].tables.get(name, ())


def _with_rows(case: Case, number: int, name: str, rows: Rows | tuple[Row, ...]) -> Case:
    if number < 0:
        return replace(case, prior=rows)
    if number >= len(case.rounds):
        return case
    round_: Round = replace(case.rounds[number], tables={**case.rounds[number].tables, name: rows})
    return replace(case, rounds=(*case.rounds[:number], round_, *case.rounds[number + 1 :]))


def _plain(column: Column) -> object:
    """The dullest value of a type."""
    if column.type.is_string:
        return "A"
    if column.type.is_integer:
        return 1
    if column.type.is_decimal or column.type.is_money:
        return Decimal(1)
    if column.type.name.value == "date":
        return date(2024, 1, 1)
    if column.type.is_datetime and column.type.name.value != "time":
        return datetime(2024, 1, 1)
    return None
