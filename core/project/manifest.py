"""``manifest.json``: what the migration project was extracted from."""

from __future__ import annotations

import re
from typing import Any

from pydantic import AliasChoices, Field, ValidationInfo, field_validator

from core.project.lenient import FileModel, Identifier, OptionalMoment, Several

_TSQL_TECHNOLOGIES = frozenset(
    {
        "sqlserver",
        "mssql",
        "azuresql",
        "azuresqldatabase",
        "azuresqlmanagedinstance",
        "azuresynapse",
        "synapse",
        "fabricwarehouse",
    }
)
_TSQL_DIALECTS = frozenset({"tsql", "transactsql", "mssql", "sqlserver"})


class Manifest(FileModel):
    """The project's own facts. Only ``technology`` or ``dialect`` is needed."""

    technology: str = ""
    """What was extracted: ``sql_server``, ``fabric_warehouse``, ``snowflake``, ``oracle``."""
    dialect: str = Field(default="", validate_default=True)
    """The SQL dialect of the procedures; only ``tsql`` can be compiled."""
    source_database: Identifier = Field(
        default="", validation_alias=AliasChoices("source_database", "database")
    )
    """The database the objects came from; names qualified with it are the project's own."""
    extracted_schemas: Several[Identifier] = ()
    """The schemas that were extracted."""
    extracted_at: OptionalMoment = None
    """When; the clock of scenarios that have none of their own."""
    schema_version: str = ""
    """The version of the file format."""

    @field_validator("dialect")
    @classmethod
    def _says_what_it_is(cls, dialect: str, info: ValidationInfo) -> str:
        if not (dialect or info.data.get("technology", "?")):
            raise ValueError('technology is needed (for example "sql_server") when it is absent')
        return dialect

    @property
    def is_tsql(self) -> bool:
        """Whether the procedures are T-SQL; the dialect decides, then the technology."""
        technology = _squeeze(self.technology)
        if technology in ("snowflake", "oracle"):
            return False
        if self.dialect:
            return _squeeze(self.dialect) in _TSQL_DIALECTS
        return technology in _TSQL_TECHNOLOGIES

    @property
    def spoken(self) -> str:
        """What the source is, for a sentence: ``snowflake (snowflake)``."""
        return " / ".join(part for part in (self.technology, self.dialect) if part)


def _squeeze(text: Any) -> str:
    return re.sub(r"[^a-z0-9]", "", str(text).lower())
