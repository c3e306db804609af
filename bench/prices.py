"""What AWS charges: `tools/prices.json`, which says of each price where to check it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.idle_cost import price_list


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars of so many units; of a month's units the first are free for an account that has no others."""

    usd: float
    per: float
    free_a_month: float = 0

    def of(self, quantity: float) -> float:
        """What a quantity costs, none of it free."""
        return quantity * self.usd / self.per

    def of_month(self, quantity: float) -> float:
        """What a month's quantity costs beyond what is free."""
        return self.of(max(0, quantity - self.free_a_month))


@dataclass(frozen=True, slots=True)
class Prices:
    """All prices by name."""

    as_of: str
    region: str
    by_name: Mapping[str, Price]

    def __getitem__(self, name: str) -> Price:
        return self.by_name[name]


def read_prices() -> Prices:
    """The prices of the file."""
    return parse_prices(price_list())


def parse_prices(document: Mapping[str, Any]) -> Prices:
    """The prices of a document in the form of the file."""
    by_name = {
        name: Price(each["usd"], each["per"], each.get("free_a_month", 0)) for name, each in document["prices"].items()
    }
    return Prices(document["as_of"], document["region"], by_name)
