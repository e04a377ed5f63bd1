"""The procedure's side: it runs on the reference, and its target is read after every round."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from core.equivalence.case import Case, Row, Rows
from core.equivalence.subject import Subject, stored_columns, table_key
from core.interpreter import Finding, Limits, NotExecutable, Profile, Reference, RunResult
from core.interpreter.definitions import Identity
from core.tsql.lexer import tokenize
from core.tsql.schema import ObjectName

Place = tuple[str, int, int, str, str]
"""Module, line, column, kind and outcome of one branch."""


@dataclass(frozen=True)
class Observed:
    """What one round did: the state before it, the target after it, or how it failed."""

    before: dict[str, list[dict[str, object]]]
    after: list[dict[str, object]]
    changed_inputs: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    error: str = ""
    error_line: int = 0
    refused: str = ""
    findings: tuple[Finding, ...] = ()
    result: RunResult | None = None


class ProcedureSide:
    """One reference for one subject; cheap to start over."""

    def __init__(
        self, subject: Subject, watched: frozenset[str], built: frozenset[str] = frozenset()
    ) -> None:
        """``watched`` are the tables (keys) whose state the model's inputs are taken from.

        ``built`` are those of them that another model makes: read as the procedure left them.
        """
        self.subject = subject
        self.watched = watched
        self.built = built & watched
        self.target = ".".join(subject.target_key)
        identities = {
            key: Identity(i.column, i.seed, i.increment) for key, i in subject.identities.items()
        }
        self.reference = Reference(
            subject.schema,
            subject.modules,
            Profile(),
            limits=Limits(statements=20_000, rows=200_000, seconds=10),
            full_coverage=True,
            identities=identities,
        )
        self._names = {table_key(t): str(t.name) for t in subject.tables}

    def close(self) -> None:
        """Let go of the database."""
        self.reference.close()

    def not_executable(self) -> tuple[NotExecutable, ...]:
        """What the interpreter cannot run."""
        return self.reference.not_executable(self.subject.procedure)

    @cached_property
    def keeps_rows(self) -> bool:
        """Whether no text of the procedure removes rows: what has a number keeps it.

        A reload numbers its rows anew, and so may its model.
        """
        words = {t.upper for text in self.subject.modules for t in tokenize(text)}
        return not words & {"DELETE", "TRUNCATE", "DROP"}

    @property
    def branches(self) -> Counter[Place]:
        """How often each branch outcome was seen so far."""
        return self.reference.coverage.branches

    def run(
        self,
        case: Case,
        *,
        order: int = 0,
        clock_shift: Any = None,
        seed: int = 1,
        trace: bool = False,
    ) -> list[Observed]:
        """All rounds of a case; ends after a round that fails.

        ``order`` other than 0 stores the rows in another physical order: 1 reversed, else shuffled
        by that seed. ``clock_shift`` is added to every round's clock.
        """
        reference = self.reference
        reference.set_seed(seed)
        reference.reset()
        seen: list[Observed] = []
        self._load(self.target, case.prior, order)
        for number, round_ in enumerate(case.rounds):
            moment: datetime = round_.clock + clock_shift if clock_shift else round_.clock
            reference.set_clock(moment)
            for name, rows in round_.tables.items():
                if number:
                    self._clear(name)
                self._load(name, rows, order)
            seen.append(self._round(case, trace))
            if seen[-1].error or seen[-1].refused:
                break
        return seen

    def _round(self, case: Case, trace: bool) -> Observed:
        before = {name: self._rows(name) for name in sorted(self.watched)}
        caught = self._caught()
        watch = [self._names.get(self.target, self.target)] if trace else []
        result = self.reference.run_procedure(
            self.subject.procedure, case.parameters, trace=trace, watch=watch
        )
        error, line, refused = "", 0, ""
        if result.error is not None:
            line = result.error.line
            if result.error.refused:
                refused = f"line {line}: {result.error.construct}: {result.error.message}"
            else:
                error = f"error {result.error.number}: {result.error.message}"
        elif self._caught() > caught:
            error = "an error was caught, and the rest of its TRY did not run"
        after = self._rows(self.target)
        changed = {}
        for name in sorted(self.built):
            rows = self._rows(name)
            if rows != before[name]:
                changed[name] = rows
        return Observed(
            before, after, changed, error, line, refused, tuple(result.findings), result
        )

    def _caught(self) -> int:
        counts = self.branches
        return sum(n for place, n in counts.items() if place[4] == "caught")

    def _load(self, name: str, rows: Rows, order: int) -> None:
        if not rows or name not in self._names:
            return
        given: list[Row] = list(rows)
        if order == 1:
            given.reverse()
        self.reference.load(self._names[name], given, shuffle=order if order > 1 else None)

    def _rows(self, name: str) -> list[dict[str, object]]:
        return self.reference.table(self._names[name]).dicts() if name in self._names else []

    def _clear(self, name: str) -> None:
        if name in self._names:
            session = self.reference.session
            session.store.clear(session.stored(ObjectName.parse(self._names[name])))

    def columns(self) -> tuple[str, ...]:
        """The target's stored columns."""
        table = self.subject.table(self.target)
        return tuple(c.name for c in stored_columns(table)) if table is not None else ()
