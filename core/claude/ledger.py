"""``ledger.ndjson``: one line per attempt at a call, appended; money, tokens, hashes, no text."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from core.claude.call import CallRecord
from core.project.clock import Clock
from core.version import VERSION

FILE = "ledger.ndjson"


class Ledger:
    """Appends to one file, which a resumed run goes on with."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self.file = file
        self._clock = clock

    def append(self, record: CallRecord) -> None:
        """Write one line; the folder exists.

        Raises:
            OSError: the line could not be written.
        """
        tokens = record.tokens
        line: dict[str, Any] = {
            "at": self._clock().isoformat(),
            "item_id": record.item_id,
            "purpose": record.purpose,
            "model": record.model,
            "effort": record.effort,
            "outcome": record.outcome,
            "stop_reason": record.stop_reason,
            "request_id": record.request_id,
            "tokens": {
                "uncached": tokens.uncached,
                "written_5m": tokens.written_5m,
                "written_1h": tokens.written_1h,
                "read": tokens.read,
                "output": tokens.output,
                "estimated": tokens.estimated,
            },
            # A string: a sum of these is exact.
            "cost_usd": None if record.cost is None else f"{record.cost:f}",
            "reserved_usd": None if record.reserved is None else f"{record.reserved:f}",
            "reported_usd": None if record.reported is None else f"{record.reported:f}",
            "seconds": round(record.seconds, 3),
            "prompt_hash": record.prompt_hash,
            "schema_hash": record.schema_hash,
            "version": VERSION,
        }
        with self.file.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(json.dumps(line) + "\n")
            stream.flush()


def spent(file: Path) -> Decimal:
    """The sum of a ledger; a line that was cut off by a kill is passed over."""
    total = Decimal(0)
    with contextlib.suppress(FileNotFoundError):
        for line in file.read_text("utf-8").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError, InvalidOperation):
                cost = json.loads(line)["cost_usd"]
                total += Decimal(cost) if cost is not None else 0
    return total
