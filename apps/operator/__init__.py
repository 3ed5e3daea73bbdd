"""What an operator looks after: messages that were put aside, and files and rows that disagree."""

from apps.operator.dead_letters import dead_letters
from apps.operator.doctor import doctor

__all__ = ["dead_letters", "doctor"]
