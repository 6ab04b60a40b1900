"""`python -m dltool.distributed.member`: a process of rank 1 or above, started by that of rank 0."""

import os
import sys
import time
import traceback

FAREWELL_SECONDS = 1.0  # In which rank 0 finishes the exchange after which it raises the same error itself.


def run() -> int:
    """Join the team and call the function that rank 0 sent; returns the exit code. Rank 0 reads what is printed."""
    from dltool.core.errors import DltoolError
    from dltool.distributed.members import end_with_rank_0, received
    from dltool.trust.importing import described

    seat, function, arguments = received()
    end_with_rank_0()
    try:
        team = seat.join()
        code: int = function(team, *arguments)
        team.leave()
    except DltoolError as error:
        print(error.report(), flush=True)
        time.sleep(FAREWELL_SECONDS)
        return error.exit_code
    except BaseException as error:
        traceback.print_exc(file=sys.stdout)
        print(f"error: {described(error)}")
        return 1
    return code


if __name__ == "__main__":
    exit_code = run()
    sys.stdout.flush()
    os._exit(exit_code)  # Threads of the exchange may still wait for a process that is gone.
