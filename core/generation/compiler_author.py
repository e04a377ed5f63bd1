"""The compiler as an author: drafts deterministically, corrects by compiling differently.

It never gives the same text twice: when no correction that the failure points at changes the
model, it refuses and says so.
"""

from __future__ import annotations

from dataclasses import replace

from core.compiler.options import Correction
from core.compiler.result import Compiled, Unsupported
from core.generation.author import Assumption, CteOrigin, Draft, Failure, Job, Refusal, Say
from core.generation.compiling import Compile, compile_here
from core.generation.corrections import WORDS, applied, candidates

NAME = "compiler"


class CompilerAuthor:
    """Writes models by compiling the procedure; keeps no state."""

    def __init__(self, compile_: Compile = compile_here) -> None:
        self._compile = compile_

    @property
    def name(self) -> str:
        """``compiler``."""
        return NAME

    async def draft(self, job: Job, say: Say) -> Draft | Refusal:
        """Compile the procedure."""
        say("compiling")
        compiled = await self._compile(job, frozenset())
        return _draft(compiled, frozenset(), ())

    async def correct(self, job: Job, draft: Draft, failure: Failure, say: Say) -> Draft | Refusal:
        """Compile again with the corrections that the failure points at."""
        before = applied((*draft.notes, *draft.changes))
        wanted = [c for c in candidates(job, failure) if c not in before]
        for correction in wanted:
            say(WORDS[correction])
            corrections = _with(before, correction)
            compiled = await self._compile(job, corrections)
            if isinstance(compiled, Refusal):
                return replace(compiled, author=NAME)
            if isinstance(compiled, Compiled) and compiled.sql != draft.sql:
                return _draft(compiled, corrections, (WORDS[correction],))
        return Refusal(
            _nothing_left(bool(wanted)),
            construct="nothing left to correct",
            author=NAME,
        )


def _with(before: frozenset[Correction], correction: Correction) -> frozenset[Correction]:
    """The corrections with one more; the two materializations exclude each other."""
    opposite = {
        Correction.AS_TABLE: Correction.AS_INCREMENTAL,
        Correction.AS_INCREMENTAL: Correction.AS_TABLE,
    }
    return (before | {correction}) - {opposite.get(correction, correction)} | {correction}


def _nothing_left(tried: bool) -> str:
    why = (
        "what it could change makes no difference to the model"
        if tried
        else "nothing it could change answers this failure"
    )
    return f"the compiler has no other translation: {why}"


def _draft(
    compiled: Compiled | Unsupported | Refusal,
    corrections: frozenset[Correction],
    changes: tuple[str, ...],
) -> Draft | Refusal:
    if isinstance(compiled, Refusal):
        return replace(compiled, author=NAME)
    if isinstance(compiled, Unsupported):
        return Refusal(compiled.reason, compiled.line, compiled.construct, NAME)
    said = tuple(WORDS[c] for c in Correction if c in corrections)
    return Draft(
        sql=compiled.sql,
        author=NAME,
        notes=(*compiled.notes, *said),
        assumptions=tuple(
            Assumption(a.kind.value, a.text, a.relation, a.columns, a.line)
            for a in compiled.assumptions
        ),
        cte_map=tuple(CteOrigin(c.cte, c.lines) for c in compiled.cte_map),
        changes=changes,
        dropped=tuple(f"line {d.line}: {d.text}" if d.line else d.text for d in compiled.dropped),
    )
