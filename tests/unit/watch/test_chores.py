"""A chore that fails is tried again and is a trouble meanwhile; one that ends otherwise ends the process."""

import threading
import time

import pytest

from lightship.core.errors import LightshipError, StoreError
from lightship.watch.chores import Chores


def until(what, seconds=5.0):
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if what():
            return True
        time.sleep(0.005)
    return False


@pytest.fixture
def told():
    return []


@pytest.fixture
def chores(told):
    found = Chores(lambda trouble, at: told.append((trouble, at)), first_s=0.01, most_s=0.05)
    yield found
    found.end()


def test_a_chore_that_fails_is_a_trouble_until_it_works_and_then_the_gap_is_told(chores, told):
    broken, steps = threading.Event(), []

    def step():
        steps.append(1)
        if broken.is_set():
            raise StoreError("The disk is full.", "here", "Free some space.")

    chores.every("the ledger", 0.01, step)
    assert until(lambda: len(steps) > 2)
    assert chores.troubles() == ()
    broken.set()
    assert until(lambda: chores.troubles() and chores.troubles()[0].tries > 3)
    (trouble,) = chores.troubles()
    assert (trouble.chore, trouble.reason) == ("the ledger", "The disk is full. [here] Free some space.")
    chores.check()
    broken.clear()
    assert until(lambda: not chores.troubles())
    ((over, at),) = told
    assert over.chore == "the ledger"
    assert over.since < at


def test_a_gap_that_cannot_be_told_yet_is_told_later(chores):
    told, away, broken = [], [True], [True]

    def over(trouble, at):
        if away[0]:
            raise StoreError("It is away.")
        told.append(trouble)

    chores._over = over

    def step():
        if broken.pop() if broken else False:
            raise StoreError("Once.")

    chores.every("one", 0.01, step)
    assert until(lambda: not broken)
    time.sleep(0.1)
    assert chores.troubles()
    away[0] = False
    assert until(lambda: len(told) == 1)
    assert chores.troubles() == ()


@pytest.mark.parametrize("body", [lambda _go_on: None, lambda _go_on: {}["x"]], ids=["returns", "fails"])
def test_a_chore_that_ends_by_a_defect_is_raised_to_whoever_runs_the_process(chores, body):
    chores.begin("the senders", body)
    assert until(chores.troubles)
    with pytest.raises(LightshipError, match=r"A part of the service ended .*: the senders") as caught:
        chores.check()
    assert caught.value.exit_code == 1


def test_all_end_when_told_to(chores):
    chores.every("slow", 60.0, lambda: None)
    began_s = time.monotonic()
    chores.end()
    assert time.monotonic() - began_s < 1.0
    chores.check()
