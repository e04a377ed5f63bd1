"""The dollar limit of a run: the worst case is reserved before a call and settled after it.

Without the reservation, calls in parallel would each see money left and together overshoot.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Reservation:
    """Money held back for one call. ``cost`` is what the call came to, as far as it is known."""

    amount: Decimal
    cost: Decimal = Decimal(0)


class OverBudgetError(Exception):
    """The next call could exceed the limit, and no call under way can give money back."""

    def __init__(self, limit: Decimal, spent: Decimal, wanted: Decimal) -> None:
        super().__init__(f"{wanted} is wanted, {spent} of {limit} is spent")
        self.limit = limit
        self.spent = spent
        self.wanted = wanted


class Budget:
    """Spent and reserved money of one run; used on one event loop."""

    def __init__(self, limit: Decimal | None = None, spent: Decimal = Decimal(0)) -> None:
        """``spent`` is what an interrupted run had spent before it was taken up."""
        self.limit = limit
        self.spent = spent
        self._reserved = Decimal(0)
        self._changed = asyncio.Condition()

    @property
    def left(self) -> Decimal | None:
        """What is neither spent nor reserved; ``None`` without a limit."""
        return None if self.limit is None else self.limit - self.spent - self._reserved

    @asynccontextmanager
    async def reserve(self, amount: Decimal) -> AsyncIterator[Reservation]:
        """Hold ``amount`` back while the call runs; its ``cost`` is booked when it ends, however.

        Waits as long as calls under way may still give money back.

        Raises:
            OverBudgetError: the limit leaves no room for ``amount``.
        """
        async with self._changed:
            while self.limit is not None and self.spent + self._reserved + amount > self.limit:
                if not self._reserved:
                    raise OverBudgetError(self.limit, self.spent, amount)
                await self._changed.wait()
            self._reserved += amount
        held = Reservation(amount)
        try:
            yield held
        finally:
            # No await before the books are right: a cancelled call is booked as well.
            self._reserved -= amount
            self.spent += held.cost
            await asyncio.shield(self._tell())

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
