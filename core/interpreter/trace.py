"""The trace of a run: which statement ran, in which module, and how many rows it touched."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One executed statement; `rows` is @@ROWCOUNT after it, -1 when it failed.

    `tables` holds, when asked for, the content of watched tables after the statement.
    """

    module: str | None
    line: int
    kind: str
    rows: int
    tables: dict[str, tuple[tuple[object, ...], ...]] = field(default_factory=dict, hash=False)
