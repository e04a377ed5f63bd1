"""The profile of the user's own warehouse, found as dbt finds it; read only for ``--target``.

The embedded DuckDB needs none of this: a profile that is missing, broken or of another type
never touches the default verification.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.dbt.verify import TargetCheck
from core.project.codes import Code
from core.project.dbtfiles import DbtProjectFiles

SUPPORTED_TYPE = "duckdb"
_TYPE = re.compile(r"[a-z][a-z0-9_-]{0,60}")


@dataclass(frozen=True)
class FoundProfile:
    """A target that may be used: where its ``profiles.yml`` is, and which output it names."""

    profiles_dir: Path
    profile: str
    target: str


def search_order(dbt_root: Path, env: Mapping[str, str]) -> list[Path]:
    """Folders in which dbt looks for ``profiles.yml``, first one wins.

    ``DBT_PROFILES_DIR``, the working folder (for us: the dbt project), then ``~/.dbt``
    (docs.getdbt.com/docs/core/connect-data-platform/connection-profiles).
    """
    configured = env.get("DBT_PROFILES_DIR")
    if configured:
        return [Path(configured).expanduser()]
    return [dbt_root, Path(env.get("HOME") or Path.home()) / ".dbt"]


def find_profile(
    dbt: DbtProjectFiles, target: str, env: Mapping[str, str] | None = None
) -> FoundProfile | TargetCheck:
    """The profile output named ``target``, or the reason why it cannot be used.

    The reason's code is ``DBT_PROFILE_MISSING`` or ``DIALECT_NOT_SUPPORTED``.
    """
    folders = search_order(dbt.root, env if env is not None else os.environ)
    folder = next((f for f in folders if (f / "profiles.yml").is_file()), None)
    name = dbt.profile_name
    if folder is None:
        looked = " and ".join(str(f) for f in folders)
        return _missing(f"There is no profiles.yml in {looked}, and --target {target} needs one.")
    file = folder / "profiles.yml"
    data = _read(file)
    if isinstance(data, TargetCheck):
        return data
    profile = data.get(name)
    if not name or not isinstance(profile, dict):
        known = ", ".join(sorted(k for k in data if k != "config")) or "none"
        return _missing(
            f"{file} has no profile '{name}', which dbt_project.yml asks for (it has: {known})."
        )
    outputs = profile.get("outputs")
    output = outputs.get(target) if isinstance(outputs, dict) else None
    if not isinstance(output, dict):
        known = ", ".join(sorted(outputs)) if isinstance(outputs, dict) else "none"
        return _missing(f"{file}: profile '{name}' has no target '{target}' (it has: {known}).")
    kind = str(output.get("type") or "").strip().lower()
    installed = _installed(kind)
    if kind != SUPPORTED_TYPE:
        return TargetCheck(
            Code.DIALECT_NOT_SUPPORTED,
            f"{file}: target '{target}' is of type '{kind or 'unknown'}'; models are written in "
            f"DuckDB's SQL for now, so only targets of type '{SUPPORTED_TYPE}' can be used."
            + ("" if installed else f" Its adapter, dbt-{kind}, is not installed either."),
        )
    if not installed:
        return TargetCheck(
            Code.DIALECT_NOT_SUPPORTED,
            f"{file}: target '{target}' needs the adapter dbt-{kind}, which is not installed "
            f"(pip install dbt-{kind}).",
        )
    return FoundProfile(folder, name, target)


def _installed(kind: str) -> bool:
    """Whether the adapter of a profile type is there; dbt itself is not imported to see it."""
    from importlib.metadata import PackageNotFoundError, distribution

    if not _TYPE.fullmatch(kind):
        return True  # no name of an adapter: the type alone is what is wrong
    try:
        distribution(f"dbt-{kind}")
    except PackageNotFoundError:
        return False
    return True


def _missing(message: str) -> TargetCheck:
    return TargetCheck(Code.DBT_PROFILE_MISSING, message)


def _read(file: Path) -> dict[str, Any] | TargetCheck:
    import yaml

    from core.project.files import read_text

    try:
        data = yaml.safe_load(read_text(file))
    except (OSError, yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark is not None else ""
        return _missing(f"{file}{where} is not readable YAML.")
    return data if isinstance(data, dict) else _missing(f"{file} is not a mapping of profiles.")
