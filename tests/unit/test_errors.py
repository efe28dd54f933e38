"""The error tree: each error says what, where and what to do, and has its own exit code."""

from lightship.core import errors


def test_every_error_has_its_own_exit_code_and_speaks():
    kinds = [kind for kind in errors.LightshipError.__subclasses__() if kind.__module__ == errors.__name__]
    assert len({kind.exit_code for kind in kinds}) == len(kinds)
    for kind in kinds:
        error = kind("The list is unreadable.", "list.txt, line 3", "Remove the line.")
        assert str(error) == "The list is unreadable. [list.txt, line 3] Remove the line."
        assert error.diagnostics()["error"] == kind.__name__
