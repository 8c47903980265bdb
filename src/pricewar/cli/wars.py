"""Records of earlier wars, read from the package for whoever shows them."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING

from pricewar.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from pricewar.market.records import War

_ROOM = "pricewar.market.wars"


def names() -> list[str]:
    """What `read` takes, in alphabetical order."""
    return sorted(p.name.removesuffix(".yaml") for p in files(_ROOM).iterdir() if p.name.endswith(".yaml"))


def read(name: str) -> War:
    """One record, validated.

    Raises:
        ConfigurationError: there is no such record.
        DefinitionError: the file contradicts the schema; names file, line and key.
    """
    from pricewar.definitions import load
    from pricewar.market.records import War

    if name not in names():
        raise ConfigurationError(
            f"no record of an earlier war “{name}”", remedy=did_you_mean(name, names()) or ", ".join(names())
        )
    with as_file(files(_ROOM) / f"{name}.yaml") as path:
        return load(path, name=f"wars/{name}.yaml")[0].validate(War)
