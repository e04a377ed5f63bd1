"""``test-specs/<item_id>.json``: scenarios captured by running a procedure on SQL Server.

``expect.rows`` is ground truth. Row values are kept as the file spells them (``str``, ``int``,
:class:`~decimal.Decimal`, ``bool`` or ``None``): what a value means depends on the column's
type, which is not known here. A row leaves out columns that were NULL, defaulted or numbered.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from core.project.lenient import FileModel, LowerEnum, Moment, Name, Several, read_moment

Value = str | int | Decimal | bool | None
"""One cell, as JSON spells it."""


def _row(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError('a row is an object {"Column": value}')
    seen: dict[str, str] = {}
    for column, cell in value.items():
        if isinstance(cell, dict | list):
            raise ValueError(f"the value of '{column}' is not a single value")
        if column.casefold() in seen:
            raise ValueError(f"'{seen[column.casefold()]}' and '{column}' are the same column")
        seen[column.casefold()] = column
    return value


Row = Annotated[
    dict[str, Any],
    BeforeValidator(_row),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        }
    ),
]
"""Column to :data:`Value`; names in any case, no two the same."""


class SpecStatus(LowerEnum):
    """How the generation of the test spec ended."""

    OK = "ok"
    PARTIAL = "partial"
    ERROR = "error"


class GivenTable(FileModel):
    """What one table held before the procedure ran."""

    table: Name
    """The table."""
    rows: Several[Row] = ()
    """Its rows; none means that it was empty."""


class Expectation(FileModel):
    """What the target held afterwards."""

    rows: Several[Row]
    """The rows; only the listed columns are compared."""


class UnitTest(FileModel):
    """One scenario."""

    name: str
    """The scenario's name; becomes the dbt unit test's name."""
    target_table: Name
    """The table the procedure loads."""
    procedure: Name | None = None
    """The procedure that was run."""
    model: str | None = None
    """The dbt model, when the earlier stage knew it."""
    given: Several[GivenTable] = ()
    """The tables that held rows; every other one was empty."""
    expect: Expectation | None = None
    """What the target held afterwards; absent: the scenario cannot be judged."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Parameter values of the call, by name with or without ``@``."""
    captured_at: Moment | None = None
    """The server's clock during the run."""

    @model_validator(mode="before")
    @classmethod
    def _expectation_without_rows_is_absent(cls, data: Any) -> Any:
        """``"expect": {}`` says nothing about the result; it does not say "empty"."""
        if not isinstance(data, dict):
            return data
        expect = data.get("expect")
        if isinstance(expect, list):
            return {**data, "expect": {"rows": expect}}
        if isinstance(expect, dict) and expect.get("rows") is None:
            return {key: value for key, value in data.items() if key != "expect"}
        return data


class Branch(FileModel):
    """One branch of the procedure and the scenarios that take it."""

    id: str = ""
    """The branch's id."""
    statement_index: int | None = None
    """The statement it belongs to."""
    description: str = ""
    """What the branch is."""
    scenarios: Several[str] = ()
    """Names of scenarios that take it."""


class TestSpec(FileModel):
    """The scenarios of one table."""

    __test__ = False  # not a test class of pytest

    item_id: str = ""
    """``schema.table``."""
    status: SpecStatus = SpecStatus.OK
    """``error`` stops the item; ``partial`` does not."""
    coverage: str = ""
    """``complete`` or ``partial``."""
    branch_manifest: Several[Branch] = ()
    """The procedure's branches."""
    unit_tests: Several[UnitTest] = ()
    """The scenarios."""
    uncovered_branches: Several[Any] = ()
    """Branches no scenario takes."""
    warnings: Several[Any] = ()
    """What the earlier stage warned about."""
    validation: dict[str, Any] = Field(default_factory=dict)
    """How the earlier stage checked the scenarios."""
    errors: Several[Any] = ()
    """What the earlier stage could not do."""

    @property
    def validated_at(self) -> datetime | None:
        """The time in ``validation``, when one can be read."""
        for key in ("validated_at", "executed_at", "run_at", "captured_at", "timestamp", "time"):
            moment = read_moment(self.validation.get(key))
            if moment is not None:
                return moment
        return None

    def clock_of(self, test: UnitTest, extracted_at: datetime | None) -> datetime | None:
        """The clock to replay ``test`` with: its own, the validation's, the extraction's."""
        return test.captured_at or self.validated_at or extracted_at
