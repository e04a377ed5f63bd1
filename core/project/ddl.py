"""``ddl/*.sql``: batches between ``GO`` lines, and the objects they define.

This is a scanner at the level of tokens, not a parser: it knows comments (nested ones too),
strings and quoted identifiers, which is all that is needed to find ``GO`` and ``CREATE
PROCEDURE`` without being fooled by either of them inside a comment or a string. It does not
read what a procedure does; that is ``core.tsql``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.project.names import NameSyntaxError, QualifiedName

_SKIPPED = r"""
    --[^\r\n]*+
  | (?P<comment>/\*)
  | '[^']*+(?:''[^']*+)*+(?:'|\Z)
"""
_QUOTED = r"""
    \[[^\]]*+(?:\]\][^\]]*+)*+(?:\]|\Z)
  | "[^"]*+(?:""[^"]*+)*+(?:"|\Z)
"""
_GO = r"(?P<go>^[ \t]*+GO(?:[ \t]+\d+)?[ \t]*+;?[ \t]*+(?:--[^\r\n]*+)?(?=\r|\n|\Z))"
_BATCH_TOKEN = re.compile(f"{_SKIPPED}|{_QUOTED}|{_GO}", re.VERBOSE | re.IGNORECASE | re.MULTILINE)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_CREATE_TOKEN = re.compile(
    rf"{_SKIPPED}|{_QUOTED}|(?P<verb>\b(?<![@\#$.])(?:CREATE|ALTER)\b)",
    re.VERBOSE | re.IGNORECASE,
)
_GAP = re.compile(r"\s+|--[^\r\n]*+")
_WORD = re.compile(r"[^\W\d]\w*")
_NAME_PART = re.compile(
    r"""\[[^\]]*+(?:\]\][^\]]*+)*+\]|"[^"]*+(?:""[^"]*+)*+"|[^\W\d][\w@$\#]*|\#{1,2}[\w@$\#]+"""
)

_KINDS = {
    "PROC": "procedure",
    "PROCEDURE": "procedure",
    "TABLE": "table",
    "VIEW": "view",
    "FUNCTION": "function",
}


@dataclass(frozen=True)
class Batch:
    """The text between two ``GO`` lines; ``first_line`` is its 1-based line in the file."""

    text: str
    first_line: int


@dataclass(frozen=True)
class DdlObject:
    """One ``CREATE`` or ``ALTER`` of a procedure, view, function or table.

    ``text`` starts at the comments above the statement when nothing else stands before it in
    its batch, and ends with the batch or before the next definition in it; line ``n`` of
    ``text`` is line ``first_line + n - 1`` of ``file`` (a path relative to the project).
    """

    kind: str
    name: QualifiedName
    verb: str
    text: str
    file: str
    first_line: int
    notes: tuple[str, ...] = ()


ProcedureSource = DdlObject
"""A procedure's text with the place it came from."""


def split_batches(text: str) -> list[Batch]:
    """Split a script at its ``GO`` lines as SQL Server's tools do; blank batches are left out."""
    batches: list[Batch] = []
    start = 0
    line = 1
    for match in _tokens(_BATCH_TOKEN, text):
        if match.group("go") is None:
            continue
        line = _append(batches, text[start : match.start()], line)
        line += text.count("\n", match.start(), match.end())
        start = match.end()
    _append(batches, text[start:], line)
    return batches


def _append(batches: list[Batch], text: str, line: int) -> int:
    body = text.lstrip()
    if body:
        skipped = len(text) - len(body)
        batches.append(Batch(body, line + text.count("\n", 0, skipped)))
    return line + text.count("\n")


def _tokens(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches of ``pattern`` outside block comments; T-SQL's block comments nest."""
    position = 0
    while match := pattern.search(text, position):
        if match.group("comment") is not None:
            position = _comment_end(text, match.start())
            continue
        yield match
        position = max(match.end(), match.start() + 1)


def _comment_end(text: str, start: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(text)


def definitions(batch: Batch, file: str) -> list[DdlObject]:
    """The objects a batch defines, in order; statements that define none are passed over.

    A well-formed batch holds one procedure. Hand-made files forget ``GO``: since no procedure
    can contain another one, the next definition ends the one before it.
    """
    heads = _significant_heads(list(_heads(batch.text)))
    found = []
    line, counted = batch.first_line, 0
    for index, head in enumerate(heads):
        first = index == 0 and not _skip_gap(batch.text, 0, head.start)
        start = 0 if first else head.start
        end = heads[index + 1].start if index + 1 < len(heads) else len(batch.text)
        line, counted = line + batch.text.count("\n", counted, start), start
        notes: tuple[str, ...] = ()
        if index and head.kind != "table":
            notes = ("no GO stands between this definition and the one before it",)
        found.append(
            DdlObject(
                kind=head.kind,
                name=head.name,
                verb=head.verb,
                text=batch.text[start:end].rstrip(),
                file=file,
                first_line=line,
                notes=notes,
            )
        )
    return found


@dataclass(frozen=True)
class _Head:
    start: int
    end: int
    kind: str
    verb: str
    name: QualifiedName


def _significant_heads(heads: list[_Head]) -> list[_Head]:
    """Drop ``CREATE TABLE`` and ``ALTER TABLE`` inside the body of a procedure."""
    kept: list[_Head] = []
    inside_routine = False
    for head in heads:
        if head.kind == "table" and inside_routine:
            continue
        inside_routine = inside_routine or head.kind != "table"
        kept.append(head)
    return kept


def _heads(text: str) -> Iterator[_Head]:
    read_to = 0
    for match in _tokens(_CREATE_TOKEN, text):
        verb = match.group("verb")
        if verb is None or match.start() < read_to:  # the ALTER of CREATE OR ALTER
            continue
        head = _read_head(text, match.start(), match.end(), verb.upper())
        if head is not None:
            read_to = head.end
            yield head


def _read_head(text: str, start: int, position: int, verb: str) -> _Head | None:
    word, position = _word(text, position)
    if verb == "CREATE" and word == "OR":
        alter, position = _word(text, position)
        if alter != "ALTER":
            return None
        word, position = _word(text, position)
    kind = _KINDS.get(word)
    if kind is None or (kind == "table" and verb == "ALTER"):
        return None
    name, position = _name(text, position)
    if name is None or name.name.startswith("#") or _is_numbered_variant(text, position):
        return None
    return _Head(start, position, kind, verb, name)


def _is_numbered_variant(text: str, position: int) -> bool:
    """``CREATE PROC load;2`` is another procedure of a deprecated group, not ``load``."""
    match = re.compile(r"\s*;\s*(\d+)").match(text, position)
    return match is not None and int(match.group(1)) > 1


def _gap_end(text: str, position: int) -> int:
    while position < len(text):
        if text.startswith("/*", position):
            position = _comment_end(text, position)
        elif gap := _GAP.match(text, position):
            position = gap.end()
        else:
            break
    return position


def _skip_gap(text: str, position: int, end: int) -> bool:
    """Whether anything but blanks and comments stands between ``position`` and ``end``."""
    return _gap_end(text, position) < end


def _word(text: str, position: int) -> tuple[str, int]:
    position = _gap_end(text, position)
    match = _WORD.match(text, position)
    return (match.group().upper(), match.end()) if match else ("", position)


def _name(text: str, position: int) -> tuple[QualifiedName | None, int]:
    spelled = ""
    while True:
        position = _gap_end(text, position)
        part = _NAME_PART.match(text, position)
        if part is None:
            return None, position
        spelled += part.group()
        after = _gap_end(text, part.end())
        if not text.startswith(".", after):
            position = part.end()
            break
        spelled, position = spelled + ".", after + 1
        if text.startswith(".", position):  # db..table
            spelled, position = spelled + ".", position + 1
    try:
        return QualifiedName.parse(spelled), position
    except NameSyntaxError:
        return None, position
