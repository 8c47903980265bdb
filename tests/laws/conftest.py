"""Laws of billing compare with the plain reference that stands beside the bills."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "bills"))
