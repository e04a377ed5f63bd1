"""``catalog/``: tables with their scoping and profile, procedures, views and functions."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AliasChoices, Field, model_validator

from core.project.lenient import (
    FileModel,
    Flag,
    Identifier,
    LowerEnum,
    Name,
    Several,
    Word,
    lenient_enum,
)
from core.project.names import QualifiedName

_QUOTED = ("[", '"')


class ResolvedKind(LowerEnum):
    """What kind of warehouse table a target is; decides the materialization."""

    FACT_TRANSACTION = "fact_transaction"
    FACT_PERIODIC_SNAPSHOT = "fact_periodic_snapshot"
    FACT_ACCUMULATING_SNAPSHOT = "fact_accumulating_snapshot"
    FACT_AGGREGATE = "fact_aggregate"
    DIM_SCD1 = "dim_scd1"
    DIM_SCD2 = "dim_scd2"
    DIM_NON_SCD = "dim_non_scd"
    DIM_JUNK = "dim_junk"


class PiiAction(LowerEnum):
    """What to do with a personal column."""

    MASK = "mask"
    DROP = "drop"
    TOKENIZE = "tokenize"
    KEEP = "keep"


class CatalogObject(FileModel):
    """Anything in the catalog that has a schema and a name, however they are quoted."""

    schema_name: Identifier = Field(
        alias="schema", validation_alias=AliasChoices("schema", "schema_name")
    )
    """The schema, e.g. ``silver``."""
    object_name: Identifier = Field(
        alias="name",
        validation_alias=AliasChoices("name", "table_name", "view_name", "procedure_name"),
    )
    """The object's name without the schema."""

    @model_validator(mode="before")
    @classmethod
    def _split_qualified_name(cls, data: Any) -> Any:
        """``"name": "[silver].[DimCustomer]"`` carries the schema as well (wild)."""
        if not isinstance(data, dict):
            return data
        name = data.get("name")
        if isinstance(name, str) and name.strip().startswith(_QUOTED) and "." in name:
            parsed = QualifiedName.parse(name)
            schema = data.get("schema") or parsed.schema
            return {**data, "name": parsed.name, "schema": schema}
        return data

    @property
    def qualified(self) -> QualifiedName:
        """Schema and name as one value, spelled as the catalog spells them."""
        return QualifiedName(name=self.object_name, schema=self.schema_name)

    @property
    def item_id(self) -> str:
        """``schema.table`` in lower case."""
        return self.qualified.item_id

    @property
    def display(self) -> str:
        """``schema.table`` as the catalog spells it."""
        return self.qualified.display


class Column(FileModel):
    """One column of a table."""

    name: Identifier = Field(validation_alias=AliasChoices("name", "column_name"))
    """The column's name."""
    sql_type: str = Field(
        validation_alias=AliasChoices("sql_type", "data_type", "source_sql_type", "type")
    )
    """The T-SQL type with its arguments: ``NVARCHAR(50)``, ``DECIMAL(18,2)``."""
    is_nullable: Flag = Field(
        default=True, validation_alias=AliasChoices("is_nullable", "nullable")
    )
    """Whether NULL is allowed."""
    is_identity: Flag = Field(
        default=False, validation_alias=AliasChoices("is_identity", "identity")
    )
    """Whether the server numbers it."""
    default: str | None = Field(
        default=None, validation_alias=AliasChoices("default", "default_definition")
    )
    """The DEFAULT expression, when the catalog knows it."""

    @model_validator(mode="before")
    @classmethod
    def _join_type_arguments(cls, data: Any) -> Any:
        """``decimal`` with ``precision`` and ``scale`` beside it is ``decimal(p,s)`` (wild)."""
        if not isinstance(data, dict):
            return data
        for key in ("sql_type", "data_type", "source_sql_type"):
            spelled = data.get(key)
            if isinstance(spelled, str):
                arguments = _type_arguments(spelled, data)
                return {**data, key: spelled.strip() + arguments}
        return data


_BARE_DECIMAL = re.compile(r"(?i)\s*(decimal|numeric|dec)\s*")
_BARE_TEXT = re.compile(r"(?i)\s*n?(var)?char\s*|\s*(var)?binary\s*")


def _type_arguments(spelled: str, column: dict[str, Any]) -> str:
    if _BARE_DECIMAL.fullmatch(spelled):
        precision = column.get("precision", column.get("numeric_precision"))
        scale = column.get("scale", column.get("numeric_scale"))
        if precision is not None:
            return f"({precision},{scale or 0})"
    length = column.get("character_maximum_length")
    if _BARE_TEXT.fullmatch(spelled) and length is not None:
        return "(MAX)" if str(length) == "-1" else f"({length})"
    return ""


class KeyConstraint(FileModel):
    """A primary key or unique index."""

    constraint_name: str = Field(
        default="", validation_alias=AliasChoices("constraint_name", "index_name", "name")
    )
    """The constraint's name."""
    columns: Several[Identifier]
    """The key's columns, in order."""


class ForeignKey(FileModel):
    """A declared foreign key."""

    constraint_name: str = ""
    """The constraint's name."""
    columns: Several[Identifier] = ()
    """The referring columns."""
    referenced_schema: Identifier = ""
    """The referred table's schema."""
    referenced_table: Identifier = ""
    """The referred table."""
    referenced_columns: Several[Identifier] = ()
    """The referred columns, in the order of ``columns``."""


class AutoIncrement(FileModel):
    """A column numbered by the server."""

    column: Identifier = Field(validation_alias=AliasChoices("column", "column_name"))
    """The column."""
    seed: int = Field(default=1, validation_alias=AliasChoices("seed", "seed_value"))
    """The first number."""
    increment: int = Field(default=1, validation_alias=AliasChoices("increment", "increment_value"))
    """The step."""
    mechanism: str = "identity"
    """``identity`` or ``sequence``."""


class Sensitivity(FileModel):
    """A column the source system calls sensitive."""

    column: Identifier = Field(default="", validation_alias=AliasChoices("column", "column_name"))
    """The column."""
    label: str = ""
    """The sensitivity label."""
    information_type: str = ""
    """What it is: ``Contact Info`` and the like."""


class ScopingStatus(LowerEnum):
    """How the search for the writing procedure ended."""

    RESOLVED = "resolved"
    AMBIGUOUS_MULTI_WRITER = "ambiguous_multi_writer"
    NO_WRITER_FOUND = "no_writer_found"
    ERROR = "error"


class Scoping(FileModel):
    """Which procedure loads the table."""

    status: Annotated[ScopingStatus | None, lenient_enum(ScopingStatus, None)] = None
    """How the search ended."""
    selected_writer: Name | None = None
    """The procedure that loads the table."""
    selected_writer_rationale: str = ""
    """Why this one."""

    @model_validator(mode="before")
    @classmethod
    def _blank_writer_is_absent(cls, data: Any) -> Any:
        if isinstance(data, dict) and not str(data.get("selected_writer") or "").strip():
            return {key: value for key, value in data.items() if key != "selected_writer"}
        return data


class ProfileStatus(LowerEnum):
    """How the profiling ended."""

    OK = "ok"
    PARTIAL = "partial"
    ERROR = "error"


class Classification(FileModel):
    """What kind of table it is, and why."""

    resolved_kind: ResolvedKind
    """The kind; decides the materialization."""
    rationale: str = ""
    """Why."""
    source: str = ""
    """Who decided: a rule or a model."""


class PrimaryKeyType(LowerEnum):
    """What a primary key is made of."""

    SURROGATE = "surrogate"
    NATURAL = "natural"
    COMPOSITE = "composite"
    UNKNOWN = "unknown"


class ProfiledKey(FileModel):
    """The key as profiled; it may be one the database does not enforce."""

    columns: Several[Identifier] = ()
    """The key's columns."""
    primary_key_type: Annotated[
        PrimaryKeyType, lenient_enum(PrimaryKeyType, PrimaryKeyType.UNKNOWN)
    ] = PrimaryKeyType.UNKNOWN
    """What it is made of."""


class NaturalKey(FileModel):
    """The business key."""

    columns: Several[Identifier] = ()
    """Its columns."""


class Watermark(FileModel):
    """The column by which new rows are told from old ones."""

    column: Identifier = ""
    """The column; empty when there is none."""


class ForeignKeyType(LowerEnum):
    """What a profiled foreign key is for."""

    STANDARD = "standard"
    ROLE_PLAYING = "role_playing"
    DEGENERATE = "degenerate"


class ProfiledForeignKey(FileModel):
    """A foreign key as profiled."""

    column: Identifier
    """The referring column."""
    references_source_relation: Name | None = None
    """The referred table."""
    references_column: Identifier = ""
    """The referred column."""
    fk_type: Annotated[ForeignKeyType, lenient_enum(ForeignKeyType, ForeignKeyType.STANDARD)] = (
        ForeignKeyType.STANDARD
    )
    """What it is for."""


class ProfiledPii(FileModel):
    """A personal column and what to do with it."""

    column: Identifier
    """The column."""
    entity: str = ""
    """What it holds: ``email``, ``name``."""
    suggested_action: PiiAction = PiiAction.KEEP
    """What to do with it."""


class Profile(FileModel):
    """What is known about the table beyond its columns."""

    status: Word = Field(default="", json_schema_extra={"enum": [*ProfileStatus]})
    """``ok`` lets the table be migrated; any other word does not."""
    writer: str = ""
    """The procedure the profile was made from."""
    classification: Classification | None = None
    """What kind of table it is."""
    primary_key: ProfiledKey = ProfiledKey()
    """The key."""
    natural_key: NaturalKey = NaturalKey()
    """The business key."""
    watermark: Watermark = Watermark()
    """The column by which new rows are told from old ones."""
    foreign_keys: Several[ProfiledForeignKey] = ()
    """Foreign keys."""
    pii_actions: Several[ProfiledPii] = ()
    """Personal columns."""

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        """``"watermark": "LoadDate"`` and ``"primary_key": ["Id"]`` are meant well (wild)."""
        if not isinstance(data, dict):
            return data
        widened = dict(data)
        if isinstance(widened.get("watermark"), str):
            widened["watermark"] = {"column": widened["watermark"]}
        for key in ("primary_key", "natural_key"):
            if isinstance(widened.get(key), list | str):
                widened[key] = {"columns": widened[key]}
        return widened

    @property
    def kind(self) -> ResolvedKind | None:
        """The classification, when there is one."""
        return self.classification.resolved_kind if self.classification else None


class CatalogTable(CatalogObject):
    """``catalog/tables/<item_id>.json``: one table."""

    columns: Several[Column]
    """The columns, in the table's order."""
    primary_keys: Several[KeyConstraint] = ()
    """The declared primary key (none or one)."""
    unique_indexes: Several[KeyConstraint] = ()
    """Unique indexes and constraints."""
    foreign_keys: Several[ForeignKey] = ()
    """Declared foreign keys."""
    auto_increment_columns: Several[AutoIncrement] = ()
    """Columns numbered by the server."""
    sensitivity_classifications: Several[Sensitivity] = ()
    """Columns the source system calls sensitive."""
    scoping: Scoping | None = None
    """Which procedure loads the table."""
    profile: Profile | None = None
    """What is known about the table beyond its columns."""
    is_source: Flag = False
    """The table is loaded by no procedure of ours."""
    is_seed: Flag = False
    """The table is a dbt seed."""

    @property
    def writer(self) -> QualifiedName | None:
        """The procedure that loads the table, if scoping selected one."""
        return self.scoping.selected_writer if self.scoping else None

    @property
    def kind(self) -> ResolvedKind | None:
        """The classification, if profiled."""
        return self.profile.kind if self.profile else None

    def column(self, name: str) -> Column | None:
        """The column of that name in any case, or ``None``."""
        wanted = name.casefold()
        return next((c for c in self.columns if c.name.casefold() == wanted), None)

    @property
    def identity_columns(self) -> tuple[str, ...]:
        """Columns numbered by the server, however the catalog says so."""
        listed = {a.column.casefold() for a in self.auto_increment_columns}
        return tuple(c.name for c in self.columns if c.is_identity or c.name.casefold() in listed)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The primary key: the profiled one, else the declared one; empty when unknown."""
        if self.profile and self.profile.primary_key.columns:
            return self.profile.primary_key.columns
        return self.primary_keys[0].columns if self.primary_keys else ()


class Parameter(FileModel):
    """A parameter of a procedure."""

    name: str
    """With its ``@``."""
    sql_type: str = Field(default="", validation_alias=AliasChoices("sql_type", "data_type"))
    """Its T-SQL type."""
    is_output: Flag = False
    """Whether it is OUTPUT."""
    has_default: Flag = False
    """Whether a call may leave it out."""


class StatementHint(FileModel):
    """What an earlier stage thought of one statement: a hint, never a substitute for the text."""

    action: str = ""
    """``migrate`` or ``skip``."""
    source: str = ""
    """``ast`` or ``llm``."""
    sql: str = ""
    """The statement's text."""
    rationale: str = ""
    """Why."""


class CatalogProcedure(CatalogObject):
    """``catalog/procedures/<schema>.<proc>.json``: hints about one procedure."""

    params: Several[Parameter] = ()
    """Its parameters."""
    mode: str = ""
    """How the earlier stage read it."""
    routing_reasons: Several[str] = ()
    """Why it was read so."""
    references: dict[str, Any] = Field(default_factory=dict)
    """What it refers to, by kind; kept as it is."""
    statements: Several[StatementHint] = ()
    """What the earlier stage thought of each statement."""


class CatalogRoutine(CatalogObject):
    """``catalog/views`` and ``catalog/functions``: an object that is defined by its DDL."""

    columns: Several[Column] = ()
    """The columns it returns, when the catalog knows them."""
    references: dict[str, Any] = Field(default_factory=dict)
    """What it refers to, by kind; kept as it is."""
