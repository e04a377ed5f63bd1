"""Makes relations: translates each query once, names its columns, finds its unique keys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from sqlglot import exp

from core.compiler import trees
from core.compiler.keys import unique_keys
from core.compiler.relations import REL, Origin, Relation, RelationKind
from core.compiler.result import Refused
from core.tsql.schema import Column, Schema, Table


@dataclass(frozen=True)
class Translated:
    """A query in DuckDB's SQL with the columns it gives."""

    columns: tuple[Column, ...]
    tree: exp.Expr
    letters: tuple[frozenset[str], ...] = ()
    """How the columns can be written, see `core.compiler.letters`."""


class Translator(Protocol):
    """T-SQL queries over relations to DuckDB (`core.compiler.translate`).

    Raises `Refused` for what has no known meaning.
    """

    def query(self, tree: exp.Expr, schema: Schema) -> Translated:
        """The query in DuckDB's SQL, and its columns."""
        ...

    def imported(self, relation: str, source: str) -> None:
        """Hear under which name queries read a permanent table."""
        ...

    def named(self, relation: str, translated: Translated) -> None:
        """Hear under which name later queries read a translated one."""
        ...


class Relations:
    """The relations of one compilation, hash-consed."""

    def __init__(self, schema: Schema, translator: Translator) -> None:
        self.schema = schema
        self._translator = translator
        self._by_text: dict[str, Relation] = {}
        self._by_id: dict[str, Relation] = {}

    def __getitem__(self, relation_id: str) -> Relation:
        return self._by_id[relation_id]

    def imported(
        self, source: str, table: Table, hint: str, kind: RelationKind = RelationKind.IMPORT
    ) -> Relation:
        """The relation that reads a table from outside the model."""
        text = f"{kind} {source}"
        if text not in self._by_text:
            keys = tuple(frozenset(c.lower() for c in key) for key in table.keys if key)
            self._add(
                text,
                Relation(
                    self._next(),
                    kind,
                    table.columns,
                    hint,
                    source=source,
                    spelled=(table.name.schema or self.schema.default_schema, table.name.name),
                    keys=keys,
                ),
            )
            self._translator.imported(self._by_text[text].id, source)
        return self._by_text[text]

    def query(
        self,
        tree: exp.Expr,
        hint: str,
        origin: Origin | None = None,
        kind: RelationKind = RelationKind.QUERY,
        keys: tuple[frozenset[str], ...] = (),
    ) -> Relation:
        """The relation of a query whose tables are all relations.

        Raises `Refused` when the query has no known meaning or no usable column names.
        """
        text = fingerprint(tree)
        if text in self._by_text:
            return self._by_text[text]
        translated = self._translator.query(tree, self.schema)
        inputs = self._inputs(tree)
        names = [column.name.lower() for column in translated.columns]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise Refused(f"the query gives two columns named '{twice}'", "duplicate column")
        found = unique_keys(tree, {relation.id: relation for relation in inputs})
        relation = Relation(
            self._next(),
            kind,
            translated.columns,
            hint,
            query=tree,
            duckdb=translated.tree,
            origin=origin or Origin(),
            inputs=inputs,
            keys=tuple(dict.fromkeys((*keys, *found))),
        )
        self._add(text, relation)
        self._translator.named(relation.id, translated)
        return relation

    def translated(self, tree: exp.Expr) -> exp.Expr:
        """A query in DuckDB's SQL, without making it a relation. Raises `Refused`."""
        return self._translator.query(tree, self.schema).tree

    def recursive(self, anchor: Relation, hint: str, origin: Origin) -> Relation:
        """A stand-in with the anchor's columns, which the step of a recursive CTE reads."""
        relation = replace(
            anchor, id=self._next(), hint=hint, origin=origin, keys=(), recursive=True
        )
        self._by_id[relation.id] = relation
        self.schema = self.schema.with_table(relation.table())
        return relation

    def recursion(self, stand_in: Relation, tree: exp.Expr, hint: str, origin: Origin) -> Relation:
        """The recursive relation itself, under the stand-in's id: its query reads itself."""
        translated = self._translator.query(tree, self.schema)
        self._translator.named(stand_in.id, translated)
        inputs = tuple(r for r in self._inputs(tree) if r.id != stand_in.id)
        relation = replace(
            stand_in, query=tree, duckdb=translated.tree, inputs=inputs, hint=hint, origin=origin
        )
        self._by_id[relation.id] = relation
        return relation

    def _inputs(self, tree: exp.Expr) -> tuple[Relation, ...]:
        found: dict[str, Relation] = {}
        for table in tree.find_all(exp.Table):
            if table.db == REL:
                found[table.name] = self._by_id[table.name]
        return tuple(found.values())

    def _add(self, text: str, relation: Relation) -> None:
        self._by_text[text] = relation
        self._by_id[relation.id] = relation
        self.schema = self.schema.with_table(relation.table())

    def _next(self) -> str:
        return f"r{len(self._by_id) + 1}"


def fingerprint(tree: exp.Expr) -> str:
    """A text that is equal for equal trees only: the SQL and what the leaf parser noted aside."""
    aside: list[str] = []
    for node in tree.walk():
        noted: Mapping[str, object] = node.meta
        aside.extend(f"{key}={noted[key]}" for key in sorted(noted) if key.startswith("tsql_"))
    digest = hashlib.sha256("\n".join(aside).encode()).hexdigest()[:16] if aside else ""
    return f"{trees.text(tree)} {digest}"
