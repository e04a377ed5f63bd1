"""One trial: the rows both sides start from, what happens to the sources between rounds.

A case is explicit, so that a counterexample can be written down, shrunk and replayed without the
generator.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

Row = Mapping[str, object]
Rows = tuple[Row, ...]
Tables = Mapping[str, Rows]
"""Rows by table, ``schema.name`` in lower case; column names as the catalog spells them."""


@dataclass(frozen=True)
class Round:
    """One run of both sides: at ``clock``, after the rows of ``tables`` were replaced.

    Tables that are not listed keep what they have.
    """

    clock: datetime
    tables: Tables = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Case:
    """``prior`` are rows of the target before the first round; ``parameters`` by ``@name``."""

    rounds: tuple[Round, ...]
    prior: Rows = ()
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def most_rows(self) -> int:
        """Rows of the largest table of the case."""
        sizes = [len(rows) for round_ in self.rounds for rows in round_.tables.values()]
        return max([len(self.prior), *sizes], default=0)


def as_document(case: Case) -> dict[str, Any]:
    """The case as JSON values; exact for every type a column can have."""
    return {
        "parameters": {k: cell_text(v) for k, v in case.parameters.items()},
        "prior": [_row_document(row) for row in case.prior],
        "rounds": [
            {
                "clock": round_.clock.isoformat(sep=" "),
                "note": round_.note,
                "tables": {
                    name: [_row_document(row) for row in rows]
                    for name, rows in sorted(round_.tables.items())
                },
            }
            for round_ in case.rounds
        ],
    }


def from_document(document: Mapping[str, Any]) -> Case:
    """The case of a document. Raises ValueError for one of another shape."""
    try:
        rounds = tuple(
            Round(
                datetime.fromisoformat(str(entry["clock"])),
                {
                    str(name): tuple(dict(row) for row in rows)
                    for name, rows in entry["tables"].items()
                },
                str(entry.get("note", "")),
            )
            for entry in document["rounds"]
        )
        prior = tuple(dict(row) for row in document.get("prior", ()))
        parameters = dict(document.get("parameters", {}))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the document is not a counterexample: {error}") from error
    if not rounds:
        raise ValueError("the document is not a counterexample: it has no rounds")
    return Case(rounds, prior, parameters)


def cell_text(value: object) -> Any:
    """A cell as JSON: numbers that JSON keeps exactly stay numbers, all else is text."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return format(value, "f")
        case float():
            return repr(value)
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case bytes() | bytearray():
            return "0x" + base64.b16encode(bytes(value)).decode("ascii")
        case uuid.UUID():
            return str(value)
    return str(value)


def _row_document(row: Row) -> dict[str, Any]:
    return {name: cell_text(value) for name, value in row.items()}
