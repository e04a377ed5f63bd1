"""Consent: before anything is sent, somebody agrees to what, where to, and to which models.

An agreement is kept per project and holds for what was agreed to: another host, another model,
rows that were not sent before, or literals that were masked before, are asked about anew.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.claude.failure import ClaudeError, ClaudeFailure, Kind
from core.project.clock import Clock
from core.project.files import read_text, write_text
from core.project.settings import Settings

FILE = "claude-consent.json"


class Terms(BaseModel):
    """What is agreed to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    project: str = ""
    """The migration project's folder in its repository: agreements are kept per repository."""
    host: str
    provider: str
    models: tuple[str, ...]
    send_rows: bool = False
    mask_literals: bool = False
    by: str = ""
    at: str = ""

    def covers(self, wanted: Terms) -> bool:
        """Whether who agreed to these terms has agreed to ``wanted`` as well."""
        return (
            (self.project, self.host, self.provider)
            == (wanted.project, wanted.host, wanted.provider)
            and set(wanted.models) <= set(self.models)
            and (self.send_rows or not wanted.send_rows)
            and (wanted.mask_literals or not self.mask_literals)
        )


def terms_of(settings: Settings, host: str, project: str = "") -> Terms:
    """What these settings would send where, of the project in that folder of its repository."""
    claude = settings.claude
    return Terms(
        project=project,
        host=host,
        provider=claude.provider,
        models=tuple(sorted(claude.models)),
        send_rows=settings.send_rows,
        mask_literals=settings.mask_literals,
    )


def consent_text(terms: Terms, estimate: str = "") -> str:
    """What somebody is asked to agree to, in a few sentences."""
    literals = (
        "text and number literals are masked"
        if terms.mask_literals
        else "literals that look like secrets are masked, other literals are not"
    )
    rows = (
        "rows of the test specs (given, expected, failing), with personal columns masked"
        if terms.send_rows
        else "of test specs only names, counts, differing columns and their types, no rows"
    )
    sentences = [
        f"Sent to {terms.host} ({terms.provider}), models {' and '.join(terms.models)}: the source "
        "of the procedures, and of views, functions and procedures they use, with comments "
        f"({literals}); names, types, defaults and keys of the tables they name; the generated "
        f"models and messages of dbt about them; generated counterexamples; {rows}.",
        estimate,
        "Claude in proc2dbt is contract-tested, not live-tested.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


class Agreements:
    """The file with what was agreed to for one project."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def covers(self, wanted: Terms) -> bool:
        """Whether there is an agreement that covers ``wanted``."""
        return any(terms.covers(wanted) for terms in self._read())

    def add(self, terms: Terms) -> None:
        """Keep an agreement.

        Raises:
            OSError: it could not be written.
        """
        kept = [old for old in self._read() if not terms.covers(old)]
        document = [t.model_dump(mode="json") for t in (*kept, terms)]
        write_text(self._file, json.dumps(document, indent=2) + "\n")

    def _read(self) -> list[Terms]:
        """What can be read of the file; what cannot is no agreement."""
        try:
            entries = json.loads(read_text(self._file))
            return [Terms.model_validate(entry) for entry in entries]
        except (OSError, ValueError, TypeError, ValidationError):
            return []


AskPerson = Callable[[Terms, str], Awaitable[str | None]]
"""Shows the terms and their text; returns who agreed, or ``None`` for a refusal."""


class ConsentDesk:
    """Settles the question once per run; nothing is sent while it is open."""

    def __init__(
        self,
        settings: Settings,
        agreements: Agreements,
        host: Callable[[], Awaitable[str]],
        clock: Clock,
        *,
        project: str = "",
        agreed_by: str = "",
        ask: AskPerson | None = None,
        told: AskPerson | None = None,
        estimate: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        """``agreed_by``: somebody agreed on the command line (``--yes``); ``told`` is then called
        with what that means. ``ask``: somebody can be asked; without it, a run without agreement
        sends nothing."""
        self._settings = settings
        self._agreements = agreements
        self._host = host
        self._clock = clock
        self._agreed_by = agreed_by
        self.project = project
        self.ask = ask
        self.told = told
        self.estimate = estimate
        self._lock = asyncio.Lock()
        self._settled: tuple[ClaudeFailure | None] | None = None

    async def __call__(self) -> ClaudeFailure | None:
        """``None`` when it may be sent, else why not."""
        async with self._lock:
            if self._settled is None:
                try:
                    self._settled = (await self._settle(),)
                except ClaudeError as error:
                    return error.failure
            return self._settled[0]

    def agreed(self, terms: Terms) -> bool:
        """Whether these terms were agreed to before, or are now on the command line."""
        return bool(self._agreed_by) or self._agreements.covers(terms)

    def reopen(self) -> None:
        """Ask again next time; an agreement stays one."""
        if self._settled is not None and self._settled[0] is not None:
            self._settled = None

    async def _settle(self) -> ClaudeFailure | None:
        terms = terms_of(self._settings, await self._host(), self.project)
        if self._agreements.covers(terms):
            return None
        by: str | None = self._agreed_by or None
        tell = self.told if by is not None else self.ask
        if tell is not None:
            estimate = await self.estimate() if self.estimate is not None else ""
            answer = await tell(terms, consent_text(terms, estimate))
            by = by or answer
        if by is None:
            return ClaudeFailure(
                Kind.CONSENT_MISSING,
                f"Nobody agreed that texts of this project are sent to {terms.host} for "
                f"{' and '.join(terms.models)}; --dry-run says what is sent, --yes agrees.",
            )
        agreed = terms.model_copy(update={"by": by, "at": self._clock().isoformat()})
        self._agreements.add(agreed)
        return None
