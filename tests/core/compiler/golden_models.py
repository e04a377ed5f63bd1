"""Models kept as files and read by eye; ``python -m tests.core.compiler.golden_models`` rewrites.

The procedures are those of the compiler's own tests, the ones of many trades in ``breadth/``, and
one of each kind from the corpus. Each file is the exact text of the model: a change in layout,
naming or order shows in the diff.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.compiler import Compiled, compile_procedure
from core.tsql.schema import Schema
from tests.core.compiler import breadth_cases, corpus, test_control_flow
from tests.core.compiler.corpus import CorpusProcedure
from tests.core.compiler.test_differential import OURS
from tests.core.compiler.warehouse import SCHEMA

FOLDER = Path(__file__).parent / "golden"
SHORTEST = 20
LONGEST = 200
"""The lengths of the models kept, in lines: longer ones nobody reads."""

MORE = {
    "chained daily sales": (
        test_control_flow.CHAIN.format(between="", after=test_control_flow.DAILY),
        "silver.dailysales",
    ),
}


@dataclass(frozen=True)
class Golden:
    """A model, and the schema of the warehouse whose tables it reads."""

    name: str
    sql: str
    schema: Schema
    target: str


def models() -> list[Golden]:
    """Everything that compiles and is of a length to be read, by name."""
    found: dict[str, Golden] = {}
    for name, (source, target) in {**OURS, **MORE}.items():
        result = compile_procedure(source, target, SCHEMA)
        assert isinstance(result, Compiled), (name, result)
        stem = name.replace(" ", "_")
        found[stem] = Golden(stem, result.sql, SCHEMA, target)
    for procedure in _procedures():
        for target in procedure.targets:
            result = compile_procedure(
                procedure.source, target, procedure.schema, procedure.options
            )
            if isinstance(result, Compiled) and SHORTEST <= result.sql.count("\n") <= LONGEST:
                stem = f"{procedure.file.removesuffix('.sql')}__{target.replace('.', '_')}"
                found.setdefault(stem, Golden(stem, result.sql, procedure.schema, target))
    return [found[stem] for stem in sorted(found)]


def _procedures() -> Iterator[CorpusProcedure]:
    for name in breadth_cases.names():
        yield from breadth_cases.procedures(name)
    kinds: set[str] = set()
    for warehouse in corpus.warehouses()[::2]:
        for procedure in corpus.procedures(warehouse):
            kind = procedure.file.removesuffix(".sql").removeprefix(warehouse)
            if kind not in kinds:
                kinds.add(kind)
                yield procedure


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    kept = {f"{golden.name}.sql": golden.sql for golden in models()}
    for path in FOLDER.glob("*.sql"):
        if path.name not in kept:
            path.unlink()
    for name, text in kept.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
