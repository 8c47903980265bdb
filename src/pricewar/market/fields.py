"""The market's parameters, one row each: unit, meaning, bounds, value when nothing is said, reference.

Three tables, one for each kind of row that the compiled pass reads; their names are the pass's columns (a
test holds the one against the other). `off` is the value of a parameter that a definition leaves out: the
mechanism is then absent. A parameter without it must be given. `money` stands for the market's currency.
Light on purpose: definitions and the command line read it without the compiled code.
"""

from __future__ import annotations

from dataclasses import dataclass

BIG = 1e15
"""Larger than any amount that the model can mean."""

BDK = "Besanko, Doraszelski and Kryukov 2014, AER 104(3)"
BDKS = "Besanko, Doraszelski, Kryukov and Satterthwaite 2010, Econometrica 78(2)"
KLEMPERER = "Klemperer 1987, QJE 102(2); Farrell and Klemperer 2007, Handbook of IO 3"
BASS = "Bass 1969, Management Science 15(5)"
SCALING = "Kaplan et al. 2020, arXiv:2001.08361"
EMERGENCE = "Wei et al. 2022, arXiv:2206.07682"
NASH_IN_NASH = "Horn and Wolinsky 1988, RAND 19(3); Collard-Wexler, Gowrisankaran and Lee 2019, JPE 127(1)"
LOGIT = "McFadden 1974; Anderson, de Palma and Thisse 1992"
CALVO = "Calvo 1983, JME 12(3); asynchronous moves: Maskin and Tirole 1988, Econometrica 56(3)"
RIGID = "Barro 1972, RES 39(1)"
TRAFFIC = "queueing: Kleinrock 1975, vol. 1"
DATA_LOOP = "Hagiu and Wright 2023, RAND 54(4); Prüfer and Schottmüller 2021, JIE 69(4)"
RULE = "Areeda and Turner 1975, Harvard LR 88"


@dataclass(frozen=True)
class Field:
    """One parameter.

    Attributes:
        unit: as `pricewar.market.definition` reads units; `money` is the market's currency.
        meaning: one line. low, high: what may be given. reference: where the mechanism comes from.
        off: its value when a definition does not give it; None: it must.
        given: False when it is set by a policy or by the rest of the definition, never by its own line.
    """

    unit: str
    low: float
    high: float
    off: float | None
    meaning: str
    reference: str = ""
    given: bool = True


UNREAD = Field("number", 0, 0, 0, "a column that no mechanism reads: it stays zero", given=False)

MARKET: dict[str, Field] = {
    # what a unit of use is worth, and what it costs
    "reference_share": Field("share", 1e-9, 1e15, None,
        "reference price h over the mean unit cost: use halves where the price is h",
        "saturating log demand, docs/market.md"),
    "reference_lag": Field("month", 0, 600, 0,
        "months over which the reference price follows costs; 0: it stays",
        "reference prices: Kalyanaram and Winer 1995, Marketing Science 14(3)"),
    "progress": Field("1/month", -0.5, 0.5, 0,
        "fall of unit cost with time, the same for all", "Moore's law of inference: Epoch AI 2025"),
    "learning": Field("elasticity", 0, 1, 0,
        "unit cost falls with own experience to this power", "Wright 1936; " + BDKS),
    "experience_scale": Field("GPU-month", 1e-9, BIG, 1, "experience at which cost is as stated"),
    "experience_top": Field("GPU-month", 0, BIG, 0, "experience past which nothing is learned; 0: no top"),
    "gpu_light": Field("GPU-month/mn tokens", 1e-15, BIG, None,
        "GPU time of a million light tokens at full load and efficiency 1"),
    "gpu_flagship": Field("GPU-month/mn tokens", 1e-15, BIG, None,
        "GPU time of a million flagship tokens at full load and efficiency 1"),
    "energy_light": Field("money/mn tokens", 0, BIG, 0, "energy and network of a million light tokens"),
    "energy_flagship": Field("money/mn tokens", 0, BIG, 0, "energy and network of a million flagship tokens"),
    "fleet_minimum": Field("GPU", 0, BIG, 0,
        "GPUs that serving at all takes: the fixed part that use spreads", "economies of scale"),
    "target_load": Field("share", 0.05, 1, None, "load for which capacity is ordered", TRAFFIC),
    "load_penalty": Field("utility", 0, 1000, 0, "utility lost per unit of load past 85%", TRAFFIC),
    "capacity_up": Field("1/month", 0, 100, None, "speed at which capacity follows a larger need"),
    "capacity_down": Field("1/month", 0, 100, None, "speed at which capacity follows a smaller need"),
    "burst_premium": Field("share", 0, 100, 0,
        "what machines hired past the own fleet cost above the rental"),
    # compute suppliers
    "rental": Field("money/GPU-month", 1e-12, BIG, None, "rental of a GPU in month 0"),
    "rental_decline": Field("1/month", -0.5, 0.5, 0, "fall of the rental with time at unchanged tightness"),
    "rental_elasticity": Field("elasticity", 0, 5, 0, "rental to demand over supply, to this power"),
    "supply_growth": Field("1/month", -0.5, 0.5, 0, "growth of the GPUs supplied at unchanged rental"),
    "supplier_cost": Field("money/GPU-month", 0, BIG, 0, "what a GPU costs its supplier"),
    # quality
    "scale_compute": Field("quality", 0, 100, 0, "quality per tenfold training compute", SCALING),
    "scale_jump": Field("quality", 0, 100, 0, "quality gained at the compute threshold", EMERGENCE),
    "threshold": Field("log10 FLOP", -100, 100, 0,
        "training compute at which the jump is half done", EMERGENCE),
    "threshold_width": Field("log10 FLOP", 1e-6, 100, 1, "width of the jump"),
    "scale_data": Field("quality", 0, 100, 0, "quality per unit of ln(1 + data / data_half)", DATA_LOOP),
    "data_half": Field("mn tokens", 1e-12, BIG, 1, "data at which a tenfold stock begins to pay", DATA_LOOP),
    "data_decay": Field("1/month", 0, 10, 0, "rate at which data go stale"),
    "light_gap": Field("quality", 0, 100, 0, "quality by which the light model lags the flagship"),
    "revenue_quality": Field("1/quality", -10, 10, 0,
        "log of a team's own revenue per unit of quality above its peers'"),
    # training
    "run_months": Field("month", 0.01, 120, 1, "length of a training run"),
    "run_gap": Field("month", 0, 600, 0, "least time between runs"),
    "run_step": Field("log10 FLOP", 0, 10, 0,
        "largest step of compute from run to run; 0: nobody trains", "contest: Tullock 1980; lumpy runs"),
    "run_gpu": Field("GPU-month/FLOP", 1e-60, 1, 1e-22, "GPU time of a training FLOP in month 0"),
    "run_progress": Field("1/month", -0.5, 0.5, 0, "fall of a run's cost with time"),
    "run_failure": Field("share", 0, 1, 0, "chance that a run fails without talent"),
    "run_labour": Field("share", 0, 100, 0, "people and data over compute in a run's cost"),
    "afford": Field("share", 0, 1, 0.25, "largest part of cash and reserve that a run may take"),
    # teams: integration, inertia, growth
    "depth_one": Field("1/month", 0, 100, 0, "rate from trial to integrated", KLEMPERER),
    "depth_two": Field("1/month", 0, 100, 0, "rate from integrated to embedded", KLEMPERER),
    "switch_trial": Field("share", 0, 1, 0, "switching cost on trial over that of the embedded", KLEMPERER),
    "switch_integrated": Field("share", 0, 1, 0,
        "switching cost of the integrated over that of the embedded", KLEMPERER),
    "certainty": Field("share", 0, 1, 1,
        "part of a home ecosystem's benefit that a newcomer counts on",
        "loss aversion: Kahneman and Tversky 1979; certain loss, uncertain gain"),
    "expansion_contestable": Field("share", 0, 1, 0,
        "part of old teams' growth that chooses its vendor anew"),
    "outside": Field("utility", -60, 60, -60, "utility of buying nowhere", LOGIT),
    # rules from outside
    "portability": Field("share", 0, 1, 0,
        "lever: part of switching costs taken away", "Farrell and Klemperer 2007"),
    "price_floor": Field("share", 0, 10, 0, "lever: least price over average variable cost", RULE),
    "data_sharing": Field("share", 0, 1, 0,
        "lever: part of all vendors' data open to each", "Prüfer and Schottmüller 2021"),
    "no_self_preferencing": Field("share", 0, 1, 0, "lever: part of home ecosystems' benefit taken away"),
    "embedded_cap": Field("share", 0, 1, 0, "lever: how far embedded customers keep the terms they had"),
    "lever_from": Field("month", 0, 1e6, 0, "month from which the levers hold"),
    "regulator_auto": Field("switch", 0, 1, 0, "1: the regulator steps in by itself, with these levers"),
    "regulator_hhi": Field("share", 0, 1, 1, "concentration past which it looks"),
    "regulator_margin": Field("share", -1, BIG, 0, "mean flagship margin over cost past which it sees harm"),
    "regulator_months": Field("month", 0, 600, 0, "how long both must last"),
    "regulator_delay": Field("month", 0, 600, 0, "from its decision to its act"),
    "regulator_reach": Field("share", 0, 1, 1, "part of the levers that it can enforce"),
    "merge_into": Field("number", 0, 1e6, 0,
        "lever: number of the vendor that takes another over", given=False),
    "merge_from": Field("number", 0, 1e6, 0, "lever: number of the vendor taken over", given=False),
    "merge_month": Field("month", 0, 1e6, 0, "lever: when; 0: never", given=False),
    # conduct
    "hold": Field("month", 0.1, 60, None, "how long a vendor expects its price to stand", CALVO),
    "discount": Field("1/month", 1e-6, 10, None, "rate of discount"),
    "runway_weight": Field("share", 0, 100, 0,
        "how far a short runway shortens the view ahead",
        "limited funds: Bolton and Scharfstein 1990, AER 80(1)"),
    "denying": Field("share", 0, 10, 0, "weight of denying rivals data, over gaining them", BDK),
    "menu": Field("share", 0, 1, 0, "least relative change of price that is posted", RIGID),
    "rise_needs_successor": Field("switch", 0, 1, 0, "1: a list price rises only with a new generation"),
    "allowance_notch": Field("ratio", 0, 100, 1, "factor by which free allowances move; 1: there are none"),
    "review": Field("1/month", 0, 400, None, "rate at which a vendor reviews its terms", CALVO),
    "react": Field("1/month", 0, 400, 0,
        "rate of review within a month of a rival's cut, until it has cut", CALVO),
    "cut_is_war": Field("share", 0, 1, 0.3, "cut from the peace price that counts as following"),
    "peace": Field("switch", 0, 1, 0,
        "1: list prices are held until somebody opens the war", "tacit agreement: Friedman 1971, RES 38(1)"),
    "expected_peace": Field("month", 0, 600, 0, "how long vendors expect the peace to last if they hold"),
    "rollout_months": Field("month", 0, 120, 12, "how far ahead opening is compared with holding"),
    "opening_needs_launch": Field("switch", 0, 1, 0,
        "1: a vendor thinks of opening the war when it launches a generation; 0: at every review"),
    "opening_threshold": Field("share", -BIG, BIG, 0,
        "gain from opening, over the present value, that moves a vendor"),
    "opening_fixed": Field("switch", 0, 1, 0,
        "1: the opener and its month are given, for experiments", given=False),
    "opener": Field("number", -1, 1e6, 0, "number of the vendor that opens, if given", given=False),
    "opening_month": Field("month", 0, 1e6, 0, "month of the opening, if given", given=False),
    # a new modality, and consumers of the vendors' own apps
    "modality_month": Field("month", 0, 1e6, 0, "month of a new modality"),
    "modality_size": Field("share", 0, 1, 0,
        "how far it makes data stale and teams and consumers review; 0: none"),
    "consumers": Field("user", 0, BIG, 0,
        "users of the vendors' own apps in month 0; 0: none", "entrance to traffic"),
    "consumers_final": Field("user", 0, BIG, 0, "users in the end", BASS),
    "consumer_growth": Field("1/month", 0, 10, 0, "logistic growth of users", BASS),
    "consumer_taste": Field("1/quality", 0, 100, 0, "pull of quality on users", LOGIT),
    "consumer_rate": Field("1/month", 0, 100, 0, "rate at which users look round"),
    "consumer_tokens": Field("mn tokens/user-month", 0, BIG, 0, "use of a consumer"),
    "consumer_data": Field("share", 0, 1000, 0,
        "data from a consumer's token over data from a team's", DATA_LOOP),
    "absorb": Field("share", 0, 1, 0,
        "part of embedded teams' revenue that a vendor takes by entering their product",
        "Zhu and Liu 2018, SMJ 39(10)"),
    # open weights
    "fringe_lag": Field("quality", 0, 100, 0,
        "quality by which open weights lag the leader", "Epoch AI 2024"),
    "fringe_markup": Field("share", -1, 100, 0, "price of hosted open weights above cost"),
    # data holders
    "contract": Field("number", 0, 4, 0,
        "contract: 0 none, 1 training share, 2 revenue share, 3 shared results, 4 exclusive", NASH_IN_NASH),
    "holder_weight": Field("share", 0, 1, 0.5, "holder's bargaining weight", NASH_IN_NASH),
    "holder_cost": Field("share", 0, BIG, 0, "what a licence costs its holder, over the vertical's spending"),
    "contract_interval": Field("month", 0, 600, 12, "months between negotiations"),
    "shared_results": Field("share", -BIG, BIG, 0,
        "what shared results are worth to the holder, in hundredths of the vertical's spending"),
}  # fmt: skip

TYPE: dict[str, Field] = {
    "segment": Field("number", 0, 1e6, 0, "segment it belongs to", given=False),
    "teams": Field("team", 0, BIG, None, "teams that buy in month 0"),
    "potential": Field("team", 0, BIG, None, "teams that may ever buy", BASS),
    "innovation": Field("1/month", 0, 10, 0, "rate of adoption by oneself", BASS),
    "imitation": Field("1/month", 0, 50, 0, "rate of adoption by example", BASS),
    "budget": Field("money/month", 1e-9, BIG, None,
        "what a team spends at most, at prices far above the reference"),
    "growth": Field("1/month", -0.5, 0.5, 0, "growth of a team's work"),
    "light_share": Field("share", 0, 1, None, "part of its work that a light model can do"),
    "light_fall": Field("share", 0, 1, 0, "part of the light share lost when embedded"),
    "quality_taste": Field("utility/quality", 0, BIG, None, "taste for quality", LOGIT),
    "price_taste": Field("utility", 1e-9, BIG, None, "utility per unit of log price index", LOGIT),
    "reliability_taste": Field("share", 0, BIG, 0, "weight of overload in utility"),
    "switching_cost": Field("utility", 0, 60, 0, "cost of leaving when embedded", KLEMPERER),
    "review_low": Field("1/month", 0, 50, 0,
        "rate of reconsidering with nothing to gain", "inertia: Dubé, Hitsch and Rossi 2010, RAND 41(3)"),
    "review_high": Field("1/month", 0, 50, 0, "rate of reconsidering with all to gain"),
    "churn": Field("1/month", 0, 10, 0, "rate at which teams close"),
    "data_weight": Field("share", 0, 1000, 0, "data that a token of use leaves with the vendor", DATA_LOOP),
    "ideas": Field("mn tokens/team-month", 0, BIG, 0,
        "ideas of a team, as the data they are worth; they draw grants", "Zhu and Liu 2018"),
    "vertical": Field("number", -1, 1e6, -1, "vertical it works in", given=False),
    "vertical_gap": Field("quality", 0, 100, 0, "quality that a model without the vertical's data lacks"),
    "revenue": Field("ratio", 0, BIG, 0, "what its users pay it over its budget at peers' quality"),
}  # fmt: skip

VENDOR: dict[str, Field] = {
    "quality": Field("quality", -100, 100, 0, "quality beside compute and data"),
    "efficiency": Field("ratio", 1e-6, 1e6, None, "tokens from a GPU over the anchor's"),
    "cash": Field("money", -BIG, BIG, None, "cash in month 0"),
    "reserve": Field("money", 0, BIG, 0,
        "what its parent or backers would still add", "Bolton and Scharfstein 1990"),
    "income_per_team": Field("money/team-month", -BIG, BIG, 0,
        "what an active team earns it elsewhere in its ecosystem",
        "two-sided markets: Rochet and Tirole 2003"),
    "talent": Field("share", 0, 1, 0, "how far its people keep runs from failing and lengthen their step"),
    "api_share": Field("share", 1e-6, 1, None, "part of training that the API must pay"),
    "enters": Field("month", 0, 1e6, 0, "month of entry; 0: there from the start"),
    "compute": Field("log10 FLOP", -100, 100, None, "training compute of its flagship in month 0"),
    "data": Field("mn tokens", 0, BIG, 0, "data in month 0, as tokens of use"),
    "experience": Field("GPU-month", 0, BIG, 0, "work served before month 0, at the anchor's efficiency"),
    "share": Field("share", 0, BIG, 0, "weight in the teams of month 0; weights are over their sum"),
    "consumers": Field("share", 0, BIG, 0, "weight in the users of the vendors' apps; over their sum"),
    "price_light": Field("money/mn tokens", 0, BIG, None, "list price of the light model in month 0"),
    "price_flagship": Field("money/mn tokens", 0, BIG, None, "list price of the flagship in month 0"),
    "allowance": Field("mn tokens/team-month", 0, BIG, 0, "free light tokens of a team"),
    "conduct": Field("number", 0, 5, 2, "how it chooses its terms", given=False),
    "invest": Field("share", 0, 100, 0, "conduct invest: how far it counts the worth of a team won", BDK),
    "invest_growth": Field("elasticity", -100, 100, 0, "conduct invest: answer to the market's growth", BDK),
    "invest_time": Field("number", -100, 100, 0, "conduct invest: change over three years", BDK),
    "rule_light": Field("log ratio", -100, 100, 0, "conduct rule: log of light price over cost"),
    "rule_flagship": Field("log ratio", -100, 100, 0, "conduct rule: log of flagship price over cost"),
    "rule_growth": Field("elasticity", -100, 100, 0, "conduct rule: answer to the market's growth"),
    "rule_share": Field("log ratio", -100, 100, 0, "conduct rule: answer to its own share"),
    "rule_time": Field("log ratio", -100, 100, 0, "conduct rule: change over three years"),
    "rule_allowance": Field("mn tokens/team-month", 0, BIG, 0,
        "conduct rule: allowance when the rest is zero"),
    "grant": Field("mn tokens/team-month", 0, BIG, 0, "grant to idea-rich teams on trial"),
    "age": Field("month", 0, 600, 0, "time since its last generation at month 0"),
    "agility": Field("ratio", 0, 100, 1, "its rate of review over the market's"),
    "specialist": Field("number", 0, 1e6, 0,
        "1 + the only vertical that it serves; 0: it serves all", given=False),
    "brand": Field("utility", -60, 60, 0, "utility beside quality"),
}  # fmt: skip

CONDUCTS = ("scripted", "static", "invest", "rule", "fringe", "external")
TABLES = {"market": MARKET, "type": TYPE, "vendor": VENDOR}
