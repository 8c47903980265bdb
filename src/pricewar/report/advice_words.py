# ruff: noqa: E501 - a sentence is translated more safely when it stands on one line
"""Every word of advice in every language: key → (English, 简体中文, 日本語).

Places as in `report.words`; `sum` writes money without its smallest digits. An argument may itself be a
sentence, `{"key": …, "args": …}`. Sentences hold no figure of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from pricewar.report.advice_notes import NOTES
from pricewar.report.war_words import figure as plain_figure
from pricewar.report.words import LANGUAGES
from pricewar.report.words import WORDS as REPORT_WORDS
from pricewar.units import SYMBOLS

SHARED: Final = (
    "language", "theme", "theme.auto", "theme.light", "theme.dark", "unknown", "range", "data", "none",
)  # fmt: skip

TERMS: Final = ("term", "per", "unit", "meter")
"""Words of the report in which an offer's terms are said."""

WORDS: Final[dict[str, tuple[str, str, str]]] = {
    **NOTES,
    "title": ("What to do, and what it costs in the end", "怎么做，最终花多少", "何をすべきか、最後にいくらかかるか"),
    "skip": ("Skip to the figures", "跳到图表", "図へ移動"),
    "noscript": (
        "Charts need JavaScript; the advice is above, the strategies below.",
        "图表需要 JavaScript；建议见上，各策略见下。",
        "グラフには JavaScript が必要です。助言は上、各方針は下にあります。",
    ),
    "meta": (
        "{log:raw} · {requests:short} requests a month · {months:num} {months:month|months} from {start:date} · {draws:num} futures ({source:raw})",
        "{log:raw} · 每月 {requests:short} 个请求 · {start:date}起 {months:num} 个月 · {draws:num} 个未来（{source:raw}）",
        "{log:raw} · 月 {requests:short} リクエスト · {start:date}から {months:num} か月 · {draws:num} 通りの未来（{source:raw}）",
    ),
    # What to do
    "do.stay": ("Take {offer:raw} and keep it", "选用 {offer:raw} 并一直用下去", "{offer:raw} を選び、使い続ける"),
    "do.present": ("Stay with {offer:raw}", "继续使用 {offer:raw}", "{offer:raw} のまま続ける"),
    "do.today": (
        "Take {offer:raw}, the cheapest today, and keep it",
        "选用今天最便宜的 {offer:raw} 并一直用下去",
        "今日最安の {offer:raw} を選び、使い続ける",
    ),
    "do.paid": ("Pay from the start: {offer:raw}, kept", "从一开始就付费：一直用 {offer:raw}", "最初から払う：{offer:raw} を使い続ける"),
    "do.flagship": ("One flagship throughout: {offer:raw}", "始终用一个旗舰：{offer:raw}", "旗艦一つで通す：{offer:raw}"),
    "do.free": (
        "Take {offer:raw} and leave when its terms end",
        "选用 {offer:raw}，其条款结束时离开",
        "{offer:raw} を使い、条件が終わったら離れる",
    ),
    "do.free_until": (
        "Take {offer:raw} and leave in month {month:num}, or when its terms end",
        "选用 {offer:raw}，第 {month:num} 个月或其条款结束时离开",
        "{offer:raw} を使い、{month:num} か月目か条件が終わったときに離れる",
    ),
    "do.several": ("Use two vendors side by side: {offer:raw}", "并用两家厂商：{offer:raw}", "二社を並べて使う：{offer:raw}"),
    "do.trigger": (
        "Begin with {offer:raw} and move once a move pays for itself within {months:num} {months:month|months}",
        "从 {offer:raw} 开始，一旦转换能在 {months:num} 个月内回本就转换",
        "{offer:raw} から始め、移行が {months:num} か月以内に元を取れるようになったら移る",
    ),
    "do.never": (
        "Begin with {offer:raw} and move only when it serves nothing any more",
        "从 {offer:raw} 开始，只在它不再提供服务时转换",
        "{offer:raw} から始め、使えなくなったときだけ移る",
    ),
    "do.optimal": (
        "Begin with {offer:raw} and follow the plan below",
        "从 {offer:raw} 开始，按下面的计划行事",
        "{offer:raw} から始め、下の計画に従う",
    ),
    "do.portable": (
        "Build portably from the start, begin with {offer:raw} and follow the plan below",
        "从一开始就做成可移植的，从 {offer:raw} 开始，按下面的计划行事",
        "最初から移しやすく作り、{offer:raw} から始めて下の計画に従う",
    ),
    "say.do": (
        "{do:raw}: {months:num} {months:month costs|months cost} {cost:sum} on average, {low:sum} to {high:sum} in nine futures of ten, {tail:sum} in the worst twentieth.",
        "{do:raw}：{months:num} 个月平均花 {cost:sum}，十个未来中有九个在 {low:sum} 至 {high:sum} 之间，最差的二十分之一平均 {tail:sum}。",
        "{do:raw}：{months:num} か月で平均 {cost:sum}。未来の十に九つは {low:sum}～{high:sum}、最も悪い二十分の一では平均 {tail:sum}。",
    ),
    "say.short": (
        "The log covers only {days:num} days, too few to show a week: a month is taken to be like them, give or take {spread:pct}.",
        "日志只有 {days:num} 天，不足以反映一周：一个月按此推算，误差约 {spread:pct}。",
        "記録は {days:num} 日分だけで一週間に足りません。ひと月も同様とみなします（誤差およそ {spread:pct}）。",
    ),
    "say.ends": (
        "{offer:raw}, in use now, ends on {day:date}: staying means its successor's price and a migration.",
        "现在使用的 {offer:raw} 将于 {day:date} 结束：留下就意味着接受后继者的价格并迁移一次。",
        "いま使っている {offer:raw} は {day:date} に終わります。残るなら後継の価格と移行の手間がかかります。",
    ),
    "say.anew": (
        "Counted as if nothing were in use yet: {offer:raw} too pays a first integration. If you use it, say so with “present:” (--team).",
        "按尚未使用任何报价计算：{offer:raw} 也要付首次接入的费用。若已在用，请用“present:”说明（--team）。",
        "まだ何も使っていないものとして計算し、{offer:raw} にも最初の組み込み費用がかかります。使用中なら「present:」で知らせてください（--team）。",
    ),
    "say.doubt": (
        "Whether {model:raw} is good enough is not decided by {basis:raw}: test it on your own work first.",
        "{model:raw} 是否够好，{basis:raw}尚不能断定：请先用自己的工作测试。",
        "{model:raw} で十分かどうかは{basis:raw}では決まりません。まず自分の仕事で試してください。",
    ),
    "basis.published": ("published figures", "公开数据", "公表された数値"),
    "basis.measured": ("your evaluations", "你们的评测", "手元の評価"),
    "basis.none": ("anything known", "已知信息", "分かっていること"),
    "say.cheapest": (
        "What is cheapest today, {offer:raw}, costs {more:sum} more if kept: dearer than this advice in {dearer:pct} of futures, dearest of all {n:num} offers in {dearest:pct}.",
        "今天最便宜的 {offer:raw} 若一直用，要多花 {more:sum}：在 {dearer:pct} 的未来中比本建议贵，在 {dearest:pct} 中是全部 {n:num} 个报价里最贵的。",
        "今日最安の {offer:raw} を使い続けると {more:sum} 高くつきます。この助言より高いのは未来の {dearer:pct}、全 {n:num} プランで最も高いのは {dearest:pct} です。",
    ),
    "say.cheapest_too": (
        "What is cheapest today, {offer:raw}, is what to take; kept, it is dearest of all {n:num} offers in {dearest:pct} of futures.",
        "今天最便宜的 {offer:raw} 就是该选的；一直用下去，在 {dearest:pct} 的未来中是全部 {n:num} 个报价里最贵的。",
        "今日最安の {offer:raw} が選ぶべきものです。使い続けて全 {n:num} プランで最も高くなるのは未来の {dearest:pct} です。",
    ),
    "say.cheapest_less": (
        "What is cheapest today, {offer:raw}, costs {less:sum} less if kept, on the futures that judge; the {fitted:num} others, on which the advice was chosen, said otherwise: draw more (--draws) to tell. It is dearest of all {n:num} offers in {dearest:pct}.",
        "今天最便宜的 {offer:raw} 若一直用，在用于评判的未来中反而少花 {less:sum}；据以选出本建议的另外 {fitted:num} 个未来则相反：请增加未来数（--draws）再判断。它在 {dearest:pct} 的未来中是全部 {n:num} 个报价里最贵的。",
        "今日最安の {offer:raw} を使い続けると、評価に使った未来では {less:sum} 安く済みます。助言を選んだ別の {fitted:num} 通りの未来では逆でした。未来を増やして（--draws）確かめてください。全 {n:num} プランで最も高くなるのは未来の {dearest:pct} です。",
    ),
    "say.cheapest_same": (
        "What is cheapest today, {offer:raw}, costs as much if kept; it is dearest of all {n:num} offers in {dearest:pct} of futures.",
        "今天最便宜的 {offer:raw} 若一直用，花费相同；在 {dearest:pct} 的未来中是全部 {n:num} 个报价里最贵的。",
        "今日最安の {offer:raw} を使い続けても費用は同じです。全 {n:num} プランで最も高くなるのは未来の {dearest:pct} です。",
    ),
    "say.few": (
        "Only {judged:num} {judged:future judges|futures judge} this: too few to rely on. Draw more (--draws).",
        "只有 {judged:num} 个未来用于评判：太少，不足为凭。请增加未来数（--draws）。",
        "評価に使った未来は {judged:num} 通りだけで、頼るには少なすぎます。増やしてください（--draws）。",
    ),
    "say.several_models": (
        "The log's requests for {n:num} models are taken as one piece of work, all of it moved together: --only MODEL advises on one application.",
        "日志中对 {n:num} 个模型的请求被当作一项工作，一起转移：用 --only MODEL 可只对其中一个应用给出建议。",
        "記録にある {n:num} モデルへのリクエストを一つの仕事とみなし、まとめて移します。--only MODEL で一つの用途だけについて助言します。",
    ),
    "say.unpublished": (
        "Not published for {offer:raw}: {what:raw}. Your musts count as met there: ask before you sign, or set such offers aside with “unpublished: refuse” under “must_have:”.",
        "{offer:raw} 未公布：{what:raw}。这些必备条件暂按满足计算：签约前请先询问，或在“must_have:”下写“unpublished: refuse”排除此类报价。",
        "{offer:raw} について公表されていないこと：{what:raw}。必須条件は満たすものとして扱いました。契約前に確認するか、「must_have:」の下に「unpublished: refuse」と書いて外してください。",
    ),
    "unpublished.regions": ("where it is offered", "在哪些地区提供", "提供地域"),
    "unpublished.training": ("whether the vendor trains on what is sent", "厂商是否用所发内容训练", "送った内容を学習に使うか"),
    "unpublished.context": ("how long an input it takes", "能接受多长的输入", "受け付ける入力の長さ"),
    "unpublished.success": ("how many of its calls fail", "调用失败的比例", "呼び出しが失敗する割合"),
    "say.lock": (
        "Because leaving costs, even the best plan pays {amount:sum} more than if it were free to move.",
        "由于离开要花钱，即使最优计划也比自由转换多付 {amount:sum}。",
        "離れるのに費用がかかるため、最善の計画でも自由に移れる場合より {amount:sum} 多く払います。",
    ),
    "say.lock_none": (
        "Nothing is locked in: the best plan would cost the same if it were free to move.",
        "没有锁定：即使可以自由转换，最优计划的花费也一样。",
        "囲い込みはありません。自由に移れたとしても最善の計画の費用は同じです。",
    ),
    "say.lock_unknown": (
        "What being tied costs the best plan cannot be told from nothing: {low:sum} to {high:sum}.",
        "被锁定使最优计划多花多少，与零无法区分：{low:sum} 至 {high:sum}。",
        "縛られることで最善の計画がいくら高くつくかは、ゼロと区別できません（{low:sum}～{high:sum}）。",
    ),
    "say.portable": (
        "Building portably from the start saves {amount:sum} ({low:sum} to {high:sum}), its own cost paid.",
        "从一开始就做成可移植的，扣除自身花费后省 {amount:sum}（{low:sum} 至 {high:sum}）。",
        "最初から移しやすく作ると、その費用を引いても {amount:sum} 得です（{low:sum}～{high:sum}）。",
    ),
    "say.portable_not": (
        "Building portably from the start does not pay here: it costs {amount:sum} more than it saves ({low:sum} to {high:sum}).",
        "在这里从一开始就做成可移植的不划算：比省下的多花 {amount:sum}（{low:sum} 至 {high:sum}）。",
        "最初から移しやすく作るのは割に合いません。節約より {amount:sum} 多くかかります（{low:sum}～{high:sum}）。",
    ),
    "say.second": (
        "Against keeping the best single offer, a second vendor beside it saves {amount:sum} ({low:sum} to {high:sum}), its upkeep paid.",
        "与一直用最好的单个报价相比，再加一家厂商，扣除维护费用后省 {amount:sum}（{low:sum} 至 {high:sum}）。",
        "最良の一つを使い続ける場合と比べ、二社目を並べると維持費を引いても {amount:sum} 得です（{low:sum}～{high:sum}）。",
    ),
    "say.second_dearer": (
        "Against keeping the best single offer, a second vendor beside it saves {amount:sum} ({low:sum} to {high:sum}), its upkeep paid; that is still {more:sum} dearer than this advice.",
        "与一直用最好的单个报价相比，再加一家厂商，扣除维护费用后省 {amount:sum}（{low:sum} 至 {high:sum}）；但仍比本建议贵 {more:sum}。",
        "最良の一つを使い続ける場合と比べ、二社目を並べると維持費を引いても {amount:sum} 得です（{low:sum}～{high:sum}）。それでもこの助言より {more:sum} 高くつきます。",
    ),
    "say.second_not": (
        "A second vendor beside the best single offer is not worth its upkeep: it costs {amount:sum} more than it saves ({low:sum} to {high:sum}).",
        "再加一家厂商不值其维护费用：比省下的多花 {amount:sum}（{low:sum} 至 {high:sum}）。",
        "二社目は維持費に見合いません。節約より {amount:sum} 多くかかります（{low:sum}～{high:sum}）。",
    ),
    "say.second_unknown": (
        "Whether a second vendor pays cannot be said: {low:sum} to {high:sum} saved, its upkeep paid.",
        "第二家厂商是否划算无法断定：扣除维护费用后省 {low:sum} 至 {high:sum}。",
        "二社目が得かどうかは言えません。維持費を引いた節約は {low:sum}～{high:sum} です。",
    ),
    "say.portable_unknown": (
        "Whether building portably pays cannot be said: {low:sum} to {high:sum} saved, its own cost paid.",
        "做成可移植的是否划算无法断定：扣除自身花费后省 {low:sum} 至 {high:sum}。",
        "移しやすく作るのが得かどうかは言えません。費用を引いた節約は {low:sum}～{high:sum} です。",
    ),
    "say.causes": (
        "What matters most: {first:raw} ({first_amount:sum}), {second:raw} ({second_amount:sum}), {third:raw} ({third_amount:sum}).",
        "影响最大的三项：{first:raw}（{first_amount:sum}）、{second:raw}（{second_amount:sum}）、{third:raw}（{third_amount:sum}）。",
        "影響の大きい三つ：{first:raw}（{first_amount:sum}）、{second:raw}（{second_amount:sum}）、{third:raw}（{third_amount:sum}）。",
    ),
    "say.refused_named": (
        "It leaves {share:pct} of the requests unserved; each is counted at what the team says a refused request costs.",
        "它会拒绝 {share:pct} 的请求；每个按团队给定的拒绝成本计入。",
        "リクエストの {share:pct} は断られます。一件ごとにチームが示した費用を算入しています。",
    ),
    "say.refused": (
        "It leaves {share:pct} of the requests unserved; what they cost elsewhere is counted.",
        "它会拒绝 {share:pct} 的请求；这些请求在别处的花费已计入。",
        "リクエストの {share:pct} は断られます。ほかで賄う費用は算入済みです。",
    ),
    "say.look": ("Look again on {day:date}: {why:raw}.", "{day:date}再看一次：{why:raw}。", "{day:date}に見直す：{why:raw}。"),
    # The free offer against paying from the start
    "tale.today": (
        "{free:raw} charges {own:sum} for a month of this work and serves {served:pct} of it; what it refuses costs {refused:sum} elsewhere. {paid:raw} costs {month:sum}.",
        "{free:raw} 对一个月的这些工作收 {own:sum}，能完成 {served:pct}；它拒绝的部分在别处要 {refused:sum}。{paid:raw} 要 {month:sum}。",
        "{free:raw} はこの仕事ひと月に {own:sum} を請求し、{served:pct} をこなします。断られた分はほかで {refused:sum}。{paid:raw} なら {month:sum} です。",
    ),
    "tale.kept": (
        "Kept for {months:num} {months:month|months} the free model costs {cost:sum} on average ({low:sum} to {high:sum} in nine futures of ten); paying {paid:raw} from the start costs {paid_cost:sum} ({paid_low:sum} to {paid_high:sum}).",
        "免费模型用满 {months:num} 个月平均花 {cost:sum}（十个未来中有九个在 {low:sum} 至 {high:sum}）；从一开始就付费用 {paid:raw} 平均花 {paid_cost:sum}（{paid_low:sum} 至 {paid_high:sum}）。",
        "無料モデルを {months:num} か月使い続けると平均 {cost:sum}（未来の十に九つは {low:sum}～{high:sum}）。最初から {paid:raw} に払えば平均 {paid_cost:sum}（{paid_low:sum}～{paid_high:sum}）。",
    ),
    "tale.ends": (
        "By {day:date} its terms have ended in half of the futures; by the end in {gone:pct}.",
        "到{day:date}，半数未来中其条款已经结束；到期末为 {gone:pct}。",
        "{day:date}までに未来の半分で条件が終わり、最後までには {gone:pct} で終わります。",
    ),
    "tale.lasts": (
        "Its terms end within the {months:num} {months:month|months} in {gone:pct} of futures.",
        "在 {gone:pct} 的未来中，其条款在 {months:num} 个月内结束。",
        "未来の {gone:pct} で、{months:num} か月以内に条件が終わります。",
    ),
    "tale.parts": (
        "Of what the free model costs, {switching:pct} is integrating, moving and a second vendor kept, {use:pct} tokens and {refused:pct} the work it refuses.",
        "免费模型的花费中，{switching:pct} 是接入、转换和维护第二家厂商，{use:pct} 是 token，{refused:pct} 是它拒绝的工作。",
        "無料モデルの費用のうち {switching:pct} は導入・移行と二社目の維持、{use:pct} はトークン、{refused:pct} は断られた仕事です。",
    ),
    "tale.dearer": (
        "The free model is dearer than what we advise in {dearer:pct} of futures, and dearest of all {n:num} offers in {dearest:pct}.",
        "免费模型在 {dearer:pct} 的未来中比我们的建议贵，在 {dearest:pct} 中是全部 {n:num} 个报价里最贵的。",
        "無料モデルは未来の {dearer:pct} で助言より高く、{dearest:pct} では全 {n:num} プランで最も高くなります。",
    ),
    # Strategies
    "strategy.stay": ("stay with one offer", "一直用一个报价", "一つのプランのまま"),
    "strategy.today": ("stay with today's cheapest", "一直用今天最便宜的", "今日の最安のまま"),
    "strategy.paid": ("pay from the start", "从一开始就付费", "最初から払う"),
    "strategy.free": ("free offer, left as it turns", "用免费的，变收费前离开", "無料を使い、変わったら離れる"),
    "strategy.flagship": ("one flagship", "一个旗舰", "旗艦一つ"),
    "strategy.several": ("two vendors side by side", "两家厂商，互补拒绝", "二社、断られた分を他方へ"),
    "strategy.trigger": ("move when a trigger is pulled", "触发条件满足时转换", "条件がそろえば移る"),
    "strategy.optimal": ("the optimal plan", "最优计划", "最適な計画"),
    "strategy.portable": ("portable from the start", "从一开始就可移植", "最初から移しやすく"),
    "strategy.cheapest": ("always cheapest, moves paid", "总用最便宜的，付每次转换", "常に最安、移行のたびに払う"),
    "strategy.frictionless": ("always cheapest, moves free", "若转换免费，总用最便宜的", "移行が無償なら常に最安"),
    "strategy.clairvoyant": ("knowing the future", "预知未来", "未来を知っていれば"),
    "strategies.title": ("Every strategy over the same futures", "各策略，同一组未来", "同じ未来での各方針"),
    "strategies.note": (
        "Cost of {months:num} {months:month|months}, discounted. Dot: mean; bar: nine futures of ten; line: mean of the worst twentieth. Grey: bounds that nobody can follow.",
        "{months:num} 个月的花费（贴现）。点为平均，粗条为十分之九的未来，细线至最差二十分之一的平均。灰色为无法实行的界限。",
        "{months:num} か月の費用（割引後）。点は平均、太い帯は未来の九割、細線は最悪の二十分の一の平均まで。灰色は誰にも実行できない限界。",
    ),
    "versus.title": ("Free, or paid from the start: cost so far", "免费，还是从一开始付费：累计花费", "無料か、最初から払うか：累計費用"),
    "versus.more": (
        "The free model, kept, costs {amount:sum} more than paying from the start",
        "一直用免费模型，比从一开始付费多花 {amount:sum}",
        "無料モデルを使い続けると、最初から払うより {amount:sum} 高くつく",
    ),
    "versus.less": (
        "The free model, kept, costs {amount:sum} less than paying from the start",
        "一直用免费模型，比从一开始付费少花 {amount:sum}",
        "無料モデルを使い続けると、最初から払うより {amount:sum} 安く済む",
    ),
    "versus.note": (
        "Cost so far by month. Line: median; band: nine futures of ten. Joining, moving and refused work are counted.",
        "按月累计花费。线为中位数，色带为十分之九的未来。接入、转换和被拒绝的工作都计入。",
        "月ごとの累計費用。線は中位、帯は未来の九割。導入、移行、断られた仕事も含む。",
    ),
    "versus.none": (
        "No free offer stands beside a paid one: there is nothing to compare.",
        "没有可与付费报价比较的免费报价。",
        "有料と比べられる無料プランがありません。",
    ),
    "versus.free": ("{offer:raw}, kept", "一直用 {offer:raw}", "{offer:raw} のまま"),
    "versus.paid": ("{offer:raw}, paid from the start", "从一开始付费用 {offer:raw}", "最初から {offer:raw} に払う"),
    "plan.title": ("The plan", "计划", "計画"),
    "plan.begin": (
        "Begin with {offer:raw}; the plan says so in {agreed:pct} of futures.",
        "从 {offer:raw} 开始；{agreed:pct} 的未来中计划如此。",
        "{offer:raw} から始める（未来の {agreed:pct} で計画はこう言う）。",
    ),
    "plan.when": ("When", "何时", "いつ"),
    "plan.then": ("Then", "怎么做", "どうする"),
    "plan.look": ("Months to look again", "何时再看", "見直す月"),
    "plan.occupancy": ("Which offer the plan uses, month by month", "计划每月用哪个报价", "計画が月ごとに使うプラン"),
    "when.payback": (
        "a move would pay for itself within {months:num} {months:month|months}",
        "转换能在 {months:num} 个月内回本",
        "移行が {months:num} か月以内に元を取れる",
    ),
    "when.payback_dwell": (
        "a move would pay for itself within {months:num} {months:month|months}, for {dwell:num} months running",
        "连续 {dwell:num} 个月，转换能在 {months:num} 个月内回本",
        "{dwell:num} か月続けて、移行が {months:num} か月以内に元を取れる",
    ),
    "when.gone": ("it serves nothing any more", "它不再提供服务", "使えなくなった"),
    "when.ended": ("its free or introductory terms end", "其免费或优惠条款结束", "無料や優待の条件が終わる"),
    "when.retired": ("it is retired", "它被下线", "提供が終わる"),
    "when.month": ("month {month:num} of the free offer", "免费报价的第 {month:num} 个月", "無料の {month:num} か月目"),
    "then.payback": ("move to the offer that saves most", "转到最省的报价", "最も得なプランへ移る"),
    "then.payback_paid": ("move to the paid offer that saves most", "转到最省的付费报价", "最も得な有料プランへ移る"),
    "then.gone": ("move; no saving was worth a move before", "转换；此前没有值得转换的节省", "移る（それまでは移る価値なし）"),
    "then.stay": ("stay and pay (so in {share:pct} of the futures)", "留下并付费（{share:pct} 的未来如此）", "とどまって払う（未来の {share:pct}）"),
    "then.leave": ("leave at once (so in {share:pct} of the futures)", "立即离开（{share:pct} 的未来如此）", "すぐ離れる（未来の {share:pct}）"),
    "then.month": ("leave even if it is still free", "即使仍免费也离开", "まだ無料でも離れる"),
    "look.ended": ("by then its terms have ended in {share:pct} of futures", "到那时，{share:pct} 的未来中其条款已结束", "それまでに未来の {share:pct} で条件が終わる"),
    "look.retired": ("by then it is retired in {share:pct} of futures", "到那时，{share:pct} 的未来中它已下线", "それまでに未来の {share:pct} で提供が終わる"),
    "look.left": ("by then the plan has left it in {share:pct} of futures", "到那时，{share:pct} 的未来中计划已离开它", "それまでに未来の {share:pct} で計画は離れている"),
    "look.announced": ("announced terms begin", "已公布的新条款生效", "発表済みの条件が始まる"),
    "look.yearly": (
        "nothing is likely to change before; look once a year",
        "在此之前不太可能有变化；每年看一次",
        "それまでに変わりそうなことはない。年に一度見直す",
    ),
    # Leaving
    "leaving.title": ("What it costs to leave {offer:raw}", "离开 {offer:raw} 要花多少", "{offer:raw} を離れる費用"),
    "leaving.note": (
        "Bars: the cost of leaving after so many months of use. Beside them the lasting rise of the monthly cost from which leaving pays.",
        "条为用了若干个月后离开的花费。旁边是使离开划算的每月花费持久涨幅。",
        "棒はその月数だけ使った後に離れる費用。横は、離れる方が得になる月額の恒久的な上げ幅。",
    ),
    "leaving.months": ("after {months:num} {months:month|months}", "{months:num} 个月后", "{months:num} か月後"),
    "leaving.at_once": ("at once", "立即", "すぐ"),
    "leaving.rise": ("from {monthly:sum} a month (+{share:pct})", "每月涨 {monthly:sum} 起（+{share:pct}）", "月 {monthly:sum} から（+{share:pct}）"),
    "leaving.rise_free": ("from {monthly:sum} a month", "每月涨 {monthly:sum} 起", "月 {monthly:sum} から"),
    "worth.lock_in": ("Lock-in", "锁定", "囲い込み"),
    "worth.portability": ("Portability is worth", "可移植性值", "移しやすさの価値"),
    "worth.second_vendor": ("A second vendor is worth", "第二家厂商值", "二社目の価値"),
    "worth.regret": ("Against knowing the future", "与预知未来相比", "未来を知る場合との差"),
    "kpi.cost": ("{months:num} {months:month|months}, on average", "{months:num} 个月，平均", "{months:num} か月、平均"),
    "kpi.lock_in": ("Lock-in", "锁定", "囲い込み"),
    "kpi.dearer": ("Today's cheapest turns out dearer", "今天最便宜的最终更贵", "今日の最安が高くつく"),
    "kpi.dearer_more": ("than the advice; dearest of all: {dearest:pct}", "比本建议；其中全场最贵：{dearest:pct}", "助言と比べて。全体で最も高い：{dearest:pct}"),
    "kpi.portability": ("Portability", "可移植性", "移しやすさ"),
    "kpi.second": ("Second vendor", "第二家厂商", "二社目"),
    "kpi.none": ("not considered", "未考虑", "対象外"),
    "kpi.worth": ("{low:sum} to {high:sum}", "{low:sum} 至 {high:sum}", "{low:sum}～{high:sum}"),
    # Why
    "causes.title": ("Why it costs what it costs", "为什么是这个花费", "なぜこの費用になるか"),
    "causes.note": (
        "Shapley values: each part's mean effect over all orders of taking parts away. They add up to the mean cost over {futures:num} of the {judged:num} futures that judge.",
        "沙普利值：每一项在所有移除次序中的平均影响，合计为评判所用 {judged:num} 个未来中 {futures:num} 个的平均花费。",
        "シャープレイ値：取り除く順番すべてでの平均の効果。合計は、評価に使った {judged:num} 通りの未来のうち {futures:num} 通りでの平均の費用になる。",
    ),
    "causes.base": ("if nothing changed, nothing were refused and moving were free", "若一切不变、无拒绝、转换免费", "何も変わらず、断られず、移行が無償なら"),
    "causes.total": ("in all", "合计", "合計"),
    "cause.growth": ("the work grows or shrinks", "工作量增减", "仕事量の増減"),
    "cause.prices": ("prices change", "价格变化", "価格の変化"),
    "cause.terms": ("terms end, limits change, models retire", "条款结束、限额变化、模型下线", "条件の終了、上限の変更、モデルの廃止"),
    "cause.refusals": ("what is refused", "被拒绝的工作", "断られる分"),
    "cause.switching": ("integrating and moving", "接入与转换", "導入と移行"),
    # Free offers
    "free.title": ("Free offers: how far to rely on them until {until:date}", "免费报价：到{until:date}能依靠到什么程度", "無料プラン：{until:date}までどこまで頼れるか"),
    "free.note": (
        "Dark: stands with limits no lower than today's; light: stands at all. Shares of futures. A grant is given once; what stands then is its paid price.",
        "深色：仍在且限额不低于今天；浅色：仍在。占未来的份额。赠送额度只给一次，用完后按付费价。",
        "濃い色：今日以上の上限で続く。薄い色：とにかく続く。未来に占める割合。進呈分は一度きりで、その後は有料の価格。",
    ),
    "free.none": ("No free, granted or introductory offer stands.", "没有可用的免费、赠送或优惠报价。", "無料、進呈、優待のプランは残っていません。"),
    # Offers
    "offers.title": ("Offers considered", "考虑过的报价", "検討したプラン"),
    "offers.note": (
        "Cost of keeping each for {months:num} {months:month|months}. Quality “?”: not decided, test it.",
        "每个报价用满 {months:num} 个月的花费。质量“?”：未断定，请测试。",
        "それぞれ {months:num} か月使い続けた費用。品質「?」：未確定、要テスト。",
    ),
    "offers.ends": ("ends on {day:date}", "{day:date}结束", "{day:date}に終わる"),
    "offers.unpublished": ("not published: {what:raw}", "未公布：{what:raw}", "未公表：{what:raw}"),
    "offers.why": ("What is known of each", "各报价的已知情况", "それぞれについて分かっていること"),
    # Assumptions
    "assumptions.title": ("Assumptions", "假设", "前提"),
    "assumptions.note": (
        "What the team's file does not say. `pricewar advise --team-template` writes one to fill in.",
        "团队文件中没有说明的。用 `pricewar advise --team-template` 可生成模板。",
        "チームのファイルにない項目。`pricewar advise --team-template` で雛形を出せます。",
    ),
    "assumptions.given": ("said by the team", "团队给定", "チームが指定"),
    "made": ("What this rests on", "依据", "この結果の前提"),
    "made.futures": (
        "{fitted:num} futures fitted the strategies, {judged:num} fresh ones judged them; intervals in brackets are of the mean, from the number of futures alone.",
        "{fitted:num} 个未来用于拟合策略，{judged:num} 个新的用于评判；括号内为均值的区间，仅来自未来的数量。",
        "{fitted:num} 通りの未来で方針を定め、{judged:num} 通りの新しい未来で評価。括弧内は平均の区間で、未来の数だけによる。",
    ),
    "made.error": (
        "The log, compressed: error of cost at most {cost:pct}, of the share refused {refused:pct}.",
        "日志压缩后：花费误差至多 {cost:pct}，拒绝份额误差 {refused:pct}。",
        "圧縮した記録の誤差：費用 {cost:pct} 以下、断られる割合 {refused:pct}。",
    ),
    "made.record": (
        "Held against the record, these forecasts have been too hopeful: over a year more free terms ended and more models were retired than they said (docs/backtest.md, the table of forecasts). Take the chances of staying as the better end.",
        "与记录对照，这些预测偏乐观：一年内结束的免费条款和下线的模型都多于预测（docs/backtest.md 的预测表）。请把“仍在”的机会看作偏好的一端。",
        "記録と照らすと、これらの予測は楽観的でした。一年で終わった無料条件も廃止されたモデルも予測より多かったのです（docs/backtest.md の予測の表）。続く見込みは良い方の端と考えてください。",
    ),
    "made.version": ("pricewar {version:raw}, {made:date}; {seconds:num} s; seed {seed:num}.", "pricewar {version:raw}，{made:date}；{seconds:num} 秒；种子 {seed:num}。", "pricewar {version:raw}、{made:date}。{seconds:num} 秒、シード {seed:num}。"),
    "source.history": ("history as of {day:date}", "截至{day:date}的历史", "{day:date}までの記録"),
    "source.market": ("market {market:raw}", "市场 {market:raw}", "市場 {market:raw}"),
    "list.comma": ("; ", "；", "；"),
    "made.again": ("The same again", "重做一次", "もう一度作るには"),
    "say.know": ("To know of {offer:raw}: {what:raw}.", "关于 {offer:raw}：{what:raw}。", "{offer:raw} について：{what:raw}。"),
    # Columns
    "col.strategy": ("strategy", "策略", "方針"),
    "col.offer": ("offer", "报价", "プラン"),
    "col.cost": ("mean cost", "平均花费", "平均費用"),
    "col.error": ("of the mean", "均值区间", "平均の区間"),
    "col.between": ("nine in ten", "十分之九", "九割"),
    "col.tail": ("worst 5%", "最差 5%", "最悪 5%"),
    "col.refused": ("refused", "被拒绝", "断られる"),
    "col.moves": ("moves", "转换次数", "移行回数"),
    "col.roi": ("return", "回报", "収益率"),
    "col.break_even": ("breaks even", "回本", "元が取れる"),
    "col.against": ("vs advice", "与建议相比", "助言との差"),
    "col.month": ("month", "月", "月"),
    "col.leaving": ("cost of leaving", "离开的花费", "離れる費用"),
    "col.rise": ("leave at a rise", "涨多少就离开", "離れる上げ幅"),
    "col.to": ("to", "转到", "移り先"),
    "col.amount": ("amount", "金额", "金額"),
    "col.cause": ("part", "项目", "項目"),
    "col.today": ("a month today", "今天每月", "今日の月額"),
    "col.served": ("serves", "能完成", "こなす割合"),
    "col.quality": ("quality", "质量", "品質"),
    "col.stands": ("stands", "仍在", "続く"),
    "col.as_now": ("as generous", "同样慷慨", "同じ上限"),
    "col.half": ("half ended by", "半数结束于", "半数が終わる時"),
    "col.then": ("then billed as", "之后按", "その後の請求"),
    "col.kept": ("kept", "一直用", "使い続けると"),
    "col.dearest": ("dearest", "全场最贵", "最も高い"),
    "col.why": ("why", "原因", "理由"),
    "col.count": ("offers", "报价数", "プラン数"),
    "col.key": ("setting", "设置", "設定"),
    "col.value": ("value", "值", "値"),
    "col.unit": ("unit", "单位", "単位"),
    "quality.acceptable": ("acceptable", "可接受", "可"),
    "quality.undecided": ("?", "?", "?"),
    "quality.unasked": ("not asked", "未要求", "基準なし"),
    "month.n": ("month {month:num}", "第 {month:num} 个月", "{month:num} か月目"),
    "never.share": ("not in {share:pct}", "{share:pct} 未回本", "{share:pct} で取れず"),
    "chart.alt": ("{title:raw}; the table below holds the figures", "{title:raw}；数据见下表", "{title:raw}。数値は下の表"),
}  # fmt: skip


def catalogue() -> dict[str, dict[str, str]]:
    """The words by language, as the page takes them."""
    borrowed = [key for key in REPORT_WORDS if key in SHARED or key.split(".")[0] in TERMS]
    every = {key: REPORT_WORDS[key] for key in borrowed} | WORDS
    return {lang: {key: texts[place] for key, texts in every.items()} for place, lang in enumerate(LANGUAGES)}


def word(key: str, language: str = "en") -> str:
    """One word or sentence in one language, its places as they stand."""
    return (WORDS.get(key) or REPORT_WORDS[key])[LANGUAGES.index(language)]


def plainly(key: str, args: Mapping[str, Any] | None = None, currency: str = "USD") -> str:
    """A sentence in English with its figures written for a terminal."""
    given = args or {}

    def write(match: re.Match[str]) -> str:
        value, how = given.get(match[1]), match[2] or "raw"
        if isinstance(value, Mapping):
            return plainly(value["key"], value.get("args"), currency)
        if isinstance(value, list):
            return "; ".join(v.get("text") or plainly(v["key"], v.get("args"), currency) for v in value)
        return figure(value, how, currency)

    return re.sub(r"\{(\w+)(?::([^}]*))?\}", write, word(key))


def figure(value: Any, how: str, currency: str = "USD") -> str:
    """One figure as its place asks for it, in English."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "unknown"
    if how == "sum":
        return money(value, currency)
    if how == "short":
        for scale, name in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
            if abs(value) >= scale:
                return f"{value / scale:.3g}{name}"
        return f"{value:.3g}"
    return plain_figure(value, how, currency)


def money(value: float, currency: str = "USD") -> str:
    """An amount as short as its size allows."""
    size, symbol = abs(value), str(SYMBOLS.get(currency, currency + " "))
    places = 0 if size >= 100 or size < 0.005 else 2
    return ("−" if round(value, places) < 0 else "") + f"{symbol}{size:,.{places}f}"
