"""Models kept as files and read by eye; ``python -m tests.core.compiler.golden_models`` rewrites.

The procedures are those of the compiler's own tests and one of each kind from the corpus. Each
file is the exact text of the model: a change in layout, naming or order shows in the diff.
"""

from __future__ import annotations

from pathlib import Path

from core.compiler import Compiled, compile_procedure
from tests.core.compiler import corpus, test_control_flow, test_data_statements, test_loops
from tests.core.compiler.test_differential import OURS
from tests.core.compiler.warehouse import SCHEMA

FOLDER = Path(__file__).parent / "golden"
LIMIT = 200
"""The longest model kept, in lines: longer ones nobody reads."""

MORE = {
    "watermark": (test_data_statements.UPDATE_INSERT, "silver.customer"),
    "chained daily sales": (
        test_control_flow.CHAIN.format(between="", after=test_control_flow.DAILY),
        "silver.dailysales",
    ),
    "day by day": (test_loops.DAYS, "silver.factorders"),
}


def models() -> dict[str, str]:
    """File name to the model's text, for everything that compiles."""
    found: dict[str, str] = {}
    for name, (source, target) in {**OURS, **MORE}.items():
        result = compile_procedure(source, target, SCHEMA)
        assert isinstance(result, Compiled), (name, result)
        found[f"{name.replace(' ', '_')}.sql"] = result.sql
    for warehouse in corpus.warehouses()[::2]:
        for procedure in corpus.procedures(warehouse):
            for target in procedure.targets[:1]:
                result = compile_procedure(
                    procedure.source, target, procedure.schema, procedure.options
                )
                if isinstance(result, Compiled) and result.sql.count("\n") <= LIMIT:
                    stem = procedure.file.removesuffix(".sql")
                    found[f"{stem}__{target.replace('.', '_')}.sql"] = result.sql
    return found


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    kept = models()
    for path in FOLDER.glob("*.sql"):
        if path.name not in kept:
            path.unlink()
    for name, text in kept.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
