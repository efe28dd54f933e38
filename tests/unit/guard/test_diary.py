"""The log, in words that need no training."""

import pytest

from lightship.core.values import Decision, Signal
from lightship.guard.diary import Diary, clock, explain, plain_weight


class Memory:
    def __init__(self):
        self.entries = []

    def append(self, entry):
        self.entries.append(entry)
        return len(self.entries)


def test_a_decision_reads_as_a_sentence_with_its_reason():
    memory = Memory()
    signal = Signal(8.25, "test-card", "test-card", 42.0)
    Diary(memory).decided(Decision(8.25, "blur", None, "evidence", 42.0, "sha256:1", (signal,)))
    assert explain(memory.entries) == (
        "0:08.2  The guard blurred the picture and muted the sound, because it saw the benign test card "
        "(42 dB: 20,000 times likelier than by chance)."
    )


def test_going_back_to_normal_says_why():
    memory = Memory()
    diary = Diary(memory)
    diary.decided(Decision(20.0, None, "blur", "benign", -3.0, "sha256:1"))
    diary.decided(Decision(30.0, None, "pause", "person", 50.0, "sha256:1"))
    text = explain(memory.entries)
    assert "because the picture has been clear for a while" in text
    assert "because you asked to go on" in text


def test_gaps_blindness_and_refusals_are_said():
    memory = Memory()
    diary = Diary(memory)
    diary.gap(3.0, 8.0, "the connection broke")
    diary.blind(9.0, "detection is 2.1 s behind", "cover")
    diary.sees_again(12.0)
    diary.asked(13.0, "resume", allowed=False)
    text = explain(memory.entries)
    assert "The source was away until 0:08.0: the connection broke." in text
    assert "Detection could not see (detection is 2.1 s behind), so the picture was covered." in text
    assert "Detection could see again." in text
    assert "You asked to resume; the policy did not allow it." in text


def test_no_log_is_kept_where_none_is_wanted():
    Diary(None).gap(0.0, 1.0, "nothing")


@pytest.mark.parametrize(("at_s", "text"), [(0.0, "0:00.0"), (59.99, "0:59.9"), (3600.0, "60:00.0")])
def test_clock(at_s, text):
    assert clock(at_s) == text


@pytest.mark.parametrize(
    ("weight_db", "times"), [(3.0, "2"), (10.0, "10"), (60.0, "1,000,000"), (500.0, "1,000,000,000,000")]
)
def test_weights_in_words(weight_db, times):
    assert f"{times} times likelier" in plain_weight(weight_db)
