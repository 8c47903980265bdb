"""The report as text: self-contained, inert, translated, small. How it looks is tested in tests/browser."""

import hashlib
import json
import os
import re
from base64 import b64encode
from html.parser import HTMLParser

import pytest
from made_up import HOSTILE, comparison, hostile

from pricewar import report
from pricewar.errors import ConfigurationError, DataError
from pricewar.report import CHART_CLASS, CHART_STYLE, HERE, MODULES, VENDORED
from pricewar.report.words import LANGUAGES, WORDS, catalogue


class Page(HTMLParser):
    """Elements with their attributes, and what stands inside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[tuple[str, dict[str, str | None], str]] = []
        self.inside: tuple[str, dict[str, str | None]] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.inside = tag, dict(attrs)

    def handle_endtag(self, tag):
        if self.inside and tag == self.inside[0]:
            self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.blocks.append((*self.inside, data))

    def data(self, identity: str):
        (text,) = [block for _, attributes, block in self.blocks if attributes.get("id") == identity]
        return json.loads(text)


@pytest.fixture(scope="module")
def page() -> str:
    return report.html(comparison())


def test_nothing_is_fetched(page):
    for tag, attributes in Page(page).elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "form"), tag
        for name in ("src", "srcset", "data", "action", "background", "poster"):
            assert name not in attributes, (tag, name)
        assert attributes.get("href", "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (
            tag,
            attributes,
        )
    assert "@import" not in (style := (HERE / "page" / "style.css").read_text("utf-8"))
    assert "url(" not in style


def test_policy_names_every_script_and_style(page):
    parsed = Page(page)
    (policy,) = [a["content"] for _, a in parsed.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    runs = [(tag, block) for tag, attributes, block in parsed.blocks if "type" not in attributes]
    assert [tag for tag, _ in runs] == ["style", "script", "script", "script"]
    for _, block in runs:
        assert b64encode(hashlib.sha256(block.encode()).digest()).decode() in policy
    assert policy.count("sha256-") == len(runs) + 1  # and the style Plot writes into each picture


def test_plot_writes_the_style_the_policy_allows():
    plot = (HERE / "vendor" / "plot" / "plot.umd.min.js").read_text("utf-8")
    written = re.search(r"[`](:where\(\.\$\{(\w+)\}\) \{.*?)`", plot, re.DOTALL)
    assert written is not None
    assert written[1].replace("\\n", "\n").replace("${" + written[2] + "}", CHART_CLASS) == CHART_STYLE
    assert f'PLOT_CLASS = "{CHART_CLASS}"' in (HERE / "charts" / "shared.js").read_text("utf-8")


def test_vendored_files_are_the_published_ones():
    vendor = HERE / "vendor"
    listed = dict(reversed(line.split("  ")) for line in (vendor / "SHA256SUMS").read_text().splitlines())
    found = {p.relative_to(vendor).as_posix() for p in vendor.rglob("*") if p.is_file()}
    assert found == {*listed, "SHA256SUMS", "README.md"}
    assert {name.split("/")[0] + "/LICENSE" for name in VENDORED} < set(listed)
    for name, sum_ in listed.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == sum_, name


def test_modules_are_modules_and_share_one_scope():
    """Every import names what the other file exports, and no two files declare the same name."""
    declared: dict[str, str] = {}
    exported: dict[str, set[str]] = {}
    for name in MODULES:
        text = (HERE / name).read_text("utf-8")
        assert "innerHTML" not in text
        assert "insertAdjacent" not in text
        assert "eval(" not in text
        exported[name] = set(re.findall(r"^export (?:function|class|const) (\w+)", text, re.MULTILINE))
        for word in re.findall(r"^(?:export )?(?:function|class|const|let) (\w+)", text, re.MULTILINE):
            assert declared.setdefault(word, name) == name, (
                f"{word} is declared in {declared[word]} and in {name}"
            )
        for names, path in re.findall(r"^import \{([^}]*)\} from \"([^\"]+)\";$", text, re.MULTILINE):
            folder = name.split("/")[0]
            other = (
                path.removeprefix("../") if path.startswith("../") else f"{folder}/{path.removeprefix('./')}"
            )
            assert {n.strip() for n in names.split(",")} <= exported[other], (name, path)


def test_every_word_in_every_language():
    for key, texts in WORDS.items():
        assert len(texts) == len(LANGUAGES), key
        assert all(texts), key
        places = [sorted(set(re.findall(r"\{(\w+(?::(?!\w*\|)\w+)?)\}", text))) for text in texts]
        assert all(p == places[0] for p in places), (key, places)
    assert {frozenset(words) for words in catalogue().values()} == {frozenset(WORDS)}


def test_every_word_used_is_in_the_catalogue():
    scripts = "\n".join((HERE / name).read_text("utf-8") for name in MODULES)
    template = (HERE / "page" / "report.html.j2").read_text("utf-8")
    used = set(re.findall(r"(?:word|text|sentence|[fF]igure)\(\s*\"([a-z_.]+)\"", scripts))
    used |= set(re.findall(r"data-word=\"([^\"]+)\"", template)) | set(
        re.findall(r"w\(\"([^\"]+)\"\)", template)
    )
    assert len(used) > 80
    assert used <= set(WORDS), used - set(WORDS)


def test_terms_and_kinds_billing_names_are_translated():
    for term in (
        "limit_hit",
        "allowance_used_up",
        "allowance_expired",
        "not_deferrable",
        "not_in_force",
        "request_too_large",
        "no_paid_rate",
        "peak_hours",
        "cliff",
        "minimum",
        "platform_fee",
        "rounding",
        "commitment",
        "prepayment",
        "pack_bought",
        "unused_forfeited",
        "unknown_limits",
        "unknown_value",
        "weak_source",
        "trains_on_data",
        "new_account_only",
        "ends_soon",
        "retired",
        "minute_limits_unknown",
        "other_model",
        "announced_rise",
        "list_price",
        "allowance",
        "cache_fallback",
        "tier",
        "window",
        "above",
    ):
        assert f"term.{term}" in WORDS
    kinds = ("list", "free", "grant", "pack", "introductory", "provisioned")
    shared = (HERE / "charts" / "shared.js").read_text("utf-8")
    assert all(f"kind.{kind}" in WORDS and f"{kind}: {{symbol" in shared for kind in kinds)


def test_hostile_names_stay_text():
    text = report.html(hostile())
    parsed = Page(text)
    calm = Page(report.html(comparison(offers=24, days=5)))
    assert [tag for tag, _ in parsed.elements if tag != "tr"] == [
        tag for tag, _ in calm.elements if tag != "tr"
    ]
    assert [len(parsed.blocks), len(calm.blocks)] == [6, 6]
    for unseen in ("\u202e", "\x1b", "\x07", "\u2028"):
        assert unseen not in text
    data = parsed.data("data")
    written = json.dumps(data, ensure_ascii=False)
    assert data["command"] == HOSTILE[1]  # unharmed, only unable to act
    assert "⟨U+202E⟩gnp.exe⟨U+202C⟩" in written
    assert "␛[31mred␛[0m␇" in written
    assert "⟨U+D800⟩" in written
    text.encode()


def test_figures_travel_as_they_came(page):
    data = Page(page).data("data")
    assert data["offers"] == comparison()["offers"]
    assert data["baseline"]["total"] == "412.33"
    assert data["offers"][-1]["total"]["mid"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_opens_in_the_language_asked_for(language):
    text = report.html(comparison(offers=3), language=language)
    assert f'data-language="{language}"' in text
    assert f"<title>{WORDS['title'][LANGUAGES.index(language)]} · pricewar</title>" in text


def test_unknown_language():
    with pytest.raises(ConfigurationError, match="choose one of en, zh, ja"):
        report.html(comparison(offers=3), language="tlh")


def test_what_json_cannot_hold():
    with pytest.raises(DataError, match="decimal text"):
        report.html(comparison(offers=3) | {"as_of": object()})
    with pytest.raises(DataError, match="decimal text"):
        report.html(comparison(offers=3) | {"as_of": float("nan")})


def test_small_enough(page):
    assert len(page.encode()) < 1_500_000
    assert len(report.html(comparison(offers=300)).encode()) < 1_500_000


def test_nothing_to_show():
    empty = {"currency": "USD", "pricewar": "0", "log": {}, "baseline": {}, "offers": [], "not_billed": []}
    assert "<h2 id=" in report.html(empty)
    assert "<h2 id=" in report.html({})


def test_same_input_same_file(page):
    assert report.html(comparison()) == page


def test_written_at_once(tmp_path):
    target = tmp_path / "report.html"
    target.write_text("old")
    assert report.write(target, comparison(offers=3), language="ja") == target
    assert 'data-language="ja"' in target.read_text("utf-8")
    with pytest.raises(DataError):
        report.write(target, {"offers": object()})
    assert 'data-language="ja"' in target.read_text("utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    mask = os.umask(0)
    os.umask(mask)
    if os.name == "posix":
        assert target.stat().st_mode & 0o777 == 0o666 & ~mask


def test_nowhere_to_write(tmp_path):
    with pytest.raises(ConfigurationError, match="a folder that exists"):
        report.write(tmp_path / "missing" / "report.html", comparison(offers=3))
    with pytest.raises(ConfigurationError, match="not a folder"):
        report.write(tmp_path, comparison(offers=3))
    assert not list(tmp_path.iterdir())
