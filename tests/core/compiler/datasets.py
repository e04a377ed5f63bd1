"""Data sets for the comparison of a procedure with its models: two rounds of rows, seeded.

Three styles take turns, because what one never thinks of another does:

wild   the product's own generator (`core.equivalence.generate`): literals of the procedure and
       their neighbours, boundary values, shared key pools, siblings, evolution of some rows
mixed  small pools for everything, new rows every round, more of them: joins match several times
tame   values that convert, fit and obey, for procedures that fail on the others
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core.dbt.verify import TargetTable
from core.equivalence.generate import Generator
from core.equivalence.subject import Subject, stored_columns, table_key
from core.project.names import QualifiedName
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.schema import Column, Schema, Table, TableKind
from core.tsql.types import TypeName

CLOCK = dt.datetime(2024, 6, 15, 10, 30)
DATES = [dt.date(2024, 6, day) for day in (1, 10, 14, 15)] + [dt.date(2023, 12, 31)]
STYLES = ("wild", "mixed", "tame")

Rows = Sequence[Mapping[str, object]]
_WORD = re.compile(r"[\w@$#]+")


@dataclass(frozen=True)
class DataSet:
    """`prior` are the targets' rows before the first round, `rounds` the other tables' rows."""

    number: int
    style: str
    parameters: Mapping[str, object]
    prior: Mapping[str, Rows]
    rounds: tuple[Mapping[str, Rows], ...]

    def clock(self, round_: int) -> dt.datetime:
        """The moment of a round: each is a day and some hours after the one before."""
        return CLOCK + round_ * dt.timedelta(days=1, hours=2, minutes=5)


class DataSets:
    """The data sets of one procedure; `targets` are the tables that models keep."""

    def __init__(
        self,
        source: str,
        procedure: nodes.CreateProcedure,
        schema: Schema,
        targets: Iterable[str],
        modules: Sequence[str] = (),
    ) -> None:
        self.targets = frozenset(targets)
        self.schema = schema
        self.modules = reachable(source, modules)
        words = frozenset(word for text in self.modules for word in _WORD.findall(text.lower()))
        self.tables = {
            key: table
            for key, table in stored_tables(schema).items()
            if key in self.targets or table.name.name.lower() in words
        }
        first = next(iter(sorted(self.targets)), "dbo.none")
        subject = Subject(
            item_id=first,
            procedure=str(procedure.name),
            procedure_text=source,
            schema=_only(schema, self.tables),
            modules=self.modules,
            target=TargetTable(
                QualifiedName(first.rpartition(".")[2], first.partition(".")[0]), ()
            ),
            model_name="model",
            sql="",
            inputs=(),
            references=(),
            clock=CLOCK,
        )
        self._wild = _Wild(subject, self.targets)
        self._key_columns = frozenset(
            key[0].lower() for x in self.tables.values() for key in x.keys if len(key) == 1
        )
        self._parameters = procedure.parameters
        self._source = source

    def get(self, number: int, *, prior: bool, style: str = "") -> DataSet:
        """The data set of that number: the same on any machine."""
        style = style or STYLES[number % len(STYLES)]
        rng = random.Random(f"{number}:{style}")
        if style == "wild":
            return self._wild.data_set(number, rng, prior)
        pools = _Pools(rng, *_literals(self._source), style == "tame", self._key_columns)
        sources = [table for key, table in self.tables.items() if key not in self.targets]
        kept = [self.tables[key] for key in sorted(self.targets) if key in self.tables]
        before = {table_key(x): pools.rows(x, rng.choice([1, 3, 6])) for x in kept} if prior else {}
        found = []
        for _ in range(2):
            if number % 2:
                pools.first_key += 20  # no key of before comes again
            found.append(
                {table_key(x): pools.rows(x, rng.choice([0, 1, 3, 6, 9])) for x in sources}
            )
        rounds = tuple(found)
        return DataSet(number, style, self._call(pools, number), before, rounds)

    def _call(self, pools: _Pools, number: int) -> dict[str, object]:
        """Parameters: those without a default always, the others half of the time."""
        choices = self._wild.parameters
        found = dict(choices[number % len(choices)]) if choices else {}
        for parameter in self._parameters:
            if parameter.is_output or parameter.default is not None:
                continue
            if parameter.name in found and number % 2:
                continue
            try:
                type_ = t.parse_type(parameter.type.text, aliases=self.schema.alias_types)
            except t.UnknownTypeError:
                continue
            found[parameter.name] = pools.value(Column("p", type_, nullable=False), 0)
        return found


class _Wild(Generator):
    """The product's generator for several targets, with two rounds."""

    def __init__(self, subject: Subject, targets: frozenset[str]) -> None:
        super().__init__(subject, incremental=True)
        self._targets = [x for x in subject.tables if table_key(x) in targets]
        self.__dict__["sources"] = tuple(x for x in subject.tables if table_key(x) not in targets)

    def data_set(self, number: int, rng: random.Random, prior: bool) -> DataSet:
        size = rng.choice((1, 2, 3, 3, 5, 8))
        first = self._tables(self.sources, size, rng)
        later = self._evolved(first, rng, CLOCK + dt.timedelta(days=1))
        before = self._tables(self._targets, size, rng) if prior else {}
        parameters = self.parameters[number % len(self.parameters)] if self.parameters else {}
        if any(c.type.name in t.FIXED_STRINGS for x in self.subject.tables for c in x.columns):
            # char(n) is stored without its blanks: beside it, blanks at the end tell texts apart
            first, later, before = (_trimmed(tables) for tables in (first, later, before))
        return DataSet(number, "wild", parameters, before, (first, later))


@dataclass
class _Pools:
    """Random rows that match, miss and repeat; literals of the procedure are among the values."""

    random: random.Random
    texts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    tame: bool = False
    keys: frozenset[str] = frozenset()
    first_key: int = 1

    def rows(self, table: Table, size: int) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        seen: list[set[tuple[object, ...]]] = [set() for _ in table.keys]
        for number in range(size):
            row = {
                c.name: self.value(c, number)
                for c in stored_columns(table)
                if not c.identity and c.type.name is not TypeName.ROWVERSION
            }
            keys = [tuple(_folded(row.get(_spelled(table, k))) for k in key) for key in table.keys]
            if any(key in taken for key, taken in zip(keys, seen, strict=True) if None not in key):
                continue
            for key, taken in zip(keys, seen, strict=True):
                taken.add(key)
            found.append(row)
        return found

    def value(self, column: Column, number: int) -> object:
        pick = self.random
        if column.nullable and pick.random() < (0.05 if self.tame else 0.15):
            return None
        name = column.type.name
        if name is TypeName.BIT:
            return pick.choice([0, 1])
        if column.type.is_integer:
            most = 255 if name is TypeName.TINYINT else 32000
            pool = [1, 2, 3, 4, 5, *(n for n in self.numbers if n < most)]
            if self.tame and column.name.lower() in self.keys:
                return self.first_key + number
            return pick.choice(pool[:5] if self.tame else pool)
        if column.type.is_exact:
            return self._decimal(column.type)
        if column.type.is_approximate:
            return pick.choice([0.5, 1.25, -2.0, 100.0])
        if name is TypeName.DATE:
            return pick.choice(DATES)
        if name is TypeName.TIME:
            return dt.time(pick.randrange(24), 30)
        if column.type.is_datetime:
            return dt.datetime.combine(pick.choice(DATES), dt.time(pick.choice([0, 10]), 30))
        if column.type.is_string:
            pool = ["1", "2", "12"] if self.tame else ["a", "b", "cc", "d4", "20240610", "12"]
            text = pick.choice([*pool, *self.texts])
            length = column.type.max_length
            return text if length is None else text[:length]
        if column.type.is_binary:
            return bytes([pick.randrange(3)])
        if name is TypeName.UNIQUEIDENTIFIER:
            return f"00000000-0000-0000-0000-00000000000{pick.randrange(9)}"
        return None

    def _decimal(self, type_: t.SqlType) -> Decimal:
        scale = (type_.scale if type_.is_decimal else 4) or 0
        digits = (type_.precision or 19) - (type_.scale or 0)
        whole = self.random.choice([0, 1, 2, 7] if self.tame or digits < 2 else [0, 1, 7, 99, -3])
        fraction = Decimal(self.random.randrange(10 ** min(scale, 4))).scaleb(-min(scale, 4))
        return (whole + fraction).quantize(Decimal(1).scaleb(-scale))


def _trimmed(tables: Mapping[str, Rows]) -> dict[str, Rows]:
    return {
        key: [
            {c: x.rstrip(" ") if isinstance(x, str) else x for c, x in row.items()} for row in rows
        ]
        for key, rows in tables.items()
    }


def _literals(source: str) -> tuple[list[str], list[int]]:
    texts = [x for x in re.findall(r"'([^'\n]{0,12})'", source) if "%" not in x and x == x.rstrip()]
    numbers = [int(x) for x in re.findall(r"(?<![\w.'])\d{1,4}(?![\w.'])", source)]
    return sorted(set(texts)), sorted(set(numbers))


def stored_tables(schema: Schema) -> dict[str, Table]:
    """The tables with rows of their own, by ``schema.name``."""
    return {
        ".".join(key): table
        for key, table in sorted(schema.tables.items())
        if table.kind is not TableKind.VIEW and not table.name.name.startswith("__")
    }


def reachable(source: str, modules: Sequence[str]) -> tuple[str, ...]:
    """The procedure's text and those of the modules whose names occur in it, transitively."""
    by_name: dict[str, list[str]] = {}
    for text in modules:
        match = re.search(r"\b(?:PROC|PROCEDURE|FUNCTION|VIEW|TYPE)\s+([^\s(]+)", text, re.I)
        if match:
            name = match[1].rpartition(".")[2].strip('[]"').lower()
            by_name.setdefault(name, []).append(text)
    found = [source]
    for text in found:
        for word in sorted(frozenset(_WORD.findall(text.lower()))):
            found += [x for x in by_name.pop(word, []) if x not in found]
    return tuple(found)


def _only(schema: Schema, tables: Mapping[str, Table]) -> Schema:
    """The schema with these tables and the views."""
    kept = {
        key: table
        for key, table in schema.tables.items()
        if table.kind is TableKind.VIEW or ".".join(key) in tables
    }
    return replace(schema, tables=kept)


def _spelled(table: Table, name: str) -> str:
    column = table.column(name)
    return column.name if column is not None else name


def _folded(value: object) -> object:
    return value.rstrip(" ").casefold() if isinstance(value, str) else value
