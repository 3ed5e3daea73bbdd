"""Ask for a password."""

import sys

import click


def read_password() -> str:
    """Ask a terminal twice; in a pipe, read the first line of standard input."""
    if sys.stdin.isatty():
        return click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return sys.stdin.readline().rstrip("\r\n")
