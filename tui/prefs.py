"""What the app remembers per user: theme, filter, order, keys. Never in the project.

The file is ``$XDG_CONFIG_HOME/proc2dbt/app.json`` (``~/.config`` where that is not set); one that
cannot be read is left alone and the defaults hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core.project.files import read_text, write_text


class Prefs(BaseModel):
    """The remembered settings. ``keys`` maps an action to its keys: ``{"run": "r,f5"}``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    theme: str = "proc2dbt-dark"
    table_filter: str = ""
    table_sort: str = "name"
    run_sort: str = "run order"
    tab: str = "sql"
    keys: dict[str, str] = {}


def prefs_file(environment: Mapping[str, str]) -> Path:
    """Where the settings of this user are."""
    base = environment.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "proc2dbt" / "app.json"


def load_prefs(file: Path) -> Prefs:
    """The settings of the file; the defaults where there is none."""
    try:
        return Prefs.model_validate(json.loads(read_text(file)))
    except (OSError, ValueError, ValidationError):
        return Prefs()


def save_prefs(file: Path, prefs: Prefs) -> None:
    """Remember; a home that cannot be written to is no reason to complain."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, prefs.model_dump_json(indent=2) + "\n")
    except OSError:
        return
