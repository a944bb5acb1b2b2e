"""Leave modules out of an import: for what a library imports at its top and uses in corners that nobody here visits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def put_off(*names: str) -> Iterator[None]:
    """Within, importing one of these gives a stand-in, which imports the module when it is asked for something of it.

    A module that was imported before stays; afterwards, importing one gives the module itself.
    """
    stand_ins = {name: _stand_in(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            _step_aside(name, stand_in)


def _stand_in(name: str) -> ModuleType:
    module = ModuleType(name)

    def ask(attribute: str) -> Any:
        _step_aside(name, module)
        return getattr(import_module(name), attribute)

    vars(module)["__getattr__"] = ask  # which Python asks for what a module has not got
    return module


def _step_aside(name: str, stand_in: ModuleType) -> None:
    if sys.modules.get(name) is stand_in:
        del sys.modules[name]
