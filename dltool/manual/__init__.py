"""The manual: Markdown pages in this folder, and what finds and generates them."""
