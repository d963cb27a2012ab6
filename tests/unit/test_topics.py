"""Names of topics, and the partition of an account: the same as Java's."""

import pytest

from schemas.topics import Topics, murmur2, partition_of


def test_topics_are_named_below_their_namespace() -> None:
    assert Topics().all() == (
        "licensing.commands",
        "licensing.events",
        "licensing.replies",
        "licensing.dead-letters",
    )
    assert Topics("t1").commands == "t1.commands"
    assert Topics().policies == "licensing.policies"


@pytest.mark.parametrize(
    ("text", "java"),
    [  # org.apache.kafka.common.utils.UtilsTest.testMurmur2, signed as Java has it
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_murmur2_is_kafkas(text: str, java: int) -> None:
    assert murmur2(text.encode()) == java % (1 << 32)


@pytest.mark.parametrize(
    ("account", "of_4", "of_6", "of_64"),
    [("21", 0, 0, 44), ("foobar", 2, 0, 62), ("abc", 3, 3, 27)],
)
def test_the_sign_is_dropped_before_the_remainder(account: str, of_4: int, of_6: int, of_64: int) -> None:
    assert [partition_of(account, partitions) for partitions in (4, 6, 64)] == [of_4, of_6, of_64]


def test_accounts_spread_over_all_partitions() -> None:
    counts = [0] * 16
    for n in range(16_000):
        counts[partition_of(f"member-{n}", 16)] += 1
    assert min(counts) > 800
    assert max(counts) < 1200


def test_one_partition_has_all() -> None:
    assert {partition_of(f"é{n}", 1) for n in range(50)} == {0}
