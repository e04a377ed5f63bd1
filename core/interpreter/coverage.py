"""What of a procedure ran: statements, branches, and how conditions came out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Coverage:
    """Counts by place. A place is ``(module, line, column)``; outcomes are texts.

    `statements` counts executions; `branches` counts outcomes of IF and WHILE (``true``,
    ``false``),
    of TRY (``caught``), of MERGE branches, CASE arms (``arm 1``, ``else``), WHERE predicates
    (``true``, ``false``, ``unknown``) and joins (``hit``, ``miss``).
    """

    statements: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    branches: Counter[tuple[str, int, int, str, str]] = field(default_factory=Counter)

    def clear(self) -> None:
        self.statements.clear()
        self.branches.clear()

    def ran(self, module: str, line: int, column: int) -> None:
        self.statements[(module, line, column)] += 1

    def branch(
        self, module: str, line: int, column: int, kind: str, outcome: str, count: int = 1
    ) -> None:
        if count:
            self.branches[(module, line, column, kind, outcome)] += count
