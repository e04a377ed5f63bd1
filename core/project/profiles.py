"""The dbt profile a run against the project's own warehouse needs: found and looked into.

Only the file is read. The search order is dbt's: the dbt project's folder, ``DBT_PROFILES_DIR``,
``~/.dbt`` (https://docs.getdbt.com/docs/core/connect-data-platform/connection-profiles).
Credentials in it are never copied into a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.project.codes import Code, Diagnostic
from core.project.dbtfiles import DbtProjectFiles
from core.project.files import read_text
from core.project.suggest import did_you_mean

SUPPORTED_ADAPTERS = ("duckdb",)
"""Adapters whose SQL dialect the models are written in."""


def find_profiles_file(dbt: DbtProjectFiles, environment: Mapping[str, str]) -> Path | None:
    """``profiles.yml`` where dbt would find it, or ``None``."""
    folders = [dbt.root]
    if configured := environment.get("DBT_PROFILES_DIR"):
        folders.insert(0, Path(configured).expanduser())
    if home := environment.get("HOME"):
        folders.append(Path(home) / ".dbt")
    return next((f / "profiles.yml" for f in folders if (f / "profiles.yml").is_file()), None)


def check_profile(
    dbt: DbtProjectFiles, target: str, environment: Mapping[str, str]
) -> Diagnostic | None:
    """Whether the project's profile has a usable output ``target``.

    Gives ``DBT_PROFILE_MISSING``, or ``DIALECT_NOT_SUPPORTED`` for an adapter of another SQL
    dialect, or ``None``.
    """
    path = find_profiles_file(dbt, environment)
    if path is None:
        return _missing(
            f"The target '{target}' needs a dbt profile, and there is no profiles.yml in dbt/, "
            "in DBT_PROFILES_DIR or in ~/.dbt; leave --target out to verify on the embedded "
            "DuckDB."
        )
    profiles = _profiles(path)
    if profiles is None:
        return _missing("profiles.yml is not readable YAML; repair it or leave --target out.")
    profile = profiles.get(dbt.profile_name)
    if not isinstance(profile, dict):
        names = [str(name) for name in profiles]
        return _missing(
            f"profiles.yml has no profile '{dbt.profile_name}', which dbt/dbt_project.yml asks "
            f"for in field 'profile'{did_you_mean(dbt.profile_name, names)}."
        )
    outputs = profile.get("outputs")
    output = outputs.get(target) if isinstance(outputs, dict) else None
    if not isinstance(output, dict):
        names = [str(name) for name in outputs] if isinstance(outputs, dict) else []
        return _missing(
            f"The profile '{dbt.profile_name}' in profiles.yml has no target '{target}' in field "
            f"'outputs'{did_you_mean(target, names)}."
        )
    return _check_adapter(str(output.get("type") or ""), target)


def _check_adapter(adapter: str, target: str) -> Diagnostic | None:
    if not adapter:
        return _missing(f"The target '{target}' in profiles.yml has no field 'type'.")
    if adapter.lower() in SUPPORTED_ADAPTERS:
        return None
    return Diagnostic.of(
        Code.DIALECT_NOT_SUPPORTED,
        f"The target '{target}' uses the adapter '{adapter}', but models are written in DuckDB's "
        "SQL for now: use a target of type duckdb or leave --target out.",
        file="profiles.yml",
        field=f"outputs.{target}.type",
    )


def _missing(message: str) -> Diagnostic:
    return Diagnostic.of(Code.DBT_PROFILE_MISSING, message, file="profiles.yml")


def _profiles(path: Path) -> dict[str, Any] | None:
    import yaml

    try:
        value = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
