"""Attacks by what grows: duplicates, event streams, lists of large orders."""

from benchmarks.load.attack import Attack

ATTACKS: tuple[Attack, ...] = ()
