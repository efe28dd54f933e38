"""The ring forgets: nothing that was not pinned survives it, and nothing in it can be read from memory."""

import pytest
from tests.unit.watch.making import picture

from lightship.core.errors import InputError
from lightship.watch.ring import ProcessKey, Ring, encoded


def test_only_the_last_seconds_are_held_and_a_span_of_them_pinned():
    ring = Ring(ProcessKey(), keep_s=5.0)
    for at_s in range(20):
        ring.put(picture(float(at_s), at_s))
    assert len(ring) == 6
    assert [one.at_s for one in ring.pin(0.0, 16.0)] == [14.0, 15.0, 16.0]
    assert ring.pin(17.0, 17.0)[0].jpeg == encoded(picture(17.0, 17))


def test_what_is_held_is_encrypted_and_gone_when_it_is_dropped():
    ring = Ring(ProcessKey(), keep_s=2.0)
    ring.put(picture(0.0, 1))
    shown = encoded(picture(0.0, 1))
    (sealed,) = [data for _, data in ring._held]
    assert shown[:64] not in sealed
    assert shown[64:128] not in sealed
    ring.put(picture(10.0, 2))
    assert [one.at_s for one in ring.pin(0.0, 99.0)] == [10.0]
    ring.clear()
    assert (len(ring), ring.held_bytes, ring.pin(0.0, 99.0)) == (0, 0, ())


def test_another_process_key_opens_nothing():
    from cryptography.exceptions import InvalidTag

    ring = Ring(ProcessKey())
    ring.put(picture(0.0))
    ring._key = ProcessKey()
    with pytest.raises(InvalidTag):
        ring.pin(0.0, 1.0)


def test_memory_is_bounded_and_the_loss_counted():
    size = len(encoded(picture(0.0, 0)))
    ring = Ring(ProcessKey(), keep_s=1000.0, most_bytes=4 * size)
    for at_s in range(10):
        ring.put(picture(float(at_s), at_s))
    assert ring.held_bytes <= 4 * size
    assert ring.early == 10 - len(ring)
    with pytest.raises(InputError):
        Ring(ProcessKey(), keep_s=0.0)
