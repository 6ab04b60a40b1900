import os
import subprocess

import pytest

from dltool.runs.commit import checked_out_commit

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def repository(tmp_path):
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def git(*words, cwd=tmp_path):
        done = subprocess.run(["git", *words], cwd=cwd, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "first")
    return git


def test_nothing_of_the_repository_runs(repository, tmp_path):
    """As in a folder from an archive: its .git/config names programs that `git status` would start."""
    marker = tmp_path / "ran"
    script = tmp_path / "program.sh"
    script.write_text(f"#!/bin/sh\ntouch {marker}\n")
    script.chmod(0o755)
    commit = repository("rev-parse", "HEAD")
    for key in ("core.fsmonitor", "core.pager", "filter.x.clean", "filter.x.smudge", "core.sshCommand"):
        repository("config", key, str(script))
    (tmp_path / ".gitattributes").write_text("* filter=x\n")
    assert checked_out_commit(tmp_path) == commit
    assert not marker.exists()


def test_no_process_is_started(repository, tmp_path, monkeypatch):
    commit = repository("rev-parse", "HEAD")

    def start(*_words, **_options):
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(os, "system", start)
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert checked_out_commit(tmp_path / "a" / "b") == commit


def test_packed_detached_and_linked(repository, tmp_path):
    commit = repository("rev-parse", "HEAD")
    repository("pack-refs", "--all")
    assert checked_out_commit(tmp_path) == commit
    repository("worktree", "add", "-q", "-b", "other", str(tmp_path / "linked"))
    assert checked_out_commit(tmp_path / "linked") == commit
    repository("checkout", "-q", "--detach")
    assert checked_out_commit(tmp_path) == commit


def test_no_repository_no_commit(tmp_path):
    (tmp_path / ".git").mkdir()
    assert checked_out_commit(tmp_path) is None


@pytest.mark.parametrize(
    "head",
    ["", "ref: ../../etc/passwd", "ref: refs/../../secret", "no commit", SHA[:-1], "ref: refs/heads/a", "\xff\xfe"],
)
def test_a_head_that_names_no_commit(tmp_path, head):
    (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
    (tmp_path / ".git" / "HEAD").write_text(head, encoding="latin-1")
    (tmp_path / ".git" / "refs" / "heads" / "a").write_text("ref: refs/heads/a\n")
    assert checked_out_commit(tmp_path) is None


def test_a_pipe_in_place_of_head(tmp_path):
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git" / "HEAD")
    assert checked_out_commit(tmp_path) is None
