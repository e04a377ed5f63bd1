"""Reading settings: ``proc2dbt.toml``, ``PROC2DBT_*`` variables, flags; and printing them.

Whatever is wrong is ``SETTINGS_INVALID`` with one sentence that names the file and line, or
the variable, or the flag, and what to write instead.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.project.codes import Code, ProjectError
from core.project.files import read_text
from core.project.names import NameSyntaxError, QualifiedName
from core.project.settings import (
    ENVIRONMENT_PREFIX,
    SETTINGS_FILE,
    SettingInfo,
    Settings,
    all_settings,
    value_of,
)
from core.project.suggest import close_to, did_you_mean

_MODEL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


class _WrongValueError(ValueError):
    """The value does not fit; the message completes "<place>: '<name>' ..."."""


def load_settings(
    root: Path,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """The effective settings for the project in ``root``.

    ``flags`` maps dotted setting names to values; ``None`` means that the flag was not given.

    Raises:
        ProjectError: ``SETTINGS_INVALID``.
    """
    known = {info.name: info for info in all_settings()}
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for name, value, place in (
        *_from_file(root, known),
        *_from_environment(environment or {}, known),
        *_from_flags(flags or {}, known),
    ):
        try:
            values[name] = _checked(known[name], value)
        except _WrongValueError as error:
            raise _invalid(f"{place}: '{name}' {error}.", name) from None
        origins[name] = place
    return _settings(values, origins)


def _settings(values: Mapping[str, Any], origins: Mapping[str, str]) -> Settings:
    settings: Any = Settings(origins=dict(origins))
    for name, value in values.items():
        settings = _replaced(settings, name.split("."), value)
    assert isinstance(settings, Settings)
    return settings


def _replaced(record: Any, path: list[str], value: Any) -> Any:
    head, *rest = path
    inner = _replaced(getattr(record, head), rest, value) if rest else value
    return dataclasses.replace(record, **{head: inner})


def _invalid(message: str, name: str | None = None) -> ProjectError:
    return ProjectError.of(Code.SETTINGS_INVALID, message, setting=name)


# -- sources --------------------------------------------------------------------------------

Found = tuple[str, Any, str]
"""Setting name, raw value, and the place it stands in."""


def _from_file(root: Path, known: Mapping[str, SettingInfo]) -> list[Found]:
    path = root / SETTINGS_FILE
    if path.exists() and not path.is_file():
        raise _invalid(f"{SETTINGS_FILE} is not a file.")
    try:
        text = read_text(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _invalid(f"{SETTINGS_FILE} cannot be read: {error.strerror}.") from error
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problem = str(error) or "it is nested too deeply"
        raise _invalid(f"{SETTINGS_FILE} is not valid TOML: {problem}.") from error
    lines = _lines_of_keys(text)
    return [
        (name, value, f"{SETTINGS_FILE} line {_line(lines, name)}")
        for name, value in _flattened(document, known, lines, "")
    ]


def _flattened(
    table: Mapping[str, Any],
    known: Mapping[str, SettingInfo],
    lines: Mapping[str, int],
    prefix: str,
) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = prefix + key
        if name in known:
            yield name, value
        elif isinstance(value, dict) and any(other.startswith(name + ".") for other in known):
            yield from _flattened(value, known, lines, name + ".")
        else:
            names = {*known, *(n.rpartition(".")[0] for n in known if "." in n)}
            raise _invalid(
                f"{SETTINGS_FILE} line {_line(lines, name)}: there is no setting '{name}'"
                f"{did_you_mean(name, names)}.",
                name,
            )


_HEADER = re.compile(r"\s*\[{1,2}(?P<key>[^\[\]#]+)\]{1,2}\s*(?:#.*)?")
_ASSIGNMENT = re.compile(r"""\s*(?P<key>(?:"[^"]*"|'[^']*'|[\w.\s-])+?)\s*=""")


def _lines_of_keys(text: str) -> dict[str, int]:
    """Dotted key to its line; ``tomllib`` does not say. Good enough for messages."""
    lines: dict[str, int] = {}
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            table = _key_parts(header["key"])
            lines.setdefault(".".join(table), number)
        elif assignment := _ASSIGNMENT.match(line):
            parts = table + _key_parts(assignment["key"])
            for length in range(1, len(parts) + 1):
                lines.setdefault(".".join(parts[:length]), number)
    return lines


def _key_parts(key: str) -> list[str]:
    try:
        value: Any = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return [key.strip()]
    parts: list[str] = []
    while isinstance(value, dict):
        part, value = next(iter(value.items()))
        parts.append(part)
    return parts


def _line(lines: Mapping[str, int], name: str) -> int:
    while name:
        if name in lines:
            return lines[name]
        name = name.rpartition(".")[0]
    return 1


def _from_environment(
    environment: Mapping[str, str], known: Mapping[str, SettingInfo]
) -> list[Found]:
    by_variable = {info.environment: info for info in known.values()}
    found: list[Found] = []
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX):
            continue
        info = by_variable.get(variable)
        place = f"environment variable {variable}"
        if info is not None:
            found.append((info.name, _parsed(info, environment[variable], place), place))
        elif close := close_to(variable, by_variable, likeness=0.88):
            # Other PROC2DBT_ variables may mean something to somebody; a near miss is a mistake.
            raise _invalid(f"{place} sets nothing (did you mean {' or '.join(close)}?).")
    return found


def _from_flags(flags: Mapping[str, Any], known: Mapping[str, SettingInfo]) -> list[Found]:
    found: list[Found] = []
    for name, value in flags.items():
        if name not in known:
            raise _invalid(f"There is no setting '{name}'{did_you_mean(name, known)}.", name)
        place = "flag --" + name.replace("_", "-").replace(".", "-")
        if value is not None and value != ():
            found.append((name, value, place))
    return found


def _parsed(info: SettingInfo, text: str, place: str) -> Any:
    """The value a variable spells; text that does not parse is left for the type check."""
    word = text.strip()
    match info.kind:
        case "true or false":
            return True if word.lower() in _TRUE else False if word.lower() in _FALSE else text
        case "whole number" | "number":
            for convert in (int, float):
                try:
                    return convert(word)
                except ValueError:
                    continue
            return None if info.optional and not word else text
        case "list of texts":
            return [part.strip() for part in text.split(",") if part.strip()]
        case "table":
            pairs = [part.partition("=") for part in text.split(",") if part.strip()]
            if any(not sign for _, sign, _ in pairs):
                raise _invalid(f"{place} must read name=value,name=value.", info.name)
            return {key.strip(): value.strip() for key, _, value in pairs}
        case _:
            return None if info.optional and not word else word


# -- values ---------------------------------------------------------------------------------


def _checked(info: SettingInfo, value: Any) -> Any:
    if value is None and info.optional:
        return None
    match info.kind:
        case "true or false":
            return _typed(info, value, isinstance(value, bool))
        case "whole number":
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            return _in_range(info, _typed(info, value, is_whole))
        case "number":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return _in_range(info, float(_typed(info, value, is_number)))
        case "list of texts":
            return _texts(info, value)
        case "table":
            return _table(info, value)
        case _:
            _typed(info, value, isinstance(value, str))
            if info.choices and value not in info.choices:
                choices = ", ".join(info.choices)
                hint = did_you_mean(value, info.choices)
                raise _WrongValueError(f"is '{value}' but must be one of {choices}{hint}")
            if not value.strip():
                raise _WrongValueError("is empty")
            return value


def _typed(info: SettingInfo, value: Any, fits: bool) -> Any:
    if not fits:
        raise _WrongValueError(f"is {_spelled(value)} but must be a {info.kind}")
    return value


def _in_range(info: SettingInfo, value: Any) -> Any:
    low, high = info.minimum, info.maximum
    if value != value or (low is not None and value < low) or (high is not None and value > high):
        limits = f"at least {low:g}" if low is not None else ""
        limits += f" and at most {high:g}" if high is not None else ""
        raise _WrongValueError(f"is {_spelled(value)} but must be {limits.strip()}")
    return value


def _texts(info: SettingInfo, value: Any) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise _WrongValueError(f"is {_spelled(value)} but must be a {info.kind}")
    return tuple(items)


def _table(info: SettingInfo, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _WrongValueError(f"is {_spelled(value)} but must be a table of texts")
    table: dict[str, str] = {}
    for key, entry in value.items():
        if not isinstance(entry, str):
            raise _WrongValueError(f"has {_spelled(entry)} for '{key}' where a text is expected")
        if info.name == "model_names":
            table[_table_id(key)] = _valid_model_name(key, entry)
        else:
            table[key] = entry
    return table


def _table_id(key: str) -> str:
    try:
        return QualifiedName.parse(key).item_id
    except NameSyntaxError as error:
        raise _WrongValueError(f"has '{key}', which is not a table name") from error


def _valid_model_name(key: str, entry: str) -> str:
    if not _MODEL_NAME.fullmatch(entry):
        raise _WrongValueError(
            f"gives '{key}' the model name '{entry}', but only letters, digits and _ are allowed"
        )
    return entry


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


# -- printing -------------------------------------------------------------------------------


def describe_settings(settings: Settings) -> list[dict[str, Any]]:
    """Every setting with its effective value, origin and doc: what ``config --json`` prints."""
    rows = []
    for info in all_settings():
        value = value_of(settings, info.name)
        rows.append(
            {
                "name": info.name,
                "value": list(value) if isinstance(value, tuple) else value,
                "origin": settings.origin(info.name),
                "type": info.kind,
                "doc": info.doc,
                "environment": info.environment,
            }
        )
    return rows


def render_settings(settings: Settings) -> str:
    """The text of ``proc2dbt config``: one setting a line, with where its value came from."""
    rows = [
        (row["name"], toml_value(row["value"]), str(row["origin"]))
        for row in describe_settings(settings)
    ]
    first = max(len(name) for name, _, _ in rows)
    second = min(max(len(value) for _, value, _ in rows), 40)
    lines = [f"{name:<{first}} = {value:<{second}}  # {origin}" for name, value, origin in rows]
    return "\n".join(lines)


def toml_value(value: Any) -> str:
    """A value as it is written in TOML; a setting that is not set is ``(not set)``."""
    if value is None:
        return "(not set)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, Mapping):
        pairs = [f"{toml_value(key)} = {toml_value(entry)}" for key, entry in value.items()]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def settings_page() -> str:
    """``docs/settings.md``: every setting; a test keeps it current."""
    lines = [
        "# Settings",
        "",
        "A flag beats the environment, the environment beats `proc2dbt.toml` in the project, the",
        "file beats the default. Unknown names are errors. `proc2dbt config` prints the effective",
        "settings and where each came from.",
        "",
        "A dot is a table in the file: `claude.author.model` is `model` in `[claude.author]`.",
        "In variables, lists are separated by commas, tables are `name=value,name=value`.",
        "",
        "| setting | type | default | what it is for | variable |",
        "|---|---|---|---|---|",
    ]
    for info in all_settings():
        allowed = f": {', '.join(f'`{choice}`' for choice in info.choices)}" if info.choices else ""
        default = "" if info.default is None else f"`{toml_value(info.default)}`"
        cells = (
            f"`{info.name}`",
            info.kind + allowed,
            default,
            info.doc.replace("|", "\\|"),
            f"`{info.environment}`",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
