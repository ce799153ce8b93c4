"""The machine that looks for lies; scripts/soak starts it.

    python3 test/soak FOLDER PG_BIN [--known PATTERN] [--parts dangers,histories]
        long MINUTES SEED | short | replay FILE | history SEED... | danger NAME...

FOLDER is for the clusters, and for what is found: FOLDER/findings.
"""

import faulthandler
import signal
import sys

from run import main


def _stop(_number, _frame):
    raise SystemExit(143)


if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1)
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main(sys.argv[1:]))
