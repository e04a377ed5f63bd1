"""The dbt project on disk as proc2dbt needs to know it: which models, sources and seeds exist.

Only files are read; dbt is not asked. A YAML file that cannot be read is passed over and named
in ``problems``: dbt itself will say more about it. Paths from ``dbt_project.yml`` that lead out
of the project are ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from core.project.files import read_text
from core.project.names import QualifiedName

_HAS_SOURCES = re.compile(r"^sources[ \t]*:", re.MULTILINE)
_GENERATED = re.compile(r"Migrated from\s+(?P<writer>.+?)\.\s+Target:\s+(?P<target>.+?)\.(?:\s|$)")


@dataclass(frozen=True)
class DeclaredSource:
    """One table of one dbt source, spelled as the project spells it (dbt is case-sensitive)."""

    source_name: str
    table_name: str
    schema: str
    identifier: str
    file: str
    database: str = ""

    @property
    def key(self) -> str:
        """The case-folded ``schema.table`` it stands for."""
        return f"{self.schema}.{self.identifier}".casefold()


class DbtProjectFiles:
    """A dbt project's files, read on demand and remembered."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[str] = []

    @property
    def project_file(self) -> Path:
        """``dbt_project.yml``."""
        return self.root / "dbt_project.yml"

    @property
    def exists(self) -> bool:
        """Whether there is a dbt project at all."""
        return self.project_file.is_file()

    @cached_property
    def config(self) -> dict[str, Any]:
        """The contents of ``dbt_project.yml``; empty when it is missing or unreadable."""
        return self._yaml(self.project_file) if self.exists else {}

    @property
    def config_problem(self) -> str | None:
        """Why ``dbt_project.yml`` cannot be used, as a clause; ``None`` when it can."""
        if self.exists and not self.config:
            named = [p for p in self.problems if p.startswith(self.project_file.name)]
            return named[0] if named else f"{self.project_file.name} holds no settings"
        return None

    @property
    def project_name(self) -> str:
        """The project's name, as ``dbt_project.yml`` gives it."""
        return str(self.config.get("name") or "")

    @property
    def profile_name(self) -> str:
        """The profile the project asks for."""
        return str(self.config.get("profile") or "")

    @cached_property
    def models(self) -> dict[str, str]:
        """Model name to file, relative to the dbt project."""
        return self._named_files("model-paths", ("models",), (".sql", ".py"))

    @cached_property
    def seeds(self) -> dict[str, str]:
        """Seed name to file, relative to the dbt project."""
        return self._named_files("seed-paths", ("seeds",), (".csv",))

    @cached_property
    def sources(self) -> tuple[DeclaredSource, ...]:
        """Every declared source table, in the order of files and declarations."""
        found: list[DeclaredSource] = []
        for file, text in self._property_files:
            if _HAS_SOURCES.search(text):
                found += _declared(self._yaml(self.root / file), file)
        return tuple(found)

    @cached_property
    def _sources_by_key(self) -> dict[str, DeclaredSource]:
        by_key: dict[str, DeclaredSource] = {}
        for source in self.sources:
            by_key.setdefault(source.key, source)
        for source in self.sources:  # what a source stands for counts before what it is called
            by_key.setdefault(f"{source.source_name}.{source.table_name}".casefold(), source)
        return by_key

    def source_for(self, table: QualifiedName) -> DeclaredSource | None:
        """The declared source that stands for ``table``, compared without case."""
        return self._sources_by_key.get(table.key)

    def seed_for(self, table: QualifiedName) -> str | None:
        """The seed named like ``table`` (or ``schema_table``), as it is spelled."""
        wanted = (table.name.casefold(), f"{table.schema}_{table.name}".casefold())
        by_folded = {name.casefold(): name for name in self.seeds}
        return next((by_folded[name] for name in wanted if name in by_folded), None)

    @cached_property
    def packages(self) -> tuple[str, ...]:
        """Packages declared in ``packages.yml`` or ``dependencies.yml``, as spelled there."""
        found: list[str] = []
        for file in ("packages.yml", "dependencies.yml"):
            path = self.root / file
            if not path.is_file():
                continue
            for entry in _dicts(self._yaml(path).get("packages")):
                spelled = next(
                    (entry[k] for k in ("package", "git", "local", "tarball") if k in entry), ""
                )
                found.append(str(spelled))
        return tuple(found)

    @property
    def has_dbt_utils(self) -> bool:
        """Whether the project declares ``dbt_utils``, or has it installed."""
        declared = any(re.search(r"dbt[-_]utils", package) for package in self.packages)
        return declared or (self.root / "dbt_packages" / "dbt_utils").is_dir()

    def generated_for(self, model: str) -> QualifiedName | None:
        """The target table of a model that proc2dbt wrote; ``None`` for anyone else's model.

        A generated model says so in its description, ``Migrated from <writer>. Target:
        <table>.``, in a properties file beside it.
        """
        for entry in self._entries_of(model):
            mark = _GENERATED.search(" ".join(str(entry.get("description") or "").split()) + " ")
            target = mark["target"] if mark else _meta_target(entry)
            if target:
                try:
                    return QualifiedName.parse(target)
                except ValueError:
                    continue
        return None

    def _entries_of(self, model: str) -> Iterator[dict[str, Any]]:
        pattern = re.compile(rf"(?<![\w-]){re.escape(model)}(?![\w-])")
        for file, text in self._property_files:
            if pattern.search(text):
                document = self._yaml(self.root / file)
                for entry in _dicts(document.get("models")):
                    if entry.get("name") == model:
                        yield entry

    @cached_property
    def _property_files(self) -> tuple[tuple[str, str], ...]:
        """YAML files under the model paths with their text, relative to the dbt project."""
        found = []
        for file in self._files("model-paths", ("models",), (".yml", ".yaml")):
            try:
                found.append((file, read_text(self.root / file)))
            except OSError as error:
                self.problems.append(f"{file} cannot be read: {error.strerror}")
        return tuple(found)

    def _named_files(
        self, setting: str, default: tuple[str, ...], endings: tuple[str, ...]
    ) -> dict[str, str]:
        named: dict[str, str] = {}
        for file in self._files(setting, default, endings):
            named.setdefault(PurePosixPath(file).stem, file)
        return named

    def _files(
        self, setting: str, default: tuple[str, ...], endings: tuple[str, ...]
    ) -> Iterator[str]:
        configured = self.config.get(setting)
        folders = configured if isinstance(configured, list) else list(default)
        for folder in folders:
            if not isinstance(folder, str) or "\0" in folder:
                continue
            top = self.root / folder
            if not top.resolve().is_relative_to(self.root.resolve()):
                self.problems.append(f"{setting} leads out of the dbt project: {folder}")
                continue
            for parent, names, files in os.walk(top):
                names.sort()
                for name in sorted(files):
                    path = Path(parent) / name
                    if name.lower().endswith(endings) and path.is_file():
                        yield path.relative_to(self.root).as_posix()

    def _yaml(self, path: Path) -> dict[str, Any]:
        import yaml

        relative = path.relative_to(self.root).as_posix()
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            value = yaml.load(read_text(path), Loader=loader)
        except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            place = f" line {mark.line + 1}" if mark is not None else ""
            self.problems.append(f"{relative}{place} is not readable YAML")
            return {}
        return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _declared(document: dict[str, Any], file: str) -> list[DeclaredSource]:
    found = []
    for source in _dicts(document.get("sources")):
        name = str(source.get("name") or "")
        for table in _dicts(source.get("tables")):
            table_name = str(table.get("name") or "")
            found.append(
                DeclaredSource(
                    source_name=name,
                    table_name=table_name,
                    schema=str(source.get("schema") or name),
                    identifier=str(table.get("identifier") or table_name),
                    file=file,
                    database=str(source.get("database") or ""),
                )
            )
    return found


def _meta_target(entry: dict[str, Any]) -> str | None:
    """``config: {meta: {proc2dbt_target: silver.DimCustomer}}``, or ``meta`` at the top."""
    config = entry.get("config")
    metas = [entry.get("meta"), config.get("meta") if isinstance(config, dict) else None]
    for meta in metas:
        if isinstance(meta, dict) and isinstance(meta.get("proc2dbt_target"), str):
            return str(meta["proc2dbt_target"])
    return None
