"""The prices of AWS, from `tools/prices.json`, which names the source of each price."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.stages.idle_cost import price_list


@dataclass(frozen=True, slots=True)
class Price:
    """A price in US dollars for a number of units. The first units of a month may be free."""

    usd: float
    per: float
    free_a_month: float = 0

    def of(self, quantity: float) -> float:
        """The cost of a quantity at list price."""
        return quantity * self.usd / self.per

    def of_month(self, quantity: float) -> float:
        """The cost of a month's quantity after the free tier."""
        return self.of(max(0, quantity - self.free_a_month))


@dataclass(frozen=True, slots=True)
class Prices:
    """All prices, by name."""

    as_of: str
    region: str
    by_name: Mapping[str, Price]

    def __getitem__(self, name: str) -> Price:
        return self.by_name[name]


def read_prices() -> Prices:
    """The prices in the file."""
    return parse_prices(price_list())


def parse_prices(document: Mapping[str, Any]) -> Prices:
    """The prices in a document with the structure of the file."""
    by_name = {
        name: Price(price["usd"], price["per"], price.get("free_a_month", 0))
        for name, price in document["prices"].items()
    }
    return Prices(document["as_of"], document["region"], by_name)
