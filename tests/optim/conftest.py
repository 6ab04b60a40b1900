from types import SimpleNamespace

import pytest


@pytest.fixture
def settings():
    """Make a config as `requires` sees it: settings(optim={"lr": 0.1}).optim.lr."""
    return lambda **groups: SimpleNamespace(**{name: SimpleNamespace(**fields) for name, fields in groups.items()})
