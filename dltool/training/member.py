"""`python -m dltool.training.member`: a process of rank 1 or above; see dltool.training.processes."""

import os
import sys

if __name__ == "__main__":
    from dltool.distributed.members import received
    from dltool.training.processes import run_member

    code = run_member(received())
    sys.stdout.flush()
    os._exit(code)  # Threads of the exchange may still wait for a process that is gone.
