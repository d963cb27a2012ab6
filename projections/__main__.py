"""`python -m projections worker VIEW [GENERATION]`."""

import sys

from projections import process
from projections.views import VIEWS

match sys.argv[1:]:
    case ["worker", name] if name in VIEWS:
        process.run(name)
    case ["worker", name, generation] if name in VIEWS:
        process.run(name, generation)
    case _:
        sys.exit(f"usage: python -m projections worker {{{','.join(VIEWS)}}} [GENERATION]")
