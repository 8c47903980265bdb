"""pricewar: what a price war among LLM vendors does next, and what a cheap or free model really costs."""

__version__ = "0.1.0"
