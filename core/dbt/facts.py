"""What can be read from a model's text: configuration, inputs, CTEs, columns, clock, watermark.

A model is its SQL text; whatever the YAML, the reviewer and the results need to know about it
is read from that text here, the same way whoever wrote it. Nothing runs and dbt is not imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.dbt.allowlist import Finding
from core.dbt.template import (
    ModelTemplate,
    Rendered,
    Resolver,
    StubResolver,
    parse_template,
)


class CteRole(StrEnum):
    """What a CTE is for in the import / logical / final pattern."""

    IMPORT = "import"
    LOGICAL = "logical"
    FINAL = "final"


@dataclass(frozen=True)
class ModelConfig:
    """The ``config(...)`` block. ``other`` holds the keys that have no field of their own."""

    materialized: str = "view"
    incremental_strategy: str = ""
    unique_key: tuple[str, ...] = ()
    on_schema_change: str = ""
    declared: bool = False
    other: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_incremental(self) -> bool:
        """Whether runs after the first add to the table."""
        return self.materialized == "incremental"


@dataclass(frozen=True)
class RefUse:
    """``{{ ref('name') }}``."""

    name: str
    line: int


@dataclass(frozen=True)
class SourceUse:
    """``{{ source('source', 'table') }}``."""

    source: str
    table: str
    line: int


@dataclass(frozen=True)
class VarUse:
    """``{{ var('name', default) }}``; ``default`` means nothing unless ``has_default``."""

    name: str
    default: object
    has_default: bool
    line: int


@dataclass(frozen=True)
class CteFact:
    """One CTE of the outermost WITH; lines of the model's text, inclusive.

    ``relation`` is what an import CTE imports: ``ref:name``, ``source:schema.table``, ``this``.
    """

    name: str
    first_line: int
    last_line: int
    role: CteRole
    relation: str = ""


@dataclass(frozen=True)
class ColumnFact:
    """One column the model returns; ``type`` is DuckDB SQL, empty where it cannot be read.

    ``origin`` is ``relation.column`` (``source:bronze.Orders.OrderID``) when the value is that
    column as it is, casts apart.
    """

    name: str
    type: str = ""
    line: int = 0
    clock: bool = False
    origin: str = ""


@dataclass(frozen=True)
class FactsError:
    """Why a text cannot be read as a model."""

    message: str
    line: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Branches:
    """The two texts of a model: as runs after the first see it, and as a first run does."""

    incremental: Rendered
    full: Rendered


@dataclass(frozen=True)
class ModelFacts:
    """Everything read from one model.

    ``columns`` is empty when a ``select *`` over an unknown relation hides them;
    ``columns_complete`` then is False. ``watermark_column`` is the column of the model's own
    table whose maximum the incremental branch filters behind.
    """

    template: ModelTemplate
    config: ModelConfig
    refs: tuple[RefUse, ...]
    sources: tuple[SourceUse, ...]
    vars: tuple[VarUse, ...]
    uses_this: bool
    uses_is_incremental: bool
    uses_clock: bool
    ctes: tuple[CteFact, ...]
    columns: tuple[ColumnFact, ...]
    columns_complete: bool
    uses_watermark: bool
    watermark_column: str
    branches: Branches

    @property
    def clock_columns(self) -> tuple[str, ...]:
        """Columns whose value depends on the current time."""
        return tuple(c.name for c in self.columns if c.clock)

    @property
    def required_vars(self) -> tuple[str, ...]:
        """Vars that have no default anywhere."""
        defaults = {v.name for v in self.vars if v.has_default}
        return tuple(dict.fromkeys(v.name for v in self.vars if v.name not in defaults))

    def cte(self, name: str) -> CteFact | None:
        """The CTE of that name in any case."""
        return next((c for c in self.ctes if c.name.casefold() == name.casefold()), None)

    def column(self, name: str) -> ColumnFact | None:
        """The returned column of that name in any case."""
        return next((c for c in self.columns if c.name.casefold() == name.casefold()), None)

    def line_of_cte(self, name: str) -> int:
        """First line of a CTE, 0 when there is none of that name."""
        cte = self.cte(name)
        return cte.first_line if cte else 0

    def line_of_column(self, name: str) -> int:
        """Line of a returned column, 0 when unknown."""
        column = self.column(name)
        return column.line if column else 0

    def cte_at(self, line: int) -> CteFact | None:
        """The CTE that spans a line of the model."""
        return next((c for c in self.ctes if c.first_line <= line <= c.last_line), None)


Relations = Mapping[str, Sequence[tuple[str, str]]]
"""Relation key (``ref:x``, ``source:schema.table``, ``this``) to its columns: name, DuckDB type."""


def read_facts(sql: str, relations: Relations | None = None) -> ModelFacts | FactsError:
    """Read a model's text.

    ``relations`` lets ``select *`` over an input be expanded; its keys are compared without
    case. The text is not judged here beyond what has to be understood: see ``core.dbt.guard``.
    """
    template = parse_template(sql)
    if not isinstance(template, ModelTemplate):
        return FactsError(template[0].message, template[0].line, template)
    config = read_config(template)
    stub = StubResolver(placeholder="0")
    branches = render_template(template, stub, config)
    from core.dbt.lineage import SqlShape, read_shape

    shape = read_shape(branches.incremental, relations or {})
    if isinstance(shape, Finding):
        return FactsError(shape.message, shape.line, (shape,))
    assert isinstance(shape, SqlShape)
    other = branches.full.text == branches.incremental.text
    full = shape if other else read_shape(branches.full, relations or {})
    clock = {name.casefold() for name in shape.clock_columns}
    if isinstance(full, SqlShape):
        clock |= {name.casefold() for name in full.clock_columns}
    names = {call.name for call in template.calls}
    return ModelFacts(
        template=template,
        config=config,
        refs=tuple(RefUse(str(c.args[0]), c.line) for c in template.calls if c.name == "ref"),
        sources=tuple(
            SourceUse(str(c.args[0]), str(c.args[1]), c.line)
            for c in template.calls
            if c.name == "source"
        ),
        vars=_vars(template),
        uses_this=bool(template.this_lines),
        uses_is_incremental="is_incremental" in names,
        uses_clock="current_timestamp" in names or shape.wall_clock,
        ctes=shape.ctes,
        columns=tuple(replace(c, clock=c.name.casefold() in clock) for c in shape.columns),
        columns_complete=shape.columns_complete,
        uses_watermark=bool(shape.watermark_column) and config.is_incremental,
        watermark_column=shape.watermark_column if config.is_incremental else "",
        branches=branches,
    )


def read_config(template: ModelTemplate, resolver: Resolver | None = None) -> ModelConfig:
    """The configuration a template gives itself, vars evaluated with ``resolver``."""
    values = template.config(resolver)
    known = {"materialized", "incremental_strategy", "unique_key", "on_schema_change"}
    key = values.get("unique_key")
    keys = [key] if isinstance(key, str) else key if isinstance(key, list) else []
    return ModelConfig(
        materialized=str(values.get("materialized") or "view"),
        incremental_strategy=str(values.get("incremental_strategy") or ""),
        unique_key=tuple(str(k).strip('"') for k in keys),
        on_schema_change=str(values.get("on_schema_change") or ""),
        declared=any(call.name == "config" for call in template.calls),
        other={k: v for k, v in values.items() if k not in known},
    )


def render_branches(sql: str, resolver: Resolver) -> Branches | FactsError:
    """The SQL of both branches of a model, names replaced by what ``resolver`` says.

    Raises:
        MissingVarError: a ``var`` without default has no value.
    """
    template = parse_template(sql)
    if not isinstance(template, ModelTemplate):
        return FactsError(template[0].message, template[0].line, template)
    return render_template(template, resolver, read_config(template, resolver))


def render_template(template: ModelTemplate, resolver: Resolver, config: ModelConfig) -> Branches:
    """The two branches of a parsed template; equal unless the model is incremental."""
    full = template.render(resolver, incremental=False)
    if not config.is_incremental:
        return Branches(full, full)
    return Branches(template.render(resolver, incremental=True), full)


def _vars(template: ModelTemplate) -> tuple[VarUse, ...]:
    uses = []
    for call in template.calls:
        if call.name == "var":
            has_default = len(call.args) > 1 or "default" in call.kwargs
            default = call.args[1] if len(call.args) > 1 else call.kwargs.get("default")
            uses.append(VarUse(str(call.args[0]), default, has_default, call.line))
    return tuple(uses)
