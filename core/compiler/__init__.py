"""From a T-SQL load procedure to one readable dbt SELECT, by symbolic execution.

``compile_procedure(source, target, schema, options)`` gives a `Compiled` model or an `Unsupported`
reason; it never emits a model with a hole. How it works, in the order of the modules:

relations, registry   immutable queries, one per CTE, translated when they are made
state                 table contents as disjoint row groups, variables as closed expressions
executor, flow        statements transform the state; IF guards row groups
inserts, updates, deletes, merges, through_cte, outputs, loops, routines   what statements do
plan                  the final state's materialization
emit, layout, tidy, jinja   the model's text
"""

from __future__ import annotations

from core.compiler.compile import compile_procedure
from core.compiler.options import (
    Collation,
    CompileOptions,
    Correction,
    ModelInput,
    SourceInput,
)
from core.compiler.result import (
    Assumption,
    AssumptionKind,
    Compiled,
    CteLines,
    Dropped,
    Unsupported,
)

__all__ = [
    "Assumption",
    "AssumptionKind",
    "Collation",
    "CompileOptions",
    "Compiled",
    "Correction",
    "CteLines",
    "Dropped",
    "ModelInput",
    "SourceInput",
    "Unsupported",
    "compile_procedure",
]
