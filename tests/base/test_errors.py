import copy
import pickle

import pytest

from facesmith.base import errors
from facesmith.base.errors import FacesmithError, UsageError

EXIT_CODES = {
    "FacesmithError": 1,
    "UsageError": 2,
    "DataError": 3,
    "DivergedError": 4,
    "StorageError": 5,
    "MissingExtraError": 6,
    "DownloadError": 7,
}
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, FacesmithError)
]


def test_the_exit_codes_are_those_that_are_documented():
    assert {kind.__name__: kind.exit_code for kind in KINDS} == EXIT_CODES


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_what_was_given_what_is_needed_and_what_to_do(kind):
    error = kind("Two were given.", needed="one", todo="drop one")
    assert str(error) == "Two were given.\n  needed: one\n  to do:  drop one"
    assert error.args == ("Two were given.",)


@pytest.mark.parametrize("again", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_way_out_of_a_worker_process(kind, again):
    error = kind("Two were given.", needed="one", todo="drop one")
    copied = again(error)
    assert type(copied) is kind
    assert (copied.given, copied.needed, copied.todo) == ("Two were given.", "one", "drop one")
    assert str(copied) == str(error)


def test_an_error_cannot_be_made_without_its_three_parts():
    with pytest.raises(TypeError):
        FacesmithError("Two were given.", needed="one")


def test_a_usage_error_is_a_value_error():
    assert issubclass(UsageError, ValueError)
