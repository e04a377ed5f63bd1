"""Which values may not be sent: rows of test specs unless allowed, personal ones never."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.claude.masking import Masker
from core.generation.author import Job
from core.project.catalog import CatalogTable
from core.project.codes import ProjectError

PERSONAL = "<personal>"
VALUE = "<value>"
SHORTEST = 3
"""Values with fewer characters are too common to be looked for in a text."""


class Privacy:
    """The rules for one job. ``send_rows`` is the setting of that name."""

    def __init__(self, job: Job, masker: Masker, *, send_rows: bool, sent: Iterable[str]) -> None:
        """``sent`` are texts that are sent anyway: what stands in them is no news."""
        self.send_rows = send_rows
        self._masker = masker
        self._sent = "\n".join(sent)
        self._columns = personal_columns(job)
        self._values: set[str] = set()
        self._personal: set[str] = set()
        for row in _rows(job):
            self.learn(row)

    def learn(self, row: Mapping[str, object]) -> None:
        """Remember the values of a row as ones that are not to be sent."""
        for column, value in row.items():
            if value is None or isinstance(value, bool):
                continue
            text = str(value)
            self._values.add(text)
            if self.is_personal(column):
                self._personal.add(text)

    def is_personal(self, column: str) -> bool:
        """Whether a column of that name holds personal or sensitive values."""
        return column.casefold() in self._columns

    def row(self, row: Mapping[str, object]) -> dict[str, object]:
        """A row as it may be sent, where rows may be sent."""
        return {column: self.cell(column, value) for column, value in row.items()}

    def cell(self, column: str, value: object) -> object:
        """One value: hidden where it is personal, in whatever column it turns up."""
        if value is None or isinstance(value, bool):
            return value
        if self.is_personal(column) or (
            len(str(value)) >= SHORTEST and str(value) in self._personal
        ):
            return PERSONAL
        return self._masker.value(value) if isinstance(value, str | int | float) else str(value)

    def synthetic(self, document: object, column: str = "") -> object:
        """A generated document (a counterexample): sent whole, but for what came from a spec."""
        if isinstance(document, Mapping):
            return {str(k): self.synthetic(v, str(k)) for k, v in document.items()}
        if isinstance(document, list | tuple):
            return [self.synthetic(v, column) for v in document[:200]]
        if isinstance(document, str):
            hidden = self._without_values(document)
            return self.cell(column, hidden) if hidden == document else hidden
        return self.cell(column, document)

    def message(self, text: str) -> str:
        """A message of dbt or DuckDB: without rows and without values of rows."""
        text = self._without_values(self._masker.prose(text))
        if self.send_rows:
            return text[:2_000]
        lines = []
        for line in text.splitlines()[:6]:
            if line.lstrip().startswith(("@@", "|", "+++", "---", "→")):
                break  # from here on a table of rows
            lines.append(self._unquoted(line))
        return "\n".join(lines)[:1_000]

    def _unquoted(self, line: str) -> str:
        """A line whose quoted parts are names or stand in what is sent anyway."""
        for quote in "'\"":
            parts = line.split(quote)
            for index in range(1, len(parts) - 1, 2):
                if parts[index] and parts[index] not in self._sent:
                    parts[index] = VALUE
            line = quote.join(parts)
        return line

    def _without_values(self, text: str) -> str:
        """A text without the values of rows that may not be sent, wherever they stand in it."""
        values = self._personal if self.send_rows else self._values
        for value in sorted(values, key=lambda v: (-len(v), v)):
            if len(value) >= SHORTEST and value not in self._sent and value in text:
                text = text.replace(value, VALUE)
        return text


def personal_columns(job: Job) -> frozenset[str]:
    """Names of personal or sensitive columns of the target and of every table with given rows."""
    tables = [job.table]
    for test in job.spec.unit_tests:
        for given in test.given:
            try:
                tables.append(job.project.table(given.table))
            except ProjectError:
                continue
    return frozenset(name for table in tables for name in _personal_in(table))


def _personal_in(table: CatalogTable) -> Iterable[str]:
    if table.profile is not None:
        yield from (pii.column.casefold() for pii in table.profile.pii_actions)
    yield from (s.column.casefold() for s in table.sensitivity_classifications if s.column)


def _rows(job: Job) -> Iterable[Mapping[str, Any]]:
    for test in job.spec.unit_tests:
        for given in test.given:
            yield from given.rows
        if test.expect is not None:
            yield from test.expect.rows
