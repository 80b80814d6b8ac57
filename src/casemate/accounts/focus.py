"""Usage as a FOCUS dataset: the FinOps Open Cost and Usage Specification, version 1.2.

Each record gives a row per kind of token that has a price of its own (input, cached input, output). Pricing is by the
token, so that quantity times unit price is the cost to the last digit: all numbers are plain decimals of whole ones.
Nothing is invoiced between agencies here: what is billed, effective, contracted and listed is the same. Columns of our
own begin with `x_`, as the specification asks; they hold the marking, since a file that has left bears it in every row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from casemate.accounts.prices import decimal
from casemate.accounts.usage import HOUR, Usage
from casemate.clock import SECOND
from casemate.labels import Label, Policies
from casemate.objects import Found

__all__ = ["COLUMNS", "VERSION", "focus_csv", "focus_rows"]

VERSION = "1.2"
SERVICE = "Casemate"
COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
    "x_CasemateEstimated",
    "x_CasemateLabel",
    "x_CasemateMarking",
    "x_CasemateRequests",
)
_TEXT_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def focus_rows(
    found: Iterable[Found[Usage]], policies: Policies, region: str, at: Label, language: str = "en"
) -> list[dict[str, str]]:
    """Rows by column, all as text; what is not known is empty. `at` is the label at which all of it is handled."""
    marking = policies.banner(at, language)
    return [
        {**common, **row}
        for record in found
        for common in [_common(record, region, marking)]
        for row in _meters(record.value)
    ]


def focus_csv(rows: Iterable[dict[str, str]]) -> bytes:
    """RFC 4180 in UTF-8, the columns in their fixed order. No cell is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_plain(row[column]) for column in COLUMNS])
    return text.getvalue().encode()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_TEXT_AS_FORMULA) else cell


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _month(at: int) -> tuple[str, str]:
    """The first moment of a month, and that of the next."""
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    first = f"{moment.year:04d}-{moment.month:02d}-01T00:00:00Z"
    year, month = moment.year + moment.month // 12, moment.month % 12 + 1
    return first, f"{year:04d}-{month:02d}-01T00:00:00Z"


def _common(found: Found[Usage], region: str, marking: str) -> dict[str, str]:
    """What the rows of a record share."""
    usage = found.value
    start, end = _month(usage.at)
    return {
        "BillingAccountId": usage.agency,
        "BillingAccountName": usage.agency,
        "BillingAccountType": "Agency",
        "BillingCurrency": usage.price.currency,
        "BillingPeriodEnd": end,
        "BillingPeriodStart": start,
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": _moment(usage.at + HOUR),
        "ChargePeriodStart": _moment(usage.at),
        "ConsumedUnit": "Tokens",
        "InvoiceIssuerName": usage.vendor or SERVICE,
        "PricingCategory": "Standard",
        "PricingUnit": "Tokens",
        "ProviderName": SERVICE,
        "PublisherName": usage.vendor or SERVICE,
        "RegionId": region,
        "RegionName": region,
        "ResourceId": usage.model,
        "ResourceName": usage.model,
        "ResourceType": "Model",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": SERVICE,
        "ServiceSubcategory": "Generative AI",
        "SubAccountId": usage.project,
        "SubAccountName": usage.project,
        "SubAccountType": "Project",
        "Tags": _tags(usage),
        "x_CasemateEstimated": "true" if usage.estimated else "false",
        "x_CasemateLabel": found.label.text,
        "x_CasemateMarking": marking,
    }


def _tags(usage: Usage) -> str:
    """A JSON object of texts, as the specification's key-value format asks."""
    return msgspec.json.encode({"key": usage.key, "principal": usage.principal}).decode()


def _meters(usage: Usage) -> Iterable[dict[str, str]]:
    """A row per kind of token; the first is there also where it counts none, since it counts the requests."""
    price = usage.price
    kinds = (
        ("Input tokens", "input", usage.prompt - usage.cached, price.input),
        ("Cached input tokens", "cached", usage.cached, price.cached),
        ("Output tokens", "output", usage.completion, price.output),
    )
    for place, (meter, short, tokens, rate) in enumerate(kinds):
        if tokens or not place:
            cost, each = decimal(tokens * rate), decimal(rate)
            yield {
                "BilledCost": cost,
                "ChargeDescription": f"{meter} of {usage.model}",
                "ConsumedQuantity": str(tokens),
                "ContractedCost": cost,
                "ContractedUnitPrice": each,
                "EffectiveCost": cost,
                "ListCost": cost,
                "ListUnitPrice": each,
                "PricingQuantity": str(tokens),
                "SkuId": f"{usage.model}/{short}",
                "SkuMeter": meter,
                "SkuPriceId": f"{usage.model}/{short}/{rate}",
                "x_CasemateRequests": "0" if place else str(usage.requests),
            }
