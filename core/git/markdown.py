"""Text of procedures, people and data, made safe inside a pull request's Markdown.

Whatever a procedure, a row or a model says must show as text: no markup, no HTML, no mention of
a stranger (``@customer`` is a T-SQL parameter and also somebody's account), no closed issue.
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_]))")
"""What begins markup anywhere in a line; an underscore inside a word begins nothing."""
_LEADING = re.compile(r"^([#+=-]|\d+(?=[.)]))")
"""What begins a heading or a list at the start of a line."""
_MENTION = re.compile(r"(?<![\w`])(@@?[\w#$@]+|[#!&%~]\d+)")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def text(value: str) -> str:
    """One line of plain text; T-SQL variables and things like ``#12`` become code."""
    flat = " ".join(_visible(value).split())
    parts = _MENTION.split(flat)
    shown = "".join(
        code(part) if number % 2 else _escaped(part) for number, part in enumerate(parts)
    )
    return _LEADING.sub(_not_leading, shown)


def code(value: str) -> str:
    """One line of code; safe in a table cell too."""
    flat = " ".join(_visible(value).split()).replace("|", "\\|")
    fence = "`" * (_longest_run(flat) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") or not flat else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def block(value: str, language: str = "") -> str:
    """Several lines of code, in a fence longer than any in the text."""
    shown = _visible(value).rstrip("\n")
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def link(label: str, address: str | None) -> str:
    """A link around code, or the code alone without an address."""
    if address is None:
        return code(label)
    safe = address.replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("|", "%7C")
    return f"[{code(label)}]({safe.replace('<', '%3C').replace('>', '%3E')})"


def folded(summary: str, content: str) -> str:
    """A part that opens on a click. ``content`` is Markdown; ``summary`` is plain text."""
    return f"<details>\n<summary>{_html(summary)}</summary>\n\n{content}\n\n</details>"


def _escaped(value: str) -> str:
    escaped = _SPECIAL.sub(r"\\\1", value)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _not_leading(match: re.Match[str]) -> str:
    # A digit cannot be escaped; the invisible comment takes it from the start of the line.
    return f"<!-- -->{match[0]}" if match[0].isdigit() else f"\\{match[0]}"


def _html(value: str) -> str:
    flat = " ".join(_visible(value).split())
    safe = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Mentions are looked for in the rendered text of a summary too, but not in <code>.
    return _MENTION.sub(r"<code>\1</code>", safe)


def _visible(value: str) -> str:
    """Control and direction characters spelled out: they would hide what the text says."""
    normal = value.replace("\r\n", "\n").replace("\r", "\n")
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", normal)


def _longest_run(value: str) -> int:
    return max((len(run) for run in re.findall("`+", value)), default=0)
