"""`python -m apps.cli`: the command `darkroom`."""

from apps.cli.main import main

main(prog_name="darkroom")
