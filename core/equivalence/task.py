"""A comparison as a task of dbt's worker processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from core.equivalence.subject import Subject
from core.equivalence.verdict import EquivalenceResult


@dataclass(frozen=True)
class CompareTask:
    """Run in a worker, on its warm dbt and its database; ``replayed`` is a counterexample."""

    doing: ClassVar[str] = "comparison"
    subject: Subject
    replayed: dict[str, Any] | None = None

    @property
    def item_id(self) -> str:
        """By which the pool cancels it."""
        return self.subject.item_id

    def run(self, folder: Path, progress: Callable[[str], None]) -> EquivalenceResult:
        """The verdict; progress lines are ``done/total what``."""
        from core.dbt.database import connect, wipe
        from core.dbt.miniproject import DATABASE
        from core.equivalence.check import check_subject
        from core.equivalence.model_side import dbt_recorder

        def tell(line: str, done: int, total: int) -> None:
            progress(f"{done}/{total} {line}")

        connection = connect(DATABASE)
        try:
            wipe(connection)
            record = dbt_recorder(folder, self.subject)
            return check_subject(self.subject, connection, record, tell, self.replayed)
        finally:
            wipe(connection)
            connection.close()
