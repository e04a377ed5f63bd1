"""Runs a procedure in the interpreter and its models in DuckDB on the same random data.

Two or more rounds: empty targets first, then evolved sources and a later clock on what the round
before left. Before every round the model sees the sources exactly as the procedure sees them.
Every column but identity is compared, as multisets.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from core.compiler import Compiled
from core.interpreter import Reference
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.schema import Column, ObjectName, Schema, Table, TableKind
from core.tsql.types import TypeName
from tests.core.compiler import model

CLOCK = dt.datetime(2024, 6, 15, 10, 30)
DATES = [dt.date(2024, 6, day) for day in (1, 10, 14, 15)] + [dt.date(2023, 12, 31)]


@dataclass
class Outcome:
    """What a comparison found; `difference` is a sentence with the rows, or empty."""

    compared: int = 0
    errors: int = 0
    undetermined: int = 0
    refused: str = ""
    difference: str = ""


@dataclass
class Generator:
    """Random rows that match, miss and repeat; literals of the procedure are among the values."""

    random: random.Random
    texts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, seed: int, source: str) -> Generator:
        texts = [
            x for x in re.findall(r"'([^'\n]{0,12})'", source) if "%" not in x and x == x.rstrip()
        ]
        numbers = [int(x) for x in re.findall(r"(?<![\w.'])\d{1,4}(?![\w.'])", source)]
        return cls(random.Random(seed), sorted(set(texts)), sorted(set(numbers)))

    def rows(self, table: Table, size: int) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        seen: list[set[tuple[object, ...]]] = [set() for _ in table.keys]
        for number in range(size):
            row = {
                c.name: self.value(c, number)
                for c in table.columns
                if c.computed is None and not c.identity
            }
            keys = [tuple(row.get(_spelled(table, k)) for k in key) for key in table.keys]
            if any(key in taken for key, taken in zip(keys, seen, strict=True) if None not in key):
                continue
            for key, taken in zip(keys, seen, strict=True):
                taken.add(key)
            found.append(row)
        return found

    def value(self, column: Column, number: int) -> object:
        pick = self.random
        if column.nullable and pick.random() < 0.15:
            return None
        name = column.type.name
        if name is TypeName.BIT:
            return pick.choice([0, 1])
        if column.type.is_integer:
            pool = [1, 2, 3, 4, 5, *(n for n in self.numbers if n < 32000)]
            return pick.choice(pool) if name is not TypeName.TINYINT else pick.choice(pool) % 200
        if column.type.is_exact:
            scale = min(column.type.scale if column.type.is_decimal else 4, 4) or 0
            digits = (column.type.precision or 19) - (column.type.scale or 0)
            whole = pick.choice([0, 1, 2, 7, 99, -3][: 6 if digits > 1 else 4])
            return Decimal(whole) + Decimal(pick.randrange(10**scale)).scaleb(-scale)
        if column.type.is_approximate:
            return pick.choice([0.5, 1.25, -2.0, 100.0])
        if name is TypeName.DATE:
            return pick.choice(DATES)
        if name is TypeName.TIME:
            return dt.time(pick.randrange(24), 30)
        if column.type.is_datetime:
            return dt.datetime.combine(pick.choice(DATES), dt.time(pick.choice([0, 10]), 30))
        if column.type.is_string:
            pool = ["a", "b", "cc", "d4", "20240610", "12", *self.texts]
            text = pick.choice(pool)
            length = column.type.max_length
            return text if length is None else text[:length]
        if column.type.is_binary:
            return bytes([pick.randrange(3)])
        if name is TypeName.UNIQUEIDENTIFIER:
            return f"00000000-0000-0000-0000-00000000000{pick.randrange(9)}"
        return None

    def parameter(self, type_: t.SqlType) -> object:
        return self.value(Column("p", type_, nullable=False), 0)


def _spelled(table: Table, name: str) -> str:
    column = table.column(name)
    return column.name if column is not None else name


def compare(
    source: str,
    procedure: nodes.CreateProcedure,
    models: Mapping[str, Compiled],
    schema: Schema,
    *,
    modules: Sequence[str] = (),
    seeds: Sequence[int] = tuple(range(20)),
    rounds: int = 3,
    prior: bool = False,
) -> Outcome:
    """Compare the models of one procedure with it, over data sets and rounds.

    `prior`: the targets hold random rows before the first round.
    """
    outcome = Outcome()
    name = f"{procedure.name.schema or 'dbo'}.{procedure.name.name}"
    with Reference(schema, [source, *modules]) as reference:
        missing = reference.not_executable(name)
        if missing:
            outcome.refused = f"{missing[0].construct}: {missing[0].reason}"
            return outcome
        for seed in seeds:
            generator = Generator.of(seed, source)
            parameters = {
                p.name: generator.parameter(t.parse_type(p.type.text, aliases=schema.alias_types))
                for p in procedure.parameters
                if p.default is None and not p.is_output
            }
            reference.reset()
            _one(reference, generator, name, models, schema, parameters, rounds, prior, outcome)
            if outcome.difference:
                outcome.difference = f"seed {seed}: {outcome.difference}"
                return outcome
    return outcome


def _one(
    reference: Reference,
    generator: Generator,
    name: str,
    models: Mapping[str, Compiled],
    schema: Schema,
    parameters: Mapping[str, object],
    rounds: int,
    prior: bool,
    outcome: Outcome,
) -> None:
    # One database per model: it sees every other table as the procedure found it.
    databases = {key: duckdb.connect() for key in models}
    for connection in databases.values():
        for schema_name in sorted({key[0] for key in schema.tables}):
            connection.execute(f'create schema if not exists "{schema_name}"')
    targets = {key: schema.table(ObjectName.parse(key)) for key in models}
    procedure_name = name.rpartition(".")[2].lower()
    variables = {
        re.sub(r"[^a-z0-9_]+", "_", f"{procedure_name}_{p.lstrip('@')}".lower()): _jinja(v)
        for p, v in parameters.items()
    }
    for number in range(rounds):
        clock = CLOCK + dt.timedelta(days=number)
        reference.set_clock(clock)
        first = number == 0
        for key, table in _stored(schema):
            if key not in targets or (prior and first):
                size = generator.random.choice([0, 1, 3, 6])
                _replace(reference, table, generator.rows(table, size))
        _provide(databases, models, schema, reference, with_target=prior and first)
        result = reference.run_procedure(name, dict(parameters))
        if result.error is not None:
            if result.error.refused:
                outcome.refused = f"{result.error.construct}: {result.error.message}"
            outcome.errors += 1
            return
        if result.findings:
            outcome.undetermined += 1
            return
        for key, compiled in models.items():
            table = targets[key]
            if table is None:
                continue  # made and dropped by the procedure
            connection = databases[key]
            try:
                model.run(connection, compiled, _sql_name(table), variables, clock)
            except duckdb.Error as error:
                outcome.difference = f"round {number + 1}: {key}: the model fails: {error}"
                return
            if _breaks_not_null(connection, table):
                # The INSERT fails in the procedure, perhaps caught by it; dbt has no such error.
                outcome.errors += 1
                return
            different = _difference(reference, connection, table)
            if different:
                outcome.difference = f"round {number + 1}: {key}: {different}"
                return
            outcome.compared += 1


def _provide(
    databases: Mapping[str, duckdb.DuckDBPyConnection],
    models: Mapping[str, Compiled],
    schema: Schema,
    reference: Reference,
    *,
    with_target: bool,
) -> None:
    """Give every model's database the tables it reads as they are in the reference."""
    for target, connection in databases.items():
        for key, table in _stored(schema):
            read = key in models[target].inputs and key != target
            if read or (key == target and with_target):
                _copy(connection, table, reference)


def _jinja(value: object) -> object:
    return value if isinstance(value, int) else str(value)


def _sql_name(table: Table) -> str:
    return f'"{(table.name.schema or "dbo").lower()}"."{table.name.name}"'


def _stored(schema: Schema) -> list[tuple[str, Table]]:
    """The tables with rows of their own, by key."""
    return [
        (".".join(key), table)
        for key, table in schema.tables.items()
        if table.kind is not TableKind.VIEW and not table.name.name.startswith("__")
    ]


def _replace(reference: Reference, table: Table, rows: list[dict[str, object]]) -> None:
    """New rows in a source table."""
    name = f"{table.name.schema or 'dbo'}.{table.name.name}"
    stored = reference.session.stored(ObjectName.parse(name))
    reference.session.store.clear(stored)
    reference.load(name, rows)


def _copy(connection: duckdb.DuckDBPyConnection, table: Table, reference: Reference) -> None:
    name = _sql_name(table)
    columns = ", ".join(f'"{c.name}" {t.duckdb_storage(c.type)}' for c in table.columns)
    connection.execute(f"create or replace table {name} ({columns})")
    rows = reference.table(f"{table.name.schema or 'dbo'}.{table.name.name}").dicts()
    marks = ", ".join("?" for _ in table.columns)
    for row in rows:
        # char(n) is padded in SQL Server; the loader of a target warehouse trims it.
        values = [_trimmed(row.get(column.name)) for column in table.columns]
        connection.execute(f"insert into {name} values ({marks})", values)


def _trimmed(value: object) -> object:
    return value.rstrip(" ") if isinstance(value, str) else value


def _breaks_not_null(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    required = [c.name for c in table.columns if not c.nullable and not c.identity]
    if not required:
        return False
    condition = " or ".join(f'"{name}" is null' for name in required)
    found = connection.execute(f"select count(*) from {_sql_name(table)} where {condition}")
    return bool(found.fetchall()[0][0])


def _difference(reference: Reference, connection: duckdb.DuckDBPyConnection, table: Table) -> str:
    compared = [
        c
        for c in table.columns
        if not c.identity and c.computed is None and c.type.name is not TypeName.ROWVERSION
    ]
    expected = reference.table(f"{table.name.schema or 'dbo'}.{table.name.name}").dicts()
    wanted = Counter(tuple(_plain(row.get(c.name)) for c in compared) for row in expected)
    listed = ", ".join(f'"{c.name}"' for c in compared)
    rows = connection.execute(f"select {listed} from {_sql_name(table)}").fetchall()
    found = Counter(tuple(_plain(value) for value in row) for row in rows)
    if wanted == found:
        return ""
    names = [c.name for c in compared]
    return (
        f"columns {names}\n  only in the procedure: {sorted((wanted - found).items(), key=str)}"
        f"\n  only in the model: {sorted((found - wanted).items(), key=str)}"
    )


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
