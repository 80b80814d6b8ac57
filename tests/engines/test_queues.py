from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from casemate.engines.queues import Queues


def test_a_group_holds_a_share_of_each_domain_oldest_first() -> None:
    queues: Queues[str] = Queues(bound=10, share=2)
    for item in ("a1", "b1", "a2", "a3"):
        assert queues.offer(item[0], item)
    assert queues.take() == ["a1", "a2", "b1"]
    assert queues
    assert queues.take() == ["a3"]
    assert not queues
    assert queues.take() == []


def test_a_full_queue_refuses_its_own_domain_alone() -> None:
    queues: Queues[int] = Queues(bound=2, share=1)
    assert [queues.offer("high", number) for number in range(4)] == [True, True, False, False]
    assert queues.offer("low", 9)
    assert queues.take() == [0, 9]
    assert queues.offer("high", 4)
    assert sorted(queues.drain()) == [1, 4]
    assert not queues


@given(
    st.lists(st.tuples(st.sampled_from(["low", None]), st.integers(0, 5)), max_size=60),
    st.lists(st.tuples(st.sampled_from(["high", "side"]), st.integers(0, 5)), max_size=60),
    st.randoms(use_true_random=False),
)
def test_what_a_domain_gets_of_each_group_does_not_depend_on_the_others(own, others, chance) -> None:  # type: ignore[no-untyped-def]
    """`None` in a domain's own history takes a group; the others' offers fall between at random."""

    def served(between: list[tuple[str, int]]) -> list[object]:
        queues: Queues[tuple[str, int]] = Queues(bound=5, share=2)
        seen: list[object] = []
        rest = list(between)
        for domain, item in own:
            while rest and chance.random() < 0.5:
                pair = rest.pop()
                queues.offer(pair[0], pair)
            if domain is None:
                seen.append([pair for pair in queues.take() if pair[0] == "low"])
            else:
                seen.append(queues.offer("low", ("low", item)))
        return seen

    assert served([]) == served(others)
