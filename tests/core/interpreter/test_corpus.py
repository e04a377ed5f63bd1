"""The corpus of procedures on generated rows: how many the reference can execute.

A procedure that ends with an error of the server was executed (a missing log procedure, a key that
the random rows hold twice); one that is refused was not, and its reason is checked against a list.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from core.interpreter import Limits, Reference
from core.tsql.nodes import CreateProcedure
from core.tsql.parser import parse_script
from core.tsql.schema import Column, Schema
from core.tsql.types import UnknownTypeError, parse_type
from tests.core.interpreter import generated_rows

_CORPUS = Path(__file__).parents[1] / "tsql" / "corpus"
_FILES = sorted(_CORPUS.glob("*.sql"))
#: What a reference without a server may refuse, and one construct nobody has written yet.
ALLOWED = re.compile(
    r"linked server|another (database|server)|OPEN|BULK|xp_|sp_|XML|FOR SYSTEM_TIME|EXEC AT|"
    r"WHERE CURRENT OF|lost clause|syntax|table function|ALTER TABLE SWITCH|NEXT VALUE FOR",
    re.IGNORECASE,
)


def _outcomes(path: Path) -> Counter[str]:
    text = path.read_bytes().decode("utf-8")
    tables = _CORPUS / "tables" / f"{path.stem.split('_')[0]}.sql"
    setup = tables.read_text() if tables.exists() else ""
    named = re.match(r"-- (\w+):", setup)
    found: Counter[str] = Counter()
    limits = Limits(seconds=20, statements=20_000)
    with Reference(Schema(database=named[1] if named else None), limits=limits) as reference:
        reference.run_script(setup)
        for batch in parse_script(text).batches:
            for node in batch.statements:
                if isinstance(node, CreateProcedure):
                    reference.define(node)
        for node in parse_script(text).procedures:
            _fill(reference)
            name = f"{node.name.schema or 'dbo'}.{node.name.name}"
            result = reference.run_procedure(name, _arguments(node))
            if result.error is None:
                found["ran"] += 1
            elif result.error.refused:
                found["refused"] += 1
                assert ALLOWED.search(str(result.error.construct)), (path.name, result.error)
            else:
                found[f"error {result.error.number}"] += 1
    return found


def _fill(reference: Reference) -> None:
    for stored in list(reference.session.store.stored.values()):
        if stored.table.name.is_temporary or stored.table.name.key[0] == "sys":
            continue
        reference.session.store.clear(stored)
        listed = generated_rows.rows(stored.definition, 20, 1)
        reference.session.store.load(stored, listed)


def _arguments(node: CreateProcedure) -> dict[str, object]:
    values: dict[str, object] = {}
    for parameter in node.parameters:
        if parameter.default is not None:
            continue
        try:
            column = Column(parameter.name, parse_type(parameter.type.text), nullable=False)
        except UnknownTypeError:
            continue
        values[parameter.name] = generated_rows.value(column, random.Random(1))
    return values


def _share(files: list[Path]) -> tuple[float, Counter[str]]:
    total: Counter[str] = Counter()
    for path in files:
        total += _outcomes(path)
    executed = sum(total.values()) - total["refused"]
    return executed / sum(total.values()), total


def test_a_sample_executes() -> None:
    share, total = _share(_FILES[::12])
    assert share >= 0.9, total


@pytest.mark.slow
def test_the_corpus_executes() -> None:
    share, total = _share(_FILES)
    print(f"{share:.1%} executed: {dict(total)}")
    assert share >= 0.95, total
