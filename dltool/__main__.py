"""`python -m dltool` is the command `dltool`, of the Python that is named."""

import sys

from dltool.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
