"""A migration project on disk, opened lazily: nothing is read before somebody asks for it.

Names are looked up without case; a file of one table never stands in the way of another one.
Every failure is a :class:`~core.project.codes.ProjectError` with a code and one sentence.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from core.project.catalog import CatalogProcedure, CatalogRoutine, CatalogTable
from core.project.codes import Code, ProjectError
from core.project.dbtfiles import DbtProjectFiles
from core.project.ddl import Batch, DdlObject, ProcedureSource, definitions, split_batches
from core.project.files import read_text
from core.project.lenient import FileModel
from core.project.manifest import Manifest
from core.project.names import NameSyntaxError, QualifiedName
from core.project.reading import named_by_file, read_document, validated, wrong_field
from core.project.suggest import close_to, did_you_mean
from core.project.testspec import TestSpec

M = TypeVar("M", bound=FileModel)
Wanted = str | QualifiedName
"""A name as somebody typed it, or one already parsed."""


class MigrationProject:
    """The project in ``root``: manifest, catalog, DDL, test specs, and the dbt project.

    ``dbt_root`` is where the dbt project is looked for; a run in a worktree reads its inputs
    from ``root`` and its dbt files from the worktree.
    """

    def __init__(self, root: Path, dbt_root: Path | None = None) -> None:
        self.root = root
        self.dbt = DbtProjectFiles(dbt_root if dbt_root is not None else root / "dbt")
        self._tables: dict[str, CatalogTable] = {}
        self._specs: dict[str, TestSpec] = {}

    @classmethod
    def open(cls, root: Path, dbt_root: Path | None = None) -> MigrationProject:
        """Open the project in ``root``; whether anything is there shows when it is asked for."""
        return cls(Path(root), dbt_root)

    # -- manifest ---------------------------------------------------------------------------

    @property
    def manifest_file(self) -> Path:
        """``manifest.json``."""
        return self.root / "manifest.json"

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest.

        Raises:
            ProjectError: ``MANIFEST_NOT_FOUND`` or ``MANIFEST_CORRUPT``.
        """
        try:
            document = read_document(self.root, "manifest.json", Code.MANIFEST_CORRUPT, None)
        except FileNotFoundError:
            raise ProjectError.of(
                Code.MANIFEST_NOT_FOUND,
                f"There is no manifest.json in {self.root}: run proc2dbt in the migration "
                "project's folder or name it with --project.",
                file="manifest.json",
            ) from None
        return validated(Manifest, document, Code.MANIFEST_CORRUPT, "manifest.json", None)

    # -- tables -----------------------------------------------------------------------------

    def tables(self) -> tuple[str, ...]:
        """Item ids of every table known from a catalog file or the DDL, sorted."""
        return self._table_ids

    @cached_property
    def _table_ids(self) -> tuple[str, ...]:
        return tuple(sorted({*self._table_files, *self.table_definitions}))

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._table_ids)

    def item_id(self, name: Wanted) -> str:
        """The item id a table's name stands for; an item id stands for itself.

        A table called ``[a.b]`` in ``silver`` has the item id ``silver.a.b``, which reads as a
        three-part name of another table: what is known by that id comes first.
        """
        if isinstance(name, str):
            folded = name.lower()
            parsed = _item_id(name)
            if folded == parsed or folded in self._table_files:
                return folded
            if parsed not in self._table_files and folded in self._known:
                return folded
            return parsed
        return name.item_id

    def knows_table(self, name: Wanted) -> bool:
        """Whether a catalog file or the DDL names the table."""
        item_id = self.item_id(name)
        return item_id in self._table_files or item_id in self._known

    def name_of(self, item_id: str) -> QualifiedName:
        """The table's name without reading its catalog file: as the DDL spells it, if it does."""
        definition = self.table_definitions.get(item_id)
        if definition is not None:
            return QualifiedName(name=definition.name.name, schema=definition.name.schema)
        schema, dot, name = item_id.partition(".")
        return QualifiedName(name=name, schema=schema) if dot else QualifiedName(name=schema)

    def has_catalog_file(self, name: Wanted) -> bool:
        """Whether ``catalog/tables`` has a file for the table."""
        return self.item_id(name) in self._table_files

    def catalog_file(self, name: Wanted) -> str:
        """The table's catalog file relative to the project, whether it exists or not."""
        item_id = self.item_id(name)
        return self._table_files.get(item_id, f"catalog/tables/{item_id}.json")

    def table(self, name: Wanted) -> CatalogTable:
        """The table's catalog entry.

        Raises:
            ProjectError: ``TABLE_UNKNOWN``, ``CATALOG_FILE_MISSING`` or
                ``CATALOG_FILE_CORRUPT``.
        """
        item_id = self.item_id(name)
        cached = self._tables.get(item_id)
        if cached is not None:
            return cached
        file = self._table_files.get(item_id)
        if file is None:
            raise self._no_catalog_file(name, item_id)
        code = Code.CATALOG_FILE_CORRUPT
        try:
            document = read_document(self.root, file, code, item_id)
        except FileNotFoundError:
            raise self._no_catalog_file(name, item_id) from None
        table = validated(CatalogTable, named_by_file(document, file), code, file, item_id)
        if table.item_id != item_id:
            problem = f"says {table.display}, but the file is named after {item_id}; rename one"
            raise wrong_field(code, file, document, ("name",), problem, item_id)
        self._tables[item_id] = table
        return table

    def _no_catalog_file(self, name: Wanted, item_id: str) -> ProjectError:
        spelled = name if isinstance(name, str) else name.display
        if item_id not in self._known:
            return ProjectError.of(
                Code.TABLE_UNKNOWN,
                f"No table {spelled} is known to this project: neither catalog/tables nor "
                f"ddl/tables.sql names it{did_you_mean(item_id, self.tables())}.",
                item_id,
                suggestions=close_to(item_id, self.tables()),
            )
        return ProjectError.of(
            Code.CATALOG_FILE_MISSING,
            f"{spelled} has no catalog file: create catalog/tables/{item_id}.json "
            "(see `proc2dbt schema catalog`).",
            item_id,
            file=f"catalog/tables/{item_id}.json",
        )

    @cached_property
    def _table_files(self) -> dict[str, str]:
        return self._json_files("catalog/tables")

    # -- test specs -------------------------------------------------------------------------

    @cached_property
    def _spec_files(self) -> dict[str, str]:
        return self._json_files("test-specs")

    def has_test_spec(self, name: Wanted) -> bool:
        """Whether ``test-specs`` has a file for the table."""
        return self.item_id(name) in self._spec_files

    def test_spec_file(self, name: Wanted) -> str:
        """The table's test spec relative to the project, whether it exists or not."""
        item_id = self.item_id(name)
        return self._spec_files.get(item_id, f"test-specs/{item_id}.json")

    def test_spec(self, name: Wanted) -> TestSpec:
        """The table's scenarios.

        Raises:
            ProjectError: ``TEST_SPEC_NOT_FOUND`` or ``TEST_SPEC_CORRUPT``.
        """
        item_id = self.item_id(name)
        cached = self._specs.get(item_id)
        if cached is not None:
            return cached
        file = self.test_spec_file(item_id)
        code = Code.TEST_SPEC_CORRUPT
        try:
            document = read_document(self.root, file, code, item_id)
        except FileNotFoundError:
            raise ProjectError.of(
                Code.TEST_SPEC_NOT_FOUND,
                f"{item_id} has no test spec: create {file} (see `proc2dbt schema test-spec`).",
                item_id,
                file=file,
            ) from None
        spec = validated(TestSpec, document, code, file, item_id)
        for index, test in enumerate(spec.unit_tests):
            if test.target_table.item_id != item_id:
                problem = f"is {test.target_table.display}, but the file is the spec of {item_id}"
                path = ("unit_tests", index, "target_table")
                raise wrong_field(code, file, document, path, problem, item_id)
        self._specs[item_id] = spec
        return spec

    # -- DDL --------------------------------------------------------------------------------

    def ddl_batches(self, kind: str) -> tuple[tuple[str, Batch], ...]:
        """``(file, batch)`` of ``ddl/<kind>.sql`` (or the files in ``ddl/<kind>/``), in order.

        ``kind`` is ``tables``, ``procedures``, ``views`` or ``functions``. A file that is not
        there has no batches; one that cannot be read is named in :attr:`ddl_problems`.
        """
        if kind not in self._batches:
            self._batches[kind] = tuple(
                (file, batch)
                for file in self._ddl_files(kind)
                for batch in split_batches(self._ddl_text(file))
            )
        return self._batches[kind]

    @cached_property
    def _batches(self) -> dict[str, tuple[tuple[str, Batch], ...]]:
        return {}

    @cached_property
    def ddl_problems(self) -> list[str]:
        """DDL files that exist and could not be read, one sentence each."""
        return []

    def _ddl_files(self, kind: str) -> list[str]:
        folder = self.root / "ddl" / kind
        files = [f"ddl/{kind}.sql"] if (self.root / f"ddl/{kind}.sql").exists() else []
        if folder.is_dir():
            files += sorted(f"ddl/{kind}/{path.name}" for path in folder.glob("*.sql"))
        return files

    def _ddl_text(self, file: str) -> str:
        path = self.root / file
        try:
            if not path.resolve().is_relative_to(self.root.resolve()):
                self.ddl_problems.append(f"{file} is a link that leads out of the project")
                return ""
            if not path.is_file():
                self.ddl_problems.append(f"{file} is not a file")
                return ""
            return read_text(path)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            self.ddl_problems.append(f"{file} cannot be read: {reason}")
            return ""

    def _definitions(self, kind: str, *files: str) -> dict[str, DdlObject]:
        found: dict[str, DdlObject] = {}
        for group in files:
            for file, batch in self.ddl_batches(group):
                for item in definitions(batch, file):
                    if item.kind == kind:
                        found[item.name.item_id] = _replacing(found.get(item.name.item_id), item)
        return found

    @cached_property
    def table_definitions(self) -> dict[str, DdlObject]:
        """``CREATE TABLE`` statements by item id."""
        return self._definitions("table", "tables")

    @cached_property
    def procedures(self) -> dict[str, ProcedureSource]:
        """Procedures by ``schema.procedure`` in lower case."""
        return self._definitions("procedure", "procedures")

    @cached_property
    def views(self) -> dict[str, DdlObject]:
        """Views by ``schema.view`` in lower case."""
        return self._definitions("view", "views")

    @cached_property
    def functions(self) -> dict[str, DdlObject]:
        """Functions by ``schema.function`` in lower case."""
        return self._definitions("function", "functions")

    def procedure(self, name: Wanted) -> ProcedureSource:
        """The text of a procedure, with its file and line.

        Raises:
            ProjectError: ``PROCEDURE_NOT_FOUND``.
        """
        found = self.find_procedure(name)
        if found is not None:
            return found
        spelled = name if isinstance(name, str) else name.display
        raise ProjectError.of(
            Code.PROCEDURE_NOT_FOUND,
            f"The procedure {spelled} was not found: {self.procedure_problem(name)}.",
            file="ddl/procedures.sql",
        )

    def procedure_problem(self, name: Wanted) -> str | None:
        """Why a procedure cannot be found, as a clause; ``None`` when it can."""
        if self.find_procedure(name) is not None:
            return None
        if self.ddl_problems:
            return self.ddl_problems[0]
        if not self._ddl_files("procedures"):
            return "the project has no ddl/procedures.sql"
        if self._is_encrypted(name):
            return "ddl/procedures.sql says that it is encrypted, so its text is not there"
        hint = did_you_mean(_item_id(name), self.procedures)
        return f"ddl/procedures.sql has no CREATE PROCEDURE of that name{hint}"

    def _is_encrypted(self, name: Wanted) -> bool:
        """Scripting tools leave a remark in place of a procedure whose text they cannot get."""
        spelled = _item_id(name).rpartition(".")[2]
        texts = (batch.text.lower() for _, batch in self.ddl_batches("procedures"))
        return any("encrypted" in text and spelled in text for text in texts)

    def find_procedure(self, name: Wanted) -> ProcedureSource | None:
        """The text of a procedure, or ``None`` when the DDL does not define it."""
        return self.procedures.get(_item_id(name))

    def view(self, name: Wanted) -> DdlObject | None:
        """The text of a view, or ``None`` when the DDL does not define it."""
        return self.views.get(_item_id(name))

    def function(self, name: Wanted) -> DdlObject | None:
        """The text of a function, or ``None`` when the DDL does not define it."""
        return self.functions.get(_item_id(name))

    # -- catalog files of other objects -----------------------------------------------------

    def procedure_catalog(self, name: Wanted) -> CatalogProcedure | None:
        """Hints about a procedure; ``None`` when the catalog has no file for it.

        Raises:
            ProjectError: ``CATALOG_FILE_CORRUPT``.
        """
        return self._catalog_entry(CatalogProcedure, "catalog/procedures", name)

    def view_catalog(self, name: Wanted) -> CatalogRoutine | None:
        """The catalog entry of a view; ``None`` when there is none."""
        return self._catalog_entry(CatalogRoutine, "catalog/views", name)

    def function_catalog(self, name: Wanted) -> CatalogRoutine | None:
        """The catalog entry of a function; ``None`` when there is none."""
        return self._catalog_entry(CatalogRoutine, "catalog/functions", name)

    def _catalog_entry(self, model: type[M], folder: str, name: Wanted) -> M | None:
        file = self._json_files(folder).get(_item_id(name))
        if file is None:
            return None
        code = Code.CATALOG_FILE_CORRUPT
        try:
            document = read_document(self.root, file, code, None)
        except FileNotFoundError:
            return None
        return validated(model, named_by_file(document, file), code, file, None)

    # -- listing ----------------------------------------------------------------------------

    def _json_files(self, folder: str) -> dict[str, str]:
        """Item id to file for the JSON files of a folder; file names in any case."""
        if folder in self._listings:
            return self._listings[folder]
        found: dict[str, str] = {}
        try:
            with os.scandir(self.root / folder) as entries:
                names = sorted(entry.name for entry in entries)
        except OSError:
            names = []
        for name in names:
            if name.lower().endswith(".json") and not name.startswith("."):
                found[_stem_id(name[: -len(".json")])] = f"{folder}/{name}"
        self._listings[folder] = found
        return found

    @cached_property
    def _listings(self) -> dict[str, dict[str, str]]:
        return {}


def _item_id(name: Wanted) -> str:
    if isinstance(name, QualifiedName):
        return name.item_id
    try:
        return QualifiedName.parse(name).item_id
    except NameSyntaxError:
        return name.lower()


def _stem_id(stem: str) -> str:
    """The item id a file name stands for; a name that is not quoted may contain dots itself."""
    if stem.startswith(("[", '"')):
        return _item_id(stem)
    return stem.lower()


def _replacing(old: DdlObject | None, new: DdlObject) -> DdlObject:
    if old is None:
        return new
    note = f"also defined at {old.file} line {old.first_line}; the last definition counts"
    return DdlObject(
        kind=new.kind,
        name=new.name,
        verb=new.verb,
        text=new.text,
        file=new.file,
        first_line=new.first_line,
        notes=(*new.notes, note),
    )
