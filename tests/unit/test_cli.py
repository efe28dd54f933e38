"""The program makes only the parsers that it is asked for, and is the same program."""

import pytest
from typer.main import get_command

from lightship.cli import _asked_for, app

WHOLE = get_command(app).commands


def parts(command):
    """Return what a command takes, and what its own commands take."""
    within = getattr(command, "commands", {})
    return [(one.name, one.opts) for one in command.params], {
        name: parts(one) for name, one in within.items()
    }


@pytest.mark.parametrize("word", sorted(WHOLE))
def test_whatever_is_asked_for_is_there_whole_and_no_other_group_is_made(word):
    asked = get_command(_asked_for(word)).commands
    assert parts(asked[word]) == parts(WHOLE[word])
    assert not any(hasattr(one, "commands") for name, one in asked.items() if name != word)


@pytest.mark.parametrize("word", ["", "--help", "paymnts"])
def test_a_word_that_is_not_known_gets_the_whole_program(word):
    assert get_command(_asked_for(word)).commands.keys() == WHOLE.keys()
