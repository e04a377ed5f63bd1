"""What of a procedure ran: statements, branches, and how conditions came out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Coverage:
    """Counts by place. A place is ``(module, line, column)``; outcomes are texts.

    `statements` counts executions; `branches` counts outcomes: of IF and WHILE (``true``,
    ``false``), of TRY (``caught``), of MERGE branches (``hit``, ``none``), of CASE arms (``arm 1``,
    ``else``) and of WHERE predicates
    (``true``, ``false``, ``unknown``). An outcome that was possible and never happened counts 0, so
    the share of outcomes above 0 is the coverage of what was reached.
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
        self.branches[(module, line, column, kind, outcome)] += count

    @property
    def outcome_share(self) -> float:
        """The share of outcomes that happened, among those of everything that was reached.

        ``unknown`` is not asked for: not every predicate can be NULL. 1.0 when nothing branches.
        """
        counts = [n for place, n in self.branches.items() if place[4] != "unknown"]
        return sum(1 for n in counts if n) / len(counts) if counts else 1.0
