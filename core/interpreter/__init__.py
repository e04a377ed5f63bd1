"""The reference: T-SQL runs on a private in-memory DuckDB with SQL Server's semantics.

    from core.interpreter import Reference

    with Reference(schema, modules) as reference:      # modules: T-SQL texts or syntax trees
        reference.set_clock(datetime(2024, 6, 15))
        reference.not_executable("silver.usp_Load")    # -> () or what it could not run, with lines
        reference.load("bronze.Customer", [{"CustomerID": 1, "Name": "A"}])
        result = reference.run_procedure("silver.usp_Load", {"@Date": "2024-06-01"})
        result.error, result.return_code, result.result_sets, result.findings
        reference.table("silver.DimCustomer").dicts()
        reference.reset()                              # cheap: the next data set can be loaded

``Reference(…, full_coverage=True)`` also counts how predicates, CASE arms and joins come out:
``reference.coverage.reached`` and ``.missing`` are sets of `Outcome` (module, line, number, kind,
outcome), ``reference.coverage.clear()`` starts anew.

``run_script(text)`` runs any script batch by batch. Types come from `core.tsql.schema`; a project's
are made by `core.warehouse` (see `core.interpreter.project_reference`).

It shares no translation of expressions with the model side (``core.tsql.meaning``), on purpose: two
independent readings of the same text are what makes their agreement mean something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.interpreter.context import Finding, Profile
    from core.interpreter.coverage import Coverage, Outcome
    from core.interpreter.engine import Limits
    from core.interpreter.errors import NotExecutable, Refused, SqlError
    from core.interpreter.reference import Reference
    from core.interpreter.results import BatchResult, ErrorInfo, RunResult, TableRows

_WHERE = {
    "Finding": "context",
    "Profile": "context",
    "Coverage": "coverage",
    "Limits": "engine",
    "NotExecutable": "errors",
    "Outcome": "coverage",
    "Refused": "errors",
    "SqlError": "errors",
    "Reference": "reference",
    "BatchResult": "results",
    "ErrorInfo": "results",
    "RunResult": "results",
    "TableRows": "results",
}

__all__ = [
    "BatchResult",
    "Coverage",
    "ErrorInfo",
    "Finding",
    "Limits",
    "NotExecutable",
    "Outcome",
    "Profile",
    "Reference",
    "Refused",
    "RunResult",
    "SqlError",
    "TableRows",
]


def __getattr__(name: str) -> object:
    """Modules that import DuckDB and sqlglot are loaded on first use."""
    if name not in _WHERE:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"core.interpreter.{_WHERE[name]}"), name)
