"""`python -m dltool` is the command `dltool`, of the Python that is named."""

import os
import sys

from dltool.cli.main import main
from dltool.core.process import launched_rank

if __name__ == "__main__":
    code = main()
    if launched_rank() or (code and "RANK" in os.environ):
        sys.stdout.flush()
        os._exit(code)  # Started by torchrun: threads of the exchange may still wait for a process that is gone.
    sys.exit(code)
