"""`python -m ops.cli`, as the background processes are started."""

from ops.cli import main

main()
