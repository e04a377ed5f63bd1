"""The model's side: what dbt sends for it, recorded once and sent again for every data set.

dbt runs the model once into nothing and once into the table it made; the statements it sent hold
the model's own compiled SQL as a part. Other parameter values and mutants are that part replaced,
so that thousands of runs need one dbt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from core.dbt.facts import FactsError, ModelFacts, read_facts
from core.dbt.replay import Recording, create_inputs, set_clock, stub_name
from core.dbt.scenarios import parameters_of
from core.dbt.template import MissingVarError, StubResolver, bind_vars, quoted
from core.dbt.values import Misfit, duckdb_type, read_value
from core.dbt.verify import InputKind, InputRelation
from core.equivalence.procedure_side import Observed
from core.equivalence.subject import Subject
from core.project.names import QualifiedName
from core.project.testspec import UnitTest

_TEMPORARY = re.compile(r'create\s+temporary\s+table\s+"((?:[^"]|"")+)"', re.IGNORECASE)
_COMMENT = re.compile(r"^\s*/\*.*?\*/", re.DOTALL)
_QUESTION = re.compile(r"\s*select\b", re.IGNORECASE)


class ModelError(Exception):
    """The model cannot be run at all; the message says why."""


@dataclass(frozen=True)
class Compiled:
    """The SQL of both branches as dbt compiled them."""

    full: str
    incremental: str


@dataclass(frozen=True)
class Variant:
    """The model with one set of parameter values: its compiled SQL and what dbt sends for it."""

    compiled: Compiled
    recording: Recording


RunRecorder = Callable[[str, bool], "Variant | str"]
"""Runs a model's text (vars bound) with dbt, also into the table that made if incremental; or why
it cannot be run."""


@dataclass
class ModelSide:
    """One model on one connection of the worker's database."""

    subject: Subject
    connection: Any
    record: RunRecorder
    facts: ModelFacts
    variants: dict[str, Variant] = field(default_factory=dict)
    _loaded: dict[str, list[Mapping[str, object]]] = field(default_factory=dict)
    """The rows each input holds, so that the same ones are not loaded again."""
    _temporary: list[str] = field(default_factory=list)
    """Temporary tables that the statements sent last have made."""

    @classmethod
    def open(cls, subject: Subject, connection: Any, record: RunRecorder) -> ModelSide:
        """Read the model and create its inputs, empty. Raises `ModelError`."""
        known = {
            r.key: [(c.name, duckdb_type(c.sql_type)) for c in r.columns] for r in subject.inputs
        }
        facts = read_facts(subject.sql, known)
        if isinstance(facts, FactsError):
            raise ModelError(facts.message)
        create_inputs(connection, subject.inputs, subject.model_name)
        set_clock(connection, subject.clock)
        side = cls(subject, connection, record, facts)
        side._create_target()
        return side

    def _create_target(self) -> None:
        """dbt's statements are recorded, and sent, with the table there: they replace it."""
        import duckdb

        from core.dbt.database import create_table

        resolver = StubResolver(placeholder="0")
        text = self.facts.template.render(resolver, incremental=False).text
        try:
            self.connection.execute(
                f"create table {self._target} as select * from (\n{text}\n) limit 0"
            )
        except (duckdb.Error, MissingVarError):
            create_table(self.connection, self._target, self.subject.target.columns)

    @property
    def incremental(self) -> bool:
        """Whether the model keeps rows between runs."""
        return self.facts.config.is_incremental

    def inputs_of(self) -> frozenset[str]:
        """Keys of the tables the model reads."""
        return frozenset(r.table.item_id for r in self.subject.inputs)

    def built_inputs(self) -> frozenset[str]:
        """Those of them that another model makes (``ref``)."""
        refs = (r for r in self.subject.inputs if r.kind is InputKind.REF)
        return frozenset(r.table.item_id for r in refs)

    # -- variants ------------------------------------------------------------------------------

    def variant(self, parameters: Mapping[str, object]) -> Variant:
        """The model called with these parameters. Raises `ModelError`."""
        call = UnitTest(
            name="call",
            target_table=self.subject.target.table,
            procedure=QualifiedName.parse(self.subject.procedure),
            parameters={k: _spelled(v) for k, v in parameters.items()},
        )
        found = parameters_of(self.facts, call)
        if found.missing:
            raise ModelError(f"the model needs a value for {', '.join(found.missing)}")
        text = bind_vars(self.subject.sql, found.values) if found.values else self.subject.sql
        if text not in self.variants:
            self.variants[text] = self._recorded(text)
        return self.variants[text]

    def _recorded(self, text: str) -> Variant:
        variant = self.record(text, self.incremental)
        if isinstance(variant, str):
            raise ModelError(variant)
        return variant

    def mutated(self, variant: Variant, full: str, incremental: str) -> Variant | None:
        """The variant with other compiled SQL; ``None`` when the SQL is not found in dbt's."""
        old = variant.compiled
        new_full = _replaced(variant.recording.full, old.full, full)
        new_incremental = _replaced(variant.recording.incremental, old.incremental, incremental)
        if new_full is None or (variant.recording.incremental and new_incremental is None):
            return None
        recording = replace(variant.recording, full=new_full, incremental=new_incremental or ())
        return Variant(Compiled(full, incremental), recording)

    # -- running -------------------------------------------------------------------------------

    def start(self, variant: Variant, prior: Sequence[Mapping[str, object]]) -> bool:
        """Before the first round: no table, or one with prior rows. Whether there is a table."""
        self.connection.execute(f"delete from {self._target}")
        if not prior:
            return False
        for relation in self.subject.inputs:
            self._load(relation, [])
        self._send(variant.recording.full)
        self.connection.execute(f"delete from {self._target}")
        described = self.connection.execute(f"select * from {self._target} limit 0").description
        types = {c.name.casefold(): c.sql_type for c in self.subject.target.columns}
        columns = [(d[0], types.get(d[0].casefold(), "")) for d in described or []]
        self._insert(self._target, columns, prior)
        return True

    def run(self, variant: Variant, seen: Observed, moment: datetime, *, first: bool) -> None:
        """One round, on the rows the procedure found when it began.

        A model that is read with ``ref`` has run before this one, so the table it stands for is
        read as the procedure left it.
        """
        set_clock(self.connection, moment)
        for relation in self.subject.inputs:
            if self._is_itself(relation):
                continue
            key = relation.table.item_id
            rows = seen.before.get(key, [])
            if relation.kind is InputKind.REF and key in seen.changed_inputs:
                rows = seen.changed_inputs[key]
            self._load(relation, rows)
        incremental = not first and bool(variant.recording.incremental)
        self._send(variant.recording.incremental if incremental else variant.recording.full)

    def rows(self) -> list[dict[str, object]]:
        """What the model's table holds."""
        cursor = self.connection.execute(f"select * from {self._target}")
        names = [d[0] for d in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def rollback(self) -> None:
        """After an error: end the transaction dbt's statements began."""
        import duckdb

        try:
            self.connection.execute("rollback")
        except duckdb.Error:
            return

    @property
    def _target(self) -> str:
        return f"main.{quoted(self.subject.model_name)}"

    def _is_itself(self, relation: InputRelation) -> bool:
        return relation.kind is InputKind.REF and relation.name == self.subject.model_name

    def _load(self, relation: InputRelation, rows: Sequence[Mapping[str, object]]) -> None:
        """Let an input hold these rows and no others."""
        name = stub_name(relation)
        if self._is_itself(relation) or self._loaded.get(name) == rows:
            return
        self.connection.execute(f"delete from {name}")
        self._insert(name, [(c.name, c.sql_type) for c in relation.columns], rows)
        self._loaded[name] = list(rows)

    def _insert(
        self,
        name: str,
        columns: Sequence[tuple[str, str]],
        rows: Iterable[Mapping[str, object]],
    ) -> None:
        listed = list(rows)
        if not listed or not columns:
            return
        marks = "(" + ", ".join("?" for _ in columns) + ")"
        names = ", ".join(quoted(c) for c, _ in columns)
        values: list[object] = []
        for row in listed:
            folded = {k.casefold(): v for k, v in row.items()}
            values += [_stored(folded.get(c.casefold()), sql_type) for c, sql_type in columns]
        self.connection.execute(
            f"insert into {name} ({names}) values {', '.join([marks] * len(listed))}", values
        )

    def _send(self, statements: Sequence[str]) -> None:
        for name in self._temporary:
            self.connection.execute(f"drop table if exists temp.{quoted(name)}")
        self._temporary = [m[1] for s in statements for m in _TEMPORARY.finditer(s)]
        for statement in statements:
            self.connection.execute(statement)


def _stored(value: object, sql_type: str) -> object:
    if value is None or not sql_type:
        return value
    read = read_value(value, sql_type)
    return value if isinstance(read, Misfit) else read


def _spelled(value: object) -> object:
    return value if isinstance(value, int | str) else str(value)


def _replaced(statements: Sequence[str], old: str, new: str) -> tuple[str, ...] | None:
    found = tuple(s.replace(old, new) for s in statements)
    return found if not statements or any(old in s for s in statements) else None


def _effective(statements: Sequence[str]) -> tuple[str, ...]:
    """The statements that change something: what dbt asks about the catalog is its own affair."""
    return tuple(s for s in statements if not _QUESTION.match(_COMMENT.sub("", s, count=1)))


# -- recording with dbt ----------------------------------------------------------------------------


def dbt_recorder(folder: Path, subject: Subject) -> RunRecorder:
    """Records with a warm dbt in the worker's mini-project in ``folder``."""
    from core.dbt.dbt_session import DbtSession, plain
    from core.dbt.miniproject import write_item

    session = DbtSession(folder)

    def run(full_refresh: bool) -> tuple[str, tuple[str, ...]] | str:
        done, statements = session.run(subject.model_name, full_refresh=full_refresh)
        if done.error:
            return done.error
        for result in done.results:
            if str(result.status) not in ("success", "pass"):
                return plain(str(result.message or "dbt could not run the model"))
        if not done.results:
            return "dbt did not run the model"
        compiled = str(getattr(done.results[0].node, "compiled_code", "") or "").strip()
        return compiled, tuple(statements)

    def record(text: str, incremental: bool) -> Variant | str:
        write_item(folder, subject.model_name, text, "version: 2\n", subject.inputs)
        parsed = session.parse()
        if parsed.error:
            return parsed.error
        full = run(True)
        if isinstance(full, str):
            return full
        if not incremental:
            return Variant(Compiled(full[0], full[0]), Recording(_effective(full[1])))
        later = run(False)
        if isinstance(later, str):
            return later
        recording = Recording(_effective(full[1]), _effective(later[1]))
        return Variant(Compiled(full[0], later[0]), recording)

    return record
