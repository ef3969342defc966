"""Which streams a sample chooses."""

from projectors.sample import Sample

STREAMS = [("team", f"patterns/{number}") for number in range(10_000)]


def chosen(sample: Sample) -> set[tuple[str, str]]:
    return {stream for stream in STREAMS if sample.has(*stream)}


def test_a_sample_has_its_share_of_the_streams() -> None:
    assert 900 < len(chosen(Sample(share=0.1, seed="a"))) < 1100


def test_all_and_none_are_samples_too() -> None:
    assert len(chosen(Sample(share=1.0, seed="a"))) == len(STREAMS)
    assert chosen(Sample(share=0.0, seed="a")) == set()


def test_another_seed_chooses_others_and_a_larger_share_more() -> None:
    small, large = chosen(Sample(share=0.1, seed="a")), chosen(Sample(share=0.2, seed="a"))
    assert small < large
    assert chosen(Sample(share=0.1, seed="b")) != small
