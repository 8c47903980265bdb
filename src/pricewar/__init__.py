"""pricewar: what a price war among LLM vendors does next, and what a cheap or free model really costs."""

from importlib.metadata import version

__version__ = version("pricewar")
