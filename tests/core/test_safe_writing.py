"""Whatever writes files passes dltool.core.safe_path, or stands in this list with the reason why it need not."""

import ast
from collections.abc import Iterator

from import_graph import PACKAGE

WRITERS = {
    *("write_text", "write_bytes", "mkdir", "makedirs", "touch", "symlink_to", "hardlink_to", "symlink", "rename"),
    *("renames", "unlink", "rmdir", "rmtree", "copy2", "copyfile", "copytree", "truncate", "ftruncate", "chmod"),
    *("NamedTemporaryFile", "TemporaryDirectory", "TemporaryFile", "mkdtemp", "mkstemp", "memmap", "tofile"),
    *("savefig", "save_file", "savetxt", "savez", "export_chrome_trace", "SummaryWriter", "JournalFileBackend"),
    *("FileHandler", "ZipFile", "extractall", "extract"),
}
OF_MODULE = {"os": {"remove", "replace"}, "shutil": {"copy", "move"}, "torch": {"save"}}
SAFE = "core/safe_path.py"
USERS_FILE = "a file or folder that the user names on the command line or in Python"
OWN = "called on a SafePath"
NEW = "creates the run folder itself, exclusively, below a folder of the user's; nothing in it is a stranger's yet"
PRIVATE = "a fresh private folder below the system's temporary folder"
CACHE = "a cache or data folder of the user's, never a run folder"
REMOVES = "removes without following a link"

EXCEPTIONS: dict[str, dict[str, str]] = {
    "api/page.py": {"mkdtemp": PRIVATE},
    "api/pictures.py": {"mkdir": USERS_FILE, "write_bytes": USERS_FILE},
    "api/run.py": {"TemporaryDirectory": PRIVATE},
    "bench/bench.py": {"TemporaryDirectory": PRIVATE},
    "bench/dltool_loop.py": {"open": "/dev/null"},
    "bench/peers.py": {"open": "/dev/null"},
    "bench/start.py": {"TemporaryDirectory": PRIVATE},
    "build/aside.py": {"TemporaryDirectory": PRIVATE},
    "cli/evaluate.py": {"open": USERS_FILE},
    "cli/init.py": {"mkdir": USERS_FILE, "write_bytes": USERS_FILE, "open": USERS_FILE},
    "cli/reference.py": {"mkdir": USERS_FILE, "write_text": USERS_FILE},
    "cli/request.py": {"open": USERS_FILE},
    "cli/schema.py": {"mkdir": USERS_FILE, "write_text": USERS_FILE},
    "core/output.py": {"open": "standard output and error, or /dev/null in their place"},
    "data/cifar.py": {"mkdir": CACHE, "write_bytes": CACHE},
    "data/download.py": dict.fromkeys(("mkdir", "NamedTemporaryFile", "chmod", "unlink", "open"), CACHE),
    "data/emnist.py": {"ZipFile": "reads"},
    "distributed/members.py": {"TemporaryFile": PRIVATE},
    "doctor/folders.py": {"TemporaryFile": "a file without a name, to try whether a folder of the user's is writable"},
    "engine/checkpoint.py": {"mkdir": "the folder above checkpoints/, which exists in a run", "rename": OWN},
    "engine/profiling.py": {"TemporaryDirectory": PRIVATE, "export_chrome_trace": PRIVATE},
    "figures/saving.py": {
        "mkdir": USERS_FILE,
        "savefig": f"{USERS_FILE}, or memory",
        "write_bytes": OWN,
        "unlink": USERS_FILE,
    },
    "inference/export.py": {
        "unlink": REMOVES,
        "rmdir": REMOVES,
        "open": "exclusive, below export/, which a SafePath has made",
    },
    "inference/translating.py": {"mkdir": USERS_FILE},
    "observers/jsonl.py": {"truncate": OWN},
    "observers/tensorboard_log.py": {
        "SummaryWriter": "a new file in tensorboard/, made and checked for links by SafePath.for_library"
    },
    "report/write.py": {"mkdir": USERS_FILE, "write_bytes": f"{USERS_FILE}, or {OWN}"},
    "runs/folder.py": {"mkdir": NEW, "rmtree": REMOVES},
    "runs/lock.py": {"mkdir": "the folder above the locked file", "truncate": "a file that a SafePath has opened"},
    "runs/removal.py": dict.fromkeys(("rmtree", "unlink", "rmdir"), REMOVES),
    "runs/summary_file.py": {"write_bytes": OWN},
    "sample_quality/reference_classifier.py": dict.fromkeys(
        ("rmtree", "mkdir", "save_file", "write_text", "rename"), CACHE
    ),
    "search/folder.py": {"mkdir": NEW, "rmtree": REMOVES, "unlink": REMOVES},
    "search/study.py": {
        "mkdir": NEW,
        "truncate": OWN,
        "JournalFileBackend": "Optuna opens journal.log by its path; a SafePath has opened and checked it before",
    },
    "training/check.py": {"TemporaryDirectory": PRIVATE},
    "training/trace.py": {"TemporaryDirectory": PRIVATE},
    "warm_start/published.py": {"mkdir": CACHE},
}


def writing_calls(tree: ast.AST) -> Iterator[str]:
    """The names of the calls that may create, change or remove a file."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        value = getattr(function, "value", None)
        owner = value.id if isinstance(value, ast.Name) else ""
        if (
            (name == "open" and (owner == "os" or any(map(is_writing_mode, [*node.args, *node.keywords]))))
            or name in WRITERS
            or name in OF_MODULE.get(owner, ())
        ):
            yield name


def is_writing_mode(argument: ast.AST) -> bool:
    value = argument.value if isinstance(argument, ast.keyword) else argument
    mode = value.value if isinstance(value, ast.Constant) else None
    return isinstance(mode, str) and set(mode) <= set("rwaxbt+") and bool(set(mode) & set("wax+"))


def found() -> dict[str, set[str]]:
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
    calls = {name: set(writing_calls(ast.parse(path.read_text(encoding="utf-8")))) for name, path in paths.items()}
    not_run = (SAFE, "examples/", "template/")  # What `dltool init` copies is the user's own code.
    return {name: names for name, names in calls.items() if names and not name.startswith(not_run)}


def test_every_write_passes_the_module_or_is_listed_with_a_reason():
    assert found() == {name: set(reasons) for name, reasons in EXCEPTIONS.items()}
    assert all(reason for reasons in EXCEPTIONS.values() for reason in reasons.values())


def test_the_scan_sees_writes():
    calls = """
open(path, "w"); path.open(mode="ab"); os.open(path, flags); path.write_text(text); os.replace(a, b)
torch.save(x, path); figure.savefig(path); shutil.rmtree(path)
"""
    names = ["open", "open", "open", "write_text", "replace", "save", "savefig", "rmtree"]
    assert sorted(writing_calls(ast.parse(calls))) == sorted(names)
    assert list(writing_calls(ast.parse('open(path); path.open("rb"); text.replace("a", "b"); items.remove(1)'))) == []


def test_every_read_of_a_run_folder_passes_the_other_module():
    """The packages that read run folders open no file by themselves, except what dltool itself brings along."""
    own = {
        "engine/device.py": "/proc/loadavg",
        "engine/profiling.py": "the private folder of the profiler",
        "inference/writers.py": "the file that was just exported, or named by the user",
        "report/page.py": "dltool's own templates",
        "search/experiment_header.py": "a config of the user's",
        "search/job_file.py": "what this sweep has just written, in the job's process",
        "completion/shells.py": "dltool's own scripts",
        "observers/tensorboard_log.py": "TensorBoard reads its event files in a checked folder",
    }
    packages = ["runs", "report", "search", "engine", "inference", "observers", "diagnostics", "completion", "training"]
    readers = {"read_text", "read_bytes", "load_file"}
    for package in packages:
        for path in sorted((PACKAGE / package).rglob("*.py")):
            name = path.relative_to(PACKAGE).as_posix()
            calls = [
                node.func.attr
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in readers
            ]
            assert name in own or not calls, (name, calls)
