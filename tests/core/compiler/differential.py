"""Runs a procedure in the interpreter and its models in DuckDB on the same generated data.

One database holds all models of a procedure, as one dbt project would: a model reads another
target through ``ref()``, after that target's own model has run; everything else it sees as the
procedure found it. Two rounds: targets that are empty (or hold rows), then evolved sources and a
later clock on what the round before left. After each round all targets are compared as bags, all
columns; identity columns, and the columns that hold their values, up to renaming.

A data set on which the procedure fails, or catches an error, is no comparison: the next number
takes its place, and `Outcome.failed` says how often and why.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from core.compiler import Compiled
from core.interpreter import Limits, Reference
from core.interpreter.definitions import Identity
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.schema import ObjectName, Schema, Table
from core.tsql.types import TypeName
from tests.core.compiler import model
from tests.core.compiler.datasets import DataSet, DataSets

ATTEMPTS = 4
"""How many data sets are tried for each one that is to be compared."""

Bag = Counter[tuple[object, ...]]
Rows = Sequence[Mapping[str, object]]


@dataclass
class Outcome:
    """What a comparison found; `difference` is a sentence with the rows, or empty.

    `compared` counts data sets whose two rounds ran and were equal for every target, `rows` the
    target rows seen in them. `undetermined` are data sets on which the procedure disagrees with
    itself when rows are stored in another order, or the sides with each other only by the case of
    texts: of equal texts in a group either may stand for it. `empty` are targets that never held
    a row.
    """

    compared: int = 0
    rows: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    undetermined: int = 0
    refused: str = ""
    difference: str = ""
    empty: frozenset[str] = frozenset()


def compare(
    source: str,
    procedure: nodes.CreateProcedure,
    models: Mapping[str, Compiled],
    schema: Schema,
    *,
    modules: Sequence[str] = (),
    wanted: int = 20,
    prior: bool | None = None,
) -> Outcome:
    """Compare the models of one procedure with it until `wanted` data sets were compared.

    `prior`: whether the targets hold random rows before the first round; None takes turns.
    """
    outcome = Outcome()
    data = DataSets(source, procedure, schema, models, modules)
    with Trial(source, procedure, models, schema, data) as trial:
        if trial.refused:
            outcome.refused = trial.refused
            return outcome
        for number in range(wanted * ATTEMPTS):
            filled = number // 3 % 2 == 1 if prior is None else prior
            trial.run(data.get(number, prior=filled), outcome)
            if outcome.difference or outcome.refused or outcome.compared == wanted:
                break
        outcome.empty = frozenset(models) - trial.filled
    return outcome


def in_order(models: Mapping[str, Compiled]) -> list[str] | None:
    """The models in the order dbt runs them; None when they refer to each other in a circle."""
    refs = {
        key: {other for other in models if other != key and f"'{ref_name(other)}'" in found.sql}
        for key, found in models.items()
    }
    done: list[str] = []
    while len(done) < len(models):
        ready = [key for key in sorted(models) if key not in done and refs[key] <= set(done)]
        if not ready:
            return None
        done += ready
    return done


def ref_name(key: str) -> str:
    """The name of a target's model."""
    return "model__" + key.replace(".", "__")


class Trial:
    """Both sides of one procedure."""

    def __init__(
        self,
        source: str,
        procedure: nodes.CreateProcedure,
        models: Mapping[str, Compiled],
        schema: Schema,
        data: DataSets,
    ) -> None:
        self.name = f"{procedure.name.schema or 'dbo'}.{procedure.name.name}"
        self.models = models
        self.data = data
        self.filled: set[str] = set()
        self.seen = 0
        self._only_case = False
        self.renamed: dict[str, dict[object, object]] = {}
        self.reseeds = re.search(r"\b(TRUNCATE|RESEED|DROP)\b", source, re.I) is not None
        self.order = in_order(models) or sorted(models)
        self.targets = {key: schema.table(ObjectName.parse(key)) for key in models}
        self.targets = {k: x for k, x in self.targets.items() if x is not None}
        self.comparison = Comparison({k: x for k, x in self.targets.items() if x is not None})
        identities = {
            tuple(key.split(".", 1)): Identity(c.name, 1, 1)
            for key, table in data.tables.items()
            for c in table.columns
            if c.identity
        }
        self.reference = Reference(
            schema,
            data.modules,
            limits=Limits(statements=20_000, rows=200_000, seconds=20),
            identities=identities,  # type: ignore[arg-type]
        )
        missing = self.reference.not_executable(self.name)
        self.refused = f"{missing[0].construct}: {missing[0].reason}" if missing else ""
        self.connection = duckdb.connect(config={"threads": 1})
        for schema_name in sorted({key.partition(".")[0] for key in data.tables} | {"models"}):
            self.connection.execute(f'create schema if not exists "{schema_name}"')
        read = frozenset(key for found in models.values() for key in found.inputs)
        self.read = {key: table for key, table in data.tables.items() if key in read}
        for key, table in self.read.items():
            self.connection.execute(f"create table {_sql(key)} ({_columns(table)})")

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *exc: object) -> None:
        self.reference.close()
        self.connection.close()

    # --- one data set -------------------------------------------------------------------------

    def run(self, data: DataSet, outcome: Outcome) -> None:
        """Both rounds of a data set; the outcome is updated."""
        self._start(data)
        rows = 0
        for number in range(len(data.rounds)):
            self._provide_sources(data, number)
            self._provide_models()
            failure = self._procedure(data)
            if failure.startswith("refused "):
                outcome.refused = failure.removeprefix("refused ")
                return
            if failure:
                outcome.failed[failure] += 1
                return
            self._only_case = False
            different = self._models(data, number) or self._difference()
            if different:
                if self._only_case or self._disagrees_with_itself(data, number):
                    outcome.undetermined += 1
                else:
                    outcome.difference = (
                        f"data set {data.number} ({data.style}"
                        f"{', prior rows' if data.prior else ''}), round {number + 1}: {different}"
                    )
                return
            rows += self.seen
        outcome.compared += 1
        outcome.rows += rows

    def _start(self, data: DataSet, order: int = 0) -> None:
        self.reference.reset()
        self.renamed = {key: {} for key in self.comparison.identity}
        for key, rows in data.prior.items():
            self._load(key, rows, order)
        if order:
            return
        self.connection.execute("drop schema models cascade")
        self.connection.execute("create schema models")
        for key, table in self.targets.items():
            if data.prior and table is not None:
                self.connection.execute(f"create table {_model(key)} ({_columns(table)})")
                _insert(self.connection, _model(key), table, self._expected(key))

    def _load(self, key: str, rows: Iterable[Mapping[str, object]], order: int) -> None:
        listed = list(rows)
        if order == 1:
            listed.reverse()
        name = str(self.data.tables[key].name)
        self.reference.load(name, listed, shuffle=order if order > 1 else None)

    def _provide_sources(self, data: DataSet, number: int, order: int = 0) -> None:
        self.reference.set_clock(data.clock(number))
        for key, rows in data.rounds[number].items():
            stored = self.reference.session.stored(self.data.tables[key].name)
            self.reference.session.store.clear(stored)
            self._load(key, rows, order)

    def _provide_models(self) -> None:
        """What the models read is as the procedure finds it; targets as their own models left them.

        The latter is only read where a model does not use ``ref()``.
        """
        for key, table in self.read.items():
            self.connection.execute(f"delete from {_sql(key)}")
            if key not in self.targets:
                _insert(self.connection, _sql(key), table, self._expected(key))
            elif self._exists(key):
                self.connection.execute(
                    f"insert into {_sql(key)} by name select * from {_model(key)}"
                )

    def _procedure(self, data: DataSet) -> str:
        """Run the original; why there is nothing to compare, or nothing."""
        before = self._caught()
        try:
            result = self.reference.run_procedure(self.name, dict(data.parameters))
        except duckdb.Error as error:
            return f"refused interpreter: {_first_line(error)}"
        if result.error is not None:
            if result.error.refused:
                return f"refused {result.error.construct}: {result.error.message}"
            return f"error {result.error.number}: {result.error.message[:60]}"
        return "an error was caught" if self._caught() > before else ""

    def _caught(self) -> int:
        return sum(n for x, n in self.reference.coverage.branches.items() if x[4] == "caught")

    def _models(self, data: DataSet, number: int) -> str:
        """Run every model; how one fails, or nothing."""
        procedure = self.name.rpartition(".")[2].lower()
        variables = {
            re.sub(r"[^a-z0-9_]+", "_", f"{procedure}_{p.lstrip('@')}".lower()): _jinja(v)
            for p, v in data.parameters.items()
        }
        for key in self.order:
            try:
                clock = data.clock(number)
                model.run(self.connection, self.models[key], _model(key), variables, clock)
            except duckdb.Error as error:
                return f"{key}: the model fails: {_first_line(error)}"
        return ""

    def _disagrees_with_itself(self, data: DataSet, last: int) -> bool:
        """Whether the procedure leaves other rows when its inputs are stored in another order."""
        seen = [self._left()]
        for order in (1, 2, 3):
            self._start(data, order)
            for number in range(last + 1):
                self._provide_sources(data, number, order)
                if self._procedure(data):
                    break
            seen.append(self._left())
        return any(bags != seen[0] for bags in seen)

    def _left(self) -> dict[str, Bag]:
        return self.comparison.bags({key: self._expected(key) for key in self.targets})

    # --- contents -----------------------------------------------------------------------------

    def _expected(self, key: str) -> list[dict[str, object]]:
        """A table as the procedure left it, with its computed columns."""
        table = self.data.tables[key]
        if any(column.computed is not None for column in table.columns):
            names = ", ".join(f"[{c.name}]" for c in table.columns)
            name = f"[{table.name.schema or 'dbo'}].[{table.name.name}]"
            batch = self.reference.run_script(f"SELECT {names} FROM {name}")[0]
            assert batch.error is None, batch.error
            spelled = [c.name for c in table.columns]
            return [dict(zip(spelled, row, strict=True)) for row in batch.result_sets[0].rows]
        return self.reference.table(str(table.name)).dicts()

    def _found(self, key: str) -> list[dict[str, object]]:
        """A table as its model left it."""
        cursor = self.connection.execute(f"select * from {_model(key)}")
        names = {c.name.lower(): c.name for c in self.data.tables[key].columns}
        spelled = [names.get(d[0].lower(), d[0]) for d in cursor.description or []]
        return [dict(zip(spelled, row, strict=True)) for row in cursor.fetchall()]

    def _exists(self, key: str) -> bool:
        found = self.connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'models' and table_name = ?",
            [ref_name(key)],
        )
        return bool(found.fetchall())

    def _difference(self) -> str:
        """The first target whose rows differ, with the rows."""
        theirs = {key: self._expected(key) for key in self.targets}
        ours = {key: self._found(key) for key in self.targets}
        self.seen = sum(map(len, theirs.values()))
        wanted, found = self.comparison.bags(theirs), self.comparison.bags(ours)
        self._only_case = _folded(wanted) == _folded(found)
        for key in self.order:
            if key not in wanted:
                continue
            if wanted[key]:
                self.filled.add(key)
            if wanted[key] != found[key]:
                return (
                    f"{key}: columns {self.comparison.columns[key]}\n"
                    f"  only in the procedure: {_listed(wanted[key] - found[key])}\n"
                    f"  only in the model: {_listed(found[key] - wanted[key])}"
                )
            if key in self.comparison.identity:
                message = self._numbering(key, theirs[key], ours[key])
                if message:
                    return f"{key}: {message}"
        return ""

    def _numbering(self, key: str, expected: Rows, found: Rows) -> str:
        """Why a model's identity column is not the procedure's under other names.

        Rows keep their number from round to round, unless numbering can begin anew.
        """
        name = self.comparison.identity[key]
        theirs, ours = [row.get(name) for row in expected], [row.get(name) for row in found]
        if len(set(theirs)) == len(theirs) and (len(set(ours)) < len(ours) or None in ours):
            return f"{name} is not unique in the model: {sorted(map(str, ours))}"
        if self.models[key].materialization == "table" or self.reseeds:
            return ""
        one, other = self.comparison.by_row(key, expected), self.comparison.by_row(key, found)
        for row, numbers in one.items():
            if len(numbers) != 1 or len(other.get(row, ())) != 1:
                continue
            known = self.renamed[key].setdefault(numbers[0], other[row][0])
            if known != other[row][0]:
                return f"{name} of a row changed from {known} to {other[row][0]} in the model"
        return ""


class Comparison:
    """Targets as bags of rows; identity columns and what holds their values renamed to rows."""

    def __init__(self, targets: Mapping[str, Table]) -> None:
        self.identity = {
            key: c.name for key, table in targets.items() for c in table.columns if c.identity
        }
        owners = {name.lower(): key for key, name in self.identity.items()}
        self.columns: dict[str, list[str]] = {}
        self.referring: dict[str, dict[str, str]] = {}
        for key, table in targets.items():
            left_out = {self.identity.get(key)}
            self.columns[key] = [
                c.name
                for c in table.columns
                if c.name not in left_out and c.type.name is not TypeName.ROWVERSION
            ]
            self.referring[key] = {
                name: owners[name.lower()]
                for name in self.columns[key]
                if owners.get(name.lower(), key) != key
            }

    def bags(self, rows: Mapping[str, Rows]) -> dict[str, Bag]:
        """The rows of every target; a value of another's identity stands for that row."""
        named: dict[str, dict[object, object]] = {}
        for key, identity in self.identity.items():
            own = [c for c in self.columns[key] if c not in self.referring[key]]
            named[key] = {
                row.get(identity): tuple(_plain(row.get(c)) for c in own) for row in rows[key]
            }
        return {
            key: Counter(
                tuple(self._cell(key, c, row.get(c, _MISSING), named) for c in columns)
                for row in rows[key]
            )
            for key, columns in self.columns.items()
        }

    def _cell(
        self, key: str, column: str, value: object, named: Mapping[str, Mapping[object, object]]
    ) -> object:
        owner = self.referring[key].get(column)
        if owner is not None and value in named[owner]:
            return named[owner][value]
        return _plain(value)

    def by_row(self, key: str, rows: Rows) -> dict[tuple[object, ...], list[object]]:
        """The identity values of each distinct row."""
        own = [c for c in self.columns[key] if c not in self.referring[key]]
        found: dict[tuple[object, ...], list[object]] = {}
        for row in rows:
            found.setdefault(tuple(_plain(row.get(c)) for c in own), []).append(
                row.get(self.identity[key])
            )
        return found


_MISSING = "(the model has no such column)"


def _sql(key: str) -> str:
    schema, _, name = key.partition(".")
    return f'"{schema}"."{name}"'


def _model(key: str) -> str:
    return f'models."{ref_name(key)}"'


def _columns(table: Table) -> str:
    return ", ".join(f'"{c.name}" {t.duckdb_storage(c.type)}' for c in table.columns)


def _insert(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    table: Table,
    rows: Rows,
) -> None:
    if not rows:
        return
    marks = "(" + ", ".join("?" for _ in table.columns) + ")"
    # char(n) is padded in SQL Server; the loader of a target warehouse trims it.
    fixed = {c.name for c in table.columns if c.type.name in (TypeName.CHAR, TypeName.NCHAR)}
    values = [
        _trimmed(row.get(c.name)) if c.name in fixed else row.get(c.name)
        for row in rows
        for c in table.columns
    ]
    connection.execute(f"insert into {name} values {', '.join([marks] * len(rows))}", values)


def _trimmed(value: object) -> object:
    return value.rstrip(" ") if isinstance(value, str) else value


def _jinja(value: object) -> object:
    return value if isinstance(value, int) else str(value)


def _first_line(error: Exception) -> str:
    return str(error).split("\n\n")[0].strip()[:300]


def _folded(bags: Mapping[str, Bag]) -> dict[str, Bag]:
    """Bags without regard to case: of equal texts in a group, any may stand for it."""
    found: dict[str, Bag] = {}
    for key, bag in bags.items():
        found[key] = Counter()
        for row, count in bag.items():
            found[key][tuple(x.casefold() if isinstance(x, str) else x for x in row)] += count
    return found


def _listed(bag: Bag) -> str:
    return str(sorted(bag.items(), key=str)[:6])


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value.rstrip(" ")
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, Decimal):
        return value.normalize() + 0
    if isinstance(value, float):
        return round(value, 9)
    if value is not None and type(value).__name__ == "UUID":
        return str(value)
    return value
