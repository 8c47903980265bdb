"""An offer in plain words: terms, sources, announced changes, and what is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time

from pricewar.offers.catalogue import Catalogue, Offer
from pricewar.offers.schema import Allowance, Duration, Limit, OfferRecord, Rate, Window
from pricewar.units import METERS, TOKEN_METERS, UNKNOWN, count, decimal, money

METER_WORDS = {
    "input": "input", "cache_read": "cached input", "cache_write_5m": "cache write", "cache_write_1h":
    "cache write (1 h)", "output": "output", "reasoning": "reasoning", "search": "web searches",
    "requests": "requests",
}  # fmt: skip


def explain(offer: Offer, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """(heading, sentence) pairs, in reading order; several sentences may share a heading."""
    now = datetime.combine(catalogue.as_of, time(12), UTC)
    current = offer.on(now)
    record = current or offer.latest
    yield "offer", f"{record.vendor}: {record.plan} ({record.kind}), in {record.currency}, tax {record.tax}"
    yield (
        "models",
        ", ".join(m.name + (f" (open weights {m.weights})" if m.weights else "") for m in record.models),
    )
    yield "in force", _in_force(record) + ("" if current else f"; not in force on {catalogue.as_of}")
    for sentence in _eligibility(record):
        yield "who", sentence
    for rate in record.rates:
        yield "rates", rate_words(rate, record.currency)
    for allowance in record.allowances:
        yield "allowances", allowance_words(allowance, record.currency)
    if isinstance(record.limits, str):
        yield "limits", "unknown: nobody has published them"
    for limit in record.limits if not isinstance(record.limits, str) else []:
        yield "limits", limit_words(limit)
    for sentence in _charges(record):
        yield "charges", sentence
    if record.lifecycle.retired_on is not None:
        retired = record.lifecycle.retired_on
        yield "retired", f"{retired:%Y-%m-%d}" if isinstance(retired, datetime) else "date unknown"
    for change in record.lifecycle.announced:
        when = f"{change.effective:%Y-%m-%d}" if isinstance(change.effective, datetime) else "date unknown"
        yield "announced", f"{when}: {change.what} (announced {change.announced_on})"
    for version in offer.versions:
        if version is record:
            continue
        word = "announced" if version in offer.after(now) else "history"
        rates = "; ".join(rate_words(rate, version.currency) for rate in version.rates)
        yield word, f"{_in_force(version)}: {rates or version.plan}"
    for what in unknown(record):
        yield "unknown", what
    if record.note:
        yield "note", record.note
    yield "confidence", record.confidence
    for correction in catalogue.corrections:
        if correction.by == offer.id:
            yield "corrects", f"{correction.listed} in genai-prices: {correction.why}"
    for source in record.sources:
        yield "sources", f"{source.url} (read {source.read_on})" + (f": {source.says}" if source.says else "")


def unknown(record: OfferRecord) -> list[str]:
    """What nobody has published, in words."""
    found: list[str] = []
    if isinstance(record.limits, str):
        found.append("limits")
    else:
        found += [f"how many {_meters(x)} per {x.per}" for x in record.limits if x.amount == UNKNOWN]
    for a in record.allowances:
        if a.amount == UNKNOWN:
            found.append(f"how many {a.unit} are given")
        if a.credit == UNKNOWN:
            found.append("what a credit is worth")
        if a.expires_after == UNKNOWN:
            found.append("when the allowance expires")
    if record.in_force.from_ == UNKNOWN:
        found.append("since when")
    if record.in_force.perhaps_over:
        found.append("until when")
    if record.eligibility.data_use == UNKNOWN:
        found.append("whether the vendor trains on what is sent")
    if record.tax == UNKNOWN:
        found.append("whether tax is included")
    return found


def _in_force(record: OfferRecord) -> str:
    starts, end = record.in_force.from_, record.in_force.end
    since = f"from {_instant(starts)}" if isinstance(starts, datetime) else "since an unknown date"
    if record.in_force.perhaps_over:
        return since + "; ended on an unknown date"
    return since + (f" until {_instant(end)}" if end else "")


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if (moment.hour, moment.minute) == (0, 0) else f"{moment:%Y-%m-%d %H:%M} UTC"


def _eligibility(record: OfferRecord) -> Iterator[str]:
    e = record.eligibility
    if e.regions:
        yield f"regions: {e.regions if isinstance(e.regions, str) else ', '.join(e.regions)}"
    if e.account:
        yield f"accounts: {e.account}"
    if e.endpoint:
        yield f"endpoint: {e.endpoint}"
    if e.new_account:
        yield "new accounts only"
    if e.card is True:
        yield "a payment card is needed"
    if e.spent_before is not None:
        yield f"after having spent {money(e.spent_before, record.currency)}"
    if e.deferrable:
        yield "only work that can wait (batch)"
    if e.commercial is False:
        yield "to try it out; not for commercial use"
    if e.data_use == "train":
        yield "the vendor trains on what is sent"
    elif e.data_use == "none":
        yield "the vendor does not train on what is sent"


def rate_words(rate: Rate, currency: str) -> str:
    """A rate, such as `input ¥2, output ¥8 per 1 M tokens (00:30-08:30 Asia/Shanghai)`."""
    parts: list[str] = []
    for group, default, word in ((TOKEN_METERS, 10**6, "tokens"), (METERS[6:], 10**3, "")):
        given = [(m, p) for m in group if (p := getattr(rate, m)) is not None]
        if given:
            prices = ", ".join(f"{METER_WORDS[m]} {money(p, currency)}" for m, p in given)
            parts.append(f"{prices} per {count(rate.per or default)} {word}".rstrip())
    if rate.times is not None:
        parts.append(f"× {decimal(rate.times)}")
    condition = window_words(rate.when)
    return "; ".join(parts) + (f" ({condition})" if condition else "")


def window_words(window: Window) -> str:
    """When a rate applies."""
    parts: list[str] = []
    if window.input_above is not None:
        parts.append(f"when the input is above {window.input_above:,} tokens, for the whole request")
    if window.tier:
        parts.append("/".join(window.tier) + " tier")
    if window.models:
        parts.append("for " + ", ".join(window.models))
    if window.hours:
        parts.append(f"{window.hours} {window.zone}")
    if window.weekdays:
        parts.append(", ".join(window.weekdays) + ("" if window.hours else f" ({window.zone})"))
    if window.from_:
        parts.append(f"from {_instant(window.from_)}")
    if window.until:
        parts.append(f"until {_instant(window.until)}")
    return ", ".join(parts)


def _meters(part: Limit | Allowance) -> str:
    if set(part.meters) >= {"input", "output"}:
        return "tokens"
    return "/".join(METER_WORDS[m] for m in part.meters)


def _duration(duration: Duration) -> str:
    ((unit, number),) = duration.model_dump(exclude_none=True).items()
    return f"{number} {unit}"


def limit_words(limit: Limit) -> str:
    """A limit in words."""
    amount = f"{int(limit.amount):,}" if not isinstance(limit.amount, str) else "an unknown number of"
    per = f"in any {_duration(limit.window)}" if limit.window else f"a {limit.per}"
    text = f"{amount} {_meters(limit)} {per}"
    if limit.per in ("day", "week", "month"):
        text += f" ({limit.zone})"
    if limit.excludes:
        text += f", {', '.join(METER_WORDS[m] for m in limit.excludes)} not counted"
    text += {
        "account": ", for the whole account",
        "pool": ", shared by " + ", ".join(limit.models or []),
    }.get(limit.scope, "")
    text += {"reject": "", "queue": "; what is over waits", "overflow": "; what is over is passed on"}[
        limit.exceeded
    ]
    return text + (f" ({limit.note})" if limit.note else "")


def allowance_words(a: Allowance, currency: str) -> str:
    """An allowance in words."""
    if isinstance(a.amount, str):
        amount = "an unknown amount"
    elif a.unit == "money":
        amount = money(a.amount, currency)
    else:
        amount = f"{count(a.amount)} {a.unit}"
    text = f"{amount} " + (f"for {money(a.price, currency)}" if a.price else "free")
    text += f" per {a.reset} ({a.zone})" if a.reset in ("day", "week", "month") else ""
    text += f" per {a.reset}" if a.reset in ("minute", "hour") else ""
    text += f" in any {_duration(a.window)}" if a.window else ""
    if isinstance(a.expires_after, Duration):
        text += f", void after {_duration(a.expires_after)}"
    elif a.expires_after == UNKNOWN:
        text += ", void after an unknown time"
    text += {
        "model": "",
        "account": ", for the whole account",
        "pool": f", shared by {', '.join(a.models or [])}",
    }[a.scope]
    text += "; used up: refused" if a.used_up == "reject" else "; used up: paid"
    return text + (f" ({a.note})" if a.note else "")


def _charges(record: OfferRecord) -> Iterator[str]:
    c, currency = record.charges, record.currency
    if c.minimum:
        yield f"at least {money(c.minimum.amount, currency)} a {c.minimum.per}"
    if c.prepayment is not None:
        yield f"at least {money(c.prepayment, currency)} must be put down"
    if c.platform_fee:
        least = f", at least {money(c.platform_fee.minimum, currency)}" if c.platform_fee.minimum else ""
        yield f"platform fee of {decimal(c.platform_fee.percent)}%{least}"
    for fixed in c.fixed:
        yield f"{money(fixed.amount, currency)} {'a month' if fixed.per == 'month' else 'once'}"
    for rule in c.rounding:
        unit = "tokens" if rule.unit == "tokens" else currency
        how = "up" if rule.direction == "up" else "half to even"
        yield f"each {rule.per} rounded {how} to {decimal(rule.increment):,f} {unit}"
    if c.commitment:
        k = c.commitment
        yield (
            f"{money(k.amount * k.units, currency)} owed for each {k.per} over {_duration(k.term)}, "
            f"buys {k.buys}, unused: {k.unused}"
        )
