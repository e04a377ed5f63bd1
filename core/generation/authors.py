"""The authors of this installation by name."""

from __future__ import annotations

from collections.abc import Mapping

from core.generation.author import Author
from core.generation.both_author import BothAuthor
from core.generation.compiler_author import CompilerAuthor
from core.project.codes import Code, ProjectError
from core.project.settings import Settings

NO_CLAUDE = "Claude is not available in this version of proc2dbt"


def available_authors(settings: Settings) -> Mapping[str, Author]:
    """Authors by the names of the setting ``author``."""
    compiler = CompilerAuthor()
    return {"compiler": compiler, "both": BothAuthor(compiler, None, NO_CLAUDE)}


def require_author(settings: Settings) -> None:
    """Check before any work that the run's author is there.

    Raises:
        ProjectError: ``SETTINGS_INVALID``.
    """
    if settings.author not in available_authors(settings):
        raise ProjectError.of(
            Code.SETTINGS_INVALID,
            f"{NO_CLAUDE}; use --author compiler.",
            field="author",
        )
