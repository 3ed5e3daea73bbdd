"""The table of a run: fault, outcome, recovery time."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from tests.chaos.workload import Submission

HEAD = (
    "fault",
    "lasted",
    "accepted",
    "clients tried again",
    "outcome",
    "new work done after",
    "all done after",
)


class Line(Struct, frozen=True):
    """What one fault came to."""

    fault: str
    lasted_s: float
    submissions: Sequence[Submission]
    outcome: str
    recovered_s: float | None
    all_done_s: float | None

    def row(self) -> str:
        """Return the line as one of a Markdown table."""
        return _row(self._cells())

    def _cells(self) -> tuple[str, ...]:
        accepted = sum(one.accepted for one in self.submissions)
        again = Counter(tried for one in self.submissions for tried in one.tries[:-1] if tried != "confirmed")
        met = ", ".join(f"{tried} {count}x" for tried, count in again.most_common())
        return (
            self.fault,
            f"{self.lasted_s:.0f} s",
            f"{accepted} of {len(self.submissions)}",
            met,
            self.outcome,
            _seconds(self.recovered_s),
            _seconds(self.all_done_s),
        )


def table(lines: Sequence[Line]) -> str:
    """Return the lines as a Markdown table."""
    head = [_row(HEAD), _row(["---"] * len(HEAD))]
    return "\n".join([*head, *(line.row() for line in lines)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _seconds(duration_s: float | None) -> str:
    return "never" if duration_s is None else f"{duration_s:.1f} s"
