"""What a compilation is told about the project: names, keys, lookups, wishes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SourceInput:
    """A table read with ``{{ source('schema', 'table') }}``, names as dbt knows them."""

    schema: str
    table: str


@dataclass(frozen=True, slots=True)
class ModelInput:
    """A table read with ``{{ ref('model') }}`` because a model of the project builds it."""

    model: str


Input = SourceInput | ModelInput


class Collation(StrEnum):
    """How text comparisons are emitted; see `core.tsql.meaning`."""

    ASSUME_CONSISTENT = "assume-consistent"
    PRESERVE = "preserve"


class Correction(StrEnum):
    """What an author can ask of a second compilation after evidence from tests or review."""

    CAST_COLUMNS = "cast_columns"
    """Cast every column of the final projection to the target's type, needed or not."""
    ADD_TIE_BREAKERS = "add_tie_breakers"
    """Make ROW_NUMBER and TOP deterministic by ordering by the remaining columns too."""
    FOLD_COLLATION = "fold_collation"
    """Compare text without case and trailing blanks whatever the collation policy says."""
    AS_TABLE = "as_table"
    """Materialize as a table where that is sound."""
    AS_INCREMENTAL = "as_incremental"
    """Materialize incrementally where that is sound."""


def _none(_: str) -> None:
    return None


@dataclass(frozen=True)
class CompileOptions:
    """Everything but the procedure, its target and the schema.

    Keys of the lookups are ``schema.name`` in lower case (``database.schema.name`` for another
    database). ``relation`` says how the project reads a table, None for "as a source under its
    own name". ``procedure``, ``view`` and ``function`` give the CREATE text of an object of the
    project, or None. ``clock`` is Jinja and SQL for the run's moment.
    """

    model_name: str = ""
    relation: Callable[[str], Input | None] = _none
    procedure: Callable[[str], str | None] = _none
    view: Callable[[str], str | None] = _none
    function: Callable[[str], str | None] = _none
    classification: str | None = None
    primary_key: tuple[str, ...] = ()
    natural_key: tuple[str, ...] = ()
    watermark: str | None = None
    collation: Collation = Collation.ASSUME_CONSISTENT
    clock: str = "cast({{ current_timestamp() }} as timestamp)"
    corrections: frozenset[Correction] = field(default_factory=frozenset)
    infer_columns: bool = False
    """Tables the schema does not know get the columns the procedure uses of them."""
