"""The views. A new one is one file here."""

import pkgutil
from importlib import import_module
from typing import Any

from projections.views.view import View

_MODULES: list[Any] = [
    import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__) if found.name != "view"
]
VIEWS: dict[str, View] = {view.NAME: view for view in _MODULES}
