"""Laying out YAML for people in a way that YAML 1.1 (PyYAML, which dbt uses) reads the same.

ruamel writes YAML 1.2, where ``yes`` and ``12:30:45`` are strings; PyYAML reads a boolean and a
number. So strings are quoted unless they are plainly words, and every text written is read
back with PyYAML and compared with the data it was written from.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import (
    DoubleQuotedScalarString,
    LiteralScalarString,
    SingleQuotedScalarString,
)

_PLAIN = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_.,/()' -]*[A-Za-z0-9_.)])?")
_WORDS_OF_11 = frozenset("y n yes no on off true false null".split())  # noqa: SIM905


class YamlMismatchError(Exception):
    """A text would not be read back as the data it was written from: a defect, never written."""


class Row(dict[str, Any]):
    """A mapping that is written on one line."""


def dump(data: object) -> str:
    """The YAML of ``data``: block style, :class:`Row` in flow style, strings safely quoted."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    yaml.allow_unicode = True
    stream = io.StringIO()
    yaml.dump(_laid_out(data), stream)
    return stream.getvalue()


def checked(text: str, data: object) -> str:
    """``text``, after PyYAML read ``data`` from it.

    Raises:
        YamlMismatchError: it did not.
    """
    import yaml

    if yaml.load(text, Loader=yaml.CSafeLoader) != data:
        raise YamlMismatchError("the YAML would not be read back as it was meant")
    return text


def comment_lines(text: str, indent: int, width: int = 96) -> str:
    """``text`` as ``#`` lines."""
    import textwrap

    wrapped = textwrap.wrap(text, width - indent, break_on_hyphens=False)
    return "".join(f"{' ' * indent}# {line}\n" for line in wrapped)


def _laid_out(data: object) -> object:
    if isinstance(data, Mapping):
        mapping = CommentedMap((k, _laid_out(v)) for k, v in data.items())
        if isinstance(data, Row):
            mapping = CommentedMap((_scalar(k), _cell(v)) for k, v in data.items())
            mapping.fa.set_flow_style()
        return mapping
    if isinstance(data, Sequence) and not isinstance(data, str):
        sequence = CommentedSeq(_laid_out(item) for item in data)
        if not data:
            sequence.fa.set_flow_style()
        return sequence
    return _scalar(data)


def _scalar(value: object) -> object:
    if not isinstance(value, str):
        return value
    if "\n" in value and value.replace("\n", "").isprintable():
        return LiteralScalarString(value)
    if len(value) < 200 and _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_11:
        return value
    return _quoted(value)


def _cell(value: object) -> object:
    """Every string of a fixture is quoted, whatever it looks like."""
    return _quoted(value) if isinstance(value, str) else value


def _quoted(value: str) -> str:
    if value.isprintable() and not ("'" in value and '"' not in value):
        return SingleQuotedScalarString(value)
    return DoubleQuotedScalarString(value)
