"""Where dltool's own files are."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
INSIDE = PACKAGE / "configs"
CONFIGS = INSIDE if INSIDE.is_dir() else PACKAGE.parent / "configs"  # In the wheel, or next to the package.
TEMPLATE = PACKAGE / "template"  # The files that `dltool init` copies: user code, not dltool's.
NOTEBOOK = PACKAGE / "manual" / "notebooks" / "first_hour.ipynb"  # Copied by `dltool init --notebook`.
EXAMPLES = PACKAGE / "examples"  # One file for each kind of component, copied by `dltool init --example`.
