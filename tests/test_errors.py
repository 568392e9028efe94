"""The one exception for users, and the closest name."""

import pytest

from infogan_tf.errors import InfoGANError, did_you_mean

NAMES = ["mnist_infogan", "svhn_infogan", "mnist_gan"]


@pytest.mark.parametrize(
    ("received", "possible", "expected"),
    [
        ("mnist_infgan", NAMES, ' Did you mean "mnist_infogan"?'),
        ("shvn_infogan", NAMES, ' Did you mean "svhn_infogan"?'),
        ("mnist_gan", NAMES, ' Did you mean "mnist_gan"?'),  # the closest, not the first
        ("cifar", NAMES, ""),
        ("", NAMES, ""),
        ("mnist_infogan", [], ""),
        # similarity is 2 x matching letters / all letters: 2/4 is close enough, 2/5 not
        ("ab", ["ax"], ' Did you mean "ax"?'),
        ("ab", ["axy"], ""),
    ],
)
def test_did_you_mean(received, possible, expected):
    assert did_you_mean(received, possible) == expected


def test_the_error_is_a_value_error_that_reads_as_its_sentence():
    assert issubclass(InfoGANError, ValueError)
    assert str(InfoGANError("Give --run_dir.")) == "Give --run_dir."
