"""What one ``dbt build`` at the end of a run showed, in one sentence."""

from __future__ import annotations

import re

from core.dbt.verify import ProjectVerdict

_HEADLINE = re.compile(
    r"^(?:encountered an error:\s*)?(?:\w+ Error\b(?: in [^:]*?\))?[:\s]*)+", re.I
)


def build_sentence(verdict: ProjectVerdict) -> str:
    """Which models were built, and why not all of the project where it was not."""
    if verdict.lost:
        return f"the project was not built: {plain_reason(verdict.lost)}"
    if verdict.scope == "project":
        return "the project was built" if verdict.passed else "the project does not build"
    built = "the new models were built" if verdict.passed else "the new models do not build"
    if not verdict.reason:
        return built
    return f"{built}; the rest of the project could not be: {plain_reason(verdict.reason)}"


def plain_reason(text: str) -> str:
    """dbt's words without the kind of exception in front: ``Runtime Error  No profile …``."""
    words = " ".join(text.split()).rstrip(".")
    return _HEADLINE.sub("", words) or words
