"""`python -m dltool.doctor.peer`: a process of rank 1 or above; see dltool.doctor.distributed."""

import os
import sys

if __name__ == "__main__":
    from dltool.distributed.members import received
    from dltool.doctor.distributed import run_peer

    code = run_peer(received())
    sys.stdout.flush()
    os._exit(code)  # Threads of the exchange may still wait for a process that is gone.
