"""The promise at the outer door, seen through our own client: the scenarios of `test_crash.py`, with its producer."""

import unittest

import ours
import test_crash


class Crash(test_crash.Crash):
    """Each record whose delivery our producer reported stands where it said, whatever becomes of the broker."""

    producer = ours.Producer


if __name__ == "__main__":
    unittest.main()
