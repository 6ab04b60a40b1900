"""Names of dltool's modules before version 0.2, for trusted files that import them.

A run records the SHA-256 of its trusted code, so its owner cannot edit an import and resume. The former names therefore
work as long as runs of 0.1 can be resumed; each prints a note once.
"""

import importlib
import importlib.abc
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from dltool.core.deprecation import note_former_name

FORMER_NAMES = {
    "dltool.batch": "dltool.core.batch",
    "dltool.cli.api": "dltool.api",
    "dltool.component": "dltool.declarations.component",
    "dltool.config.kinds": "dltool.declarations.kinds",
    "dltool.config.source": "dltool.declarations.source",
    "dltool.construct": "dltool.declarations.construct",
    "dltool.data.looks": "dltool.data.digit_styles",
    "dltool.data.made_up_pairs": "dltool.data.synthetic_pairs",
    "dltool.docstrings": "dltool.declarations.docstrings",
    "dltool.errors": "dltool.core.errors",
    "dltool.following": "dltool.engine.monitored_metric",
    "dltool.generation": "dltool.decoding",
    "dltool.generation.sampling": "dltool.decoding.sampling",
    "dltool.generation.search": "dltool.decoding.beam_search",
    "dltool.hints": "dltool.core.hints",
    "dltool.judging": "dltool.sample_quality",
    "dltool.judging.attach": "dltool.build.sample_quality",
    "dltool.judging.classifier": "dltool.sample_quality.classifier",
    "dltool.judging.inception": "dltool.sample_quality.inception",
    "dltool.judging.judge": "dltool.sample_quality.evaluator",
    "dltool.judging.reference_classifier": "dltool.sample_quality.reference_classifier",
    "dltool.losses.game": "dltool.losses.gan_loss",
    "dltool.metrics.chosen": "dltool.build.metrics",
    "dltool.numerals": "dltool.core.numerals",
    "dltool.observers.drawing": "dltool.figures.drawing",
    "dltool.observers.fonts": "dltool.figures.fonts",
    "dltool.observers.observer": "dltool.engine.observer",
    "dltool.observers.tiles": "dltool.figures.tiles",
    "dltool.patterns": "dltool.core.patterns",
    "dltool.randomness": "dltool.core.randomness",
    "dltool.registry": "dltool.declarations.registry",
    "dltool.runs.status": "dltool.observers.status_file",
    "dltool.schema": "dltool.declarations.schema",
    "dltool.session": "dltool.training.session",
    "dltool.settings": "dltool.config.settings",
    "dltool.shell": "dltool.core.shell",
    "dltool.spec": "dltool.core.spec",
    "dltool.summary": "dltool.introspection.summary",
    "dltool.trust.declarations": "dltool.declarations.registration",
    "dltool.trust.record": "dltool.config.trusted_code",
    "dltool.warm_start.start": "dltool.warm_start.load",
}


def current_name(module: str) -> str:
    """The current name of a module."""
    return FORMER_NAMES.get(module, module)


class FormerNameLoader(importlib.abc.Loader):
    """Returns the module of the current name, the same object."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        now = FORMER_NAMES[spec.name]
        note_former_name(spec.name, now)
        return importlib.import_module(now)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module has been run under its current name."""


class FormerNameFinder(importlib.abc.MetaPathFinder):
    """Finds modules by their former names, and no others."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, FormerNameLoader()) if fullname in FORMER_NAMES else None
