"""Random rows for a table, for tests only: small pools, so that joins match and miss."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

from core.interpreter.definitions import Definition
from core.tsql.schema import Column
from core.tsql.types import TypeName


def value(column: Column, source: random.Random) -> object:
    type_ = column.type
    if column.nullable and source.random() < 0.15:
        return None
    if type_.name is TypeName.BIT:
        return source.randrange(2)
    if type_.is_integer:
        return source.randrange(1, 6)
    if type_.is_numeric:
        return Decimal(source.randrange(0, 5000)) / 100
    if type_.name is TypeName.TIME:
        return dt.time(10, source.randrange(60))
    if type_.is_datetime:
        return dt.datetime(2024, source.randrange(1, 13), source.randrange(1, 28))
    if type_.is_binary:
        return bytes([source.randrange(256)])
    if type_.name is TypeName.UNIQUEIDENTIFIER:
        return f"6F9619FF-8B86-D011-B42D-00C04FC964F{source.randrange(10)}"
    text = source.choice(["A", "B", "C", "D", "X1"]) + source.choice(["", "1", "2"])
    return text[: type_.length] if type_.length and type_.length > 0 else text


def rows(definition: Definition, count: int, seed: int) -> list[dict[str, object]]:
    """Up to `count` rows that no key of the table forbids."""
    source = random.Random(f"{seed}{definition.table.name}")
    columns = [c for c in definition.table.columns if not c.identity and c.computed is None]
    found: list[dict[str, object]] = []
    seen: set[tuple[str, ...]] = set()
    for _ in range(count):
        row = {column.name: value(column, source) for column in columns}
        keys = [
            (key.name, *(str(row.get(name)).lower() for name in key.columns))
            for key in definition.keys
        ]
        if any(key in seen for key in keys):
            continue
        seen.update(keys)
        found.append(row)
    return found
