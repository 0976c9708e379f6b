import json

import pytest

from mrcnn_al.errors import UserError
from mrcnn_al.pool import PoolState

START = PoolState(1, ("b", "a"), ("c", "d", "e", "f"), ("d",))


def test_labelling_makes_the_next_state():
    state = START.label(["f", "c"], ["e"])
    assert state == PoolState(2, ("b", "a", "f", "c"), ("d", "e"), ("e",))
    assert START.iteration == 1


def test_pseudo_labels_last_for_one_iteration():
    assert START.label(["c"]).pseudo_labelled == ()


@pytest.mark.parametrize(
    ("image_ids", "pseudo_labelled", "message"),
    [
        (["a"], [], "'a' is not unlabelled"),
        (["x"], [], "'x' is not unlabelled"),
        (["c", "c"], [], "'c' is not unlabelled"),
        (["c"], ["c"], "'c' is not unlabelled"),
        (["c"], ["a"], "'a' is not unlabelled"),
        (["c"], ["d", "d"], "twice in 'pseudo_labelled'"),
    ],
)
def test_images_that_cannot_be_labelled(image_ids, pseudo_labelled, message):
    with pytest.raises(ValueError, match=message):
        START.label(image_ids, pseudo_labelled)


def test_survives_json():
    assert PoolState.from_dict(json.loads(json.dumps(START.to_dict()))) == START


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unlabelled": ["a"], "pseudo_labelled": []}, "image 'a' is labelled and unlabelled"),
        ({"labelled": ["b", "b"]}, "twice in 'labelled'"),
        ({"pseudo_labelled": ["a"]}, "'a' is not unlabelled"),
        ({"labelled": "ab"}, "'labelled' must be a list of image ids"),
        ({"labelled": [1]}, "'labelled' must be a list of image ids"),
        ({"iteration": 0}, "count from 1"),
        ({"iteration": True}, "whole number"),
        ({"iteration": "1"}, "whole number"),
        ({"extra": 1}, "must be an object of iteration, labelled"),
    ],
)
def test_broken_states_are_refused_by_the_name_of_their_file(change, message):
    with pytest.raises(UserError, match=message) as error:
        PoolState.from_dict({**START.to_dict(), **change}, "runs/x/pool.json")
    assert "runs/x/pool.json" in str(error.value)


@pytest.mark.parametrize("content", [None, [], {}, "pool"])
def test_other_json_is_refused(content):
    with pytest.raises(UserError, match=r"pool\.json"):
        PoolState.from_dict(content)
