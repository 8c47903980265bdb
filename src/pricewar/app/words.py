# ruff: noqa: E501 - a sentence is translated more safely when it stands on one line
"""Every word of the app in every language: key → (English, 简体中文, 日本語).

Places as in `report.words`. Each tab has its own table (`words_war`, `words_desk`, `words_games`), whose keys begin
with the tab's name; here stands what is around them, and `catalogue` joins all with the words the report shares.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from pricewar.report.war_words import WORDS as REPORTED_WAR
from pricewar.report.words import LANGUAGES
from pricewar.report.words import WORDS as REPORTED

SHARED: Final = ("language", "theme", "theme.light", "theme.dark", "unknown", "range", "data", "none", "free")  # fmt: skip
SHARED_WAR: Final = ("chart.alt", "yes", "no")

WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "title": ("Price war", "价格战", "価格戦争"),
    "skip": ("Skip to the content", "跳到正文", "本文へ移動"),
    "noscript": (
        "This page needs JavaScript; `pricewar war`, `pricewar bill` and `pricewar games` answer without it.",
        "此页需要 JavaScript；`pricewar war`、`pricewar bill` 和 `pricewar games` 无需它也能回答。",
        "このページには JavaScript が必要です。`pricewar war`、`pricewar bill`、`pricewar games` なら不要です。",
    ),
    "tabs": ("Parts of the page", "页面各部分", "ページの区分"),
    "tab.war": ("War room", "推演室", "作戦室"),
    "tab.desk": ("Desk", "工作台", "デスク"),
    "tab.games": ("Games", "博弈", "ゲーム"),
    "tab.failed": (
        "“{tab:raw}” could not be loaded.",
        "“{tab:raw}”无法载入。",
        "「{tab:raw}」を読み込めませんでした。",
    ),
    "theme.auto": ("As the system", "跟随系统", "システム設定"),
    "undo": ("Undo (Ctrl+Z)", "撤销（Ctrl+Z）", "元に戻す（Ctrl+Z）"),
    "redo": ("Redo (Ctrl+Y)", "重做（Ctrl+Y）", "やり直す（Ctrl+Y）"),
    "copy.link": ("Copy link", "复制链接", "リンクをコピー"),
    "copy.by_hand": (
        "The browser did not allow copying; take it from here:",
        "浏览器不允许复制，请手动复制：",
        "ブラウザーがコピーを許可しません。ここから写してください：",
    ),
    "copied": ("Copied", "已复制", "コピーしました"),
    "copied.link": (
        "Link copied: it holds the whole state",
        "链接已复制，含全部状态",
        "リンクをコピーしました（状態はすべて含まれます）",
    ),
    "save": ("Save", "保存", "保存"),
    "notice.close": ("Close", "关闭", "閉じる"),
    "connection.closed": (
        "The server does not answer; trying again. If it was stopped, start `pricewar app` once more: this page carries on.",
        "服务器没有回应，正在重试。若已停止，请再次运行 `pricewar app`，本页会接着工作。",
        "サーバーが応答しません。再接続しています。止めた場合はもう一度 `pricewar app` を起動すれば、このページは続きから動きます。",
    ),
    "link.damaged": (
        "The link is damaged at “{part:raw}”; nothing of it was used.",
        "链接在“{part:raw}”处损坏，其内容未被采用。",
        "リンクが「{part:raw}」で壊れているため、内容は使いませんでした。",
    ),
    "internal error": (
        "Something went wrong inside; the terminal says more.",
        "内部出错，详情见终端。",
        "内部でエラーが起きました。詳しくは端末に出ています。",
    ),
}


@cache
def _every() -> dict[str, tuple[str, str, str]]:
    from pricewar.app import words_desk, words_games, words_war

    return (
        {key: REPORTED[key] for key in SHARED}
        | {key: texts for key, texts in REPORTED_WAR.items() if key in SHARED_WAR or key.startswith("stage.")}
        | WORDS
        | words_war.WORDS
        | words_desk.WORDS
        | words_games.WORDS
    )


def catalogue() -> dict[str, dict[str, str]]:
    """The words by language, as the page takes them."""
    return {
        lang: {key: texts[place] for key, texts in _every().items()} for place, lang in enumerate(LANGUAGES)
    }


def word(key: str, language: str) -> str:
    """One word or sentence in one language."""
    return _every()[key][LANGUAGES.index(language)]
