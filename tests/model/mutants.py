"""The mutants: the protocol with one ingredient taken away. Each must be caught, or the model is blind."""

from enum import StrEnum

from tests.model.records import Topic
from tests.model.rule import Rule


class Mutant(StrEnum):
    """One per ingredient; docs/conditional-append.md names each beside its ingredient."""

    EQUAL_TERMS_COUNT = "equal_terms_count"
    READERS_IGNORE_RULE = "readers_ignore_rule"
    OUTCOMES_NOT_FENCED = "outcomes_not_fenced"
    BASE_OFFSET_NOT_CHECKED = "base_offset_not_checked"
    UNKNOWN_FATE_RESENT_UNDER_SAME_TERM = "unknown_fate_resent_under_same_term"
    RECOVER_FROM_HEADS_ALONE = "recover_from_heads_alone"
    READ_FROM_CHECKPOINT_ALONE = "read_from_checkpoint_alone"
    RETENTION_REMOVES_LAST_FENCE = "retention_removes_last_fence"
    NO_POSITION_IS_POSITION_ZERO = "no_position_is_position_zero"
    OUTCOME_BEFORE_EVENTS_COUNT = "outcome_before_events_count"
    EVICT_WITHOUT_CHECKPOINT = "evict_without_checkpoint"
    IGNORE_LOWER_CHECKPOINT = "ignore_lower_checkpoint"
    END_PASSES_ORPHANS = "end_passes_orphans"
    END_READ_AS_ITS_WRITERS = "end_read_as_its_writers"
    REFUSED_DECIDED_ANEW = "refused_decided_anew"
    RESENT_COMMAND_DECIDED_ANEW = "resent_command_decided_anew"
    ANY_FENCE_BEGINS = "any_fence_begins"
    CREATOR_TAKES_NEXT_TERM = "creator_takes_next_term"


def rule_of(topic: Topic, mutant: Mutant | None) -> Rule:
    """Give the rule that readers apply to a topic."""
    unfenced = mutant is Mutant.OUTCOMES_NOT_FENCED and topic == "outcomes"
    return Rule(
        equal_terms_count=mutant is Mutant.EQUAL_TERMS_COUNT,
        ignored=unfenced or mutant is Mutant.READERS_IGNORE_RULE,
        any_fence_begins=mutant is Mutant.ANY_FENCE_BEGINS,
    )
