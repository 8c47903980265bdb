# ruff: noqa: E501 - a sentence is translated more safely when it stands on one line
"""What advice rests on, in every language: notes of the futures and the log by their keys (`pricewar.notes`),
and why an offer was set aside or a strategy cannot be had."""

from __future__ import annotations

from typing import Final

NOTES: Final[dict[str, tuple[str, str, str]]] = {
    "note.records_end": (
        "records end on {day:date}: their rates are taken to hold from {start:date} on",
        "记录止于{day:date}：假定其比率自{start:date}起继续成立",
        "記録は{day:date}まで：その割合が{start:date}以降も続くものとします",
    ),
    "note.catalogue_later": (
        "the catalogue is of {day:date}: it knows of the days since {start:date}, and so do these",
        "目录为{day:date}版：它知道{start:date}以来的事，这些未来也知道",
        "目録は{day:date}のもの：{start:date}以降のことも知っており、これらの未来も同様です",
    ),
    "note.announced": (
        "announced changes: {kept:num} kept, {moved:num} moved, {cancelled:num} cancelled on record",
        "已公布的变更：记录中 {kept:num} 项照办，{moved:num} 项改期，{cancelled:num} 项取消",
        "発表済みの変更：記録では実施 {kept:num}、延期 {moved:num}、取り消し {cancelled:num}",
    ),
    "note.had_ended": (
        "{offer:raw}: it had ended before {start:date}",
        "{offer:raw}：在{start:date}之前已结束",
        "{offer:raw}：{start:date}より前に終わっていました",
    ),
    "note.stand_in": (
        "{offer:raw}: {vendor:raw} is not on record; its class ({kind:raw}) stands in",
        "{offer:raw}：没有 {vendor:raw} 的记录；以其类别（{kind:raw}）代替",
        "{offer:raw}：{vendor:raw} の記録がないため、その区分（{kind:raw}）で代えます",
    ),
    "note.introductory": (
        "{offer:raw}: what follows its introductory price is not announced",
        "{offer:raw}：优惠价之后的价格尚未公布",
        "{offer:raw}：優待価格の後の価格は発表されていません",
    ),
    "note.not_sold": (
        "{offer:raw}: the vendor is not known to sell its model, so its end counts as a retirement",
        "{offer:raw}：未知厂商是否出售该模型，因此其结束按下线计",
        "{offer:raw}：会社がこのモデルを売っているか不明なため、終了は廃止とみなします",
    ),
    "note.only": (
        "only requests for {models:raw}: {rows:num} of {all:num} rows",
        "仅限对 {models:raw} 的请求：{all:num} 行中的 {rows:num} 行",
        "{models:raw} へのリクエストのみ：{all:num} 行のうち {rows:num} 行",
    ),
    "note.short": (
        "the log covers {days:num} days: too short to show a week. A month is taken to be {factor:num} times what was logged, give or take {spread:pct}",
        "日志只有 {days:num} 天，不足以反映一周。一个月按所记录的 {factor:num} 倍计，误差约 {spread:pct}",
        "記録は {days:num} 日分で一週間に足りません。ひと月は記録の {factor:num} 倍とみなします（誤差およそ {spread:pct}）",
    ),
    "note.uncounted": (
        "the log does not count requests: tokens stand in for them, and what is limited in requests cannot be counted on",
        "日志没有请求数：以 token 代替，按请求数设限的报价无法依靠",
        "記録にリクエスト数がないためトークンで代えます。リクエスト数で制限されるものは当てにできません",
    ),
    "note.follows_unbilled": (
        "{offer:raw}, which bills what follows a free offer, cannot be billed",
        "接续免费报价计费的 {offer:raw} 无法计费",
        "無料の後の請求先である {offer:raw} は計算できません",
    ),
    "note.anew": (
        "{offer:raw}, in use now, does not stand: the team is taken to start anew",
        "现在使用的 {offer:raw} 不成立：按团队重新开始计算",
        "いま使っている {offer:raw} は候補に残らないため、新たに始めるものとみなします",
    ),
    "note.few": (
        "{draws:num} futures are few: half fit the strategies, half judge them",
        "{draws:num} 个未来偏少：一半用于拟合策略，一半用于评判",
        "{draws:num} 通りの未来では少なめ：半分で方針を定め、半分で評価します",
    ),
    "note.held": (
        "the price of refused work is held where it is: no futures of {offers:raw}",
        "被拒绝的工作的价格保持不变：没有 {offers:raw} 的未来",
        "断られた仕事の価格は今のまま：{offers:raw} の未来がありません",
    ),
    "note.refuted": (
        "on fresh futures “{best:raw}”, which had fitted best, was dearer than “{found:raw}”",
        "在新的未来中，拟合最好的“{best:raw}”比“{found:raw}”更贵",
        "新しい未来では、最も合っていた「{best:raw}」が「{found:raw}」より高くつきました",
    ),
    # How good a model is
    "note.rate_unknown": (
        "Nothing measured and nothing published tells {model:raw}'s pass rate; at least {least:raw} must pass: not known.",
        "没有评测也没有公开数据说明 {model:raw} 的通过率；至少须通过 {least:raw}：未知。",
        "{model:raw} の合格率は評価も公表もありません。合格 {least:raw} 以上が条件：不明。",
    ),
    "note.rate_published": (
        "Going by published figures, about {rate:raw} pass ({low:raw} to {high:raw}); at least {least:raw} must pass: {answer:raw}. Test it on your own work.",
        "按公开数据，约 {rate:raw} 通过（{low:raw} 至 {high:raw}）；至少须通过 {least:raw}：{answer:raw}。请用自己的工作测试。",
        "公表された数値では約 {rate:raw} が合格（{low:raw}～{high:raw}）。{least:raw} 以上が条件：{answer:raw}。自分の仕事で試してください。",
    ),
    "note.rate_measured": (
        "{rate:raw} pass ({low:raw} to {high:raw}); at least {least:raw} must pass: {answer:raw}.{more:raw}",
        "{rate:raw} 通过（{low:raw} 至 {high:raw}）；至少须通过 {least:raw}：{answer:raw}。{more:raw}",
        "{rate:raw} が合格（{low:raw}～{high:raw}）。{least:raw} 以上が条件：{answer:raw}。{more:raw}",
    ),
    "note.gap_same": (
        "It is the model in use, {other:raw}: nothing changes.",
        "就是在用的模型 {other:raw}：没有变化。",
        "使用中のモデル {other:raw} そのもの：何も変わりません。",
    ),
    "note.gap_unknown": (
        "Neither measured beside {other:raw} nor published for both; it may be {margin:raw} points under {other:raw} at most: not known.",
        "既没有与 {other:raw} 一起评测，也没有两者的公开数据；最多可低 {margin:raw} 个百分点：未知。",
        "{other:raw} と並べた評価も両方の公表もありません。下回ってよいのは {margin:raw} ポイントまで：不明。",
    ),
    "note.gap_published": (
        "Pass rate {gap:raw} points ({low:raw} to {high:raw}) beside {other:raw}, going by published figures; it may be {margin:raw} points under {other:raw} at most: {answer:raw}. Test it on your own work.",
        "按公开数据，通过率与 {other:raw} 相差 {gap:raw} 个百分点（{low:raw} 至 {high:raw}）；最多可低 {margin:raw} 个百分点：{answer:raw}。请用自己的工作测试。",
        "公表された数値では合格率は {other:raw} と比べ {gap:raw} ポイント（{low:raw}～{high:raw}）。下回ってよいのは {margin:raw} ポイントまで：{answer:raw}。自分の仕事で試してください。",
    ),
    "note.gap_measured": (
        "Pass rate {gap:raw} points ({low:raw} to {high:raw}) on the same {pairs:num} prompts as {other:raw}; it may be {margin:raw} points under {other:raw} at most: {answer:raw}.{more:raw}",
        "在与 {other:raw} 相同的 {pairs:num} 个提示上，通过率相差 {gap:raw} 个百分点（{low:raw} 至 {high:raw}）；最多可低 {margin:raw} 个百分点：{answer:raw}。{more:raw}",
        "{other:raw} と同じ {pairs:num} 件のプロンプトで合格率は {gap:raw} ポイント（{low:raw}～{high:raw}）。下回ってよいのは {margin:raw} ポイントまで：{answer:raw}。{more:raw}",
    ),
    "note.gap_apart": (
        "Pass rate {gap:raw} points ({low:raw} to {high:raw}) beside {other:raw}, on other prompts or from sums alone; it may be {margin:raw} points under {other:raw} at most: {answer:raw}.{more:raw}",
        "与 {other:raw} 在不同提示上或仅凭合计比较，通过率相差 {gap:raw} 个百分点（{low:raw} 至 {high:raw}）；最多可低 {margin:raw} 个百分点：{answer:raw}。{more:raw}",
        "{other:raw} とは別のプロンプトまたは合計だけの比較で、合格率は {gap:raw} ポイント（{low:raw}～{high:raw}）。下回ってよいのは {margin:raw} ポイントまで：{answer:raw}。{more:raw}",
    ),
    "verdict.met": ("met", "达到", "満たす"),
    "verdict.missed": ("missed", "未达到", "満たさない"),
    "verdict.not": ("not decided", "未能断定", "決まらない"),
    "verdict.same_prompts": (" Give both models the same prompts to tell.", "请让两个模型做相同的提示来判断。", "同じプロンプトを両方に与えれば分かります。"),
    "verdict.close": (" It is too close to the bar for any sample to tell.", "离标准太近，任何样本都无法断定。", "基準に近すぎ、どんな標本でも決まりません。"),
    "verdict.more": (" About {more:num} more prompts would tell, if it stays so.", "若保持不变，再有约 {more:num} 个提示即可断定。", "このままなら、あと約 {more:num} 件のプロンプトで決まります。"),
    # Why an offer was set aside
    "out.title": ("Set aside", "未考虑的", "外したもの"),
    "out.summary": (
        "{taken:num} of {considered:num} offers were compared; the rest by cause:",
        "{considered:num} 个报价中比较了 {taken:num} 个；其余按原因：",
        "{considered:num} プランのうち {taken:num} を比較。残りの理由：",
    ),
    "out.dearer": (
        "not needed: dearer for this work than those taken of their vendor and kind",
        "不需要：对这些工作比同厂商同类的已选报价贵",
        "不要：この仕事では同じ会社・種類の採用分より高い",
    ),
    "out.unknown": (
        "nothing is known of the model's quality (name it to have it considered)",
        "模型质量一无所知（点名即可考虑）",
        "モデルの品質が全く不明（名指しすれば検討）",
    ),
    "out.guess": ("the best guess of its quality is under the bar", "质量的最佳估计低于标准", "品質の最良推定が基準未満"),
    "out.quality": ("not good enough", "不够好", "品質が足りない"),
    "out.undecided": (
        "quality undecided, and the team refuses what is",
        "质量未断定，而团队不接受",
        "品質が未確定で、チームが受け入れない",
    ),
    "out.unbilled": ("cannot be billed, or was not in force", "无法计费或未生效", "計算できない、または無効"),
    "out.serves_none": ("serves none of this work", "这些工作一件也做不了", "この仕事を一つもこなせない"),
    "out.serves_share": ("serves less of this work than the team needs", "能完成的份额低于团队要求", "こなせる割合がチームの必要に足りない"),
    "out.region": ("not offered where the team needs it", "不在团队需要的地区提供", "必要な地域で提供されていない"),
    "out.training": ("the vendor trains on what is sent", "厂商会用所发内容训练", "送った内容が学習に使われる"),
    "out.commercial": ("its terms allow trying it out, not commercial use", "条款只允许试用，不许商用", "条件は試用のみで商用不可"),
    "out.context": ("takes shorter inputs than the team needs", "能接受的输入短于团队需要", "受け付ける入力が必要より短い"),
    "out.fails": ("more of its calls fail than the team allows", "调用失败率高于团队允许", "呼び出しの失敗が許容を超える"),
    "out.unpublished": ("a must is not published, and the team refuses what is not", "必备条件未公布，而团队不接受", "必須条件が未公表で、チームが受け入れない"),
    "out.ends": ("ends within the first month: whoever joins it joins its successor", "第一个月内结束：加入它就是加入其后继者", "最初の月のうちに終わる：加わればその後継に加わることになる"),
    "out.other": ("other reasons", "其他原因", "その他の理由"),
    # Why a strategy cannot be had
    "skipped.title": ("Strategies that cannot be had", "无法采用的策略", "取れない方針"),
    "skipped.no_paid": ("no paid offer stands", "没有可用的付费报价", "有料プランが残っていない"),
    "skipped.no_free": ("no free, granted or introductory offer stands", "没有可用的免费、赠送或优惠报价", "無料、進呈、優待のプランが残っていない"),
    "skipped.no_flagship": ("no paid flagship stands", "没有可用的付费旗舰", "有料の旗艦が残っていない"),
    "skipped.one_vendor_only": ("the team works with one vendor at a time", "团队一次只用一家厂商", "チームは一度に一社だけを使う"),
    "skipped.one_vendor_left": ("all offers that stand are one vendor's", "剩下的报价都属于一家厂商", "残ったプランはすべて一社のもの"),
}  # fmt: skip
