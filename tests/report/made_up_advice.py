"""Advice made up for the page's tests: shaped like `cli.advise`'s, true of nothing."""

from __future__ import annotations

from typing import Any

from pricewar.notes import Note
from pricewar.report import advice_story as told

OFFERS = ("free/one", "paid/one", "paid/two")
HOSTILE = "</script><script>alert(1)</script>\x1b[31m\u202e"


def estimate(mean: float) -> dict[str, float]:
    return {
        "mean": mean,
        "low": mean * 0.95,
        "high": mean * 1.05,
        "p5": mean * 0.8,
        "p50": mean,
        "p95": mean * 1.4,
        "tail": mean * 1.6,
    }


def share(value: float) -> dict[str, float]:
    return {"share": value, "low": max(value - 0.1, 0), "high": min(value + 0.1, 1), "n": 100}


def so_far(mean: float, months: int) -> dict[str, list[float]]:
    steps = [mean * (0.4 + 0.6 * (t + 1) / months) for t in range(months)]
    return {"p5": [x * 0.8 for x in steps], "p50": steps, "p95": [x * 1.4 for x in steps], "mean": steps}


def candidate(offer: str, kind: str, mean: float, months: int, name: str = "") -> dict[str, Any]:
    return {
        "offer": offer,
        "vendor": offer.split("/")[0],
        "model": name or offer.split("/")[1],
        "kind": kind,
        "light": True,
        "today": 0.0 if kind == "free" else 40.0,
        "refused": 12.5 if kind == "free" else 0.0,
        "headline": 0.0,
        "served": 0.94 if kind == "free" else 1.0,
        "exact": False,
        "staying": estimate(mean),
        "by_month": so_far(mean, months),
        "dearest": share(0.3),
        "dearer": share(0.6),
        "sibling": None,
        "verdict": "undecided" if kind == "free" else "acceptable",
        "because": ["going by published figures"],
        "reasons": ["going by published figures"],
        "doubts": [],
        "warnings": ["new accounts only"],
        "announced": [],
        "ends": None,
        "unpublished": [],
        "terms": [{"key": "new_account_only", "args": {}, "text": "new accounts only"}],
        "compression": {},
        "parts": {"use": 100.0, "refused": 50.0, "switching": 850.0, "ecosystem": 0.0},
    }


def outcome(key: str, mean: float, months: int, *offers: str, benchmark: bool = False) -> dict[str, Any]:
    return {
        "key": key,
        "title": key,
        "offers": list(offers),
        "settings": {"payback": 6.0, "leave_in_month": 9},
        "cost": estimate(mean),
        "parts": {"use": 1.0, "refused": 0.0, "switching": 2.0, "ecosystem": 0.0},
        "unserved": 0.02,
        "unserved_requests": 10.0,
        "switches": 0.5,
        "roi": estimate(1.5),
        "break_even": 7,
        "never": share(0.0),
        "by_month": so_far(mean, months),
        "benchmark": benchmark,
        "against": estimate(mean - 6000.0),
    }


def advice(
    months: int = 24, recommended: str = "trigger", free: bool = True, name: str = ""
) -> dict[str, Any]:
    """One piece of advice; `name`: what a model is called."""
    amount = {"amount": estimate(700.0), "words": "in words"}
    kept = OFFERS if free else OFFERS[1:]
    causes = [
        {"key": key, "words": key, "amount": value}
        for key, value in (
            ("switching", 4000.0),
            ("terms", 900.0),
            ("prices", -300.0),
            ("growth", 100.0),
            ("refusals", 10.0),
        )
    ]
    data: dict[str, Any] = {
        "team": "ours",
        "currency": "USD",
        "start": "2026-11-22",
        "months": months,
        "source": "history",
        "cut_off": "2026-11-22",
        "seed": 0,
        "fitted": 100,
        "judged": 100,
        "draws": 200,
        "only": [],
        "models": ["one"],
        "pricewar": "0.1",
        "made": "2026-11-22",
        "command": "pricewar advise usage.csv",
        "seconds": 12.0,
        "market": None,
        "log": {"source": "usage.csv", "format": "csv", "rows": 1000, "exclusions": []},
        "present": None,
        "workload": {
            "requests_a_month": 1234.0,
            "days": 30.0,
            "as_logged_a_month": 220.0,
            "error_cost": 0.001,
            "error_refused": 0.0,
            "short": False,
            "spread": 0.01,
            "rows": 1000,
        },
        "until": "2027-06-01",
        "considered": 40,
        "present_model": "one",
        "evidence": None,
        "left_out": [
            {"offer": "x/y", "why": "not good enough: tested", "key": "quality"},
            {"offer": "x/z", "why": "in no region", "key": ""},
        ],
        "dearer_left_out": ["x/w"],
        "notes": [Note("37 futures are few", "few", draws=37).said(), "a market ends"],
        "recommended": recommended,
        "candidates": [
            candidate(o, "free" if o.startswith("free") else "list", 9000.0 - 1500 * i, months, name)
            for i, o in enumerate(kept)
        ],
        "outcomes": [
            outcome(k, m, months, kept[0])
            for k, m in (("stay", 6500.0), ("today", 9000.0), ("trigger", 6000.0), ("optimal", 6010.0))
        ]
        + [
            outcome("paid", 7500.0, months, "paid/one"),
            outcome("several", 9900.0, months, "paid/one", "paid/two"),
            outcome("free", 7000.0, months, kept[0]),
            outcome("clairvoyant", 5000.0, months, benchmark=True),
        ],
        "skipped": [{"offer": "flagship", "why": "no paid flagship stands", "key": "no_flagship"}],
        "plan": {
            "begin": kept[0],
            "agreed": 0.8,
            "triggers": [
                {
                    "when": "",
                    "then": "",
                    "threshold": 6.0,
                    "key": "payback",
                    "args": {"months": 6.0, "dwell": 2, "paid_only": True},
                },
                {
                    "when": "",
                    "then": "",
                    "threshold": None,
                    "key": "turns",
                    "args": {"state": "ended", "stay": False, "share": 0.9},
                },
                {"when": "", "then": "", "threshold": None, "key": "gone", "args": {}},
                {"when": "", "then": "", "threshold": 9.0, "key": "month", "args": {"month": 9}},
            ],
            "look_again": [
                {
                    "month": 5,
                    "day": "2027-04-01",
                    "left": 0.2,
                    "why": "",
                    "key": "ended",
                    "args": {"share": 0.12},
                },
                {
                    "month": 8,
                    "day": "2027-07-01",
                    "left": 0.4,
                    "why": "",
                    "key": "announced",
                    "args": {"day": "2027-07-01"},
                },
            ],
            "rises": [
                {
                    "months": m,
                    "leaving": 6000.0 + 100 * m,
                    "share": None if m else 1.5,
                    "monthly": 200.0,
                    "to": "paid/two",
                }
                for m in (0, 6, 12)
            ],
            "occupancy": {
                kept[0]: [1 - t / months for t in range(months)],
                "paid/two": [t / months for t in range(months)],
            },
        },
        "cheapest_today": kept[0],
        "dearest": share(0.3),
        "dearer": share(0.6),
        "lock_in": amount,
        "portability": {"amount": estimate(-500.0), "words": "in words"},
        "second_vendor": None,
        "regret": estimate(900.0),
        "accounts": [
            {"key": recommended, "strategy": "s", "base": 1290.0, "total": 6000.0, "causes": causes}
        ],
        "assumptions": [
            {"key": "horizon", "value": "24", "unit": "months", "why": "so", "given": True},
            {"key": "discount", "value": "0.1", "unit": "share a year", "why": "so", "given": False},
        ],
        "reliance": [
            {
                "offer": "free/one",
                "stands": share(0.6),
                "as_now": share(0.4),
                "gone": 0.9,
                "end": "2027-10-01",
                "then": "paid/one",
            }
        ]
        if free
        else [],
    }
    # As from a log in which the interval of the mean leaves zero out on the other side.
    data["portability"]["amount"] |= {"low": -600.0, "high": -400.0}
    data["versus"] = told.versus(data)
    data["story"], data["tale"] = told.story(data), told.tale(data)
    return data
