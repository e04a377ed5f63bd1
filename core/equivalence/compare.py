"""Two states of the target as multisets of rows, and what of them is not compared.

Values are compared as the target's columns store them: decimals exactly at their scale, text
without trailing blanks (as SQL Server compares it), ``datetime`` at its 1/300 second. Identity
columns are compared up to a one-to-one renaming: rows are compared without them, a column of the
same table that refers to them is compared by the row it refers to, and their values must be
distinct where the procedure's are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.dbt.values import canonical
from core.equivalence.subject import Subject, stored_columns

Row = Mapping[str, object]
Key = tuple[object, ...]


@dataclass(frozen=True)
class Difference:
    """Rows of the procedure the model lacks, and rows of the model the procedure does not have."""

    missing: tuple[Row, ...] = ()
    unexpected: tuple[Row, ...] = ()
    message: str = ""

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.message)


@dataclass(frozen=True)
class Comparison:
    """How the target's rows are compared.

    ``by_null`` are the columns fed by the clock or by NEWID: only their NULL-ness counts. All names
    are lower case; ``shown`` are the columns as the catalog spells them.
    """

    shown: tuple[str, ...]
    types: Mapping[str, str]
    renamed: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    by_null: frozenset[str] = frozenset()
    referring: Mapping[str, str] = field(default_factory=dict)

    @property
    def not_compared(self) -> list[dict[str, str]]:
        """Columns that are not compared by value, and why."""
        reasons = (
            (self.renamed, "numbered by the server: compared up to a one-to-one renaming"),
            (self.by_null, "fed by the clock or NEWID: compared by NULL or not NULL"),
            (self.excluded, "excluded by the settings"),
        )
        return [
            {"column": name, "reason": reason}
            for columns, reason in reasons
            for name in self.shown
            if name.lower() in columns
        ]

    def keys(self, rows: Sequence[Row]) -> list[Key]:
        """What is compared of each row."""
        folded = [{k.lower(): v for k, v in row.items()} for row in rows]
        plain = [self._plain(row) for row in folded]
        if not self.referring:
            return plain
        by_number = {}
        for identity in set(self.referring.values()):
            by_number[identity] = {
                row.get(identity): key for row, key in zip(folded, plain, strict=True)
            }
        return [
            (*key, *(by_number[i].get(row.get(c)) for c, i in sorted(self.referring.items())))
            for row, key in zip(folded, plain, strict=True)
        ]

    def _plain(self, row: Row) -> Key:
        cells: list[object] = []
        for shown in self.shown:
            name = shown.lower()
            if name in self.renamed or name in self.excluded or name in self.referring:
                continue
            value = row.get(name)
            if name in self.by_null:
                cells.append(value is None)
            else:
                cells.append(canonical(value, self.types.get(name, "")))
        return tuple(cells)

    def difference(self, procedure: Sequence[Row], model: Sequence[Row]) -> Difference:
        """How the model's rows differ from the procedure's."""
        expected, actual = self.keys(procedure), self.keys(model)
        missing = _left_over(procedure, expected, Counter(actual))
        unexpected = _left_over(model, actual, Counter(expected))
        if missing or unexpected:
            return Difference(
                tuple(self.visible(row) for row in missing),
                tuple(self.visible(row) for row in unexpected),
            )
        for name in sorted(self.renamed - self.excluded):
            theirs, ours = _distinct(procedure, name), _distinct(model, name)
            if ours is not None and theirs == len(procedure) and ours < len(model):
                return Difference(message=f"the model gives two rows the same {name}")
        return Difference()

    def numbers(self, procedure: Sequence[Row], model: Sequence[Row]) -> dict[Key, object]:
        """The model's number for each row of the procedure, where the row is unlike all others.

        By identity column, the procedure's number and what else the row holds.
        """
        found: dict[Key, object] = {}
        ours, theirs = self.keys(model), self.keys(procedure)
        once = {key: row for row, key in zip(model, ours, strict=True)}
        for name in sorted(self.renamed - self.excluded):
            for row, key in zip(procedure, theirs, strict=True):
                if theirs.count(key) == ours.count(key) == 1:
                    found[(name, _of(row, name), key)] = _of(once[key], name)
        return found

    def visible(self, row: Row) -> Row:
        """A row with the columns that matter, in the catalog's order and spelling."""
        folded = {k.lower(): v for k, v in row.items()}
        return {n: folded.get(n.lower()) for n in self.shown if n.lower() not in self.excluded}


def comparison_of(subject: Subject, by_null: frozenset[str] = frozenset()) -> Comparison:
    """How a subject's target is compared."""
    table = subject.table(".".join(subject.target_key))
    types = {c.name.lower(): c.sql_type for c in subject.target.columns}
    if table is not None:
        columns = stored_columns(table)
        shown = tuple(c.name for c in columns)
        types = {c.name.lower(): types.get(c.name.lower()) or str(c.type) for c in columns}
        renamed = frozenset(c.name.lower() for c in columns if c.identity)
    else:
        shown = tuple(c.name for c in subject.target.columns)
        renamed = frozenset(c.name.lower() for c in subject.target.columns if c.identity)
    key = ".".join(subject.target_key)
    referring = {
        foreign.columns[0]: foreign.parent_columns[0]
        for foreign in subject.references
        if foreign.table == key
        and foreign.parent == key
        and len(foreign.columns) == 1
        and foreign.parent_columns[0] in renamed
    }
    return Comparison(shown, types, renamed, subject.exclude, by_null - renamed, referring)


def _left_over(rows: Sequence[Row], keys: Sequence[Key], others: Counter[Key]) -> list[Row]:
    left = []
    for row, key in zip(rows, keys, strict=True):
        if others[key] > 0:
            others[key] -= 1
        else:
            left.append(row)
    return left


def _of(row: Row, name: str) -> object:
    return next((v for column, v in row.items() if column.lower() == name), None)


def _distinct(rows: Sequence[Row], name: str) -> int | None:
    """How many values a column has; ``None`` when the rows do not have it."""
    values = set()
    for row in rows:
        folded = {k.lower(): v for k, v in row.items()}
        if name not in folded:
            return None
        values.add(folded[name])
    return len(values)
