"""`python -m ops.stack up|down|status`: the launcher by itself."""

import argparse
import sys
from pathlib import Path

from ops import stack


def main() -> int:
    """Do one verb on one home; 2 is a refusal in one sentence, 130 is Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m ops.stack", description=stack.__doc__)
    parser.add_argument("verb", choices=["up", "down", "status"])
    parser.add_argument("--home", type=Path, default=stack.default_home())
    arguments = parser.parse_args()
    try:
        if arguments.verb == "up":
            address = stack.start(arguments.home, progress=print)
            print(*(f"{name}={value}" for name, value in address.environment().items()), sep="\n")
        elif arguments.verb == "down":
            stack.stop(arguments.home, progress=print)
        else:
            for server in stack.status(arguments.home):
                state = f"runs, pid {server.pid}" if server.running else "does not run"
                print(f"{server.name:10} {state}, port {server.port}")
    except stack.StackError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
