"""Each promise in SECURITY.md names a test that exists."""

import ast
import re

from import_graph import PACKAGE

ROOT = PACKAGE.parent
ROW = re.compile(r"^\| (.+) \| (.*) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_each_promise_has_its_test() -> None:
    text = (ROOT / ".github" / "SECURITY.md").read_text(encoding="utf-8")
    promised = text.partition("## What is promised")[2].partition("## What is not promised")[0]
    rows = ROW.findall(promised)[1:]
    assert len(rows) > 10
    for promise, named in rows:
        found = TEST.fullmatch(named)
        assert found is not None, promise
        tree = ast.parse((ROOT / found[1]).read_text(encoding="utf-8"))
        assert found[2] in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, named
