"""The plan as a LiteLLM proxy carries it out: who serves in which order, from when to when.

`hand_off` turns an advice document into periods. In each, the group `plan` holds the plan's offers, one
`order` each: the proxy asks the first that is not cooling down after a refusal, nor past its rpm or budget.
What they all refuse goes to the group `rest`: the offer as logged, which is where the advice, too, counted
refused work; else the cheapest paid offer that stands. A new period begins on every day on which the terms of
one of them are known to change, because the proxy knows no dates (`gateway_calendar`).

Measured on LiteLLM 1.106.2 (`tests/gateway`): 401, 402, 404, 429 and 5xx set a deployment aside for its
`cooldown_time`, 410 does not; `rpm` holds before a call, `tpm` does not; `max_budget` works per deployment
and is forgotten on a restart; fallbacks are looked up by the name the client used, alias or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from pricewar.advice.gateway_prices import Priced, priced
from pricewar.advice.gateway_vendors import NOT_EXPRESSED, Provider, provider_of
from pricewar.billing.kernel import after_months
from pricewar.billing.tariff import EPOCH, Tariff, length, microseconds, tariff
from pricewar.errors import ConfigurationError
from pricewar.offers.catalogue import Catalogue, Offer
from pricewar.offers.schema import Allowance, Duration, Limit
from pricewar.units import TOKEN_METERS, UNKNOWN, decimal

PLAN, REST = "plan", "rest"
DAY_COOLDOWN, MINUTE_COOLDOWN = 300, 60
"""Seconds a deployment is left alone after a refusal: if only a day's limit can be the cause; else."""
GIFTS = ("free", "grant", "introductory")
SERVES_ALL = 0.999


@dataclass(frozen=True)
class Deployment:
    """One offer in one period.

    Attributes:
        order: its place in its group, from 1.
        model: as LiteLLM is told, prefix included.
        usd: dollars for one unit of the offer's currency.
        rpm, tpm: requests and tokens a minute, where the terms say so.
        cooldown: seconds it is left alone after a refusal; 0: never, nothing stands behind it.
        budget: (USD, LiteLLM's duration) of money given, where there is such.
        longest: tokens of input it takes, where known.
        why: what it is there for. notes: what the configuration cannot say of it.
    """

    offer: str
    group: str
    order: int
    model: str
    provider: Provider
    prices: Priced
    usd: Fraction
    rpm: int | None
    tpm: int | None
    cooldown: int
    budget: tuple[Fraction, str] | None
    longest: int | None
    why: str
    notes: tuple[str, ...]

    def entry(self) -> dict[str, Any]:
        """An item of `model_list`; numbers are exact, `gateway_write` writes them as decimals."""
        params: dict[str, Any] = {"model": self.model, "api_key": f"os.environ/{self.provider.key}"}
        if self.provider.prefix == "bedrock":  # which signs in otherwise
            params = {"model": self.model, "aws_access_key_id": f"os.environ/{self.provider.key}"}
        if self.provider.base is not None:
            params["api_base"] = self.provider.base
        params |= {name: f"os.environ/{variable}" for name, variable in self.provider.more}
        params |= {"order": self.order, "weight": 1}
        params |= {k: v for k, v in (("rpm", self.rpm), ("tpm", self.tpm)) if v is not None}
        if self.budget is not None:
            params |= {"max_budget": self.budget[0], "budget_duration": self.budget[1]}
        params |= {"cooldown_time": self.cooldown, **self.prices.params}
        info: dict[str, Any] = {"id": self.offer, **self.prices.info}
        if self.longest is not None:
            info["max_input_tokens"] = self.longest
        return {"model_name": self.group, "litellm_params": params, "model_info": info}


@dataclass(frozen=True)
class Period:
    """A configuration and when it applies: from `start` to the next, or, with `when`, once that happens."""

    name: str
    start: datetime
    deployments: tuple[Deployment, ...]
    because: tuple[str, ...]
    when: str | None = None

    @property
    def file(self) -> str:
        return f"config-{self.name}.yaml"

    def group(self, name: str) -> list[Deployment]:
        """A group's deployments in order."""
        return sorted((d for d in self.deployments if d.group == name), key=lambda d: d.order)


@dataclass(frozen=True)
class HandOff:
    """All of it.

    Attributes:
        periods: dated, in time order. spare: those for what has no date.
        models: names by which the log asks for models; the proxy answers to each.
        left_out: (offer, why) that a configuration cannot hold.
    """

    start: date
    months: int
    currency: str
    recommended: str
    periods: tuple[Period, ...]
    spare: tuple[Period, ...]
    models: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    catalogue: Catalogue

    def config(self, period: Period) -> dict[str, Any]:
        """The proxy's configuration for a period, as plain data with exact numbers."""
        settings: dict[str, Any] = {
            "routing_strategy": "simple-shuffle",  # one deployment an order: there is nothing to shuffle
            "enable_pre_call_checks": True,
            "num_retries": 0,
            "allowed_fails": 0,
            "cooldown_time": MINUTE_COOLDOWN,
        }
        taken = {d.group for d in period.deployments}
        aliases = {name: PLAN for name in self.models if name not in taken}
        if aliases:
            settings["model_group_alias"] = aliases
        if period.group(REST):  # looked up by the name the client used
            for kind in ("fallbacks", "context_window_fallbacks"):
                settings[kind] = [{name: [REST]} for name in (PLAN, *aliases)]
        return {
            "model_list": [d.entry() for d in period.deployments],
            "router_settings": settings,
            "litellm_settings": {"drop_params": True, "num_retries": 0},
            "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
        }


def hand_off(
    data: Mapping[str, Any], catalogue: Catalogue, models: Sequence[tuple[str | None, str]] = ()
) -> HandOff:
    """What the advice `data` (its JSON document) asks of a proxy.

    Args:
        models: (vendor, model) as the log has them, the most asked for first.

    Raises:
        ConfigurationError: no offer of the plan can be expressed.
    """
    return _Maker(data, catalogue, models).made()


class _Maker:
    def __init__(
        self, data: Mapping[str, Any], catalogue: Catalogue, models: Sequence[tuple[str | None, str]]
    ) -> None:
        self.data, self.catalogue, self.models = data, catalogue, models
        self.start = date.fromisoformat(data["start"])
        self.begins = datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)
        self.ends = self.begins + timedelta(days=round(data["months"] * 365.25 / 12))
        self.left_out: dict[str, str] = {}
        self.candidates = {c["offer"]: c for c in data["candidates"]}
        self.plan = data["plan"]["begin"].split(" + ")
        self.logged = next((o.id for v, m in models if (o := catalogue.listed(v, m)) is not None), None)
        settings = next(o["settings"] for o in data["outcomes"] if o["key"] == data["recommended"])
        month = settings.get("leave_in_month") if data["recommended"] == "free" else None
        self.leave = EPOCH + timedelta(microseconds=int(after_months(microseconds(self.begins), month))) \
            if month else None  # fmt: skip
        given = {a["key"] for a in data.get("assumptions", ()) if a["given"]}
        self.lost = "refused" in given  # the team says what a lost request costs: none is served elsewhere

    def made(self) -> HandOff:
        periods: list[Period] = []
        for moment in sorted({self.begins, *self._moments()}):
            found = self._deployments(moment, frozenset())
            if not any(d.group == PLAN for d in found):
                if not periods:
                    break
                self.left_out["the plan"] = f"nothing of it is left from {moment:%Y-%m-%d}: advise again"
                continue
            if periods and _same(periods[-1].deployments, found):
                continue
            because = self._because(moment) if periods else ("the plan begins",)
            periods.append(Period(_name(moment), moment, found, because))
        if not periods:
            why = "; ".join(f"{o}: {w}" for o, w in self.left_out.items()) or "it is not in force"
            raise ConfigurationError(
                f"no offer of the plan can be handed to a proxy ({why})",
                where="--gateway",
                remedy="choose among other offers with --offers",
            )
        spare = tuple(p for o in self.plan if (p := self._without(o, periods[0])) is not None)
        names = tuple(dict.fromkeys(m for _, m in self.models))
        data, left_out = self.data, tuple(self.left_out.items())
        return HandOff(self.start, data["months"], data["currency"], data["recommended"], tuple(periods),
                       spare, names, left_out, self.catalogue)  # fmt: skip

    # -- who serves

    def _deployments(self, moment: datetime, gone: frozenset[str]) -> tuple[Deployment, ...]:
        chosen: list[tuple[str, str]] = []
        for offer in self.plan:
            if self._open(offer, moment) and offer not in gone:
                first = not chosen
                why = "the plan begins with it" if first else "the plan's second: what the first refuses"
                chosen.append((offer, why))
            elif (then := self._instead(offer, moment, gone)) is not None:
                chosen.append((then, f"in place of {offer}"))
        seen: dict[str, str] = {}
        for offer, why in chosen:
            if offer not in seen and self._expressed(offer):
                seen[offer] = why
        made = [self._deployment(o, PLAN, i, w, moment) for i, (o, w) in enumerate(seen.items(), 1)]
        if not made:
            return ()
        rest = None if self.lost else self._rest(moment, {*seen, *gone})
        if rest is not None:
            made.append(self._deployment(rest[0], REST, 1, rest[1], moment))
        last = made[-1]
        return (*made[:-1], replace(last, cooldown=0))

    def _open(self, id: str, moment: datetime) -> bool:
        """Whether the offer can be used: in force, not retired, not left by plan, its gift not expired."""
        offer = self.catalogue.offers.get(id)
        record = offer.on(moment) if offer is not None else None
        if record is None:
            return False
        if self.leave is not None and id == self.plan[0] and moment >= self.leave:
            return False
        retired = record.lifecycle.retired_on
        if isinstance(retired, datetime) and retired <= moment:
            return False
        expiries = [self._expiry(a) for a in record.allowances]
        over = bool(expiries) and all(e is not None and e <= moment for e in expiries)
        return not (over and record.kind == "grant")

    def _expiry(self, a: Allowance) -> datetime | None:
        """When an allowance of a team that begins with the plan is void; None: never, or nobody knows."""
        if not isinstance(a.expires_after, Duration):
            return None
        begun = self.begins if isinstance(a.starts, str) else a.starts
        size, months = length(a.expires_after)
        t = microseconds(begun)
        return EPOCH + timedelta(microseconds=int(after_months(t, months)) if months else t + size)

    def _instead(self, offer: str, moment: datetime, gone: frozenset[str]) -> str | None:
        """Who takes the place of an offer that is over: its paid sibling where the plan stays, else whom the
        plan would leave for."""
        sibling = (self.candidates.get(offer) or {}).get("sibling")
        turns = [t["args"] for t in self.data["plan"]["triggers"] if t["key"] == "turns"]
        stays = not turns or any(t.get("state") == "ended" and t.get("stay") for t in turns)
        rises = [r for r in self.data["plan"]["rises"] if r["months"] * 30.4 <= (moment - self.begins).days]
        named = [sibling] if stays else []
        named += [rises[-1]["to"]] if rises else []
        named += [sibling, *self._standing()]
        return next((o for o in named if o and o not in gone and o != offer and self._open(o, moment)
                     and self._expressed(o, quiet=True)), None)  # fmt: skip

    def _standing(self) -> list[str]:
        """Paid offers that serve everything, the cheapest to keep first."""
        good = [c for c in self.candidates.values() if c["kind"] == "list" and c["served"] >= SERVES_ALL]
        return [c["offer"] for c in sorted(good, key=lambda c: c["staying"]["mean"])]

    def _rest(self, moment: datetime, taken: set[str]) -> tuple[str, str] | None:
        named = [(self.logged, "as logged: serves what the plan's offers refuse")] if self.logged else []
        named += [(o, "the cheapest paid offer that stands: serves what the plan's offers refuse")
                  for o in self._standing()]  # fmt: skip
        return next(((o, why) for o, why in named if o not in taken and self._open(o, moment)
                     and self._expressed(o, quiet=True)), None)  # fmt: skip

    def _expressed(self, id: str, quiet: bool = False) -> bool:
        offer = self.catalogue.offers.get(id)
        if offer is None:
            return False
        record, why = offer.latest, None
        if provider_of(record.vendor) is None:
            why = f"{record.vendor}: {NOT_EXPRESSED[record.vendor]}"
        elif record.eligibility.deferrable:
            why = "takes only work that can wait, which a proxy cannot hold back"
        if why is not None and not quiet:
            self.left_out[id] = why
        return why is None

    def _deployment(self, id: str, group: str, order: int, why: str, moment: datetime) -> Deployment:
        offer = self.catalogue.offer(id)
        found = tariff(offer, frozen=moment)
        assert found is not None  # it is open
        provider = provider_of(found.record.vendor)
        assert provider is not None  # it is expressed
        usd, _ = self.catalogue.exchange(found.record.currency, "USD", self.start)
        prices = priced(found, usd, moment)
        rpm, tpm, minute, notes = _limits(found)
        budget = _budget(found, usd, prices)
        if provider.source is None:
            notes.append(f"nobody has checked that {found.record.vendor} speaks OpenAI's wire format")
        if found.record.vendor == "azure":
            notes.append("the model must be the name of your deployment")
        if offer.own is False and "/" in found.model.name and provider.prefix == "openai":
            notes.append("check the model's name with the vendor")
        if any(p.term.price for p in found.allowances):
            notes.append("its packs must be bought beforehand")
        if found.record.currency != "USD":
            notes.append(f"prices in USD at {float(usd):.4f} for one {found.record.currency}")
        notes += [f"spend leaves out {what}" for what in prices.unsaid]
        cooldown = MINUTE_COOLDOWN if minute or not (found.limits or found.allowances) else DAY_COOLDOWN
        model = f"{provider.prefix}/{found.model.name}"
        return Deployment(id, group, order, model, provider, prices, usd, rpm, tpm, cooldown, budget,
                          found.model.longest_input, why, tuple(notes))  # fmt: skip

    # -- when

    def _moments(self) -> Iterable[datetime]:
        involved = {*self.plan, *self._standing(), *(r["to"] for r in self.data["plan"]["rises"])}
        involved |= {c["sibling"] for c in self.candidates.values() if c["sibling"]}
        involved |= {self.logged} if self.logged else set()
        for id in involved:
            for moment in changes(self.catalogue.offers.get(id), self._expiry):
                if self.begins < moment < self.ends:
                    yield moment
        if self.leave is not None:
            yield self.leave

    def _because(self, moment: datetime) -> tuple[str, ...]:
        """What changes at `moment`, in words."""
        found = []
        if self.leave == moment:
            found.append(f"the plan leaves {self.plan[0]}, even if it is still free")
        known: list[str] = [*self.plan, *self.candidates, *([self.logged] if self.logged else [])]
        for id in dict.fromkeys(known):
            for at, words in changes(self.catalogue.offers.get(id), self._expiry).items():
                if at == moment:
                    found += [f"{id}: {w}" for w in words]
        return tuple(found)

    def _without(self, offer: str, first: Period) -> Period | None:
        """The configuration for when an offer of the plan is gone before any known date."""
        if not self._open(offer, first.start):
            return None
        found = self._deployments(first.start, frozenset({offer}))
        if not any(d.group == PLAN for d in found):
            return None
        slug = "".join(c if c.isalnum() or c in ".-" else "-" for c in offer)
        when = f"{offer} ends, is retired, or serves nothing any more, before a date known today"
        return Period(f"without-{slug}", first.start, found, (when,), when)


def changes(offer: Offer | None, expiry: Any) -> dict[datetime, list[str]]:
    """When an offer's terms are known to change, and how; `expiry(allowance)` says when one is void."""
    found: dict[datetime, list[str]] = {}

    def note(moment: Any, words: str) -> None:
        if isinstance(moment, datetime):
            found.setdefault(moment, []).append(words)

    for at, version in enumerate(offer.versions if offer is not None else ()):
        if at:
            note(version.in_force.from_, "new terms begin" if version.kind in ("list", "pack") else
                 f"new terms begin ({version.kind})")  # fmt: skip
        following = offer.versions[at + 1].in_force.from_ if offer and at + 1 < len(offer.versions) else None
        if version.in_force.end is not None and version.in_force.end != following:
            note(version.in_force.end, "its terms end")
        note(version.lifecycle.retired_on, "it is retired")
        limits = [] if isinstance(version.limits, str) else version.limits
        for rate in version.rates:
            note(rate.when.from_, "a price begins")
            note(rate.when.until, "a price ends")
        for part in (*limits, *version.allowances):
            what = "a limit" if isinstance(part, Limit) else "an allowance"
            note(part.from_, f"{what} begins")
            note(part.until, f"{what} ends")
        for allowance in version.allowances:
            note(expiry(allowance), "what was given is void, if it was first used when the plan began")
    return found


def _same(a: Sequence[Deployment], b: Sequence[Deployment]) -> bool:
    return [d.entry() for d in a] == [d.entry() for d in b]


def _name(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}" if (moment.hour, moment.minute) == (0, 0) else f"{moment:%Y-%m-%dT%H%M}"


def _limits(found: Tariff) -> tuple[int | None, int | None, bool, list[str]]:
    """(rpm, tpm, whether a window below an hour exists that the proxy cannot hold, notes)."""
    rpm, tpm, minute, notes = [], [], False, []
    if found.unknown_limits:
        notes.append("its limits are not published")
    for period in found.limits:
        t = period.term
        if t.amount == UNKNOWN or isinstance(t.amount, str):
            notes.append("one of its limits is not published")
            continue
        requests, tokens = "requests" in t.meters, set(t.meters) & set(TOKEN_METERS)
        if t.per == "minute" and requests:
            rpm.append(int(t.amount))
        elif t.per == "minute" and tokens:
            minute = True
            whole = set(t.meters) >= {"input", "output"} and not t.excludes
            if whole:
                tpm.append(int(t.amount))
            which = "tokens" if whole else "tokens of some kinds"
            notes.append(f"{int(t.amount):,} {which} a minute are not held by the proxy: the vendor refuses "
                         "what is over, and the next serves it")  # fmt: skip
        elif t.per in ("second", "hour") or (t.per == "rolling" and t.window is not None):
            minute = True
            what = "requests" if requests else "tokens"
            notes.append(f"{float(t.amount):g} {what} per {t.per} are not held by the proxy")
    return (min(rpm) if rpm else None), (min(tpm) if tpm else None), minute, notes


def _budget(found: Tariff, usd: Fraction, prices: Priced) -> tuple[Fraction, str] | None:
    """Money given, as a budget: when spend has reached it the next in order serves."""
    if not any(prices.plain.values()):
        return None
    for period in found.allowances:
        a = period.term
        worth = a.credit if a.unit == "credits" else Fraction(1) if a.unit == "money" else None
        if a.price or not isinstance(a.amount, Fraction) or not isinstance(worth, Fraction):
            continue
        if a.reset not in ("none", "day", "week", "month"):
            continue
        days = {"day": 1, "week": 7, "month": 30}.get(a.reset)
        if days is None:
            size, months = length(a.expires_after) if isinstance(a.expires_after, Duration) else (0, 12)
            days = size // 86_400_000_000 or months * 30 or 365
        return a.amount * worth * usd, f"{days}d"
    return None


def told(deployment: Deployment) -> str:
    """A deployment's prices in a few words, in USD per million tokens."""
    plain = deployment.prices.plain
    parts = [f"{decimal(plain[m] * 10**6, 6).normalize():f} {m}" for m in ("input", "cache_read", "output")]
    return " / ".join(parts)
