"""The broker with TLS and users is started once for all tests that need it."""

from collections.abc import Iterator

import pytest

from tests.kafka.secured import Secured, secured_broker


@pytest.fixture(scope="module")
def secured(kafka_at_hand: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:  # noqa: ARG001 - it skips or fails
    """A running broker with TLS and users, as the tests of the module before this one left it."""
    with secured_broker(tmp_path_factory.mktemp("secured")) as broker:
        yield broker
