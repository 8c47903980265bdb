"""What a reader must know of an offer beside its price: whom it is for, what is unknown, what will change."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

from pricewar.billing.bill import Term
from pricewar.billing.run import Run
from pricewar.billing.tariff import Tariff
from pricewar.offers.catalogue import Catalogue, Offer
from pricewar.offers.schema import OfferRecord
from pricewar.units import UNKNOWN


def warnings(tariff: Tariff, run: Run, *, exact: bool) -> list[Term]:
    """Remarks on an offer as `run` bills it; `exact`: only its own models were asked for."""
    record = tariff.record
    found: list[Term] = []
    if tariff.unknown_limits:
        found.append(Term("unknown_limits", {}, "limits are not published: counted on for nothing"))
    for what in dict.fromkeys(tariff.unknowns):
        if what != "limits":
            found.append(Term("unknown_value", {"what": what}, f"not published: {what}"))
    if record.confidence == "low":
        found.append(Term("weak_source", {}, "rests on a weak source"))
    if record.eligibility.data_use == "train":
        found.append(Term("trains_on_data", {}, "the vendor trains on what is sent"))
    if record.eligibility.commercial is False:
        found.append(Term("not_commercial", {}, "its terms allow trying it out, not commercial use"))
    if record.kind not in ("list", "provisioned") and record.in_force.from_ == UNKNOWN:
        found.append(Term("unknown_value", {"what": "start"}, "not published: since when"))
    if record.light:
        found.append(Term("light_model", {}, "a light model"))
    if record.eligibility.account:
        account = record.eligibility.account
        found.append(Term("account_only", {"account": account}, f"accounts: {account}"))
    if isinstance(record.eligibility.regions, list):
        regions = ", ".join(record.eligibility.regions)
        found.append(Term("regions_only", {"regions": regions}, f"regions: {regions}"))
    if record.eligibility.new_account:
        found.append(Term("new_account_only", {}, "new accounts only"))
    until = record.in_force.end
    if until is not None and tariff.offer.on(until) is None:  # else other terms follow: see what is announced
        found.append(Term("ends_soon", {"on": f"{until:%Y-%m-%d}"}, f"ends on {until:%Y-%m-%d}"))
    retired = record.lifecycle.retired_on
    if isinstance(retired, datetime):
        found.append(Term("retired", {"on": f"{retired:%Y-%m-%d}"}, f"model retired on {retired:%Y-%m-%d}"))
    elif retired == UNKNOWN:
        found.append(Term("unknown_value", {"what": "retirement"}, "not published: when the model retires"))
    if run.uncounted:
        text = "the log does not count requests, so that limits on them cannot be counted on"
        found.append(Term("requests_not_counted", {}, text))
    if run.unchecked:
        found.append(
            Term("minute_limits_unknown", {}, "limits shorter than the log's buckets were not checked")
        )
    if not exact:
        found.append(Term("other_model", {}, "another model than the one logged: an interval"))
    for meter, quantity in run.bill().unpriced.items():
        what = f"price of {quantity:,} {meter}"
        found.append(Term("unknown_value", {"what": what}, f"no {what} is named: not in the bill"))
    return found


def _plain_price(record: OfferRecord) -> Fraction:
    """Input and output price of the first rate that names them: enough to tell dearer from cheaper."""
    named = [
        (rate.input or Fraction(0)) + (rate.output or Fraction(0)) for rate in record.rates if rate.input
    ]
    return named[0] if named else Fraction(0)


def announced(offer: Offer, catalogue: Catalogue) -> list[Term]:
    """Versions that begin later, and changes announced in words."""
    found: list[Term] = []
    now = datetime(catalogue.as_of.year, catalogue.as_of.month, catalogue.as_of.day, tzinfo=UTC)
    current = offer.on(now)
    for version in offer.after(now):
        starts = version.in_force.from_
        if isinstance(starts, datetime):
            dearer = current is not None and _plain_price(version) > _plain_price(current)
            key, what = ("announced_rise", "price rise") if dearer else ("announced_change", "new terms")
            found.append(Term(key, {"on": f"{starts:%Y-%m-%d}"}, f"{what} from {starts:%Y-%m-%d}"))
    for change in offer.latest.lifecycle.announced:
        when = f"{change.effective:%Y-%m-%d}" if isinstance(change.effective, datetime) else UNKNOWN
        found.append(Term("announced", {"on": when, "what": change.what}, f"{when}: {change.what}"))
    return found
