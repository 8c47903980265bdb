"""Which offers a log is laid beside unless someone names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pricewar.offers.catalogue import Catalogue, Offer

MAIN_VENDORS = frozenset(
    {
        *("anthropic", "openai", "google", "mistral", "deepseek", "x-ai", "groq", "cerebras", "cohere"),
        *("moonshotai", "zai", "meta", "minimax"),
    }
)
NOT_CHAT = (
    *("embed", "tts", "whisper", "image", "audio", "live", "realtime", "transcribe", "moderation"),
    *("rerank", "guard", "ocr", "ft:", "search-preview", "deep-research", "computer-use", "robotics"),
    *("davinci", "babbage"),
)


def comparable(catalogue: Catalogue) -> list[Offer]:
    """What a log is billed on unless asked: own records, and main vendors' current chat models."""
    chosen: list[Offer] = []
    for offer in catalogue.offers.values():
        record = offer.latest
        if not offer.own:
            if record.vendor not in MAIN_VENDORS or (record.note or "").startswith("no longer recommended"):
                continue
            if any(word in record.models[0].name.lower() for word in NOT_CHAT):
                continue
            if not any(rate.output is not None for rate in record.rates):
                continue
        chosen.append(offer)
    return chosen
