# ruff: noqa: E501 - a sentence is translated more safely when it stands on one line
"""Every word about a war played and recorded, in every language: key → (English, 简体中文, 日本語).

Places as in `report.words`; `sum` writes a large amount of money. Sentences under `say.` and `miss.` carry
the figures of one run: they are chosen by `cli.war` and hold no figure of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from pricewar.report.words import LANGUAGES
from pricewar.report.words import WORDS as REPORT_WORDS

SHARED: Final = (
    "language", "theme", "theme.auto", "theme.light", "theme.dark", "unknown", "range", "data", "none",
)  # fmt: skip

WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "title": ("The war of May 2024, played again", "2024 年 5 月价格战，重演", "2024年5月の価格戦争、再演"),
    "skip": ("Skip to the figures", "跳到图表", "図へ移動"),
    "noscript": (
        "Charts need JavaScript; the story is above, the lines beside history below.",
        "图表需要 JavaScript；经过见上，与历史的对照见下。",
        "グラフには JavaScript が必要です。経過は上、史実との対照は下にあります。",
    ),
    "meta": (
        "{market:raw} · {futures:num} futures of {horizon:num} months · facts before {start:date} · list prices in {currency:raw} per million tokens",
        "{market:raw} · {futures:num} 个未来，各 {horizon:num} 个月 · 只用 {start:date} 之前的事实 · 标价为每百万 token 的 {currency:raw}",
        "{market:raw} · {futures:num} 通りの未来、各 {horizon:num} か月 · {start:date} より前の事実のみ · 定価は100万トークンあたり {currency:raw}",
    ),
    # The story
    "say.opened": (
        "In {ever:pct} of {futures:num} futures a vendor opens the war, in half of those by day {day:num}: most often {vendor:raw}, in {chance:pct}, where chance alone would give {even:pct}.",
        "在 {futures:num} 个未来中，{ever:pct} 有厂商开战，其中一半在第 {day:num} 天之前：最常是 {vendor:raw}（{chance:pct}），随机则为 {even:pct}。",
        "{futures:num} 通りの未来のうち {ever:pct} で誰かが値下げ戦争を始め、その半分は {day:num} 日目まで。最も多いのは {vendor:raw} の {chance:pct}（偶然なら {even:pct}）。",
    ),
    "say.peace": (
        "In none of {futures:num} futures does a vendor open a war.",
        "{futures:num} 个未来中没有厂商开战。",
        "{futures:num} 通りの未来のいずれでも戦争は始まらない。",
    ),
    "say.opener": (
        "{vendor:raw}, which opened it in history, does so in {chance:pct}.",
        "历史上的开战者 {vendor:raw} 占 {chance:pct}。",
        "史実で始めた {vendor:raw} は {chance:pct}。",
    ),
    "say.followed": (
        "The others follow: half within {lag:num} {lag:day|days} (80%: {low:num} to {high:num}), the last of them after {last:num}; in history after {history:num} and {history_last:num}.",
        "其他厂商跟进：一半在 {lag:num} 天内（80%：{low:num} 至 {high:num}），最后一家在 {last:num} 天后；历史上为 {history:num} 天和 {history_last:num} 天。",
        "他社は追随する。半数は {lag:num} 日以内（80%：{low:num}～{high:num}）、最後は {last:num} 日後。史実では {history:num} 日と {history_last:num} 日。",
    ),
    "say.order": (
        "The order in which they follow agrees with history's no better than chance would: Kendall's τ {tau:num}, where 0 is chance and 1 the same order.",
        "跟进的次序与历史的一致程度不高于随机：肯德尔 τ 为 {tau:num}（0 为随机，1 为次序相同）。",
        "追随の順番の史実との一致は偶然と変わらない。ケンドールの τ は {tau:num}（0 が偶然、1 が同じ順）。",
    ),
    "say.order_better": (
        "The order in which they follow agrees with history's better than chance: Kendall's τ {tau:num}, where 0 is chance and 1 the same order.",
        "跟进的次序与历史的一致程度高于随机：肯德尔 τ 为 {tau:num}（0 为随机，1 为次序相同）。",
        "追随の順番の史実との一致は偶然より高い。ケンドールの τ は {tau:num}（0 が偶然、1 が同じ順）。",
    ),
    "say.depth": (
        "Within three months the light list price falls by {light:pct} at the median vendor and the flagship's by {flagship:pct}; in history by {light_history:pct} and {flagship_history:pct}.",
        "三个月内，中位厂商的轻量模型标价下降 {light:pct}，旗舰下降 {flagship:pct}；历史上为 {light_history:pct} 和 {flagship_history:pct}。",
        "3か月以内に、中位の会社で軽量モデルの定価は {light:pct}、旗艦は {flagship:pct} 下がる。史実では {light_history:pct} と {flagship_history:pct}。",
    ),
    "say.free": (
        "{n:num} of {all:num} vendors give the light model away or with an allowance in most futures; at the peak {free:pct} of light tokens are free.",
        "{all:num} 家厂商中有 {n:num} 家在多数未来里免费提供轻量模型或给免费额度；高峰时 {free:pct} 的轻量 token 免费。",
        "{all:num} 社中 {n:num} 社が多くの未来で軽量モデルを無料または無料枠つきにする。ピーク時には軽量トークンの {free:pct} が無料。",
    ),
    "say.cost": (
        "At its worst a quarter's revenue covers {cover:pct} of what serving costs; {subsidy:sum} is burned below cost, {share:pct} of all revenue.",
        "最差的一个季度，收入只够服务成本的 {cover:pct}；低于成本烧掉 {subsidy:sum}，为全部收入的 {share:pct}。",
        "最も悪い四半期の収入は提供費用の {cover:pct} にとどまり、原価割れで {subsidy:sum}（全収入の {share:pct}）が失われる。",
    ),
    "say.stay": (
        "In most futures nobody has to leave by the end.",
        "在多数未来中，到期末没有厂商退出。",
        "多くの未来では、最後まで誰も撤退しない。",
    ),
    "say.leave": (
        "By the end {n:num} {n:vendor has|vendors have} left in the median future, most often {vendor:raw} ({chance:pct}).",
        "到期末，中位未来里有 {n:num} 家厂商退出，最常是 {vendor:raw}（{chance:pct}）。",
        "最後までに、中位の未来では {n:num} 社が撤退する。最も多いのは {vendor:raw}（{chance:pct}）。",
    ),
    "say.nobody": (
        "In {chance:pct} of futures no vendor but the open weights is left at the end.",
        "在 {chance:pct} 的未来中，期末除开放权重外没有厂商留下。",
        "未来の {chance:pct} では、最後にオープンウェイト以外の会社が残らない。",
    ),
    "say.leader": (
        "At the end {vendor:raw} has the largest median share of tokens, {share:pct} (80%: {low:pct} to {high:pct}).",
        "期末 {vendor:raw} 的 token 份额中位数最高，为 {share:pct}（80%：{low:pct} 至 {high:pct}）。",
        "最後にトークンの中位シェアが最大なのは {vendor:raw} の {share:pct}（80%：{low:pct}～{high:pct}）。",
    ),
    "say.harvest": (
        "By the stage rule the market's harvest begins in {chance:pct} of futures, half of those within {month:num} months of the opening (80%: {low:num} to {high:num}).",
        "按阶段规则，市场的收割期在 {chance:pct} 的未来中开始，其中一半在开战后 {month:num} 个月内（80%：{low:num} 至 {high:num}）。",
        "段階の規則によれば、市場の収穫期は {chance:pct} の未来で始まり、その半分は開始から {month:num} か月以内（80%：{low:num}～{high:num}）。",
    ),
    "say.no_harvest": (
        "By the stage rule no harvest of the market begins within {months:num} months.",
        "按阶段规则，{months:num} 个月内市场没有进入收割期。",
        "段階の規則によれば、{months:num} か月以内に市場の収穫期は始まらない。",
    ),
    "say.harvest_history": (
        "By the same rule the record shows no harvest of the market in its {months:num} months.",
        "按同一规则，{months:num} 个月的记录中市场没有收割期。",
        "同じ規則では、{months:num} か月の記録に市場の収穫期はない。",
    ),
    # Figures at the top
    "kpi.opener": ("{vendor:raw} opens", "{vendor:raw} 开战", "{vendor:raw} が始める"),
    "kpi.opener_more": ("chance alone: {even:pct}", "随机：{even:pct}", "偶然なら {even:pct}"),
    "kpi.lag": ("Followers' median lag", "跟进者的中位滞后", "追随の遅れ（中位）"),
    "kpi.lag_more": ("history: {history:days}", "历史：{history:days}", "史実：{history:days}"),
    "kpi.fall": ("Light price, three months on", "轻量模型价格，三个月后", "軽量モデルの価格、3か月後"),
    "kpi.fall_more": ("history: −{history:pct}", "历史：−{history:pct}", "史実：−{history:pct}"),
    "kpi.harvest": ("Harvest begins", "收割期开始", "収穫期の始まり"),
    "kpi.harvest_value": ("month {month:num}", "第 {month:num} 个月", "{month:num} か月目"),
    "kpi.harvest_more": (
        "after the opening, in {chance:pct} of futures",
        "开战之后，{chance:pct} 的未来",
        "開始から、未来の {chance:pct} で",
    ),
    "kpi.never": ("not by the end", "期末之前没有", "期間内になし"),
    # Charts
    "opened.title": ("Who opens the war", "谁先开战", "誰が始めるか"),
    "opened.note": (
        "Share of futures; dashed: chance alone. History's opener is marked ◆.",
        "占未来的份额；虚线为随机。◆ 为历史上的开战者。",
        "未来に占める割合。破線は偶然の場合。◆ は史実で始めた会社。",
    ),
    "opened.even": ("chance {even:pct}", "随机 {even:pct}", "偶然 {even:pct}"),
    "followed.title": ("How late the others follow", "其他厂商多久跟进", "他社はどれだけ遅れて追うか"),
    "followed.note": (
        "Days from the opening to a vendor's first deep cut. Dot: median; bars: 50% and 80% of futures; ◆ history.",
        "从开战到首次大幅降价的天数。点为中位数，粗细条为 50% 与 80% 的未来，◆ 为历史。",
        "開始から最初の大幅値下げまでの日数。点は中位、帯は未来の 50% と 80%、◆ は史実。",
    ),
    "prices.light": ("Light models: list price", "轻量模型：标价", "軽量モデル：定価"),
    "prices.flagship": ("Flagships: list price", "旗舰模型：标价", "旗艦モデル：定価"),
    "prices.note": (
        "Line and bands: the model's median, 50% and 80%. Steps: the record, a range where nobody published the price. Months from the opening; logarithmic down to one hundredth, zero below.",
        "线与色带：模型的中位数、50% 与 80%。阶梯：史料；无公开价格处为区间。横轴为开战后月数；对数刻度至百分之一，其下为零。",
        "線と帯：モデルの中位、50%、80%。階段：記録（未公表は幅で示す）。横軸は開始からの月数。対数目盛は 0.01 まで、その下はゼロ。",
    ),
    "free.title": ("Free share of light use", "轻量用量中的免费份额", "軽量利用のうち無料の割合"),
    "free.note": (
        "Covered by an allowance, or listed at zero.",
        "由免费额度覆盖，或标价为零。",
        "無料枠によるもの、または定価がゼロのもの。",
    ),
    "shares.title": ("Share of tokens", "token 份额", "トークンのシェア"),
    "shares.note": ("◆ what the record has.", "◆ 史料所载。", "◆ は記録にある値。"),
    "cash.title": ("Cash and reserve", "现金与后备", "現金と準備"),
    "cash.note": (
        "What is left to spend before the vendor must leave.",
        "厂商退出之前还能花的钱。",
        "撤退までに使える資金。",
    ),
    "margins.title": ("Price over cost", "价格与成本之比", "価格と原価の比"),
    "margins.note": (
        "1 is cost. Weighted by tokens; free tokens count at zero. Cover: revenue over rental and energy paid.",
        "1 为成本。按 token 加权；免费 token 计为零。覆盖率：收入除以所付租金与电费。",
        "1 が原価。トークンで加重、無料トークンはゼロと数える。カバー率：収入÷支払った賃料と電力。",
    ),
    "margins.light": ("light, paid", "轻量（实付）", "軽量（実質）"),
    "margins.flagship": ("flagship, list", "旗舰（标价）", "旗艦（定価）"),
    "margins.cover": ("cover", "覆盖率", "カバー率"),
    "stages.title": ("Stages of the war", "战争的阶段", "戦争の段階"),
    "stages.note": (
        "Likeliest stage of each month from the opening; the paler, the less sure. Below each vendor: the record by the same rule, dashed where it is silent.",
        "开战后每月最可能的阶段；越淡越不确定。每家下方为按同一规则所得的史料，虚线处无记载。",
        "開始からの各月の最も確からしい段階。淡いほど不確か。各社の下は同じ規則による記録（破線は記載なし）。",
    ),
    "stage.launch": ("launch", "起步", "立ち上げ"),
    "stage.promotion": ("promotion", "促销", "販促"),
    "stage.war": ("war", "战争", "戦争"),
    "stage.consolidation": ("consolidation", "整合", "統合"),
    "stage.harvest": ("harvest", "收割", "収穫"),
    "stage.out": ("not in the market", "不在市场", "市場にいない"),
    "stages.market": ("Market", "市场", "市場"),
    "stages.model": ("model", "模型", "モデル"),
    "stages.history": ("history", "历史", "史実"),
    "chart.alt": (
        "{title:raw}; the numbers are in the table below.",
        "{title:raw}；数字见下表。",
        "{title:raw}。数値は下の表にあります。",
    ),
    # Tables
    "col.vendor": ("Vendor", "厂商", "会社"),
    "col.chance": ("Futures", "未来占比", "未来の割合"),
    "col.month": ("Month", "月", "月"),
    "col.median": ("Median", "中位数", "中位"),
    "col.low": ("80% from", "80% 下限", "80% 下限"),
    "col.high": ("to", "上限", "上限"),
    "col.history": ("History", "历史", "史実"),
    "col.follows": ("Follows", "跟进", "追随"),
    "col.leaves": ("Leaves", "退出", "撤退"),
    "col.stage": ("Stage", "阶段", "段階"),
    "col.line": ("Figure", "指标", "指標"),
    "col.verdict": ("Inside the range", "在区间内", "範囲内"),
    "col.model": ("Model", "模型", "モデル"),
    "yes": ("yes", "是", "はい"),
    "no": ("no", "否", "いいえ"),
    # Lines beside history
    "lines.title": ("History beside the model", "历史与模型对照", "史実とモデルの対照"),
    "lines.summary": (
        "{hits:num} of {all:num} figures of the record lie inside the model's 80% range.",
        "史料的 {all:num} 个数字中有 {hits:num} 个在模型的 80% 区间内。",
        "記録の {all:num} 個の数値のうち {hits:num} 個がモデルの 80% 範囲に入る。",
    ),
    "misses.title": ("Where the model misses", "模型在何处失准", "モデルが外れるところ"),
    "misses.none": (
        "Every figure of the record lies inside the model's range.",
        "史料的每个数字都在模型区间内。",
        "記録の数値はすべてモデルの範囲に入る。",
    ),
    "line.opener": ("{vendor:raw} opens", "{vendor:raw} 开战", "{vendor:raw} が始める"),
    "line.lag": (
        "{vendor:raw} follows, days after the opening",
        "{vendor:raw} 跟进，开战后天数",
        "{vendor:raw} の追随、開始後日数",
    ),
    "line.last": (
        "the last follower, days after the opening",
        "最后一家跟进，开战后天数",
        "最後の追随、開始後日数",
    ),
    "line.followers": ("followers", "跟进者数", "追随した会社数"),
    "line.fall_light": (
        "{vendor:raw}, light: fall within three months",
        "{vendor:raw} 轻量：三个月内降幅",
        "{vendor:raw} 軽量：3か月以内の下げ幅",
    ),
    "line.fall_flagship": (
        "{vendor:raw}, flagship: fall within three months",
        "{vendor:raw} 旗舰：三个月内降幅",
        "{vendor:raw} 旗艦：3か月以内の下げ幅",
    ),
    "line.share": (
        "{vendor:raw}, share of tokens, {on:raw}",
        "{vendor:raw} 的 token 份额，{on:raw}",
        "{vendor:raw} のトークンシェア、{on:raw}",
    ),
    "line.growth": (
        "{vendor:raw}, tokens over its first reading, {on:raw}",
        "{vendor:raw} 的 token 为首次读数的倍数，{on:raw}",
        "{vendor:raw} のトークン、最初の値に対する倍率、{on:raw}",
    ),
    "line.exits": (
        "vendors that leave within the record",
        "记录期内退出的厂商数",
        "記録期間内に撤退した会社数",
    ),
    "line.begins_war": (
        "the war begins, months after the opening",
        "战争开始，开战后月数",
        "戦争の開始、開始後月数",
    ),
    "line.begins_consolidation": (
        "consolidation begins, months after the opening",
        "整合开始，开战后月数",
        "統合の開始、開始後月数",
    ),
    "line.begins_harvest": (
        "the market's harvest begins, months after the opening",
        "市场收割开始，开战后月数",
        "市場の収穫の開始、開始後月数",
    ),
    "line.no_harvest": (
        "a harvest of the market within the record",
        "记录期内市场出现收割",
        "記録期間内の市場の収穫",
    ),
    "line.first_harvest": (
        "the first vendor's harvest, months after the opening",
        "首家厂商收割，开战后月数",
        "最初の会社の収穫、開始後月数",
    ),
    "miss.opener": (
        "The opener: {vendor:raw} opens in {median:pct} of futures, {likeliest:raw} in {likeliest_chance:pct}.",
        "开战者：{vendor:raw} 只在 {median:pct} 的未来中开战，{likeliest:raw} 为 {likeliest_chance:pct}。",
        "始めた会社：{vendor:raw} は未来の {median:pct}、{likeliest:raw} は {likeliest_chance:pct}。",
    ),
    "miss.range": (
        "{line:raw}: history {history:raw}, the model {low:raw} to {high:raw}.",
        "{line:raw}：历史 {history:raw}，模型 {low:raw} 至 {high:raw}。",
        "{line:raw}：史実 {history:raw}、モデル {low:raw}～{high:raw}。",
    ),
    "miss.chance": (
        "{line:raw}: it did not happen; in the model it does in {median:pct} of futures.",
        "{line:raw}：并未发生；模型中 {median:pct} 的未来会发生。",
        "{line:raw}：起きなかったが、モデルでは未来の {median:pct} で起きる。",
    ),
    "miss.chance_not": (
        "{line:raw}: it happened; in the model it does in {median:pct} of futures only.",
        "{line:raw}：确实发生；模型中只有 {median:pct} 的未来会发生。",
        "{line:raw}：起きたが、モデルでは未来の {median:pct} にとどまる。",
    ),
    # How it was made
    "made": ("What this rests on", "依据", "この結果の前提"),
    "made.facts": (
        "The model knows facts older than {start:date} and structural ones (costs, hardware, how teams behave); what nobody had published is drawn anew in every future, within stated ranges. The record is read only for the comparison.",
        "模型只用早于 {start:date} 的事实和结构性事实（成本、硬件、团队行为）；无人公布的数值在每个未来中于所述区间内重新抽取。史料只用于对照。",
        "モデルは {start:date} より前の事実と構造的な事実（費用、機材、チームの行動）だけを使い、公表されていない値は示された幅の中で未来ごとに引き直す。記録は対照にだけ使う。",
    ),
    "made.prices": (
        "List prices are blended: {out:pct} output, the rest input, where both are known. Falls are of the input price.",
        "标价为混合价：输出占 {out:pct}，其余为输入（两者均知时）。降幅按输入价计。",
        "定価は混合：出力 {out:pct}、残りは入力（両方分かる場合）。下げ幅は入力価格による。",
    ),
    "made.version": (
        "pricewar {version:raw}, {made:date}; {futures:num} futures in {seconds:num} s; seeds 0 to {last:num}.",
        "pricewar {version:raw}，{made:date}；{futures:num} 个未来，{seconds:num} 秒；种子 0 至 {last:num}。",
        "pricewar {version:raw}、{made:date}。{futures:num} 通りの未来、{seconds:num} 秒。シード 0～{last:num}。",
    ),
    "made.again": ("The same again", "重做一次", "もう一度作るには"),
    "made.sources": ("Sources of the record", "史料来源", "記録の出典"),
}


def catalogue() -> dict[str, dict[str, str]]:
    """The words by language, as the page takes them."""
    every = {key: REPORT_WORDS[key] for key in SHARED} | WORDS
    return {lang: {key: texts[place] for key, texts in every.items()} for place, lang in enumerate(LANGUAGES)}


def word(key: str, language: str = "en") -> str:
    """One word or sentence in one language, its places as they stand."""
    return (WORDS.get(key) or REPORT_WORDS[key])[LANGUAGES.index(language)]


def plainly(key: str, args: Mapping[str, Any], currency: str = "") -> str | None:
    """A sentence in English with its figures written for a terminal; None where a figure is unknown."""
    missing = False

    def write(match: re.Match[str]) -> str:
        nonlocal missing
        value, how = args.get(match[1]), match[2] or "raw"
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            missing = True
            return ""
        return figure(value, how, currency)

    text = re.sub(r"\{(\w+)(?::([^}]*))?\}", write, word(key))
    return None if missing else text


def figure(value: Any, how: str, currency: str = "") -> str:
    """One figure as its place asks for it, in English."""
    if how in ("raw", "date"):
        return str(value)
    if "|" in how:
        return how.split("|")[0 if value == 1 else 1]
    if how == "pct":
        close = 0 < value < 0.01 or 0.99 < value < 1
        return f"{value:.1%}" if close else f"{value + 1e-9:.0%}"  # halves up, as on the page
    if how == "sum":
        size = abs(value)
        for scale, name in ((1e12, "tn"), (1e9, "bn"), (1e6, "mn")):
            if size >= scale:
                return f"{currency} {value / scale:.3g} {name}"
        return f"{currency} {value:,.0f}"
    if how == "days":
        return f"{value:.0f} day{'' if round(value) == 1 else 's'}"
    return f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:.2g}"
