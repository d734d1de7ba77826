"""Our own client in groups: the scenarios of librdkafka's, with members that are ours, and with both in one group."""

import unittest

import ours
import test_groups
from groups import LIBRDKAFKA

OURS = [ours.EXAMPLES / "member"]


class Ours:
    """All members are ours, in groups of all four assignors."""

    assignors = ["range", "roundrobin", "sticky", "cooperative-sticky"]

    @staticmethod
    def program(_name):
        """What a member's process runs."""
        return OURS


class Members(Ours, test_groups.Members):
    """They come, leave and die."""


class Static(Ours, test_groups.Static):
    """They have names that outlive their processes."""


class Killed(Ours, test_groups.Killed):
    """They outlive the broker."""


class Mixed(test_groups.Members):
    """Every other member is librdkafka's: either leads now and then, and each reads what the other says."""

    @staticmethod
    def program(name):
        """By the name."""
        return LIBRDKAFKA if name in ["a", "c", "f"] else OURS


class MixedAndKilled(test_groups.Killed):
    """They outlive the broker together."""

    program = staticmethod(Mixed.program)


if __name__ == "__main__":
    unittest.main()
