"""Nothing is looked at without a basis, and what was is counted by it."""

import pytest
from tests.unit.watch.making import stream

from lightship.core.errors import AccessDenied
from lightship.watch.basis import Bases, Proof, Scans, basis_of, proof


def test_a_private_stream_is_refused_unless_its_basis_is_recorded():
    private = stream("s1", visibility="private", basis="warrant 7")
    for bases in (
        Bases(public="terms"),
        Bases(private=frozenset({"another"})),
        Bases(private=frozenset({""})),
    ):
        with pytest.raises(AccessDenied, match="private stream"):
            basis_of(private, bases)
    assert basis_of(private, Bases(private=frozenset({"warrant 7"}))) == "warrant 7"
    with pytest.raises(AccessDenied):
        basis_of(stream("s2", visibility="private", basis=""), Bases("terms", frozenset({"", "x"})))


def test_a_public_stream_needs_a_basis_too():
    assert basis_of(stream("s1", basis=""), Bases(public="terms")) == "terms"
    with pytest.raises(AccessDenied, match="No basis"):
        basis_of(stream("s1", basis=""), Bases())


def test_the_proof_report_counts_scans_by_basis():
    scans = Scans()
    scans.count(stream("s1"), "terms", "known-media", "1", 3)
    scans.count(stream("s1"), "terms", "exposure", "2")
    entries = [*scans.entries("s1", 60.0), {"kind": "decision"}]
    assert scans.entries("s1", 61.0) == []
    scans.count(stream("s2"), "terms", "known-media", "1", 2)
    entries += scans.entries("s2", 60.0)
    assert proof(entries) == [
        Proof("public", "terms", "exposure", 1, 1),
        Proof("public", "terms", "known-media", 5, 2),
    ]
