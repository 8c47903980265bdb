# ruff: noqa: E501 - a sentence is translated more safely when it stands on one line
"""The words of the desk: key → (English, 简体中文, 日本語); keys begin with `desk.`.

The desk shows what the report and the page of advice show, in their words: these stand here too, under
`desk.bill/` and `desk.advice/`, since the two tables have keys in common.
"""

from __future__ import annotations

from typing import Final

from pricewar.report import advice_words
from pricewar.report import words as report_words
from pricewar.report.words import LANGUAGES

OWN: Final[dict[str, tuple[str, str, str]]] = {
    # The log
    "desk.drop": ("Drop a usage log here", "把用量日志拖到这里", "利用ログをここにドロップ"),
    "desk.choose": ("Choose a log …", "选择日志…", "ログを選ぶ…"),
    "desk.use_sample": ("Use the sample", "使用示例", "サンプルを使う"),
    "desk.sample": (
        "Bundled sample: a small team's October 2026",
        "自带示例：一个小团队的 2026 年 10 月",
        "付属サンプル：小さなチームの2026年10月",
    ),
    "desk.stays": (
        "Drop a usage log anywhere on this page: OpenAI, Anthropic, LiteLLM, Langfuse, Helicone, OpenTelemetry, OpenRouter, a bill that counts tokens, or CSV, JSONL or Parquet of your own. It never leaves this machine; what was dropped is deleted when the program ends.",
        "把用量日志拖到本页任意处即可：OpenAI、Anthropic、LiteLLM、Langfuse、Helicone、OpenTelemetry、OpenRouter、列有 token 数的账单，或自备的 CSV、JSONL、Parquet。日志不离开本机；拖入的文件在程序结束时删除。",
        "利用ログをこのページにドロップしてください。OpenAI、Anthropic、LiteLLM、Langfuse、Helicone、OpenTelemetry、OpenRouter、トークン数の載った請求書、または自前の CSV・JSONL・Parquet に対応します。ログがこの端末から出ることはなく、ドロップしたものはプログラム終了時に消されます。",
    ),
    "desk.records": ("{rows:num} {rows:record|records}", "{rows:num} 条记录", "{rows:num} 件"),
    "desk.one_file": (
        "One log at a time: “{name:raw}” was taken. Several files of one format go together as a folder on the command line.",
        "一次一个日志：已采用“{name:raw}”。同一格式的多个文件，可在命令行以文件夹给出。",
        "一度に一つのログを読みます。「{name:raw}」を使いました。同じ形式の複数ファイルは、コマンドラインでフォルダーとして渡せます。",
    ),
    "desk.reading": ("How the log is read", "日志如何读取", "ログの読み方"),
    "desk.format": ("Format", "格式", "形式"),
    "desk.format.auto": ("told by its content", "按内容识别", "内容から判別"),
    "desk.zone": ("Time zone of times that name none", "未注明时区的时间按", "時差のない時刻の時間帯"),
    "desk.maps": ("Columns", "列对应", "列の対応"),
    "desk.maps.example": (
        "input=prompt_tokens, model==gpt-5-mini",
        "input=prompt_tokens, model==gpt-5-mini",
        "input=prompt_tokens, model==gpt-5-mini",
    ),
    "desk.maps.note": (
        "Columns: what it is = the log's column, or == a fixed value; commas between. Known are time, model, input, output, cache_read, requests and more.",
        "列对应：含义=日志中的列名，或==固定值；以逗号分隔。可用 time、model、input、output、cache_read、requests 等。",
        "列の対応：意味＝ログの列名、または＝＝固定値。カンマで区切ります。time、model、input、output、cache_read、requests などが使えます。",
    ),
    "desk.only": ("Requests for", "只算请求", "対象のリクエスト"),
    "desk.only.all": ("all models", "全部模型", "すべてのモデル"),
    "desk.date": ("Offers as of", "报价截至", "料金の基準日"),
    "desk.currency": ("Currency", "货币", "通貨"),
    "desk.as_of": ("offers as of {day:date}", "报价截至 {day:date}", "料金は {day:date} 時点"),
    # Under way, and what went wrong
    "desk.cancel": ("Stop", "停止", "中止"),
    "desk.stopped": ("Stopped.", "已停止。", "中止しました。"),
    "desk.again": ("Once more", "再来一次", "もう一度"),
    "desk.fault.here": (
        "Format, columns and time zone can be set above, under “How the log is read”.",
        "格式、列对应和时区可在上方“日志如何读取”中设定。",
        "形式、列の対応、時間帯は、上の「ログの読み方」で指定できます。",
    ),
    "desk.progress.taking": ("taking the log …", "正在接收日志…", "ログを受け取っています…"),
    "desk.progress.sample": ("making the sample …", "正在生成示例…", "サンプルを作っています…"),
    "desk.progress.reading": ("reading the log …", "正在读取日志…", "ログを読んでいます…"),
    "desk.progress.catalogue": (
        "opening the catalogue of offers …",
        "正在打开报价目录…",
        "料金カタログを開いています…",
    ),
    "desk.progress.billing": (
        "billing the log on every offer …",
        "正在按每个报价计费…",
        "すべての料金で計算しています…",
    ),
    "desk.progress.choosing": (
        "choosing what to compare …",
        "正在挑选候选…",
        "比べる候補を選んでいます…",
    ),
    "desk.progress.drawing": ("drawing futures …", "正在抽取未来…", "将来を引いています…"),
    "desk.progress.surfaces": (
        "what each offer would cost under every load …",
        "正在计算各报价在各种负载下的费用…",
        "負荷ごとの費用を計算しています…",
    ),
    "desk.progress.fitting": ("fitting strategies …", "正在拟合策略…", "戦略を当てはめています…"),
    "desk.progress.judging": (
        "judging them on fresh futures …",
        "正在用新的未来检验…",
        "新しい将来で確かめています…",
    ),
    "desk.progress.why": (
        "why it costs what it costs …",
        "正在分解费用成因…",
        "費用の理由を調べています…",
    ),
    "desk.more_futures": ("More futures:", "更多未来：", "将来を増やしています："),
    "desk.few": (
        "first answer from {draws:num} of {of:num} futures",
        "先用 {of:num} 个未来中的 {draws:num} 个作答",
        "まず {of:num} 通り中 {draws:num} 通りの将来で答えています",
    ),
    # What is shown
    "desk.view.bills": ("Bill today", "今日账单", "今日の請求"),
    "desk.view.outlook": ("Outlook", "展望", "見通し"),
    "desk.vendor": ("Vendor", "厂商", "会社"),
    "desk.vendor.all": ("All vendors", "全部厂商", "すべての会社"),
    "desk.open_bill": ("Open its bill and sources", "打开其账单与出处", "請求の内訳と出典を開く"),
    "desk.sources": (
        "Every number opens its bill: lines, sources, the day each was read, confidence.",
        "点击任一数字可打开其账单：明细、出处、读取日期、可信度。",
        "どの数字からも内訳が開きます（明細・出典・読み取り日・確度）。",
    ),
    "desk.not_here": (
        "“{offer:raw}” is not among the offers billed here.",
        "“{offer:raw}”不在此处已计费的报价中。",
        "「{offer:raw}」はここで計算した料金にありません。",
    ),
    # The team
    "desk.team": ("The team", "团队", "チーム"),
    "desk.team.note": (
        "What is left empty stands as assumed; every assumption is listed below the outlook.",
        "留空处按假设计；全部假设列于展望之后。",
        "空欄は仮定のままです。仮定はすべて見通しの下にあります。",
    ),
    "desk.team.growth": ("Growth, % a month", "增长，%／月", "伸び（%／月）"),
    "desk.team.day": ("An engineer's day costs", "一个工程师日的成本", "技術者一日の費用"),
    "desk.team.present": ("Offer in use", "现用报价", "使用中の料金"),
    "desk.team.months": ("Months in use", "已用月数", "使用月数"),
    "desk.team.draws": ("Futures", "未来个数", "将来の数"),
    "desk.begin": ("Look ahead", "展望未来", "先を見る"),
    "desk.yaml": (
        "Everything else, as a team's file (YAML)",
        "其余设置：团队文件（YAML）",
        "その他すべて：チームのファイル（YAML）",
    ),
    "desk.yaml.note": (
        "While there is text here it counts alone. Take the # from the lines you know something about.",
        "此处有文字时，仅以此为准。了解的行去掉开头的 #。",
        "ここに文字がある間は、これだけが使われます。分かる行の # を外してください。",
    ),
    "desk.yaml.fill": ("Put in the template", "填入模板", "ひな形を入れる"),
    "desk.yaml.apply": ("Apply (Ctrl+Enter)", "应用（Ctrl+Enter）", "適用（Ctrl+Enter）"),
    "desk.yaml.clear": ("Clear", "清空", "消す"),
    # What can be taken away
    "desk.take.csv": ("Bills as CSV", "账单 CSV", "請求の CSV"),
    "desk.take.report": ("report.html", "report.html", "report.html"),
    "desk.take.advice": ("advice.html", "advice.html", "advice.html"),
    "desk.take.gateway": ("Gateway files (zip)", "网关文件（zip）", "ゲートウェイ設定（zip）"),
    "desk.taking": ("Making {name:raw} …", "正在生成 {name:raw}…", "{name:raw} を作っています…"),
    "desk.copy.command": ("Copy as command", "复制为命令", "コマンドをコピー"),
    "desk.copy.python": ("Copy as Python", "复制为 Python", "Python をコピー"),
    "desk.copied.command": (
        "Command copied; run it in the log's folder",
        "命令已复制，请在日志所在文件夹运行",
        "コマンドをコピーしました。ログのフォルダーで実行してください",
    ),
    "desk.copied.python": (
        "Python copied; run it in the log's folder",
        "Python 代码已复制，请在日志所在文件夹运行",
        "Python をコピーしました。ログのフォルダーで実行してください",
    ),
}

ADVICE: Final = advice_words.catalogue()

WORDS: Final[dict[str, tuple[str, str, str]]] = (
    OWN
    | {f"desk.bill/{key}": texts for key, texts in report_words.WORDS.items()}
    | {
        f"desk.advice/{key}": (
            ADVICE[LANGUAGES[0]][key],
            ADVICE[LANGUAGES[1]][key],
            ADVICE[LANGUAGES[2]][key],
        )
        for key in ADVICE[LANGUAGES[0]]
    }
)
