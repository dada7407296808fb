"""What the command line tells of a point is what the build publishes of the parcel there."""

from tests.flows.conftest import rows
from tests.flows.equal_latency import assert_answers_equal_metrics, least_differences


def test_the_round_trips_of_parcels_are_the_least_of_those_to_all_metros(base):
    assert least_differences(base.build) == {"metro": [], "major_metro": []}
    assert rows(base.build, "select count(*) > 100 from mart.parcel_metro_rtt") == [(True,)]


def test_the_answers_are_those_that_are_published_of_parcels(base, gridstead):
    assert_answers_equal_metrics(gridstead, base.home, count=3)
