"""What of a procedure ran: statements, branches, and how conditions came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

#: Outcomes that may be impossible (a predicate that cannot be NULL, a join on a key): counted when
#: they happen, not missed when they do not.
OPTIONAL_OUTCOMES = frozenset({"unknown", "several", "right unmatched", "none"})


class Outcome(NamedTuple):
    """One way a branching place of a module came out.

    `number` tells the places of one line apart (a column, or a counter within the statement).
    """

    module: str
    line: int
    number: int
    kind: str
    outcome: str


@dataclass
class Coverage:
    """Counts by place. A statement's place is ``(module, line, column)``.

    `statements` counts executions; `branches` counts outcomes (`Outcome`, by kind):

    ==========  ==================================================================================
    ``if``      ``true``, ``false``, ``unknown``; also ``while``
    ``try``     ``caught``
    ``where``   a conjunct of WHERE on the rows of FROM: ``true``, ``false``, ``unknown``
    ``having``  a conjunct of HAVING on the groups: the same
    ``case``    of CASE and IIF: ``arm 1`` …, ``else``
    ``join``    rows on the left that met rows on the right: ``matched``, ``unmatched``,
                ``several``; of a RIGHT or FULL join also ``right unmatched``; of a MERGE
                ``matched``, ``unmatched`` (source rows) and ``right unmatched`` (target rows)
    ``merge``   a WHEN branch: ``hit``, ``none``
    ==========  ==================================================================================

    Kinds from ``where`` on are counted only by ``Reference(full_coverage=True)``, before each
    statement; a place whose outcomes have all been seen is not counted further, so numbers are
    lower bounds. An outcome that is possible and never happened has the count 0: `reached` and
    `missing` are the two sides.
    """

    statements: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    branches: Counter[tuple[str, int, int, str, str]] = field(default_factory=Counter)
    _tries: Counter[Hashable] = field(default_factory=Counter, repr=False)
    _dead: set[str] = field(default_factory=set, repr=False)

    def clear(self) -> None:
        """Start counting anew (for example to see what one data set reaches)."""
        self.statements.clear()
        self.branches.clear()
        self._tries.clear()

    def ran(self, module: str, line: int, column: int) -> None:
        self.statements[(module, line, column)] += 1

    def branch(
        self, module: str, line: int, number: int, kind: str, outcome: str, count: int = 1
    ) -> None:
        self.branches[Outcome(module, line, number, kind, outcome)] += count

    @property
    def reached(self) -> frozenset[Outcome]:
        """The outcomes that happened at least once."""
        return frozenset(Outcome(*place) for place, count in self.branches.items() if count)

    @property
    def missing(self) -> frozenset[Outcome]:
        """The outcomes of places that were reached which never happened, optional ones left out."""
        return frozenset(
            Outcome(*place)
            for place, count in self.branches.items()
            if not count and place[4] not in OPTIONAL_OUTCOMES
        )

    @property
    def outcome_share(self) -> float:
        """The share of outcomes that happened, among those of everything that was reached.

        `OPTIONAL_OUTCOMES` are not asked for. 1.0 when nothing branches.
        """
        counts = [n for place, n in self.branches.items() if place[4] not in OPTIONAL_OUTCOMES]
        return sum(1 for n in counts if n) / len(counts) if counts else 1.0

    # --- bookkeeping of the probes ----------------------------------------------------------------

    def tried(self, probe: Hashable) -> int:
        """How often a probe was looked at since `clear`, this time included."""
        self._tries[probe] += 1
        return self._tries[probe]

    def is_dead(self, sql: str) -> bool:
        """Whether a probe's SQL is known not to run (it depends on an outer query)."""
        return sql in self._dead

    def bury(self, sql: str) -> None:
        self._dead.add(sql)
