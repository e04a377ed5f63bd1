"""The fixed texts of the prompts, from the files in ``prompts/``."""

from __future__ import annotations

from functools import cache
from importlib import resources

from core.claude.call import digest


@cache
def prompt(name: str) -> str:
    """The text of ``prompts/<name>.txt``."""
    return resources.files("core.claude").joinpath("prompts", f"{name}.txt").read_text("utf-8")


def prompt_version(name: str) -> str:
    """A hash of the text, for whoever compares runs."""
    return digest(prompt(name))
