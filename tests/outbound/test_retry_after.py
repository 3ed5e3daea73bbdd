"""What a Retry-After header makes of a wait: never more than an hour, and nothing where it cannot be used."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libs.outbound.retry_after import MAX_RETRY_AFTER_S, retry_after_s

YEARS = st.integers(0, 10**20) | st.sampled_from([1, 99, 1970, 9999, 10_000])
ZONES = st.sampled_from(["GMT", "-0100", "+0100", "-2359", "+9999", "-9999", "EST", "", "Z"])
PARTS = (
    st.integers(-1, 40),
    st.sampled_from(["Jan", "Feb", "Dec", "dec", "Dez"]),
    YEARS,
    st.integers(-1, 30),
)
DATES = st.builds("Fri, {} {} {} {}:59:59 {}".format, *PARTS, ZONES)
NUMBERS = st.integers().map(str) | st.floats().map(str) | st.text("0123456789.eE+-_ \u0663\uff13")


def test_it_is_seconds_or_a_date() -> None:
    assert [retry_after_s(text) for text in ("1.5", "120", " 7 ")] == [1.5, 120, 7]
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    assert 500 < (retry_after_s(later) or 0) <= 600
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize(
    "header",
    [None, "", "soon", "-5", "1e3", "\u0663", "Fri, 31 Dec 99999999999999999999 23:59:59 GMT", "Fri, 31 Dec"],
)
def test_what_cannot_be_used_counts_as_absent(header: str | None) -> None:
    assert retry_after_s(header) is None


@pytest.mark.parametrize("header", ["3601", "1" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_what_can_be_used_is_at_most_an_hour(header: str) -> None:
    assert retry_after_s(header) == MAX_RETRY_AFTER_S


@given(DATES | NUMBERS | st.text())
@example("Fri, 31 Dec 9999 23:59:59 -0100")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
def test_no_value_raises_an_error_or_asks_for_more_than_an_hour(header: str) -> None:
    wait_s = retry_after_s(header)
    assert wait_s is None or 0 <= wait_s <= MAX_RETRY_AFTER_S
