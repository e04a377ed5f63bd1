"""What an author is: something that drafts a model for a procedure and corrects it from evidence.

The compiler, Claude, both together, and the scripted author of the tests implement
:class:`Author`. A draft is the text of the model; whatever can be read from that text
(materialization, keys, inputs, vars) is read from it by ``core.dbt.facts`` and does not travel
beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from core.dbt.outcome import Verification
from core.project.catalog import CatalogTable
from core.project.ddl import ProcedureSource
from core.project.project import MigrationProject
from core.project.testspec import TestSpec


@dataclass(frozen=True)
class CteOrigin:
    """Where one CTE of the model comes from: inclusive line ranges of the procedure's text."""

    cte: str
    lines: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Assumption:
    """Something a model takes for granted, to become a dbt test or a note.

    ``kind`` is ``unique``, ``not_null`` or ``other``; ``relation`` is the source table or the
    model (empty) it is about; ``line`` the procedure line that gave rise to it, 0 if none.
    """

    kind: str
    text: str
    relation: str = ""
    columns: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class Draft:
    """One version of a model as an author wrote it.

    ``sql`` is the complete text of the ``.sql`` file with its ``config`` block.
    ``changes`` says in words what a correction changed (empty for a first draft).
    """

    sql: str
    author: str
    notes: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    cte_map: tuple[CteOrigin, ...] = ()
    changes: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """Why an author gives no model: one sentence, and where in the procedure's file.

    ``line`` is 1-based in the procedure's text (0: none); ``construct`` is a short stable name
    ("cursor", "linked server") by which failures are grouped. ``code`` is empty, or the
    diagnostic code that fits better than GENERATION_FAILED (BUDGET_REACHED, CONSENT_MISSING).
    """

    reason: str
    line: int = 0
    construct: str = ""
    author: str = ""
    code: str = ""


class FailureKind(StrEnum):
    """What a draft has to be corrected for."""

    GUARD = "guard"
    COMPILE = "compile"
    TESTS = "tests"
    REVIEW = "review"
    COUNTEREXAMPLE = "counterexample"
    PERSON = "person"


@dataclass(frozen=True)
class Failure:
    """The structured reason why a draft is not good enough.

    ``verification`` is set for guard, compile and test failures; ``feedback`` holds the
    reviewer's or the person's words; ``counterexample`` is the JSON document of
    ``.migration-runs/<item>.counterexample.json``.
    """

    kind: FailureKind
    summary: str
    verification: Verification | None = None
    feedback: tuple[str, ...] = ()
    counterexample: Mapping[str, object] | None = None
    again: bool = False
    """Whether the last correction was asked for with the same findings and changed nothing."""

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, by names that stay the same from one version to the next."""
        found = [self.kind.value]
        if self.verification is not None:
            found += (e.strip().partition("\n")[0] for e in self.verification.errors)
            found += sorted(test.name for test in self.verification.tests if not test.ok)
            found += sorted(s.name for s in self.verification.scenarios if not s.ok)
        found += (words.partition(":")[0] for words in self.feedback)
        return tuple(found)


@dataclass(frozen=True)
class Job:
    """One item as an author sees it; read-only.

    ``existing_models`` maps item ids to the names of models that may be referenced with
    ``ref()``: those in the project and those accepted or expected in this run.
    ``collation`` is the setting of that name. ``refused`` is why an author that was asked before
    gave no model or no better one: what it could not translate, and where.
    """

    item_id: str
    model_name: str
    table: CatalogTable
    spec: TestSpec
    procedure: ProcedureSource
    project: MigrationProject
    existing_models: Mapping[str, str] = field(default_factory=dict)
    collation: str = "assume-consistent"
    refused: Refusal | None = None


Say = Callable[[str], None]
"""Takes short progress lines for the screen ("thinking", "writing 1,204 characters")."""


class Author(Protocol):
    """Drafts and corrects models. Implementations keep no state between items.

    One whose answers depend on more than the job is :class:`Configured` as well.
    """

    @property
    def name(self) -> str:
        """``compiler``, ``claude``, ``both`` or the name of a test author."""
        ...

    async def draft(self, job: Job, say: Say) -> Draft | Refusal:
        """Write the first version of a model, or say why not."""
        ...

    async def correct(self, job: Job, draft: Draft, failure: Failure, say: Say) -> Draft | Refusal:
        """Write a better version of ``draft`` given ``failure``; a refusal ends the corrections."""
        ...


@runtime_checkable
class Configured(Protocol):
    """An author whose answers depend on settings: a model, an effort, a prompt."""

    @property
    def configuration(self) -> str:
        """Names everything beside the job that its answers depend on; compared, not read."""
        ...


def configuration_of(author: object) -> str:
    """What an author's answers depend on beside the job; empty for one that needs only the job."""
    return author.configuration if isinstance(author, Configured) else ""
