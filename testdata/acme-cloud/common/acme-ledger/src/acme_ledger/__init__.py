"""Sums of money that add up."""

from decimal import Decimal

import acme_common
import dateutil

__version__ = "0.4.1"


def total(amounts):
    """The sum of `amounts`, texts such as "12.30"."""
    return sum((Decimal(amount) for amount in amounts), Decimal("0"))


def libraries():
    """The versions of what this library stands on."""
    return {"acme-common": acme_common.__version__, "dateutil": dateutil.__version__}
