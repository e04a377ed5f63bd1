"""Data sets: small, seeded, shaped by the catalog and by the procedure's own text.

The same subject and seed give the same rows on any machine: nothing here depends on time, hash
order or the platform.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from core.equivalence.arguments import parameter_choices
from core.equivalence.case import Case, Round, Row, Rows
from core.equivalence.hints import Hints, read_hints
from core.equivalence.subject import EnforcedKey, Subject, stored_columns, table_key
from core.equivalence.trouble import Trouble
from core.equivalence.values import candidates
from core.tsql.schema import Column, Table
from core.tsql.types import TypeName

_KEY_ENDINGS = ("id", "key", "code", "number", "no", "num", "nr", "sk", "bk")
_STEP = timedelta(days=1, hours=2, minutes=5)
"""How far the frozen clock moves from round to round."""
_SIZES = (0, 1, 2, 3, 2, 6, 4, 8, 10, 6, 12, 8)
"""Rows per table of the first trials: few rows first, so that what they show is small at once; then
more, which costs a run little and shows more (a difference is shrunk anyway)."""


@dataclass(frozen=True)
class _Style:
    """How rows are drawn: the share of NULLs and of empty tables, and how often a value comes
    from the first ``narrow`` candidates of its column.
    """

    null: float = 0.2
    empty: float = 0.06
    focus: float = 0.6
    narrow: int = 4


_PLAIN = _Style()
_STYLES = (
    _PLAIN,
    _Style(null=0.0),
    _Style(null=0.5),
    _Style(null=0.05, focus=0.9, narrow=1),
    _Style(null=0.1, empty=0.3),
    _Style(null=0.1, focus=0.0),
    _Style(null=0.0, focus=0.8, narrow=2),
)


@dataclass
class Generator:
    """Makes the cases of one subject.

    ``incremental``: whether the model keeps rows between runs, so that sequences matter.
    ``unique``: columns by which the model tells the target's rows apart (lower case); no two rows
    that are put into a target beforehand agree in them. ``prior_share`` of the cases put some
    there: none where the key is numbered by the server, for such rows carry promises (one current
    version) that only the procedure keeps.
    """

    subject: Subject
    incremental: bool = False
    unique: tuple[str, ...] = ()
    prior_share: float = 0.0
    _pools: dict[tuple[str, str], list[object]] = field(default_factory=dict)
    _style: _Style = field(default_factory=lambda: _PLAIN)

    @cached_property
    def hints(self) -> Hints:
        """What the procedure's text says about its data."""
        hints = read_hints(self.subject.modules)
        for foreign in self.subject.references:
            for column, parent in zip(foreign.columns, foreign.parent_columns, strict=True):
                hints.equate(column, parent)
        return hints

    @cached_property
    def parameters(self) -> tuple[dict[str, object], ...]:
        """Parameter values worth running with; the first takes the defaults where there are any."""
        found = parameter_choices(self.subject, self.hints, self._pool)
        self._pools.clear()  # the hints know more by now
        return found

    @cached_property
    def trouble(self) -> Trouble:
        """The errors of the procedure that data sets are to spare."""
        target = self.subject.table(".".join(self.subject.target_key))
        keys = {c.lower() for key in target.keys for c in key} if target is not None else set()
        return Trouble(frozenset(keys))

    @cached_property
    def sources(self) -> tuple[Table, ...]:
        """Every table but the target."""
        return tuple(t for t in self.subject.tables if t.name.key != self.subject.target_key)

    def case(self, number: int) -> Case:
        """The trial of that number: 0 has empty tables, then few rows, then more."""
        rng = random.Random(f"{self.subject.seed}:{number}")
        size = _SIZES[number] if number < len(_SIZES) else rng.choice(_SIZES[-4:])
        # Mostly the first: data is likeliest to meet it, and each other costs a recording.
        other = number // 3 % len(self.parameters) if number % 3 == 2 else 0
        parameters = self.parameters[other]
        self._style = _PLAIN
        self.trouble.begin(rng)
        return self._sequence(self._tables(self.sources, size, rng), number, size, parameters, rng)

    def drawn(self, number: int, known: Sequence[Case]) -> Case:
        """A case in search of what no case has reached: odd ones are drawn in an extreme style,
        even ones change rows of a known case.
        """
        rng = random.Random(f"{self.subject.seed}:drawn:{number}")
        parameters = rng.choice(self.parameters)
        self._style = rng.choice(_STYLES)
        self.trouble.begin(rng)
        if known and number % 2 == 0:
            before = rng.choice(known)
            tables = self._evolved(dict(before.rounds[0].tables), rng, self.subject.clock)
            return self._sequence(tables, rng.randrange(12), 3, parameters, rng)
        size = rng.choice((1, 2, 3, 5, 8, 12))
        tables = self._tables(self.sources, size, rng)
        return self._sequence(tables, rng.randrange(12), size, parameters, rng)

    def _sequence(
        self,
        first: dict[str, Rows],
        number: int,
        size: int,
        parameters: dict[str, object],
        rng: random.Random,
    ) -> Case:
        """A case of one or more rounds that begins with these tables."""
        rounds = [Round(self.subject.clock, first, "first run")]
        moment = self.subject.clock
        if number % 3 == 1 or (self.incremental and number % 3 == 0):
            moment += _STEP
            rounds.append(Round(moment, {}, "again on unchanged sources"))
        moment += _STEP
        changed = self._evolved(first, rng, moment)
        rounds.append(Round(moment, changed, "sources changed, late rows among them"))
        if self.incremental and number % 3 != 2:
            moment += _STEP
            rounds.append(Round(moment, {}, "again on unchanged sources"))
        if self.incremental and number % 3 == 2:
            moment += _STEP
            changed = self._evolved(changed, rng, moment, again=True)
            rounds.append(Round(moment, changed, "sources changed once more"))
        prior: Rows = ()
        if self.prior_share and (number % 4 == 3 or rng.random() < self.prior_share - 0.25):
            prior = self._prior(size, rng)
        return Case(tuple(rounds), prior, parameters)

    # -- tables --------------------------------------------------------------------------------

    def _tables(self, tables: Iterable[Table], size: int, rng: random.Random) -> dict[str, Rows]:
        found: dict[str, Rows] = {}
        for table in tables:
            empty = size == 0 or rng.random() < self._style.empty
            count = 0 if empty else max(1, size + rng.choice((-1, 0, 0, 1)))
            rows = [self._row(table, rng) for _ in range(count)]
            for index in range(1, len(rows)):
                if rng.random() < 0.45:
                    rows[index] = self._sibling(table, rng.choice(rows[:index]), rng)
            keyed = self.trouble.keyed(table, self.hints, rng)
            found[table_key(table)] = self._keyed(keyed, rows, rng)
        for foreign in self.subject.references:
            _respect(foreign, found, self.subject, rng)
        return found

    def _prior(self, size: int, rng: random.Random) -> Rows:
        target = self.subject.table(".".join(self.subject.target_key))
        if target is None:
            return ()
        rows = [self._row(target, rng) for _ in range(max(1, size))]
        keys = [c for c in stored_columns(target) if c.name.lower() in self.unique]
        for row in rows:
            for column in keys:
                if row.get(column.name) is None:  # a key by which rows are told apart
                    row[column.name] = self._pool(target, column)[0]
        for index in range(1, len(rows)):
            if rng.random() < 0.7:
                rows[index] = self._sibling(target, rng.choice(rows[:index]), rng)
        keyed = replace(target, keys=(*target.keys, self.unique)) if self.unique else target
        kept = [
            row
            for row in self._keyed(keyed, rows, rng)
            if all(row.get(column.name) is not None for column in keys)
        ]
        identity = [c.name for c in target.columns if c.identity]
        return tuple(
            {**row, **dict.fromkeys(identity, number)} for number, row in enumerate(kept, start=1)
        )

    def _row(self, table: Table, rng: random.Random) -> dict[str, object]:
        row: dict[str, object] = {}
        number = rng.randrange(1, 1000)
        for column in stored_columns(table):
            if column.type.name is TypeName.ROWVERSION:
                continue
            row[column.name] = self._cell(table, column, rng, number)
        return row

    def _cell(self, table: Table, column: Column, rng: random.Random, number: int) -> object:
        if column.identity:
            return rng.choice((1, 2, 3, 4, 5))
        spared = self.trouble.spares("null")
        if column.nullable and not spared and rng.random() < self._style.null:
            return None
        pool = self.trouble.bearable(self._pool(table, column))
        if len(pool) > self._style.narrow and rng.random() < self._style.focus:
            return rng.choice(pool[: self._style.narrow])
        return rng.choice(pool)

    def _pool(self, table: Table, column: Column) -> list[object]:
        key = (table_key(table), column.name)
        if key not in self._pools:
            self._pools[key] = candidates(
                column,
                self.hints,
                self.subject.clock,
                is_key=self._is_key(table, column),
                vary_case=self.subject.collation == "preserve",
            )
        return self._pools[key]

    def _is_key(self, table: Table, column: Column) -> bool:
        name = column.name.lower()
        declared = {c.lower() for key in table.keys for c in key}
        return name in declared or name in self.hints.same or name.endswith(_KEY_ENDINGS)

    def _sibling(self, table: Table, row: Row, rng: random.Random) -> dict[str, object]:
        """A row that differs from another in one or two columns, or not at all."""
        copy = dict(row)
        columns = [c for c in stored_columns(table) if c.name in copy]
        for column in rng.sample(columns, min(len(columns), rng.choice((0, 1, 1, 2)))):
            copy[column.name] = self._cell(table, column, rng, 0)
        return copy

    def _keyed(
        self, table: Table, rows: list[dict[str, object]], rng: random.Random
    ) -> tuple[Row, ...]:
        """Rows that break no declared key: the key is drawn again, then the row dropped."""
        keys = list(table.keys) + [(c.name,) for c in table.columns if c.identity]
        names = {c.name.lower(): c for c in table.columns}
        kept: list[Row] = []
        seen: list[set[tuple[object, ...]]] = [set() for _ in keys]
        for row in rows:
            for _ in range(6):
                values = [_key_of(row, key, names) for key in keys]
                clash = [i for i, v in enumerate(values) if v in seen[i]]
                if not clash:
                    break
                for name in keys[clash[0]]:
                    column = names.get(name.lower())
                    if column is not None and column.name in row:
                        row[column.name] = self._fresh(table, column, rng)
            else:
                continue
            for index, value in enumerate(values):
                seen[index].add(value)
            kept.append(row)
        return tuple(kept)

    def _fresh(self, table: Table, column: Column, rng: random.Random) -> object:
        if column.type.is_integer and column.type.name is not TypeName.BIT:
            return rng.randrange(1, 20)
        return self._cell(table, column, rng, 0)

    # -- evolution -----------------------------------------------------------------------------

    def _evolved(
        self, before: dict[str, Rows], rng: random.Random, moment: datetime, again: bool = False
    ) -> dict[str, Rows]:
        """The same tables later: some rows gone, some changed, some new, some of them late.

        ``again``: nearly every row stays and changes, so that some of them change twice.
        """
        gone, changed = (0.05, 0.9) if again else (0.2, 0.5)
        found: dict[str, Rows] = {}
        for table in self.sources:
            key = table_key(table)
            rows = [dict(row) for row in before.get(key, ()) if rng.random() > gone]
            if self.trouble.spares("duplicate") and rng.random() < 0.3:
                rows = []  # what was loaded is not there to be loaded again
            for row in rows:
                if rng.random() < changed:
                    self._change(table, row, rng, moment)
            for _ in range(rng.choice((0, 1, 1, 2))):
                row = self._row(table, rng)
                if rng.random() < 0.5:
                    self._touch(table, row, moment)
                rows.append(row)
            found[key] = self._keyed(self.trouble.keyed(table, self.hints, rng), rows, rng)
        for foreign in self.subject.references:
            _respect(foreign, found, self.subject, rng)
        return found

    def _change(
        self, table: Table, row: dict[str, object], rng: random.Random, moment: datetime
    ) -> None:
        keys = {c.lower() for key in table.keys for c in key}
        free = [
            c
            for c in stored_columns(table)
            if c.name in row and c.name.lower() not in keys and not c.identity
        ]
        for column in rng.sample(free, min(len(free), rng.choice((1, 1, 1, 2)))):
            row[column.name] = self._cell(table, column, rng, 0)
        if rng.random() < 0.7:
            self._touch(table, row, moment)

    def _touch(self, table: Table, row: dict[str, object], moment: datetime) -> None:
        """Modified dates of a row move to just before the run."""
        for column in stored_columns(table):
            name = column.name.lower()
            if not any(word in name for word in ("modif", "updat", "chang", "load", "creat")):
                continue
            shifted = moment - timedelta(hours=2)
            if column.type.name is TypeName.DATE:
                row[column.name] = shifted.date()
            elif column.type.is_datetime and column.type.name is not TypeName.TIME:
                row[column.name] = shifted.replace(microsecond=0, second=0)


def _key_of(row: Row, key: Iterable[str], names: dict[str, Column]) -> tuple[object, ...]:
    found = []
    for name in key:
        column = names.get(name.lower())
        value = row.get(column.name) if column is not None else None
        found.append(value.rstrip(" ").casefold() if isinstance(value, str) else value)
    return tuple(found)


def _respect(
    foreign: EnforcedKey, tables: dict[str, Rows], subject: Subject, rng: random.Random
) -> None:
    """Point every row that breaks an enforced foreign key at a parent, or at nothing."""
    child, parent = subject.table(foreign.table), subject.table(foreign.parent)
    if child is None or foreign.table not in tables or foreign.parent not in tables:
        return
    if parent is None:
        return
    columns = [child.column(c) for c in foreign.columns]
    targets = [parent.column(c) for c in foreign.parent_columns]
    if None in columns or None in targets:
        return
    names = [c.name for c in columns if c is not None]
    wanted = [c.name for c in targets if c is not None]
    there = [tuple(row.get(n) for n in wanted) for row in tables[foreign.parent]]
    kept: list[Row] = []
    for row in tables[foreign.table]:
        value = tuple(row.get(n) for n in names)
        if None in value or value in there:
            kept.append(row)
        elif there and rng.random() < 0.85:
            kept.append({**row, **dict(zip(names, rng.choice(there), strict=True))})
        elif all(c is not None and c.nullable for c in columns):
            kept.append({**row, **dict.fromkeys(names)})
    tables[foreign.table] = tuple(kept)
