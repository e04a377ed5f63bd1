"""Built-in functions that Python works out, for queries that ask for them.

A query cannot call back into Python (DuckDB's own functions need numpy), so it asks by an error for
a result it does not know and is run again with it (`Context.computed`, `Session.call_function`).
Arguments and results are texts, as DuckDB writes and reads the storage types; None is NULL.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from core.interpreter import json_text
from core.interpreter.errors import SqlError
from core.interpreter.likes import patindex_regex, pattern_regex
from core.interpreter.messages import formatted

Arguments = list[str | None]


def is_computed(key: str) -> bool:
    """Whether a key asks for one of these functions, and not for one of the database."""
    return key.startswith("~")


def compute(key: str) -> str | None:
    """The result for a key: name and arguments as `Context.computed` joins them."""
    name, *texts = key[1:].split(chr(1))
    return _FUNCTIONS[name]([None if text == chr(2) else text for text in texts])


_CODES = {
    **dict.fromkeys("BFPV", "1"),
    **dict.fromkeys("CGJKQSXZ", "2"),
    **dict.fromkeys("DT", "3"),
    "L": "4",
    **dict.fromkeys("MN", "5"),
    "R": "6",
}


def soundex(text: str) -> str:
    """SOUNDEX: the first letter and three digits (``functions/soundex-transact-sql``).

    Letters of equal codes beside each other, or with H or W between them, count once; reading ends
    at the first character that is no letter.
    """
    word = text.upper()
    if not word or not (word[0].isascii() and word[0].isalpha()):
        return "0000"
    digits, previous = "", _CODES.get(word[0], "")
    for char in word[1:]:
        if not (char.isascii() and char.isalpha()):
            break
        code = _CODES.get(char, "")
        if code and code != previous:
            digits += code
        if char not in "HW":
            previous = code
    return (word[0] + digits)[:4].ljust(4, "0")


def _soundex(arguments: Arguments) -> str | None:
    return None if arguments[0] is None else soundex(arguments[0])


def _difference(arguments: Arguments) -> str | None:
    first, second = arguments
    if first is None or second is None:
        return None
    return str(sum(a == b for a, b in zip(soundex(first), soundex(second), strict=True)))


_HASHES = {
    "md5": "md5",
    "sha": "sha1",
    "sha1": "sha1",
    "sha2_256": "sha256",
    "sha2_512": "sha512",
}


def _hash(arguments: Arguments) -> str | None:
    """HASHBYTES: algorithm and hexadecimal digits in, hexadecimal digits out."""
    algorithm, digits = arguments
    name = _HASHES.get((algorithm or "").strip().lower())
    if name is None or digits is None:
        return None
    return hashlib.new(name, bytes.fromhex(digits), usedforsecurity=False).hexdigest()


def _message(arguments: Arguments) -> str | None:
    """FORMATMESSAGE: arguments come with a letter before them, ``i`` for a number."""
    message, *values = arguments
    if message is None:
        return None
    read: list[object] = [
        None if v is None or v == "n" else int(v[1:]) if v[0] == "i" else v[1:] for v in values
    ]
    try:
        return formatted(message, read)
    except ValueError:
        raise SqlError(2787, f"Invalid format specification: '{message[:100]}'.") from None


def _parsename(arguments: Arguments) -> str | None:
    """PARSENAME: the n-th part of a name from the right; NULL for more than four."""
    name, part = arguments
    if name is None or part is None:
        return None
    parts = [
        m[0] for m in re.finditer(r'\[(?:[^\]]|\]\])*\]|"(?:[^"]|"")*"|[^.]+|(?<=\.)(?=\.)', name)
    ]
    if len(parts) > 4 or not 1 <= int(part) <= len(parts):
        return None
    found = parts[-int(part)]
    if found[:1] == "[" and found[-1:] == "]":
        found = found[1:-1].replace("]]", "]")
    elif found[:1] == '"' and found[-1:] == '"':
        found = found[1:-1].replace('""', '"')
    return found or None


def _like(arguments: Arguments) -> str | None:
    pattern, escape = arguments
    return None if pattern is None else pattern_regex(pattern, escape)


def _patindex(arguments: Arguments) -> str | None:
    return None if arguments[0] is None else patindex_regex(arguments[0])


def _json_query(arguments: Arguments) -> str | None:
    document, path = arguments
    return None if document is None or path is None else json_text.query(document, path)


def _json_value(arguments: Arguments) -> str | None:
    document, path = arguments
    return None if document is None or path is None else json_text.value(document, path)


def _json_modify(arguments: Arguments) -> str | None:
    document, path, new = arguments
    if document is None or path is None:
        return None
    return json_text.modify(document, path, new)


def _zone(arguments: Arguments) -> str | None:
    moment, source, target = arguments
    if moment is None or source is None or target is None:
        return None
    from core.interpreter.time_zones import moved

    return moved(moment, source, target)


_FUNCTIONS: dict[str, Callable[[Arguments], str | None]] = {
    "soundex": _soundex,
    "difference": _difference,
    "hashbytes": _hash,
    "formatmessage": _message,
    "json_modify": _json_modify,
    "json_query": _json_query,
    "json_value": _json_value,
    "like": _like,
    "patindex": _patindex,
    "parsename": _parsename,
    "zone": _zone,
}
