"""The ledger's arithmetic, against RFC 6962's own definitions, published vectors, and every flipped byte."""

import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightship.core.canonical import canonical, digest
from lightship.core.errors import InputError, LedgerError
from lightship.core.ledger import verify, verify_rows
from lightship.core.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from lightship.core.notes import (
    Checkpoint,
    SigningKey,
    VerifierKey,
    open_checkpoint,
    open_note,
    sign_checkpoint,
    sign_note,
)

SIZES = range(131)
LEAVES = [leaf_hash(b"%d" % i) for i in range(130)]
KEY = SigningKey.from_seed("example.org/log", bytes(range(32)))
OTHER = SigningKey.from_seed("example.org/log", bytes(32))

# The inputs and roots of google/certificate-transparency's merkle tree tests.
CT_INPUTS = [
    bytes.fromhex(x)
    for x in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves):
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


ROOTS = [mth(LEAVES[:n]) for n in SIZES]


def test_published_roots():
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    tree = Frontier()
    for entry, root in zip(CT_INPUTS, CT_ROOTS, strict=True):
        tree = tree.extended([leaf_hash(entry)])
        assert tree.root().hex() == root


def test_published_proofs():
    leaves = [leaf_hash(entry) for entry in CT_INPUTS]
    assert [h.hex() for h in inclusion_proof(leaves, 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [h.hex() for h in consistency_proof(leaves, 6)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.lists(st.integers(0, 40), max_size=8))
def test_a_frontier_grown_in_any_steps_has_the_root_of_the_definition(steps):
    tree, size = Frontier(), 0
    for step in steps:
        new = LEAVES[size : size + step]
        tree, size = tree.extended(new), size + len(new)
        assert tree.size == size
        assert tree.root() == ROOTS[size]
        assert len(tree.hashes) == size.bit_count()
        assert Frontier.from_bytes(size, tree.to_bytes()) == tree


@pytest.mark.parametrize(("size", "data"), [(1, b""), (2, bytes(64)), (-1, b"")])
def test_a_frontier_of_the_wrong_length_is_refused(size, data):
    with pytest.raises(LedgerError):
        Frontier.from_bytes(size, data)


def test_every_inclusion_proof_up_to_130():
    for size in SIZES:
        for index in range(size):
            proof = inclusion_proof(LEAVES[:size], index)
            assert verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
            assert not verify_inclusion(LEAVES[index], index, size, (*proof, ROOTS[0]), ROOTS[size])
            assert size == 1 or not verify_inclusion(LEAVES[index], index, size, proof[:-1], ROOTS[size])
            assert not verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size - 1])


def test_every_consistency_proof_up_to_130():
    for new in SIZES:
        for old in range(new + 1):
            proof = consistency_proof(LEAVES[:new], old)
            assert verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)
            assert not verify_consistency(old, ROOTS[old], new, ROOTS[new], (*proof, ROOTS[0]))
            if 0 < old < new:
                assert not verify_consistency(old, ROOTS[old - 1], new, ROOTS[new], proof)
                assert not verify_consistency(old, ROOTS[old], new, ROOTS[new - 1], proof)
                assert not verify_consistency(old, ROOTS[old], new, ROOTS[new], proof[:-1])


@given(st.data())
def test_a_proof_with_any_byte_changed_fails(data):
    size = data.draw(st.integers(2, 130))
    index = data.draw(st.integers(0, size - 1))

    def flip(proof):
        which = data.draw(st.integers(0, len(proof) - 1))
        byte, mask = data.draw(st.integers(0, 31)), data.draw(st.integers(1, 255))
        broken = bytearray(proof[which])
        broken[byte] ^= mask
        return [*proof[:which], bytes(broken), *proof[which + 1 :]]

    proof = inclusion_proof(LEAVES[:size], index)
    assert not verify_inclusion(LEAVES[index], index, size, flip(proof), ROOTS[size])
    old = data.draw(st.integers(1, size - 1))
    proof = consistency_proof(LEAVES[:size], old)
    assert not verify_consistency(old, ROOTS[old], size, ROOTS[size], flip(proof))


def test_proofs_that_cannot_be_are_refused():
    for bad in (-1, 3):
        with pytest.raises(LedgerError):
            inclusion_proof(LEAVES[:3], bad)
        assert not verify_inclusion(LEAVES[0], bad, 3, (), ROOTS[3])
    for bad in (-1, 4):
        with pytest.raises(LedgerError):
            consistency_proof(LEAVES[:3], bad)
        assert not verify_consistency(bad, ROOTS[1], 3, ROOTS[3], ())
    assert not verify_inclusion(LEAVES[0], 0, 1, (), LEAVES[0][:31])
    assert not verify_consistency(3, ROOTS[3], 5, ROOTS[5], ())


# Notes and keys

# The example of golang.org/x/mod/sumdb/note and c2sp.org/signed-note.
NEUMANN_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
NEUMANN_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
NEUMANN_NOTE = (
    NEUMANN_TEXT
    + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_the_published_note_is_made_and_opened():
    private, public = SigningKey.parse(NEUMANN_PRIVATE), VerifierKey.parse(NEUMANN_PUBLIC + "\n")
    assert sign_note(NEUMANN_TEXT, private) == NEUMANN_NOTE
    assert open_note(NEUMANN_NOTE, public) == NEUMANN_TEXT
    assert str(private.verifier) == str(public) == NEUMANN_PUBLIC
    assert private.secret_text() == NEUMANN_PRIVATE


def test_a_private_key_does_not_show_itself():
    assert NEUMANN_PRIVATE[-40:] not in repr(SigningKey.parse(NEUMANN_PRIVATE))


@pytest.mark.parametrize("text", [NEUMANN_PUBLIC, NEUMANN_PRIVATE])
def test_a_mangled_key_is_refused(text):
    parse = SigningKey.parse if text.startswith("PRIVATE") else VerifierKey.parse
    for i in range(len(text)):
        for mangled in (text[:i], text[:i] + chr(ord(text[i]) + 1) + text[i + 1 :]):
            with pytest.raises(LedgerError):
                parse(mangled)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b"])
def test_a_bad_key_name_is_refused(name):
    with pytest.raises(LedgerError):
        SigningKey.from_seed(name, bytes(32))


def test_a_checkpoint_comes_back():
    checkpoint = Checkpoint("example.org/log", 20852163, ROOTS[5])
    note = sign_checkpoint(checkpoint, KEY)
    assert open_checkpoint(note, KEY.verifier) == checkpoint
    assert note.split("\n")[:4] == ["example.org/log", "20852163", base64.b64encode(ROOTS[5]).decode(), ""]


@given(st.data())
def test_a_checkpoint_with_any_character_changed_is_refused(data):
    note = sign_checkpoint(Checkpoint("example.org/log", 17, ROOTS[17]), KEY)
    i = data.draw(st.integers(0, len(note) - 1))
    char = data.draw(st.characters(codec="utf-8").filter(lambda c: c != note[i]))
    for changed in (note[:i] + char + note[i + 1 :], note[:i] + note[i + 1 :], note[:i]):
        with pytest.raises(LedgerError):
            open_checkpoint(changed, KEY.verifier)


def test_signatures_of_strangers_are_ignored_but_do_not_suffice():
    note = sign_checkpoint(Checkpoint("example.org/log", 17, ROOTS[17]), KEY)
    with pytest.raises(LedgerError, match="not signed by"):
        open_checkpoint(note, OTHER.verifier)
    witness = sign_note(note.rpartition("\n\n")[0] + "\n", OTHER).rpartition("\n\n")[2]
    assert open_checkpoint(note + witness, KEY.verifier).size == 17
    assert open_checkpoint(note + witness, OTHER.verifier).size == 17
    with pytest.raises(LedgerError, match="refused"):
        open_checkpoint(note + witness * 100, KEY.verifier)


@pytest.mark.parametrize(
    "body",
    [
        "a\n1\n",
        "a\n01\nAAAA\n",
        f"a\n-1\n{base64.b64encode(bytes(32)).decode()}\n",
        "a\n1\nAAAA\n",
        "\n1\n\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(body):
    with pytest.raises(LedgerError):
        open_checkpoint(sign_note(body, KEY), KEY.verifier)


@pytest.mark.parametrize("text", ["no newline", "tab\t\n"])
def test_a_text_that_cannot_be_a_note_is_refused(text):
    with pytest.raises(LedgerError):
        sign_note(text, KEY)
    with pytest.raises(LedgerError):
        sign_checkpoint(Checkpoint(text + "\n", 0, EMPTY_ROOT), KEY)


# Verification

ENTRIES = [canonical({"n": n}) for n in range(100)]
TREES = [Frontier().extended(map(leaf_hash, ENTRIES[:n])) for n in range(101)]


def note(size, tree=None, origin="example.org/log", key=KEY):
    return sign_checkpoint(Checkpoint(origin, size, (tree or TREES[size]).root()), key)


NOTES = [note(n) for n in (0, 10, 20, 50, 100)]
FRONTIERS = {n: TREES[n].to_bytes() for n in (0, 10, 20, 50, 100)}


def says(report):
    return [problem.what for problem in report.problems]


def test_a_good_ledger_verifies():
    report = verify(ENTRIES, reversed(NOTES), KEY.verifier)
    assert report.ok
    assert (report.size, report.signed, report.checkpoints, report.origin) == (100, 100, 5, "example.org/log")
    assert str(report).startswith("Verified: 100 entries of example.org/log")
    assert verify([], [NOTES[0]], KEY.verifier).ok


def test_a_changed_entry_is_placed_between_two_checkpoints():
    for n in (0, 9, 10, 33, 99):
        entries = [*ENTRIES[:n], ENTRIES[n] + b" ", *ENTRIES[n + 1 :]]
        low, high = next((a, b) for a, b in ((0, 10), (10, 20), (20, 50), (50, 100)) if n < b)
        report = verify_rows(enumerate(entries), NOTES, KEY.verifier, frontiers=FRONTIERS)
        assert says(report) == [f"entries {low}..{high - 1} do not match checkpoint {high}"]
        problem = verify(entries, NOTES, KEY.verifier).problems[-1]
        assert problem.first == low  # without the tree states the range reaches to the end
        assert problem.last == 99


def test_two_changed_entries_are_both_placed():
    entries = list(ENTRIES)
    entries[3] = entries[60] = b"{}"
    report = verify_rows(enumerate(entries), NOTES, KEY.verifier, frontiers=FRONTIERS)
    assert [(p.first, p.last) for p in report.problems] == [(0, 9), (50, 99)]


def test_missing_entries_are_named():
    rows = [(n, e) for n, e in enumerate(ENTRIES) if n not in (5, 15, 16)]
    report = verify_rows(rows, NOTES, KEY.verifier, frontiers=FRONTIERS)
    assert says(report) == ["entry 5 is missing", "entries 15..16 are missing"]
    assert report.signed == 100
    report = verify_rows(rows, NOTES, KEY.verifier)
    assert says(report) == [
        "entry 5 is missing",
        "entries 15..16 are missing",
        "entries 10..99 were not checked, because of the entries missing before",
    ]
    rows = [(n, e) for n, e in enumerate(ENTRIES) if not 8 <= n < 55]
    assert says(verify_rows(rows, NOTES, KEY.verifier, frontiers=FRONTIERS)) == ["entries 8..54 are missing"]


def test_a_cut_or_rolled_back_ledger_is_flagged():
    for size in (0, 5, 50, 99):
        report = verify(ENTRIES[:size], NOTES, KEY.verifier)
        what = f"entries {size}..99 are" if size < 99 else "entry 99 is"
        assert says(report) == [f"{what} missing: the log was cut or rolled back"]


def test_a_tail_without_signature_is_said():
    report = verify(ENTRIES[:53], NOTES[:4], KEY.verifier)
    assert says(report) == ["entries 50..52 are after the last checkpoint and not covered by a signature"]
    assert report.signed == 50


def test_a_removed_entry_with_all_after_it_renumbered_is_flagged():
    entries = ENTRIES[:7] + ENTRIES[8:]
    assert says(verify(entries, NOTES, KEY.verifier))[0] == "entries 0..49 do not match checkpoint 50"


def test_the_wrong_key_says_so_and_everything_counts_as_unsigned():
    report = verify(ENTRIES, NOTES, OTHER.verifier)
    assert not report.ok
    assert report.signed == 0
    assert any("there is no checkpoint signed by" in what for what in says(report))


def test_no_checkpoint_at_all_is_a_fault():
    assert not verify([], [], KEY.verifier).ok


def test_a_fork_is_flagged():
    other = Frontier().extended([leaf_hash(b"x")] * 50)
    report = verify(ENTRIES, [*NOTES, note(50, other)], KEY.verifier)
    assert says(report) == ["the log was forked: checkpoints of size 50 contradict each other"]
    elsewhere = Frontier().extended([leaf_hash(b"x")] * 30)
    report = verify_rows(enumerate(ENTRIES), [*NOTES, note(30, elsewhere)], KEY.verifier, frontiers=FRONTIERS)
    assert says(report) == ["entries 20..29 do not match checkpoint 30"]


def test_another_log_is_flagged():
    report = verify(
        ENTRIES, [note(100, origin="example.org/b"), *NOTES], KEY.verifier, origin="example.org/log"
    )
    assert "a checkpoint is of another log, 'example.org/b', not of 'example.org/log'" in says(report)
    assert not verify(ENTRIES, NOTES, KEY.verifier, origin="example.org/b").ok


def test_a_wrong_empty_checkpoint_is_flagged():
    report = verify(
        ENTRIES, [*NOTES[1:], sign_checkpoint(Checkpoint("example.org/log", 0, bytes(32)), KEY)], KEY.verifier
    )
    assert says(report) == ["checkpoint 0 does not have the root of an empty tree"]


@pytest.mark.parametrize("bad", [b"", bytes(32 * 3)])
def test_a_tree_state_that_is_not_the_checkpoints_is_flagged(bad):
    report = verify_rows(enumerate(ENTRIES), NOTES, KEY.verifier, frontiers=FRONTIERS | {50: bad})
    assert says(report) == ["the tree state kept with checkpoint 50 is not its own"]


def test_an_impossible_number_is_flagged():
    report = verify_rows([(-3, b"{}"), *enumerate(ENTRIES)], NOTES, KEY.verifier)
    assert says(report) == ["an entry is numbered -3, which none should be"]
    huge = verify_rows([*enumerate(ENTRIES), (2**63 - 1, b"{}")], NOTES, KEY.verifier)
    assert len(huge.problems) == 2
    assert huge.size == 101


@given(st.data())
def test_any_change_to_any_history_is_flagged(data):
    size = data.draw(st.integers(1, 60))
    cuts = sorted(data.draw(st.sets(st.integers(1, size), max_size=5)) | {size})
    rows = list(enumerate(ENTRIES[:size]))
    hints = {n: TREES[n].to_bytes() for n in cuts} if data.draw(st.booleans()) else None
    notes = [note(n) for n in cuts]
    assert verify_rows(rows, notes, KEY.verifier, frontiers=hints).ok
    n = data.draw(st.integers(0, size - 1))
    match data.draw(st.sampled_from(["change", "drop", "swap", "insert", "renumber"])):
        case "change":
            rows[n] = (n, data.draw(st.binary().filter(lambda entry: entry != rows[n][1])))
        case "drop":
            del rows[n]
        case "swap":
            m = (n + 1) % size
            rows[n], rows[m] = (n, rows[m][1]), (m, rows[n][1])
            if size == 1:
                rows.append((1, b""))
        case "insert":
            rows = list(
                enumerate([entry for _, entry in rows[:n]] + [b"{}"] + [entry for _, entry in rows[n:]])
            )
        case "renumber":
            rows = rows[:n] + [(i + 1, entry) for i, entry in rows[n:]]
    report = verify_rows(rows, notes, KEY.verifier, frontiers=hints)
    assert not report.ok
    assert str(report).startswith("NOT verified")


def test_a_long_log_is_hashed_in_batches():
    entries = [b"%d" % n for n in range(10_000)]
    tree = Frontier().extended(map(leaf_hash, entries))
    assert verify(entries, [note(10_000, tree)], KEY.verifier).ok
    rows = [(n, e) for n, e in enumerate(entries) if n != 5000]
    assert says(verify_rows(rows, [note(10_000, tree)], KEY.verifier)) == ["entry 5000 is missing"]


# Canonical JSON


def test_canonical_json_is_rfc_8785():
    value = {"\u20ac": "Euro", "\r": "CR", "1": 1e21, "\U0001f600": 1.0, "\ufb33": None, "ö": [True, 4.5]}
    # keys ordered by UTF-16 code units: the emoji before U+FB33 (RFC 8785, 3.2.3)
    want = '{"\\r":"CR","1":1e+21,"ö":[true,4.5],"€":"Euro","😀":1,"\ufb33":null}'
    assert canonical(value) == want.encode()
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1.0})
    assert digest([]) == "sha256:" + sha256(b"[]").hexdigest()


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, {1: 2}, {"a": object()}, b"", "\ud800", {"\ud800": 1}]
)
def test_what_has_no_canonical_json_is_refused(value):
    with pytest.raises(InputError):
        canonical(value)


def test_a_value_that_contains_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(InputError):
        canonical(value)
