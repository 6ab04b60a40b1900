"""`python -m dltool` is the command `dltool`, of the Python that is named."""

import os
import sys

from dltool.cli.main import main
from dltool.core.process import is_launched, launched_rank

if __name__ == "__main__":
    code = main()
    if is_launched() and (code or launched_rank()):
        sys.stdout.flush()
        if code:
            from dltool.distributed.agent import end_agent_later

            end_agent_later()
        os._exit(code)  # Started by torchrun: threads of the exchange may still wait for a process that is gone.
    sys.exit(code)
