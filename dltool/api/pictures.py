"""Pictures in memory, as a notebook shows them."""

import base64
import html
from collections.abc import Mapping
from pathlib import Path

from dltool.report.captions import caption_of

TYPES = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml", ".pdf": "application/pdf"}


class Pictures:
    """Named pictures: a notebook shows them below each other, `pictures.save(FOLDER)` writes them.

    Attributes:
        files: The content of each picture by its file name.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)

    def __repr__(self) -> str:
        return f"<Pictures {', '.join(self.files)}>"

    def _repr_html_(self) -> str:
        return "".join(figure(name, content) for name, content in self.files.items())

    def save(self, folder: str | Path) -> list[Path]:
        """Write each picture into a folder, which is created; returns the files."""
        target = Path(folder).expanduser()
        target.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            (target / name).write_bytes(content)
        return [target / name for name in self.files]


def figure(name: str, content: bytes, width: str = "") -> str:
    """A picture with its caption, as HTML that contains it; a PDF is only named."""
    path = Path(name)
    kind = TYPES[path.suffix]
    if not kind.startswith("image/"):
        return f"<div>{html.escape(name)}</div>"
    caption = caption_of(path.stem)
    text = (
        f'<figcaption style="max-width:60em">{html.escape(caption.text)}</figcaption>'
        if caption.section and caption.text
        else ""
    )
    return (
        f'<figure style="margin:0 0 1em"><img style="max-width:100%;{width}" alt="{html.escape(caption.title)}" '
        f'src="data:{kind};base64,{base64.b64encode(content).decode()}">{text}</figure>'
    )
