from dltool.core.safe_path import SafePath
from dltool.observers.csv_log import CsvLog
from dltool.observers.jsonl import JsonlLog
from dltool.observers.line_file import LineFile
from dltool.runs.records import read_records


def test_lines_that_may_wait_are_written_with_the_next_that_may_not(tmp_path):
    lines = LineFile(SafePath(tmp_path, "log"))
    lines.add(b"1\n")
    lines.add(b"2\n", may_wait=True)
    lines.add(b"3\n", may_wait=True)
    assert (tmp_path / "log").read_bytes() == b"1\n"
    lines.add(b"4\n")
    assert (tmp_path / "log").read_bytes() == b"1\n2\n3\n4\n"


def test_they_do_not_wait_for_long(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("dltool.observers.line_file.time.monotonic", lambda: now[0])
    lines = LineFile(SafePath(tmp_path, "log"))
    lines.add(b"1\n", may_wait=True)  # The first: nothing was written for long.
    now[0] += 0.4
    lines.add(b"2\n", may_wait=True)
    assert (tmp_path / "log").read_bytes() == b"1\n"
    now[0] += 0.2
    lines.add(b"3\n", may_wait=True)
    assert (tmp_path / "log").read_bytes() == b"1\n2\n3\n"


def test_a_sync_and_a_close_write_what_waits(tmp_path):
    lines = LineFile(SafePath(tmp_path, "log"))
    lines.sync()  # There is no file yet.
    assert not (tmp_path / "log").exists()
    lines.add(b"1\n")
    lines.add(b"2\n", may_wait=True)
    lines.sync()
    assert (tmp_path / "log").read_bytes() == b"1\n2\n"
    lines.add(b"3\n", may_wait=True)
    lines.close()
    assert (tmp_path / "log").read_bytes() == b"1\n2\n3\n"
    lines.add(b"4\n")
    assert (tmp_path / "log").read_bytes().endswith(b"4\n")


def test_a_new_column_in_the_middle_loses_no_row(run):
    log, table = JsonlLog(run.metrics), CsvLog(run, print)
    table.open([])
    for step in range(6):
        extra = {"step/accuracy": 0.5} if step == 4 else {}
        record = {"step": step, "epoch": 0, "split": "step", "step/loss": 1.0, **extra}
        log.on_record(record)
        table.on_record(record)
    log.on_end()
    table.close("finished")
    assert [record["step"] for record in read_records(run.metrics)] == list(range(6))
    rows = (run.path / "metrics.csv").read_text().splitlines()
    assert rows[0] == "step,epoch,split,loss,accuracy"
    assert [row.split(",")[0] for row in rows[1:]] == list("012345")
