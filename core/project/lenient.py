"""Field types that accept the spellings found in real projects, and the base of the file models.

``null`` means "absent" everywhere, unknown keys are ignored, names may be quoted, flags may be
``YES`` or ``1``. What is needed and missing is still an error: leniency is about spelling.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from core.project.names import QualifiedName

T = TypeVar("T")


class FileModel(BaseModel):
    """A JSON object of the project: frozen, unknown keys ignored, ``null`` taken as absent."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        coerce_numbers_to_str=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None}


class LowerEnum(StrEnum):
    """An enumeration whose values are read in any case, with blanks or hyphens for ``_``."""

    @classmethod
    def _missing_(cls, value: object) -> LowerEnum | None:
        if not isinstance(value, str):
            return None
        text = re.sub(r"[\s-]+", "_", value.strip()).lower()
        return next((member for member in cls if member.value == text), None)


E = TypeVar("E", bound="LowerEnum")


def lenient_enum(cls: type[E], otherwise: E | None) -> BeforeValidator:
    """A word nobody depends on: one that is not known counts as ``otherwise``."""

    def read(value: Any) -> Any:
        try:
            return cls(value)
        except ValueError:
            return otherwise

    return BeforeValidator(read)


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _parse_name(value: Any) -> QualifiedName:
    if isinstance(value, QualifiedName):
        return value
    if not isinstance(value, str):
        raise ValueError('expected an object name such as "[silver].[DimCustomer]"')
    return QualifiedName.parse(value)


def _unquote(value: Any) -> Any:
    """``[Name]`` and ``"Name"`` become ``Name``; anything else is kept as it is."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if len(text) > 1 and text[0] + text[-1] in ("[]", '""'):
        return QualifiedName.parse(text).name
    return value


def _flag(value: Any) -> Any:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("yes", "y", "true", "1", "t"):
            return True
        if word in ("no", "n", "false", "0", "f"):
            return False
    return value


def _several(value: Any) -> Any:
    """A lone value where a list belongs is a list of one; text may be comma-separated names."""
    return [value] if isinstance(value, str | dict) else value


_FRACTION = re.compile(r"(\.\d{6})\d+")


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = _FRACTION.sub(r"\1", value.strip())
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a date and time such as 2024-01-15T08:30:00") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def read_moment(value: Any) -> datetime | None:
    """The point in time ``value`` spells, or ``None`` when it spells none."""
    if not isinstance(value, str):
        return None
    try:
        parsed = _moment(value)
    except ValueError:
        return None
    return parsed if isinstance(parsed, datetime) else None


Name = Annotated[
    QualifiedName,
    PlainValidator(_parse_name),
    PlainSerializer(lambda name: name.display, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["[silver].[DimCustomer]"]}),
]
"""A qualified object name."""

Identifier = Annotated[str, BeforeValidator(_unquote)]
"""One identifier, without its quotes."""

Flag = Annotated[bool, BeforeValidator(_flag)]
"""``true``/``false``, ``1``/``0``, ``"YES"``/``"NO"``."""

Several = Annotated[tuple[T, ...], BeforeValidator(_several)]
"""A list; a lone value counts as a list of one."""

Word = Annotated[str, BeforeValidator(_lower)]
"""One word in lower case."""

Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A point in time; without a zone it is UTC."""

OptionalMoment = Annotated[datetime | None, BeforeValidator(read_moment)]
"""A point in time nobody depends on: what cannot be read counts as absent."""
