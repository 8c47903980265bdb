# ruff: noqa: E501 - a sentence is translated more safely when it stands on one line
"""Every word of the report in every language: key → (English, 简体中文, 日本語).

A sentence holds places such as `{total:money}`: the name of an argument and how it is written (`money`,
`num`, `pct` for a share, `percent` for a percentage, `date`, `meter`, `unit`, `per`, `days`, `weekdays`,
`raw`). `{n:one|other}` chooses a word by number. A term whose arguments are missing is shown in the English
text that came with it.
"""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("en", "zh", "ja")

WORDS: Final[dict[str, tuple[str, str, str]]] = {
    # The page
    "title": ("What every offer would have charged", "每个报价实际会收多少钱", "各プランなら実際いくらか"),
    "language": ("Language", "语言", "言語"),
    "theme": ("Theme", "主题", "テーマ"),
    "theme.auto": ("As the system", "跟随系统", "システムに合わせる"),
    "theme.light": ("Light", "浅色", "ライト"),
    "theme.dark": ("Dark", "深色", "ダーク"),
    "skip": ("Skip to the offers", "跳到报价表", "プラン一覧へ移動"),
    "unknown": ("unknown", "未知", "不明"),
    "free": ("free", "免费", "無料"),
    "none": ("none", "无", "なし"),
    "noscript": (
        "Charts, sorting and bills need JavaScript; the ranking is below.",
        "图表、排序和账单需要 JavaScript；排名见下。",
        "グラフ、並べ替え、明細には JavaScript が必要です。順位は以下のとおりです。",
    ),
    "meta": (
        "{source:raw} · terms: {terms:raw} · facts as of {as_of:date}",
        "{source:raw} · 条款：{terms:raw} · 数据截至 {as_of:date}",
        "{source:raw} · 条件：{terms:raw} · 情報の時点 {as_of:date}",
    ),
    "terms.replay": (
        "those in force when each request was made",
        "每个请求发生时有效的条款",
        "各リクエストの時点で有効だった条件",
    ),
    "terms.on": ("those in force on {on:date}", "{on:date}有效的条款", "{on:date}に有効な条件"),
    # The answer
    "head.logged": (
        "As logged, this work costs {total} at list price over {days:days}.",
        "按日志原样，这些工作在{days:days}内按标价要花 {total}。",
        "記録どおりなら、この作業は{days:days}で定価 {total} かかります。",
    ),
    "head.logged_part": (
        "As logged, this work costs at least {total} at list price over {days:days}; some models have no known price.",
        "按日志原样，这些工作在{days:days}内按标价至少要花 {total}；部分模型没有已知价格。",
        "記録どおりなら、この作業は{days:days}で定価で少なくとも {total} かかります。価格不明のモデルがあります。",
    ),
    "head.logged_none": (
        "What this work costs as logged is unknown: its models have no known list price.",
        "按日志原样的花费未知：其模型没有已知标价。",
        "記録どおりの費用は不明です。モデルの定価が分かりません。",
    ),
    "head.cheapest": (
        "The cheapest way to serve all of it is {offer} at {total}{change}.",
        "完成全部工作的最便宜办法是 {offer}，{total}{change}。",
        "すべてをこなす最も安い方法は {offer} の {total}{change}です。",
    ),
    "head.light": ("a light model", "轻量模型", "軽量モデル"),
    "head.unknown_limits": (
        "Its limits are not published, so this may not hold.",
        "其限额未公布，因此不一定成立。",
        "上限が公表されていないため、このとおりとは限りません。",
    ),
    "head.known_limits": (
        "With published limits it is {offer} at {total}.",
        "限额已公布的报价中，最便宜的是 {offer}，{total}。",
        "上限が公表されているものでは {offer} の {total} です。",
    ),
    "head.free": (
        "{offer} looks free, but serves {served:pct} of the work: all of it costs {total}.",
        "{offer} 看似免费，但只能完成 {served:pct} 的工作：做完全部要花 {total}。",
        "{offer} は無料に見えますが、こなせるのは作業の {served:pct}。全部では {total} かかります。",
    ),
    "head.free_unknown": (
        "{offer} looks free; serving all of the work with it costs {total}.",
        "{offer} 看似免费；用它做完全部工作要花 {total}。",
        "{offer} は無料に見えますが、すべてをこなすと {total} かかります。",
    ),
    "head.no_offer": (
        "No offer could be billed.",
        "没有可计费的报价。",
        "請求額を計算できるプランがありません。",
    ),
    "change.less": (", {share:pct} less", "，少 {share:pct}", "（{share:pct} 減）"),
    "change.more": (", {share:pct} more", "，多 {share:pct}", "（{share:pct} 増）"),
    "kpi.logged": ("As logged, at list price", "按日志，标价", "記録どおり、定価"),
    "kpi.cheapest": ("Cheapest for all the work", "完成全部工作最便宜", "すべてをこなす最安"),
    "kpi.same": ("Cheapest, models as logged", "模型不变时最便宜", "モデルを変えない最安"),
    "kpi.free": ("Looks free, costs", "看似免费，实际", "無料に見えて実際は"),
    "kpi.offers": ("Offers billed", "已计费的报价", "計算したプラン"),
    "kpi.none": ("no such offer", "没有这样的报价", "該当なし"),
    "kpi.not_billed": ("{n:num} not billed", "{n:num} 个未计费", "{n:num} 件は計算外"),
    "kpi.per_m": (
        "{price:rate} per million tokens",
        "每百万 token {price:rate}",
        "100万トークンあたり {price:rate}",
    ),
    "range": ("{low}–{high}", "{low}–{high}", "{low}～{high}"),
    # Choosing
    "filter": ("Choose offers", "筛选报价", "プランを絞る"),
    "filter.kind": ("Kind", "类型", "種類"),
    "filter.all": ("All kinds", "全部类型", "すべての種類"),
    "filter.class": ("Models", "模型", "モデル"),
    "filter.class.all": ("All models", "全部模型", "すべてのモデル"),
    "filter.class.same": ("As logged", "与日志相同", "記録と同じ"),
    "filter.class.full": ("Without light models", "不含轻量模型", "軽量モデルを除く"),
    "filter.search": ("Search", "搜索", "検索"),
    "filter.placeholder": ("vendor, model, plan", "厂商、模型、方案", "会社、モデル、プラン"),
    "filter.order": ("Charts show", "图中显示", "グラフの対象"),
    "filter.order.cheap": ("cheapest in effect", "实际最便宜的", "実質の安い順"),
    "filter.order.gap": ("widest gap to headline", "与标价差距最大的", "表示価格との差が大きい順"),
    "filter.count": ("How many", "数量", "件数"),
    "filter.count.all": ("all", "全部", "すべて"),
    "filter.matches": (
        "{n:num} of {all:num} offers",
        "{all:num} 个报价中的 {n:num} 个",
        "{all:num} 件中 {n:num} 件",
    ),
    "filter.empty": ("No offer matches.", "没有符合的报价。", "該当するプランがありません。"),
    "kind.list": ("List price", "标价", "定価"),
    "kind.free": ("Free tier", "免费层", "無料枠"),
    "kind.grant": ("Grant", "赠送额度", "付与枠"),
    "kind.pack": ("Prepaid pack", "资源包", "前払いパック"),
    "kind.introductory": ("Introductory", "限时优惠", "導入価格"),
    "kind.provisioned": ("Provisioned", "预留吞吐", "予約スループット"),
    "light": ("light", "轻量", "軽量"),
    "other_model": ("other model", "其他模型", "別モデル"),
    # Charts
    "gap.title": (
        "{n:num} of {all:num} offers cost more than their headline price",
        "{all:num} 个报价中有 {n:num} 个比标价贵",
        "{all:num} 件中 {n:num} 件は表示価格より高くつく",
    ),
    "gap.note": (
        "Hollow: headline price. Filled: what this work pays per million tokens, overflow included. Band: interval.",
        "空心：标价。实心：这些工作每百万 token 的实际价格（含溢出）。色带：区间。",
        "白抜き：表示価格。塗り：この作業の実質価格（あふれた分を含む、100万トークンあたり）。帯：幅。",
    ),
    "gap.axis": (
        "{currency:raw} per million tokens",
        "{currency:raw} / 百万 token",
        "{currency:raw} / 100万トークン",
    ),
    "gap.baseline": ("as logged {price:rate}", "按日志 {price:rate}", "記録どおり {price:rate}"),
    "gap.alt": (
        "Headline and effective price per million tokens of {n:num} offers; the numbers are in the table below.",
        "{n:num} 个报价的标价与每百万 token 实际价格；数字见下表。",
        "{n:num} 件の表示価格と実質価格（100万トークンあたり）。数値は下の表にあります。",
    ),
    "served.title": (
        "{n:num} of {all:num} offers with fine print turn some of the work away",
        "有附加条款的 {all:num} 个报价中，{n:num} 个拒绝部分工作",
        "条件つき {all:num} 件のうち {n:num} 件は作業の一部を断る",
    ),
    "served.note": (
        "Share of the work. What is refused overflows to another offer and is paid there.",
        "占全部工作的份额。被拒绝的部分转到其他报价并在那里付费。",
        "作業に占める割合。断られた分は別のプランにあふれ、そこで支払います。",
    ),
    "served.alt": (
        "Shares of the work served free, paid and refused for {n:num} offers; the numbers are in the table below.",
        "{n:num} 个报价的免费、付费与拒绝份额；数字见下表。",
        "{n:num} 件の無料・有料・拒否の割合。数値は下の表にあります。",
    ),
    "served.none": (
        "None of the offers chosen has fine print that touched this work.",
        "所选报价都没有影响这些工作的附加条款。",
        "選んだプランに、この作業に影響する条件はありません。",
    ),
    "served.free": ("Free", "免费", "無料"),
    "served.paid": ("Paid", "付费", "有料"),
    "served.refused": ("Refused, overflows", "拒绝，溢出", "拒否（別プランへ）"),
    "load.title": (
        "{requests:num} {requests:request|requests} in {days:days}; {share:pct} of the tokens are {model}",
        "{days:days}内 {requests:num} 个请求；{share:pct} 的 token 来自 {model}",
        "{days:days}で {requests:num} 件のリクエスト。トークンの {share:pct} は {model}",
    ),
    "load.days": ("Requests a day", "每日请求数", "1日のリクエスト数"),
    "load.models": ("Tokens by model and meter", "各模型与计量项的 token", "モデル・計量別トークン"),
    "load.days_alt": (
        "Requests for each of {n:num} {n:day|days}; the numbers are in the table below.",
        "{n:num} 天的每日请求数；数字见下表。",
        "{n:num} 日分のリクエスト数。数値は下の表にあります。",
    ),
    "load.models_alt": (
        "Tokens of {n:num} {n:model|models} by meter; the numbers are in the table below.",
        "{n:num} 个模型按计量项的 token；数字见下表。",
        "{n:num} モデルの計量別トークン。数値は下の表にあります。",
    ),
    "data": ("The numbers", "数据", "数値"),
    # The table
    "offers": ("All offers", "全部报价", "すべてのプラン"),
    "offers.note": (
        "Ranked by the cost of serving all the work. Open a row for its itemised bill.",
        "按完成全部工作的费用排名。展开一行可看明细账单。",
        "すべてをこなす費用の順。行を開くと明細が見られます。",
    ),
    "col.rank": ("#", "#", "#"),
    "col.rank_long": ("Rank", "排名", "順位"),
    "col.offer": ("Offer", "报价", "プラン"),
    "col.kind": ("Kind", "类型", "種類"),
    "col.headline": ("Headline / M", "标价 / 百万", "表示価格 / 100万"),
    "col.effective": ("Effective / M", "实际 / 百万", "実質 / 100万"),
    "col.total": ("All the work", "全部工作", "全作業"),
    "col.free": ("Free", "免费", "無料"),
    "col.served": ("Served", "已服务", "処理"),
    "col.paid": ("Paid", "付费", "有料"),
    "col.refused": ("Refused", "拒绝", "拒否"),
    "col.bit": ("Terms that bit", "生效的条款", "効いた条件"),
    "col.warnings": ("Warnings", "警告", "警告"),
    "col.sources": ("Sources", "来源", "出典"),
    "col.low": ("Low", "低", "下限"),
    "col.high": ("High", "高", "上限"),
    "col.day": ("Day", "日期", "日"),
    "col.requests": ("Requests", "请求", "リクエスト"),
    "col.tokens": ("Tokens", "Token", "トークン"),
    "col.model": ("Model", "模型", "モデル"),
    "bill.open": ("Bill of {offer}", "{offer} 的账单", "{offer} の明細"),
    "bill.meter": ("Meter", "计量项", "計量"),
    "bill.quantity": ("Quantity", "数量", "数量"),
    "bill.rate": ("Rate", "单价", "単価"),
    "bill.amount": ("Amount", "金额", "金額"),
    "bill.rule": ("Rule", "规则", "適用"),
    "bill.source": ("Source", "来源", "出典"),
    "bill.per": ("{price} per {per:num}", "{price} / {per:num}", "{price} / {per:num}"),
    "bill.own": ("Paid here", "在此支付", "ここでの支払い"),
    "bill.overflow": ("Overflow to {offer}", "溢出到 {offer}", "{offer} へのあふれ"),
    "bill.total": ("All the work", "全部工作", "全作業"),
    "bill.refused": ("Turned away", "被拒绝", "断られた分"),
    "bill.refused_of": (
        "{term}: {requests:num} {requests:request|requests}, {tokens:num} tokens",
        "{term}：{requests:num} 个请求，{tokens:num} 个 token",
        "{term}：{requests:num} リクエスト、{tokens:num} トークン",
    ),
    "bill.in_force": ("In force", "有效期", "有効期間"),
    "bill.from": ("from {on:date}", "自 {on:date}", "{on:date} から"),
    "bill.from_unknown": ("since when is unknown", "起始时间未知", "開始時期は不明"),
    "bill.until": ("until {on:date}", "至 {on:date}", "{on:date} まで"),
    "bill.announced": ("Announced", "已公布的变动", "発表済みの変更"),
    "bill.fx": (
        "Billed in {currency:raw}, converted at {rate:raw} on {on:date} ({source:raw})",
        "以 {currency:raw} 计费，按 {on:date} 汇率 {rate:raw} 换算（{source:raw}）",
        "{currency:raw} 建て、{on:date} の {rate:raw} で換算（{source:raw}）",
    ),
    "bill.confidence": ("Confidence", "可信度", "確度"),
    "bill.none": ("No itemised lines.", "没有明细。", "明細はありません。"),
    "bill.top": ("Bills of the leading offers", "领先报价的账单", "上位プランの明細"),
    "confidence.high": ("high", "高", "高"),
    "confidence.medium": ("medium", "中", "中"),
    "confidence.low": ("low", "低", "低"),
    "source.read": ("read {on:date}", "读取于 {on:date}", "{on:date} 閲覧"),
    "interval.other": (
        "Another model than logged: an interval under the assumptions below.",
        "与日志不同的模型：在下列假设下的区间。",
        "記録とは別のモデル：以下の仮定による幅です。",
    ),
    # How it was made
    "made": ("What this rests on", "依据", "この結果の前提"),
    "made.assumptions": ("Assumptions for another model", "换用其他模型的假设", "別モデルでの仮定"),
    "assume.tokens": ("Token count, times", "token 数，倍", "トークン数（倍）"),
    "assume.verbosity": ("Length of answers, times", "回答长度，倍", "回答の長さ（倍）"),
    "assume.cache": ("Cache hits kept", "缓存命中保留", "キャッシュ命中の維持"),
    "assume.low": ("low", "低", "下限"),
    "assume.mid": ("middle", "中", "中央"),
    "assume.high": ("high", "高", "上限"),
    "made.exclusions": ("Left out of the log", "未计入的日志行", "ログから除いた行"),
    "made.exclusions_none": (
        "Nothing was left out: all {n:num} {n:row|rows} were used.",
        "没有遗漏：{n:num} 行全部使用。",
        "除いた行はありません。{n:num} 行すべてを使いました。",
    ),
    "made.rows": (
        "{rows:num} of {rows_in:num} rows used; {n:num} left out.",
        "{rows_in:num} 行中使用 {rows:num} 行；{n:num} 行未计入。",
        "{rows_in:num} 行中 {rows:num} 行を使用、{n:num} 行を除外。",
    ),
    "made.cause": ("Cause", "原因", "理由"),
    "made.count": ("Rows", "行数", "行数"),
    "made.examples": ("Examples", "示例", "例"),
    "made.not_billed": ("Offers not billed", "未计费的报价", "計算しなかったプラン"),
    "made.not_billed_n": (
        "{n:num} {n:offer|offers}, with the reason",
        "{n:num} 个报价及原因",
        "{n:num} 件とその理由",
    ),
    "made.why": ("Why", "原因", "理由"),
    "made.baseline": ("As logged", "按日志", "記録どおり"),
    "made.missing": (
        "No known list price: {names:raw}",
        "没有已知标价：{names:raw}",
        "定価不明：{names:raw}",
    ),
    "made.how": ("How it was made", "制作方式", "作成方法"),
    "made.version": (
        "pricewar {version:raw}, {made:date}; facts as of {as_of:date}; log read as {format:raw}.",
        "pricewar {version:raw}，{made:date}；数据截至 {as_of:date}；日志格式 {format:raw}。",
        "pricewar {version:raw}、{made:date}。情報の時点 {as_of:date}。ログ形式 {format:raw}。",
    ),
    "made.bucket": (
        "The log holds sums over {seconds:num} seconds, so limits by the minute cannot be judged.",
        "日志按 {seconds:num} 秒汇总，因此无法判断每分钟限额。",
        "ログは {seconds:num} 秒ごとの合計のため、分単位の上限は判定できません。",
    ),
    "made.again": ("To make it again", "重新生成", "再現するには"),
    "made.private": (
        "Nothing in this file calls the network; the log stayed where it was.",
        "本文件不访问网络；日志没有离开原处。",
        "このファイルは通信しません。ログは元の場所から出ていません。",
    ),
    # Terms that bit, refusals
    "term.limit_hit": (
        "limit of {amount:num} {meter:meter} per {per:per} reached",
        "达到每{per:per} {amount:num} {meter:meter}的限额",
        "{per:per}あたり {amount:num} {meter:meter}の上限に到達",
    ),
    "term.allowance_used_up": (
        "allowance of {amount:num} {unit:unit} used up",
        "{amount:num} {unit:unit}的额度已用完",
        "{amount:num} {unit:unit}の枠を使い切り",
    ),
    "term.allowance_expired": (
        "allowance expired {on:date}",
        "额度于 {on:date} 到期",
        "枠は {on:date} に失効",
    ),
    "term.not_deferrable": (
        "only for work that can wait",
        "仅适用于可延后的工作",
        "待てる作業のみ対象",
    ),
    "term.not_in_force": ("not in force at the time", "当时未生效", "その時点では無効"),
    "term.request_too_large": (
        "requests larger than the limit",
        "请求超过上限",
        "上限を超える大きさのリクエスト",
    ),
    "term.no_paid_rate": (
        "no paid rate beyond the free part",
        "免费之外没有付费价格",
        "無料分を超える有料単価なし",
    ),
    "term.peak_hours": ("{share:pct} at peak price", "{share:pct} 按高峰价", "{share:pct} がピーク価格"),
    "term.cliff": (
        "{share:pct} dearer above {above:num} input tokens",
        "{share:pct} 因输入超过 {above:num} token 涨价",
        "{share:pct} が入力 {above:num} トークン超で割高",
    ),
    "term.minimum": ("minimum charge {amount:money}", "最低收费 {amount:money}", "最低料金 {amount:money}"),
    "term.platform_fee": (
        "platform fee {percent:percent}",
        "平台费 {percent:percent}",
        "手数料 {percent:percent}",
    ),
    "term.rounding": (
        "rounded up to {increment:num}",
        "向上取整到 {increment:num}",
        "{increment:num} 単位に切り上げ",
    ),
    "term.commitment": (
        "commitment of {amount:money} per {per:per}, {unused:pct} unused",
        "每{per:per}承诺 {amount:money}，{unused:pct} 未用",
        "{per:per}ごとに {amount:money} の契約、{unused:pct} 未使用",
    ),
    "term.prepayment": (
        "prepay at least {amount:money}",
        "至少预付 {amount:money}",
        "最低前払い {amount:money}",
    ),
    "term.pack_bought": (
        "{count:num} {count:pack|packs} bought for {amount:money}",
        "购买 {count:num} 个资源包，共 {amount:money}",
        "パック {count:num} 個を {amount:money} で購入",
    ),
    "term.unused_forfeited": (
        "{amount:money} unused and forfeited",
        "{amount:money} 未用作废",
        "未使用の {amount:money} が失効",
    ),
    # Warnings
    "term.unknown_limits": ("limits not published", "限额未公布", "上限は非公表"),
    "term.unknown_value": ("not published: {what:raw}", "未公布：{what:raw}", "非公表：{what:raw}"),
    "term.weak_source": ("weak source", "来源不可靠", "出典が弱い"),
    "term.trains_on_data": ("trains on your data", "会用你的数据训练", "データが学習に使われる"),
    "term.new_account_only": ("new accounts only", "仅限新账户", "新規アカウントのみ"),
    "term.ends_soon": ("ends {on:date}", "{on:date} 结束", "{on:date} に終了"),
    "term.retired": ("retired {on:date}", "{on:date} 已下线", "{on:date} に終了済み"),
    "term.minute_limits_unknown": (
        "limits by the minute cannot be judged",
        "无法判断每分钟限额",
        "分単位の上限は判定不能",
    ),
    "term.other_model": ("another model than logged", "与日志不同的模型", "記録とは別のモデル"),
    "term.announced_rise": (
        "price rise announced for {on:date}",
        "已宣布 {on:date} 涨价",
        "{on:date} の値上げを発表済み",
    ),
    # Rules of a bill's lines
    "term.list_price": ("list price", "标价", "定価"),
    "term.allowance": ("covered by the allowance", "由额度覆盖", "枠で充当"),
    "term.cache_fallback": (
        "no cache price: billed as input",
        "无缓存价：按输入计费",
        "キャッシュ単価なし：入力として計算",
    ),
    "term.tier": ("tier {tier:raw}", "{tier:raw} 档", "{tier:raw} 区分"),
    "term.window": (
        "{hours:raw} {zone:raw}, {weekdays:weekdays}",
        "{hours:raw} {zone:raw}，{weekdays:weekdays}",
        "{hours:raw} {zone:raw}、{weekdays:weekdays}",
    ),
    "term.above": ("above {n:num} input tokens", "输入超过 {n:num} token", "入力 {n:num} トークン超"),
    # Meters, units, spans
    "meter.input": ("input", "输入", "入力"),
    "meter.cache_read": ("cache read", "缓存读取", "キャッシュ読込"),
    "meter.cache_write_5m": ("cache write 5 min", "缓存写入 5 分钟", "キャッシュ書込 5分"),
    "meter.cache_write_1h": ("cache write 1 h", "缓存写入 1 小时", "キャッシュ書込 1時間"),
    "meter.output": ("output", "输出", "出力"),
    "meter.reasoning": ("reasoning", "推理", "推論"),
    "meter.search": ("searches", "搜索", "検索"),
    "meter.requests": ("requests", "请求", "リクエスト"),
    "meter.tokens": ("tokens", "token", "トークン"),
    "unit.tokens": ("tokens", "token", "トークン"),
    "unit.requests": ("requests", "请求", "リクエスト"),
    "unit.searches": ("searches", "次搜索", "検索"),
    "unit.credits": ("credits", "点数", "クレジット"),
    "unit.money": ("of credit", "额度", "分のクレジット"),
    "per.minute": ("minute", "分钟", "分"),
    "per.hour": ("hour", "小时", "時間"),
    "per.day": ("day", "天", "日"),
    "per.week": ("week", "周", "週"),
    "per.month": ("month", "月", "月"),
    "per.second": ("second", "秒", "秒"),
    "per.year": ("year", "年", "年"),
}


def catalogue() -> dict[str, dict[str, str]]:
    """The words by language, as the page takes them."""
    return {
        language: {key: texts[place] for key, texts in WORDS.items()}
        for place, language in enumerate(LANGUAGES)
    }


def word(key: str, language: str) -> str:
    """One word or sentence in one language."""
    return WORDS[key][LANGUAGES.index(language)]
