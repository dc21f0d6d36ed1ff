import pytest

from cxlab.data.span import span_us
from cxlab.errors import ParameterError


@pytest.mark.parametrize(
    ("span", "seconds"),
    [("90 seconds", 90), ("30 minutes", 1800), ("1.5 hours", 5400), ("2weeks", 1_209_600)],
)
def test_a_length_of_time_is_read_with_its_unit(span: str, seconds: int) -> None:
    assert span_us(span) == seconds * 1_000_000


@pytest.mark.parametrize("span", ["7", "seven days", "-1 day", "0 days", "40000 days", "1 month"])
def test_what_is_no_length_of_time_is_refused_by_name(span: str) -> None:
    with pytest.raises(ParameterError, match=span):
        span_us(span)
