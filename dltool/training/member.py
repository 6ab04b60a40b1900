"""`python -m dltool.training.member`: a process of rank 1 or above; see dltool.training.processes."""

import os
import pickle
import sys

if __name__ == "__main__":
    from dltool.training.processes import run_member

    code = run_member(pickle.load(sys.stdin.buffer))  # From rank 0, which started this process.
    sys.stdout.flush()
    os._exit(code)  # Threads of the exchange may still wait for a process that is gone.
