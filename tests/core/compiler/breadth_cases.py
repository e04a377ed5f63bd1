"""Procedures of many trades and hands, each file a small warehouse with its tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from core.compiler import Compiled, Unsupported, compile_procedure
from core.project.files import read_text
from core.tsql.parser import parse_script
from tests.core.compiler.corpus import CorpusProcedure, procedures_of

FOLDER = Path(__file__).parent / "breadth"


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.sql")))


def procedures(name: str) -> Iterator[CorpusProcedure]:
    """The procedures of one file that write a permanent table."""
    file = f"{name}.sql"
    yield from procedures_of({file: parse_script(read_text(FOLDER / file))})


def results(procedure: CorpusProcedure) -> dict[str, Compiled | Unsupported]:
    """What the compiler says of each target of a procedure."""
    return {
        target: compile_procedure(procedure.source, target, procedure.schema, procedure.options)
        for target in procedure.targets
    }
