"""What can end a statement: errors of the server, refusals of the interpreter, limits.

Three kinds that must never be mixed up:

* `SqlError` is what SQL Server itself would raise, with its number; TRY/CATCH sees it.
* `Refused` says that the interpreter cannot run something. No CATCH of the procedure sees it, or a
  procedure would "handle" a gap of ours and go on.
* `LimitExceeded` ends a procedure that runs too long or makes too many rows.

DuckDB's own messages are translated by `from_duckdb`; expressions raise the server's errors through
DuckDB's ``error('~number~message')``, which `from_duckdb` unpacks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.tsql.errors import TsqlError


class SqlError(Exception):
    """An error as SQL Server raises it.

    `line` is the 1-based line of the file, `procedure` the module's name if any; `lines_before` are
    the lines before the module or batch (None until the error has passed its statement).
    `aborts_batch` marks the errors that end the whole batch and not only their statement.
    `frame` is set for errors of compiling a statement (missing names): a TRY of the same level does
    not catch them (``language-elements/try-catch-transact-sql``).
    """

    def __init__(
        self, number: int, message: str, *, severity: int = 16, state: int = 1, line: int = 0
    ) -> None:
        super().__init__(message)
        self.number = number
        self.message = message
        self.severity = severity
        self.state = state
        self.line = line
        self.procedure: str | None = None
        self.lines_before: int | None = None
        self.aborts_batch = number in BATCH_ABORTING
        self.frame: int | None = None

    def __str__(self) -> str:
        return f"error {self.number}: {self.message}"


class Refused(Exception):  # noqa: N818 - a refusal, not an error of the procedure
    """The interpreter cannot run `construct`; `reason` is one sentence."""

    def __init__(self, construct: str, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.construct = construct
        self.reason = reason
        self.line = line

    def __str__(self) -> str:
        return f"{self.construct}: {self.reason}"


class LimitExceeded(Refused):
    """A limit of the run (statements, rows, seconds) was reached."""


#: The construct of a refusal that nobody foresaw.
INTERPRETER_ERROR = "INTERPRETER_ERROR"


def unforeseen(error: Exception, line: int) -> Refused:
    """The refusal for an exception nobody foresaw: its sentence, where, and the stable code.

    What the parser raises says what is wrong with the text; anything else is a gap of ours, named
    by its kind so that it can be reported.
    """
    if isinstance(error, TsqlError):
        return Refused(error.code, error.message, line)
    return Refused(
        INTERPRETER_ERROR,
        f"the reference failed on this statement and cannot say what it does ({INTERPRETER_ERROR}, "
        f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}); please report it",
        line,
    )


@dataclass(frozen=True)
class NotExecutable:
    """A construct the interpreter cannot run, found before anything ran."""

    construct: str
    line: int
    reason: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.construct} cannot be executed: {self.reason}"


#: Errors that end the batch even without XACT_ABORT (conversion errors and the like:
#: "errors that terminate the batch", ``errors-events/database-engine-error-severities``).
BATCH_ABORTING = frozenset({235, 241, 242, 244, 245, 248, 295, 8114, 8169, 208, 207, 1205})

#: The number by which a query says that the reference, not the server, cannot go on.
REFUSAL = -2
_MARKED = re.compile(r"~(-?\d+)~(.*)", re.DOTALL)
_INTEGER_TYPES = {
    "INT8": "tinyint",
    "UINT8": "tinyint",
    "INT16": "smallint",
    "INT32": "int",
    "INT64": "bigint",
    "INT128": "bigint",
    "INTEGER": "int",
    "BIGINT": "bigint",
}


def sql_text(text: str) -> str:
    """A DuckDB string literal."""
    return "'" + text.replace("'", "''") + "'"


def raising(number: int, message: str) -> str:
    """DuckDB SQL that raises an error of the server; `message` is plain text."""
    return f"error({sql_text(f'~{number}~{message}')})"


def from_duckdb(error: Exception, table: str | None = None, verb: str = "INSERT") -> Exception:
    """The server's error a DuckDB error stands for, or a `Refused` when it stands for none."""
    text = str(error)
    marked = _MARKED.search(text)
    if marked:
        message = marked.group(2).split("\n\nLINE ")[0].rstrip()
        if int(marked.group(1)) == REFUSAL:
            construct, _, reason = message.partition("~")
            return Refused(construct, reason)
        return SqlError(int(marked.group(1)), message)
    found = re.search(r"NOT NULL constraint failed: (.*)\.([^.\n]+)", text)
    if found:
        return null_error(found.group(2).strip().strip(chr(34)), table or found.group(1), verb)
    if "More than one row returned by a subquery" in text:
        return SqlError(
            512,
            "Subquery returned more than 1 value. This is not permitted when the subquery follows "
            "=, !=, <, <= , >, >= or when the subquery is used as an expression.",
        )
    return _overflow(text) or _unknown(error, text)


def _overflow(text: str) -> SqlError | None:
    message = "Arithmetic overflow error converting expression to data type {}."
    found = re.search(r"Overflow in \w+ of (\w+)", text) or re.search(
        r"out of range for the destination type (\w+)", text
    )
    if found:
        return SqlError(8115, message.format(_INTEGER_TYPES.get(found.group(1), "numeric")))
    if "DECIMAL" in text and ("Could not cast" in text or "Overflow" in text):
        return SqlError(8115, message.format("numeric"))
    if "to type DECIMAL" in text and "value is out of range" in text:
        return SqlError(8115, message.format("numeric"))
    if "Interval value" in text:
        return SqlError(517, "Adding a value to a 'datetime' column caused an overflow.")
    if "overflow" in text.lower() and "range" in text.lower():
        name = "datetime" if "imestamp" in text or "date" in text.lower() else "float"
        if name == "datetime":
            return SqlError(
                517, "Adding a value to a 'datetime' column caused an overflow.", severity=16
            )
        return SqlError(8115, message.format(name))
    if "cannot take square root of a negative" in text or "cannot take logarithm" in text:
        return SqlError(3623, "An invalid floating point operation occurred.")
    return None


def _unknown(error: Exception, text: str) -> Exception:
    if "Out of Memory" in text:
        return LimitExceeded("limit", "stopped: the statement needs too much memory")
    first = text.split("\n")[0][:300]
    return Refused("execution", f"the reference engine cannot run this statement: {first}")


def null_error(column: str, table: str, verb: str) -> SqlError:
    """Error 515: NULL for a column that does not allow it."""
    return SqlError(
        515,
        f"Cannot insert the value NULL into column '{column}', table '{table}'; column does not "
        f"allow nulls. {verb} fails.",
    )
