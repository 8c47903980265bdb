"""What advice says in sentences: chosen from the figures, as keys of `advice_words` with their arguments.

Nothing is computed here but differences of figures that advice gives; each sentence is shown in the
terminal and on the page alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Sentence = dict[str, Any]
CENT = 0.005
FEW = 30  # futures that judge; below, one of them may move a mean by much
OTHER_MODEL = "other_model"  # that another model counts the work otherwise is so of nearly all of them


def say(key: str, **args: Any) -> Sentence:
    """One sentence."""
    return {"key": key, "args": args}


def outcome(data: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """The outcome of a strategy, None where it cannot be had."""
    return next((o for o in data["outcomes"] if o["key"] == key), None)


def candidate(data: Mapping[str, Any], offer: str) -> Mapping[str, Any] | None:
    """A candidate by its id."""
    return next((c for c in data["candidates"] if c["offer"] == offer), None)


def completed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Advice as `advice.advised` gives it, with its sentences."""
    told = {**data, "versus": versus(data)}
    return {**told, "story": story(told), "tale": tale(told)}


def doing(data: Mapping[str, Any]) -> Sentence:
    """What is recommended, as the beginning of a sentence."""
    chosen = outcome(data, data["recommended"])
    assert chosen is not None
    offer, settings, key = data["plan"]["begin"], chosen["settings"], chosen["key"]
    if key == "stay" and data["present"]:
        return say("do.present", offer=offer)
    if key == "free" and settings.get("leave_in_month"):
        return say("do.free_until", offer=offer, month=settings["leave_in_month"])
    if key == "trigger":
        if not settings["payback"]:
            return say("do.never", offer=offer)
        return say("do.trigger", offer=offer, months=settings["payback"])
    return say(f"do.{key}", offer=offer)


def story(data: Mapping[str, Any]) -> list[Sentence]:
    """What to do first, and what stands out."""
    best = outcome(data, data["recommended"])
    assert best is not None
    cost = best["cost"]
    told = [
        say("say.do", do=doing(data), months=data["months"], cost=cost["mean"], low=cost["p5"],
            high=cost["p95"], tail=cost["tail"])
    ]  # fmt: skip
    if data["judged"] < FEW:
        told.append(say("say.few", judged=data["judged"]))
    told += _now(data)
    if len(data["models"]) > 1:
        told.append(say("say.several_models", n=len(data["models"])))
    work = data["workload"]
    if work["short"]:
        told.append(say("say.short", days=work["days"], spread=work["spread"]))
    if best["unserved"] >= 0.001:
        named = any(a["key"] == "refused" and a["given"] for a in data["assumptions"])
        told.append(say("say.refused_named" if named else "say.refused", share=best["unserved"]))
    for offer in data["plan"]["begin"].split(" + "):
        found = candidate(data, offer)
        if found is not None and found["verdict"] == "undecided":
            told.append(say("say.doubt", model=found["model"], basis=say(f"basis.{_basis(found)}")))
        known = [t for t in terms(found) if t["key"] != f"term.{OTHER_MODEL}"] if found is not None else []
        if known:
            told.append(say("say.know", offer=offer, what=known))
        if found is not None and found["unpublished"]:
            told.append(say("say.unpublished", offer=offer, what=unpublished(found)))
    told += _cheapest(data)
    told.append(_lock(data))
    told += [s for s in (_worth(data, "portability"), _worth(data, "second_vendor")) if s is not None]
    mine = account(data)
    if len(mine["causes"]) >= 3:
        first, second, third = mine["causes"][:3]
        told.append(
            say("say.causes", first=say(f"cause.{first['key']}"), first_amount=first["amount"],
                second=say(f"cause.{second['key']}"), second_amount=second["amount"],
                third=say(f"cause.{third['key']}"), third_amount=third["amount"])
        )  # fmt: skip
    told += [say("say.look", day=look["day"], why=why(look)) for look in looks(data)[:1]]
    return told


def looks(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Days to look again; the first day of the advice is none."""
    return [look for look in data["plan"]["look_again"] if look["day"] > data["start"]]


def unpublished(found: Mapping[str, Any]) -> list[Sentence]:
    """What a candidate must have and nobody has published."""
    return [say(f"unpublished.{key}") for key in found["unpublished"]]


def terms(found: Mapping[str, Any]) -> list[Sentence]:
    """What is known of a candidate's terms: as words of the report, with their English text."""
    return [{**t, "key": f"term.{t['key']}"} for t in found["terms"]]


def source(data: Mapping[str, Any]) -> Sentence | str:
    """Where the futures come from."""
    if data["market"]:
        return say("source.market", market=data["market"])
    return say("source.history", day=data["cut_off"]) if data["cut_off"] else data["source"]


def _now(data: Mapping[str, Any]) -> list[Sentence]:
    """Of what is in use: that it ends, and that a team that did not say so is taken to begin anew."""
    logged = (
        c["offer"]
        for c in data["candidates"]
        if c["kind"] == "list" and c["model"] == data["present_model"] and c["exact"]
    )
    offer = data["present"] or next(logged, None)
    found = candidate(data, offer) if offer else None
    if found is None:
        return []
    told = [say("say.ends", offer=offer, day=found["ends"])] if found["ends"] else []
    return told if data["present"] else [*told, say("say.anew", offer=offer)]


def why(look: Mapping[str, Any]) -> Sentence | str:
    """Why to look again."""
    return say(f"look.{look['key']}", **look["args"]) if look["key"] else look["why"]


def trigger(row: Mapping[str, Any]) -> tuple[Sentence | str, Sentence | str]:
    """When, and what then."""
    key, args = row["key"], row["args"]
    if key == "payback":
        when = "when.payback_dwell" if args["dwell"] > 1 else "when.payback"
        return say(when, **args), say("then.payback_paid" if args["paid_only"] else "then.payback")
    if key == "turns":
        return say(f"when.{args['state']}"), say("then.stay" if args["stay"] else "then.leave", **args)
    if key in ("gone", "month"):
        return say(f"when.{key}", **args), say(f"then.{key}")
    return row["when"], row["then"]


def account(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The account of the recommended strategy, else of today's cheapest kept, which it then equals."""
    return next((a for a in data["accounts"] if a["key"] == data["recommended"]), data["accounts"][0])


def _basis(found: Mapping[str, Any]) -> str:
    words = " ".join(found["because"])
    if "published" in words and "nor published" not in words:
        return "published"
    return "none" if "Neither measured" in words else "measured"


def _cheapest(data: Mapping[str, Any]) -> list[Sentence]:
    offer, kept = data["cheapest_today"], outcome(data, "today")
    chances = {"n": len(data["candidates"]), "dearest": data["dearest"]["share"], "offer": offer}
    if kept is None:
        return []
    if offer == data["plan"]["begin"] and data["recommended"] in ("stay", "today", "paid", "flagship"):
        return [say("say.cheapest_too", **chances)]
    more = kept["against"]["mean"]
    if abs(more) < CENT:
        return [say("say.cheapest_same", **chances)]
    if more < 0:
        return [say("say.cheapest_less", **chances, less=-more, fitted=data["fitted"])]
    return [say("say.cheapest", **chances, more=more, dearer=data["dearer"]["share"])]


def _lock(data: Mapping[str, Any]) -> Sentence:
    found = data["lock_in"]["amount"]
    if found["low"] > 0:
        return say("say.lock", amount=found["mean"])
    if max(abs(found["low"]), abs(found["high"])) < CENT:
        return say("say.lock_none")
    return say("say.lock_unknown", low=found["low"], high=found["high"])


def _worth(data: Mapping[str, Any], what: str) -> Sentence | None:
    """Whether something pays, by the 95% interval of the mean."""
    if data[what] is None:
        return None
    if max(abs(data[what]["amount"][end]) for end in ("low", "high")) < CENT:
        return None  # neither costs nor saves: nothing to say
    found, key = data[what]["amount"], {"portability": "portable", "second_vendor": "second"}[what]
    if found["low"] > 0:
        pair = outcome(data, "several") if key == "second" else None
        more = pair["against"]["mean"] if pair is not None else 0.0
        dearer = {"more": more} if more > CENT else {}
        ending = "_dearer" if dearer else ""
        return say(f"say.{key}{ending}", amount=found["mean"], low=found["low"], high=found["high"], **dearer)
    if found["high"] < 0:
        return say(f"say.{key}_not", amount=-found["mean"], low=-found["high"], high=-found["low"])
    return say(f"say.{key}_unknown", low=found["low"], high=found["high"])


def versus(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The free offer kept beside the best paid one from the start: a light model's if one stands.

    None where either is missing.
    """
    free = [c for c in data["candidates"] if c["kind"] == "free"]
    paid = outcome(data, "paid")
    if not free or paid is None:
        return None
    chosen = min(free, key=lambda c: (not c["light"], c["staying"]["mean"]))
    other = candidate(data, paid["offers"][0])
    return None if other is None else {"free": chosen["offer"], "paid": other["offer"]}


def tale(data: Mapping[str, Any]) -> list[Sentence]:
    """The free model against paying from the start, in five sentences; none where there is none."""
    pair = data["versus"]
    if pair is None:
        return []
    free, paid = candidate(data, pair["free"]), candidate(data, pair["paid"])
    row = next(r for r in data["reliance"] if r["offer"] == pair["free"])
    assert free is not None
    assert paid is not None
    mine, other, months = free["staying"], paid["staying"], data["months"]
    told = [
        say("tale.today", free=free["offer"], paid=paid["offer"], own=free["today"], served=free["served"],
            refused=free["refused"], month=paid["today"] + paid["refused"]),
        say("tale.kept", months=months, cost=mine["mean"], low=mine["p5"], high=mine["p95"],
            paid=paid["offer"], paid_cost=other["mean"], paid_low=other["p5"], paid_high=other["p95"]),
        say("tale.ends", day=row["end"], gone=row["gone"]) if row["end"]
        else say("tale.lasts", months=months, gone=row["gone"]),
        say("tale.dearer", dearer=free["dearer"]["share"], n=len(data["candidates"]),
            dearest=free["dearest"]["share"]),
    ]  # fmt: skip
    parts = {k: max(free["parts"][k], 0.0) for k in ("use", "refused", "switching")}
    if (whole := sum(parts.values())) > 0:
        told.append(say("tale.parts", **{k: v / whole for k, v in parts.items()}))
    return told
