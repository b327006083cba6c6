"""What a model call costs: the user's own table first, then the public one.

The public table is the package genai-prices: offline, and half a second to import. So a
thread of ours begins to import it when the first request of a kernel is sent, while the
model thinks; who needs a price waits for the rest. A kernel that only replays never
imports it: prices are recorded with the calls.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import ModuleType
from typing import Any, Final

from nbdurable.engine.where.frames import outside
from nbdurable.integrations.own_prices import VARIABLE, OwnPrices

LOADING_S_MAX: Final = 30.0
"""After this a call is recorded without a price: its result is worth more."""

_KINDS: Final = {
    "tokens_in": "input_tokens",
    "tokens_out": "output_tokens",
    "tokens_cached": "cache_read_tokens",
    "tokens_written": "cache_write_tokens",
    "tokens_written_1h": "cache_write_1h_tokens",
    "tokens_audio_in": "input_audio_tokens",
    "tokens_audio_out": "output_audio_tokens",
    "searches": "web_searches",
}
"""What the public table calls the numbers that are recorded."""


@dataclass(frozen=True, slots=True)
class Priced:
    """What a call costs.

    Attributes:
        usd: US dollars.
        by: The table that says so, with its version.
    """

    usd: Decimal
    by: str


class Prices:
    """Both tables."""

    def __init__(self) -> None:
        self._own = OwnPrices()
        self._lock = threading.Lock()
        self._loading: threading.Thread | None = None
        self._module: ModuleType | None = None

    def prepare(self) -> None:
        """Begin to load the public table, if nobody has. Returns at once."""
        with self._lock:
            if self._loading is not None:
                return
            loading = threading.Thread(
                target=self._load, name="nbdurable-prices", daemon=True
            )
            with outside():  # it is no thread of the step
                loading.start()
            self._loading = loading  # whoever finds it can wait for it

    def price(
        self, models: Sequence[str], url: str, used: Mapping[str, int]
    ) -> Priced | None:
        """What so many tokens of a model cost; None where no table knows.

        Args:
            models: What it is called, the surest name first.
            url: Where it was asked, without the query.
            used: How many tokens of which kind, as `usage.measure` names them.

        Raises:
            PricesUnusable: The user's own table is none.
        """
        rates = self._own.rates()
        for model in models:
            own = rates.get(model.lower())
            if own is not None and not own.like:
                return Priced(own.usd(used), VARIABLE)
            alike = own.like if own is not None else model
            found = self._public(alike, "" if own is not None else url, used)
            if found is not None:
                return found
        return None

    def _public(self, model: str, url: str, used: Mapping[str, int]) -> Priced | None:
        self.prepare()
        assert self._loading is not None
        self._loading.join(LOADING_S_MAX)
        table = self._module
        if table is None:
            return None
        try:
            counted = {_KINDS[k]: n for k, n in used.items() if k in _KINDS}
            calculated = table.calc_price(table.Usage(**counted), model, **_place(url))
        except (LookupError, ValueError, ArithmeticError):
            return None
        return Priced(calculated.total_price, f"genai-prices {table.__version__}")

    def _load(self) -> None:
        try:
            import genai_prices
        except Exception:  # noqa: BLE001  # a broken package costs the price, not the call
            return
        self._module = genai_prices


def _place(url: str) -> dict[str, Any]:
    """The provider by its address; a host that nobody knows is a proxy for the maker."""
    from genai_prices.data_snapshot import get_snapshot

    if not url:
        return {}
    try:
        provider = get_snapshot().find_provider(None, None, url)
    except LookupError:
        return {}
    return {"provider_id": provider.id}


PRICES: Final = Prices()
"""The tables of this process."""
