"""What tests of stores begin with."""

import pytest

from storage.database.store import Store
from tests.support.storage.sample_records import open_incident


@pytest.fixture
def incident_id(store: Store) -> int:
    """The row of an open incident."""
    return store.write_now(open_incident).id
