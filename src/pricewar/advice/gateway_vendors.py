"""How LiteLLM calls each vendor: provider prefix, where the key is taken from, the address if it needs one.

Prefixes and names of keys are those of LiteLLM 1.106.2, whose documentation has a page for each
(docs.litellm.ai/docs/providers/…); `tests/gateway` asks the installed LiteLLM whether it knows them. Vendors
that LiteLLM lacks are reached as OpenAI-compatible ones at the address their own documentation gives (read
2026-11-22). A vendor in neither table is taken to be OpenAI-compatible too, at an address the team fills in,
and the hand-off says that nobody has checked it.
"""

from __future__ import annotations

from dataclasses import dataclass

DOCS = "https://docs.litellm.ai/docs/providers/"


@dataclass(frozen=True)
class Provider:
    """One vendor for LiteLLM.

    Attributes:
        prefix: what stands before the model.
        key: environment variable that holds the key.
        source: where that is documented; None: nowhere, it is assumed.
        base: address, or None where LiteLLM knows it; `os.environ/NAME` where the team must say it.
        more: further parameters and the environment variable each is taken from.
    """

    prefix: str
    key: str
    source: str | None
    base: str | None = None
    more: tuple[tuple[str, str], ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """Environment variables that must be set."""
        base = self.base or ""
        base = (base.removeprefix("os.environ/"),) if base.startswith("os.environ/") else ()
        return (self.key, *base, *(name for _, name in self.more))


def _known(prefix: str, key: str, page: str | None = None, **more: str | None) -> Provider:
    return Provider(prefix, key, DOCS + (page or prefix), more.get("base"))


PROVIDERS = {
    "alibaba": _known("dashscope", "DASHSCOPE_API_KEY"),
    "alibaba-intl": _known("qwencloud", "QWENCLOUD_API_KEY", "dashscope"),
    "anthropic": _known("anthropic", "ANTHROPIC_API_KEY"),
    "aws": Provider(
        "bedrock", "AWS_ACCESS_KEY_ID", DOCS + "bedrock", None,
        (("aws_secret_access_key", "AWS_SECRET_ACCESS_KEY"), ("aws_region_name", "AWS_REGION_NAME")),
    ),
    "azure": Provider(
        "azure", "AZURE_API_KEY", DOCS + "azure", "os.environ/AZURE_API_BASE",
        (("api_version", "AZURE_API_VERSION"),),
    ),
    "baidu": Provider(
        "openai", "QIANFAN_API_KEY", "https://cloud.baidu.com/doc/WENXINWORKSHOP/s/2m3fihw8s",
        "https://qianfan.baidubce.com/v2",
    ),
    "baseten": _known("baseten", "BASETEN_API_KEY"),
    "cerebras": _known("cerebras", "CEREBRAS_API_KEY"),
    "chutes": _known("chutes", "CHUTES_API_KEY"),
    "cloudflare": _known("cloudflare", "CLOUDFLARE_API_KEY", "cloudflare_workers",
                         base="os.environ/CLOUDFLARE_API_BASE"),
    "cohere": _known("cohere_chat", "COHERE_API_KEY", "cohere"),
    "deepseek": _known("deepseek", "DEEPSEEK_API_KEY"),
    "deepseek-cn": _known("deepseek", "DEEPSEEK_API_KEY"),
    "fireworks": _known("fireworks_ai", "FIREWORKS_AI_API_KEY"),
    "github": _known("github", "GITHUB_API_KEY"),
    "google": _known("gemini", "GEMINI_API_KEY"),
    "groq": _known("groq", "GROQ_API_KEY"),
    "huggingface": _known("huggingface", "HUGGINGFACE_API_KEY"),
    "hyperbolic": _known("hyperbolic", "HYPERBOLIC_API_KEY"),
    "iflytek": Provider(
        "openai", "SPARK_API_PASSWORD", "https://docs.iflyaicloud.com/doc/237",
        "https://spark-api-open.xf-yun.com/v1",
    ),
    "minimax": _known("minimax", "MINIMAX_API_KEY"),
    "minimax-cn": Provider(
        "openai", "MINIMAX_CN_API_KEY", "https://platform.minimaxi.com/docs/api-reference/text-openai-api",
        "https://api.minimaxi.com/v1",
    ),
    "mistral": _known("mistral", "MISTRAL_API_KEY"),
    "moonshot": _known("moonshot", "MOONSHOT_API_KEY"),
    "moonshotai": _known("moonshot", "MOONSHOT_API_KEY"),
    "nebius": _known("nebius", "NEBIUS_API_KEY"),
    "novita": _known("novita", "NOVITA_API_KEY"),
    "nvidia": _known("nvidia_nim", "NVIDIA_NIM_API_KEY"),
    "openai": _known("openai", "OPENAI_API_KEY"),
    "openrouter": _known("openrouter", "OPENROUTER_API_KEY"),
    "ovhcloud": _known("ovhcloud", "OVHCLOUD_API_KEY"),
    "perplexity": _known("perplexity", "PERPLEXITYAI_API_KEY"),
    "sambanova": _known("sambanova", "SAMBANOVA_API_KEY"),
    "scaleway": _known("scaleway", "SCW_SECRET_KEY"),
    "siliconflow": Provider(
        "openai", "SILICONFLOW_API_KEY", "https://docs.siliconflow.com/llms-full.txt",
        "os.environ/SILICONFLOW_API_BASE",
    ),
    "stepfun": Provider(
        "openai", "STEPFUN_API_KEY", "https://platform.stepfun.com/docs/overview/quickstart",
        "https://api.stepfun.com/v1",
    ),
    "tencent": Provider(
        "openai", "HUNYUAN_API_KEY", "https://cloud.tencent.com/document/product/1729/111007",
        "https://api.hunyuan.cloud.tencent.com/v1",
    ),
    "together": _known("together_ai", "TOGETHERAI_API_KEY", "togetherai"),
    "vercel": _known("vercel_ai_gateway", "VERCEL_AI_GATEWAY_API_KEY"),
    "volcengine": _known("volcengine", "VOLCENGINE_API_KEY", "volcano"),
    "x-ai": _known("xai", "XAI_API_KEY"),
    "xai": _known("xai", "XAI_API_KEY"),
    "zai": _known("zai", "ZAI_API_KEY"),
    "zhipu": Provider(
        "openai", "ZHIPU_API_KEY", "https://docs.bigmodel.cn/cn/guide/develop/http/introduction",
        "https://open.bigmodel.cn/api/paas/v4",
    ),
}  # fmt: skip
PROVIDERS["zhipuai"] = PROVIDERS["zhipu"]

NOT_EXPRESSED = {
    "cursor": "sold inside an editor, not as an interface of its own",
    "elevenlabs": "not a vendor of chat models",
    "github-copilot": "signs in by device, not by a key in the environment",
    "openai-decisions": "not an interface one can call",
    "voyageai": "not a vendor of chat models",
}
"""Vendors whose offers a proxy configuration cannot hold, and why."""


def provider_of(vendor: str) -> Provider | None:
    """How LiteLLM calls `vendor`; None where a proxy cannot (`NOT_EXPRESSED` says why)."""
    if vendor in NOT_EXPRESSED:
        return None
    if vendor in PROVIDERS:
        return PROVIDERS[vendor]
    if vendor.startswith("huggingface_"):  # routed by Hugging Face to a partner
        return Provider(f"huggingface/{vendor.removeprefix('huggingface_')}", "HUGGINGFACE_API_KEY",
                        DOCS + "huggingface")  # fmt: skip
    name = "".join(letter if letter.isalnum() else "_" for letter in vendor).upper()
    return Provider("openai", f"{name}_API_KEY", None, f"os.environ/{name}_API_BASE")
