"""The bundled markets' conduct is an equilibrium of the market as it is, not of one it once was.

Best replies are found on some futures and their gain is taken on others, since what is found best on few
futures is best on these by luck too.
"""

import numpy as np
import pytest

from pricewar.market import conduct, definition
from pricewar.market import kernel as k

FOUND, JUDGED = range(500, 540), range(1000, 1120)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["china-2024", "global-2025"])
def test_nobody_gains_much_by_another_conduct(name: str) -> None:
    market = definition.market(name)
    found = conduct._Game(market, tuple(FOUND), None)
    judged = conduct._Game(market, tuple(JUDGED), None)
    fields = [k.VENDOR_FIELDS.index(choice) for choice in conduct.CHOICES]
    own = market.v[np.ix_(found.who, fields)]
    before = judged(own)
    gains = []
    for n, vendor in enumerate(judged.who):
        other = own.copy()
        other[n] = found.reply(own, n, (0, 1, 2))[0]
        gains.append((judged(other) - before)[vendor] / np.abs(before[judged.who]).sum())
    assert max(gains) < 0.015
