"""The authors of this installation by name."""

from __future__ import annotations

from collections.abc import Mapping

from core.generation.author import Author
from core.generation.both_author import BothAuthor
from core.generation.compiler_author import CompilerAuthor
from core.generation.compiling import Compile, compile_here
from core.project.settings import Settings

NO_CLAUDE = "Claude is not used here"


def available_authors(
    compile_: Compile = compile_here, claude: Author | None = None
) -> Mapping[str, Author]:
    """Authors by the names of the setting ``author``; without ``claude`` nothing is ever sent."""
    compiler = CompilerAuthor(compile_)
    authors: dict[str, Author] = {
        "compiler": compiler,
        "both": BothAuthor(compiler, claude, NO_CLAUDE),
    }
    if claude is not None:
        authors["claude"] = claude
    return authors


def require_author(settings: Settings) -> None:
    """Check before any work that the run's author can be had.

    Raises:
        ProjectError: ``SETTINGS_INVALID``.
    """
    if settings.author != "compiler":
        from core.claude.reviewer import require_two_models

        require_two_models(settings)
