"""What the process of a job begins with: torch is imported here, not by the sweep."""

from dltool.core.errors import DltoolError
from dltool.search.assignment import Assignment


def carry_out(assignment: Assignment) -> None:
    """Train, in the process that was started for it."""
    from dltool.search.job import run_job
    from dltool.trust.sources import trust

    trust(assignment.trusted)
    run_job(assignment)


def refuse(assignment: Assignment, error: DltoolError) -> int:
    """Note where the search looks for it why a job cannot even begin; returns the exit code."""
    from dltool.search.job import record_failure

    with assignment.log.append() as log:
        log.write(f"{error.report()}\n".encode())
    record_failure(assignment.run_path, assignment.composed.tree, error.message)
    return error.exit_code
