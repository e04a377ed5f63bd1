"""Text on the screen: spans with a tone, and the one way in for text that others wrote.

A line is a tuple of spans, a span a text and the *name* of a tone (``ok``, ``dim``, ``keyword``);
what a tone looks like is in ``styles/base.tcss``. Nothing here is ever read as markup: widgets
turn spans into segments, and a bracket stays a bracket. :func:`literal` makes what a terminal
would obey (control and direction characters) visible instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size

Span = tuple[str, str]
"""A text and the name of its tone; ``""`` is the plain tone."""

Line = tuple[Span, ...]
"""One line of a pane or list, without a line end."""

TONES = (
    *("dim", "ok", "warn", "error", "accent", "title", "bold", "key", "add", "remove", "hit"),
    *("keyword", "string", "number", "comment", "name", "template", "operator", "gutter"),
    *("head", "chip", "mark", "origin"),
)
"""Every tone there is; each has a class ``tone--<name>`` in the styles."""

TAB = "    "
_CONTROLS = {code: chr(0x2400 + code) for code in range(32)} | {0x7F: "␡"}
_CONTROLS |= dict.fromkeys(range(0x80, 0xA0), "�")
_CONTROLS |= dict.fromkeys(
    (*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0x061C, 0xFEFF), "�"
)
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def literal(text: object) -> str:
    """One line of foreign text, to be shown as it is.

    Control characters become their pictures, direction and zero-width characters (which would
    let a name look like another) and lone surrogates the replacement character.
    """
    plain = str(text)
    if _UNSAFE.search(plain) is None:
        return plain
    return _UNSAFE.sub(_picture, plain.replace("\t", TAB))


def _picture(match: re.Match[str]) -> str:
    return _CONTROLS.get(ord(match.group()), "�")


def span(text: object, tone: str = "") -> Span:
    """A span of foreign text."""
    return literal(text), tone


def line(*parts: str | Span) -> Line:
    """A line from texts and spans; every text passes :func:`literal`."""
    return tuple(span(p) if isinstance(p, str) else span(*p) for p in parts)


def lines_of(text: str, tone: str = "") -> list[Line]:
    """The lines of a longer foreign text; a final line end makes no further line."""
    return [line((part, tone)) for part in split_lines(text)]


def split_lines(text: str) -> list[str]:
    """Lines as an editor counts them: only line feeds (with or without CR) end one."""
    parts = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if parts and not parts[-1]:
        parts.pop()
    return parts


def plain(spans: Line) -> str:
    """The text of a line."""
    return "".join(text for text, _ in spans)


def width_of(spans: Line) -> int:
    """Terminal cells a line takes."""
    return sum(cell_len(text) for text, _ in spans)


def fit(text: str, width: int) -> str:
    """Exactly ``width`` cells: padded, or cut with an ellipsis so that a cut is seen."""
    if width <= 0:
        return ""
    if cell_len(text) > width:
        text = set_cell_size(text, width - 1).rstrip() + "…"
    return text + " " * (width - cell_len(text))


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """Words of a sentence in lines of at most ``width`` cells; long words are broken."""
    width = max(width, 8)
    found: list[str] = []
    current = ""
    for word in literal(text).split():
        while cell_len(word) > width - len(indent):
            if current:
                found.append(current)
            head = set_cell_size(word, width - len(indent)).rstrip()
            found.append(indent + head if found else head)
            word, current = word[len(head) :], ""
        candidate = f"{current} {word}" if current.strip() else current + word
        if cell_len(candidate) > width:
            found.append(current)
            current = indent + word
        else:
            current = candidate
    return [*found, current] if current.strip() or not found else found


def wrapped(text: str, width: int, tone: str = "", indent: str = "") -> list[Line]:
    """A foreign sentence as lines."""
    return [((part, tone),) for part in wrap(text, width, indent)]


def join(parts: Iterable[Line], between: Span = ("  ", "")) -> Line:
    """Lines joined into one."""
    out: list[Span] = []
    for number, part in enumerate(parts):
        if number:
            out.append(between)
        out.extend(part)
    return tuple(out)


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 table``, ``2 tables``, ``1,204 tables``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """``0.8s``, ``12s``, ``3m05s``, ``2h10m``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def money(dollars: float) -> str:
    """``$0.004``, ``$1.20``: small amounts keep their first digits."""
    return f"${dollars:.2f}" if dollars >= 0.1 or dollars == 0 else f"${dollars:.4f}"


def tokens(number: int) -> str:
    """``850``, ``12.4k``, ``3.1M`` tokens."""
    if number < 1000:
        return str(number)
    return f"{number / 1000:.1f}k" if number < 1_000_000 else f"{number / 1e6:.1f}M"


def bar(done: float, width: int) -> tuple[str, str]:
    """The full and the empty part of a progress bar; ``done`` is between 0 and 1."""
    full = round(max(0.0, min(1.0, done)) * width)
    return "━" * full, "─" * (width - full)


def table(rows: Sequence[Sequence[str]], head: Sequence[str], limit: int = 32) -> list[Line]:
    """A small table with padded columns; cells pass :func:`literal` and are cut at ``limit``."""
    cells = [[literal(cell) for cell in row] for row in rows]
    titles = [literal(name) for name in head]
    widths = [
        min(limit, max([cell_len(title), *(cell_len(row[n]) for row in cells if n < len(row))]))
        for n, title in enumerate(titles)
    ]
    top: Line = tuple((fit(t, w) + "  ", "head") for t, w in zip(titles, widths, strict=True))
    body = [
        tuple((fit(c, w) + "  ", "") for c, w in zip(row, widths, strict=False)) for row in cells
    ]
    return [top, *body]
