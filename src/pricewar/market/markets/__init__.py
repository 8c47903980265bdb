"""Definitions of the bundled markets, one YAML file each; how they are read: `pricewar.market.definition`."""
