"""What tokens cost: a dated table, tiers by the length of the prompt, and nothing made up.

All amounts are US dollars as :class:`~decimal.Decimal`, because a limit is kept to the cent and
sums of binary fractions are not exact. A price that is not known is ``None``, never zero.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Any

from core.project.codes import Code, ProjectError

OVERRIDE = "claude-prices.toml"
"""A project's own prices, beside ``proc2dbt.toml``."""

_MILLION = Decimal(1_000_000)
_PREFIX = re.compile(r"^(?:(?:us|eu|apac|ap|jp|au|global)\.)?(?:anthropic\.)?")
_SUFFIX = re.compile(r"(?:@\d{8}|-20\d{6})?(?:-v\d+(?::\d+)?)?$")


@dataclass(frozen=True)
class Tokens:
    """Token counts of one call as the API reports them; ``uncached`` is the rest of the prompt.

    ``output`` includes thinking. ``estimated`` is set when the answer was cut off and its length
    was counted in characters instead.
    """

    uncached: int = 0
    written_5m: int = 0
    written_1h: int = 0
    read: int = 0
    output: int = 0
    estimated: bool = False

    @property
    def prompt(self) -> int:
        """Everything that was sent."""
        return self.uncached + self.written_5m + self.written_1h + self.read


@dataclass(frozen=True)
class Rates:
    """US dollars per million tokens; ``None`` where no price is published."""

    input: Decimal
    output: Decimal
    read: Decimal | None = None
    write_5m: Decimal | None = None
    write_1h: Decimal | None = None

    def cost(self, tokens: Tokens) -> Decimal | None:
        """What a call costs; ``None`` when it used something without a price."""
        total = Decimal(0)
        parts = (
            (tokens.uncached, self.input),
            (tokens.output, self.output),
            (tokens.read, self.read),
            (tokens.written_5m, self.write_5m),
            (tokens.written_1h, self.write_1h),
        )
        for count, rate in parts:
            if count and rate is None:
                return None
            if count and rate is not None:
                total += count * rate / _MILLION
        return total

    @property
    def dearest_input(self) -> Decimal:
        """The most that one token of a prompt can cost, whatever the cache does with it."""
        rates = (self.input, self.read, self.write_5m, self.write_1h)
        return max(rate for rate in rates if rate is not None)


@dataclass(frozen=True)
class ModelPrice:
    """The rates of one model: the usual ones, and those above a length of the prompt."""

    rates: Rates
    above: tuple[tuple[int, Rates], ...] = ()

    def rates_for(self, prompt_tokens: int) -> Rates:
        """The rates of a request with a prompt of that length."""
        found = self.rates
        for threshold, rates in self.above:
            if prompt_tokens > threshold:
                found = rates
        return found

    def cost(self, tokens: Tokens) -> Decimal | None:
        """What a call costs; ``None`` when it used something without a price."""
        return self.rates_for(tokens.prompt).cost(tokens)

    def most(self, prompt_tokens: int, output_tokens: int) -> Decimal:
        """The most a request can cost with a prompt and an answer of at most these lengths."""
        possible = [self.rates]
        possible += [rates for threshold, rates in self.above if prompt_tokens > threshold]
        return max(
            (prompt_tokens * r.dearest_input + output_tokens * r.output) / _MILLION
            for r in possible
        )

    @property
    def keeps_an_hour(self) -> bool:
        """Whether a cache entry of one hour has a price."""
        return self.rates.write_1h is not None


@dataclass(frozen=True)
class Prices:
    """The prices of one provider. ``as_of`` is the day the table was checked."""

    as_of: str = ""
    models: Mapping[str, ModelPrice] = field(default_factory=dict)

    def of(self, model: str) -> ModelPrice | None:
        """The price of a model, however a provider spells its name."""
        return self.models.get(plain_model(model))

    def keep_an_hour(self, *models: str | None) -> bool:
        """Whether none of these models has a price without one for cache entries of an hour."""
        known = (self.of(model) for model in models if model)
        return all(price is None or price.keeps_an_hour for price in known)


def plain_model(model: str) -> str:
    """``us.anthropic.claude-opus-5-5-v1:0`` and ``claude-opus-5-5@20261021`` are one model."""
    return _SUFFIX.sub("", _PREFIX.sub("", model.strip()))


def load_prices(provider: str, project: Path | None = None) -> Prices:
    """The built-in table for its providers, with the project's own prices over it.

    Raises:
        ProjectError: ``SETTINGS_INVALID``; the project's table cannot be read.
    """
    text = resources.files("core.claude").joinpath("prices.toml").read_text("utf-8")
    table = tomllib.loads(text)
    models = _models(table) if provider in table["providers"] else {}
    as_of = str(table["as_of"])
    override = project / OVERRIDE if project is not None else None
    if override is not None and override.is_file():
        try:
            own = tomllib.loads(override.read_text("utf-8"))
            if provider in own.get("providers", [provider]):
                models = {**models, **_models(own)}
                as_of = str(own.get("as_of", as_of))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as e:
            raise ProjectError.of(
                Code.SETTINGS_INVALID,
                f"{OVERRIDE} cannot be read as a price table ({type(e).__name__}: {e}); it holds "
                '[models.<name>] tables with input = "4" and output = "20" in dollars per million '
                "tokens.",
                file=OVERRIDE,
            ) from e
    return Prices(as_of, models)


def _models(table: Mapping[str, Any]) -> dict[str, ModelPrice]:
    found: dict[str, ModelPrice] = {}
    for name, entry in table.get("models", {}).items():
        above = sorted(
            ((int(tier["prompt_tokens"]), _rates(tier)) for tier in entry.get("above", ())),
            key=lambda tier: tier[0],
        )
        found[plain_model(name)] = ModelPrice(_rates(entry), tuple(above))
    return found


def _rates(entry: Mapping[str, Any]) -> Rates:
    def rate(name: str) -> Decimal | None:
        if name not in entry:
            return None
        value = Decimal(str(entry[name]))
        if not value.is_finite() or value < 0:
            raise ValueError(f"{name} is {value}")
        return value

    spent, made = rate("input"), rate("output")
    if spent is None or made is None:
        raise KeyError("input and output are needed")
    return Rates(spent, made, rate("read"), rate("write_5m"), rate("write_1h"))
