"""Other tools that price requests, each in an environment of its own, on the same rows.

`measure` makes the environment where it is missing and runs this very file there, with the peer's Python; so
what runs there imports nothing but the peer and the standard library.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

ENVIRONMENTS = Path(__file__).parent / ".envs"
PEERS = ("genai-prices", "litellm", "tokencost")
MAKE_SECONDS, RUN_SECONDS = 300, 180


def measure(peer: str, sample: Path) -> dict:
    """{rows, priced, seconds, version} of the best of three passes over the sample, or {why}."""
    python = ENVIRONMENTS / peer / "bin" / "python"
    try:
        ready = python.exists() and subprocess.run([python, "-m", "pip", "show", "-q", peer], timeout=60)
        if not ready or ready.returncode:
            _quiet([sys.executable, "-m", "venv", str(ENVIRONMENTS / peer)], MAKE_SECONDS)
            install = ["-m", "pip", "--disable-pip-version-check", "install", "-q", peer]
            _quiet([str(python), *install], MAKE_SECONDS)
        out = _quiet([str(python), __file__, peer, str(sample)], RUN_SECONDS)
        return json.loads(out.splitlines()[-1])
    except subprocess.TimeoutExpired as late:
        return {"why": f"no answer within {late.timeout:.0f} s"}
    except subprocess.CalledProcessError as failed:
        lines = [line for line in (failed.stderr or "").splitlines() if line.strip()]
        return {"why": lines[-1][:100] if lines else f"exit code {failed.returncode}"}
    except (OSError, ValueError, IndexError) as error:
        return {"why": str(error)[:100]}


def _quiet(command: list[str], seconds: int) -> str:
    done = subprocess.run(
        command,
        timeout=seconds,
        check=True,
        capture_output=True,
        text=True,
        # litellm would otherwise fetch its price map when imported
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )
    return done.stdout


def price(peer: str, sample: list[list]) -> tuple[int, float]:
    """(rows that got a price, CPU seconds of the best of three passes)."""
    if peer == "genai-prices":
        from genai_prices import Usage, calc_price

        def one(time, vendor, model, prompt, cached, answer):
            usage = Usage(input_tokens=prompt, cache_read_tokens=cached, output_tokens=answer)
            return calc_price(
                usage, model_ref=model, provider_id=vendor, genai_request_timestamp=time
            ).total_price
    elif peer == "litellm":
        import litellm

        def one(_, vendor, model, prompt, cached, answer):
            names = {"google": "gemini", "x-ai": "xai", "cohere": "cohere_chat"}
            return sum(
                litellm.cost_per_token(
                    model=model,
                    custom_llm_provider=names.get(vendor, vendor),
                    prompt_tokens=prompt,
                    completion_tokens=answer,
                    cache_read_input_tokens=cached,
                )
            )
    else:
        from tokencost import calculate_cost_by_tokens

        def one(_time, _vendor, model, prompt, _cached, answer):
            return calculate_cost_by_tokens(prompt, model, "input") + calculate_cost_by_tokens(
                answer, model, "output"
            )

    rows = [(datetime.fromisoformat(at), *rest) for at, *rest in sample]
    unknown = set()
    for row in rows:  # not counted: names that a peer does not know cost it an exception each
        if row[1:3] not in unknown:
            try:
                one(*row)
            except Exception:
                unknown.add(row[1:3])
    known = [row for row in rows if row[1:3] not in unknown]
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for row in known:
            one(*row)
        best = min(best, time.process_time() - began)
    return len(known), best


def main() -> None:
    """In the peer's environment: price the sample and say how long it took."""
    from importlib.metadata import version

    peer, sample = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    priced, seconds = price(peer, sample)
    print(json.dumps({"rows": len(sample), "priced": priced, "seconds": seconds, "version": version(peer)}))


if __name__ == "__main__":
    main()
