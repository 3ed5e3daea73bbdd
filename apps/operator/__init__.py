"""What an operator looks after: messages that were put aside, and files and rows that disagree."""

from apps.operator.dead_letters import dead_letters

__all__ = ["dead_letters"]
