from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.casework import deconflict, psi
from lightship.casework.compartment import Compartment, found_compartment
from lightship.casework.deconflict import Interest, Question
from lightship.casework.deconflict_desk import Desk
from lightship.casework.deconflict_files import read, write
from lightship.casework.deconflict_limits import Agreement, feels_its_way, own_refusal, parse_agreement
from lightship.casework.deconflict_office import Office
from lightship.casework.deconflict_rows import identifiers, interests
from lightship.core.errors import InputError
from lightship.core.notes import SigningKey
from lightship.infra.compartment import CompartmentFile
from lightship.infra.keys import create_key
from lightship.infra.ledger_file import LedgerFile

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TODAY, UNTIL = NOW.date(), date(2027, 6, 1)
A, B = "ann.example", "ben.example"
BASIS = "Data Protection Act 2018 s.31"
SAID = {"basis": BASIS, "reference": "REF-1", "contact": "desk@ann.example", "urgency": 2, "until": UNTIL}
AGREED = {"size": 16, "least": 3, "list_size": 32, "round_size": 16, "bases": (BASIS,)}
OWN = ["handle|chat|otter", "handle|chat|heron", "email||ivy@example.org", "phone||+442079460001"]


def entry(
    key: str, kind: str = "child", *, covert: bool = False, until: date = UNTIL, reference: str = "R-9"
) -> Interest:
    return Interest(
        f"{kind}-{sha256(key.encode()).hexdigest()[:6]}",
        key,
        kind,
        reference,
        "desk@ben.example",
        1,
        until,
        covert,
    )  # type: ignore[arg-type]


# The curve ----------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=8))
def test_the_order_of_secrets_does_not_matter_and_a_secret_comes_off(keys: list[str]) -> None:
    one, other = psi.new_secret(), psi.new_secret()
    both = psi.raised(other, psi.blind(one, keys))
    assert both == psi.raised(one, psi.blind(other, keys))
    assert psi.unblinded(one, both) == psi.blind(other, keys)
    assert len(set(both)) == len(set(keys))


@pytest.mark.parametrize(
    "bad", [b"", b"\x02", b"\x02" + b"\xff" * 32, b"\x05" + b"\x01" * 32, b"\x00" * 33, b"\x02" * 34]
)
def test_what_is_no_point_is_refused(bad: bytes) -> None:
    with pytest.raises(InputError):
        psi.raised(psi.new_secret(), [bad])


# Known answers ------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(
    asked=st.sets(st.integers(0, 40), min_size=1, max_size=16),
    overt=st.sets(st.integers(0, 40), max_size=20),
    covert=st.sets(st.integers(0, 40), max_size=16),
)
def test_an_asker_learns_the_overt_overlap_and_the_desk_the_covert_one(
    asked: set[int], overt: set[int], covert: set[int]
) -> None:
    a, b, c = psi.new_secret(), psi.new_secret(), psi.new_secret()
    held = deconflict.make_list(
        [entry(f"name||{one}") for one in sorted(overt)], b, holder=B, asker=A, capacity=32, today=TODAY
    )
    hidden = [replace(entry(f"name||{one}", "persona", covert=True), id=str(one)) for one in sorted(covert)]
    sent, places = deconflict.make_round(hidden, c, holder=B, asker=A, size=16)
    known = deconflict.known_points(deconflict.answer_round(sent, a), places)
    question, own = deconflict.ask(
        [f"name||{one}" for one in sorted(asked)],
        a,
        size=16,
        asker=A,
        holder=B,
        at=NOW,
        **SAID,  # type: ignore[arg-type]
    )
    found = deconflict.open_answer(deconflict.answer(question, b), own, a, held)
    assert set(found) == {f"name||{one}" for one in asked & overt}
    hits = deconflict.recognised(question, c, lambda point: known.get(point, ()))
    assert set(hits) == {str(one) for one in asked & covert}


def test_lists_and_rounds_and_questions_are_always_of_one_size() -> None:
    b, key = psi.new_secret(), SigningKey.from_seed(B, bytes(32))
    sizes = set()
    for count in (0, 1, 16):
        entries = [entry(f"name||{one}") for one in range(count)]
        hidden = [entry(f"name||{one}", "target", covert=True) for one in range(count)]
        made = deconflict.make_list(entries, b, holder=B, asker=A, capacity=32, today=TODAY)
        sent, _ = deconflict.make_round(hidden, b, holder=B, asker=A, size=16)
        sizes.add((len(write(made, key)), len(write(sent, key))))
    assert len(sizes) == 1


def test_several_bodies_interests_in_one_identifier_are_all_told() -> None:
    a, b = psi.new_secret(), psi.new_secret()
    entries = [entry("name||x"), entry("name||x", "process"), entry("name||x", "event")]
    held = deconflict.make_list(entries, b, holder=B, asker=A, capacity=8, today=TODAY)
    question, own = deconflict.ask(["name||x"], a, size=4, asker=A, holder=B, at=NOW, **SAID)  # type: ignore[arg-type]
    [pointers] = deconflict.open_answer(deconflict.answer(question, b), own, a, held).values()
    assert [one.kind for one in pointers] == ["child", "process", "event"]
    assert {one.contact for one in pointers} == {"desk@ben.example"}


def test_what_no_longer_counts_is_in_no_list_and_raises_no_notice() -> None:
    b, a = psi.new_secret(), psi.new_secret()
    old = entry("name||x", until=TODAY - timedelta(days=1))
    held = deconflict.make_list([old], b, holder=B, asker=A, capacity=8, today=TODAY)
    question, own = deconflict.ask(["name||x"], a, size=4, asker=A, holder=B, at=NOW, **SAID)  # type: ignore[arg-type]
    assert deconflict.open_answer(deconflict.answer(question, b), own, a, held) == {}
    assert deconflict.notices(question, [old], TODAY, NOW) == ()


def test_a_persona_is_always_covert_and_a_covert_entry_is_in_no_list() -> None:
    with pytest.raises(InputError, match="always covert"):
        entry("name||x", "persona")
    with pytest.raises(InputError, match="covert"):
        deconflict.make_list(
            [entry("name||x", "target", covert=True)],
            psi.new_secret(),
            holder=B,
            asker=A,
            capacity=8,
            today=TODAY,
        )


# Files --------------------------------------------------------------------------------------------


def test_a_changed_byte_or_another_key_is_refused() -> None:
    key, other = SigningKey.from_seed(A, bytes(32)), SigningKey.from_seed(A, b"\1" * 32)
    question, _ = deconflict.ask(OWN, psi.new_secret(), size=16, asker=A, holder=B, at=NOW, **SAID)  # type: ignore[arg-type]
    data = write(question, key)
    assert read(data, key.verifier, "q", "question") == question
    for place in (*range(0, len(data), 37), len(data) - 1):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(InputError):
            read(bytes(changed), key.verifier, "q", "question")
    for wrong in (data[:-1], data + b"\0", b"", data.replace(b"\0", b"\n")):
        with pytest.raises(InputError):
            read(wrong, key.verifier, "q", "question")
    with pytest.raises(InputError):
        read(data, other.verifier, "q", "question")
    with pytest.raises(InputError):
        read(data, key.verifier, "q", "answer")


# Two bodies ---------------------------------------------------------------------------------------


class Body:
    """A body with a front office, a compartment, and the folder of kept questions."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.now = name, NOW
        self.store = CompartmentFile(folder / "office")
        self.log = LedgerFile(folder / "log", create_key(folder / "own.key", name))
        self.inner = CompartmentFile(folder / "compartment")
        found_compartment(self.inner, ("Fir", "Gale"), NOW)
        self.questions: list[Question] = []

    @property
    def office(self) -> Office:
        return Office(self.name, self.store, self.log, self.now)

    @property
    def desk(self) -> Desk:
        return Desk(self.name, Compartment(self.inner, "Fir", self.now))

    def answer(self, question: Question, agreed: Agreement) -> deconflict.Answer:
        reply = self.office.answer(question, agreed, lambda: list(self.questions))
        if not reply.refused and question not in self.questions:
            self.questions.append(question)
        return reply

    def close(self) -> None:
        for one in (self.store, self.log, self.inner):
            one.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Body, Body]]:
    pair = Body(A, tmp_path / "a"), Body(B, tmp_path / "b")
    yield pair
    for one in pair:
        one.close()


WITH_B, WITH_A = Agreement(B, **AGREED), Agreement(A, **AGREED)  # type: ignore[arg-type]


def introduce(ann: Body, ben: Body, overt: list[Interest], covert: list[Interest]) -> None:
    ben.office.keep(overt)
    ann.office.take_list(ben.office.list_for(WITH_A), WITH_B)
    ben.desk.keep(covert)
    ben.desk.take_round(ann.office.answer_round(ben.desk.round_for(WITH_A), WITH_B), WITH_A)


def test_a_covert_interest_stays_invisible_and_reaches_the_covert_desk(two: tuple[Body, Body]) -> None:
    ann, ben = two
    introduce(ann, ben, [entry("handle|chat|heron")], [entry("handle|chat|otter", "persona", covert=True)])
    question = ann.office.ask(OWN, WITH_B, **SAID)
    found = ann.office.open(ben.answer(question, WITH_A), WITH_B)
    assert list(found) == ["handle|chat|heron"]
    [notice] = ben.desk.read(ben.questions, WITH_A)
    assert (notice.kind, notice.asker, notice.reference, notice.contact) == (
        "persona",
        A,
        "REF-1",
        "desk@ann.example",
    )
    assert "otter" not in repr(notice)  # a pointer, no content
    assert ben.desk.read(ben.questions, WITH_A) == ()  # told once
    assert ben.desk.notices() == (notice,)
    everything = repr([*ann.office.entries(), *ben.office.entries()])
    assert "persona" not in everything
    assert "otter" not in everything


def test_an_entry_that_came_later_is_recognised_after_the_next_round(two: tuple[Body, Body]) -> None:
    ann, ben = two
    introduce(ann, ben, [], [])
    ben.answer(ann.office.ask(OWN, WITH_B, **SAID), WITH_A)
    assert ben.desk.read(ben.questions, WITH_A) == ()
    introduce(ann, ben, [], [entry("handle|chat|otter", "target", covert=True)])
    assert len(ben.desk.read(ben.questions, WITH_A)) == 1


def test_the_answer_is_the_same_bytes_whatever_the_compartment_holds(tmp_path: Path) -> None:
    """One question, one secret; the compartment empty, and full of hits."""
    answers = []
    ann, secret = Body(A, tmp_path / "a"), psi.new_secret().hex()
    for number, covert in enumerate(([], [entry(key, "target", covert=True) for key in OWN])):
        ben = Body(B, tmp_path / f"b{number}")
        ben.store.put("secret", f"holder/{A}", {"id": "x", "secret": secret})
        introduce(ann, ben, [], covert)
        if not answers:
            question = ann.office.ask(OWN, WITH_B, **SAID)
        reply = write(ben.answer(question, WITH_A), SigningKey.from_seed(B, bytes(32)))
        log = [{k: v for k, v in one.items() if k != "id"} for one in ben.office.entries()]
        answers.append((reply, log))
        assert len(ben.desk.read(ben.questions, WITH_A)) == len(covert)
        ben.close()
    ann.close()
    assert answers[0] == answers[1]


def indistinguishable(trials: int, answer: object) -> float:
    """Return the p-value that times of misses and of covert hits are of one kind (Mann-Whitney), in random order."""
    a, c = psi.new_secret(), psi.new_secret()
    hidden = [entry(key, "target", covert=True) for key in OWN[:2]]
    sent, places = deconflict.make_round(hidden, c, holder=B, asker=A, size=4)
    known = deconflict.known_points(deconflict.answer_round(sent, a), places)
    asked = {
        hit: [
            deconflict.ask(
                OWN[:2] if hit else [f"name||{secrets.token_hex(8)}", f"name||{secrets.token_hex(8)}"],
                a, size=2, asker=A, holder=B, at=NOW, **SAID,  # type: ignore[arg-type]
            )[0]
            for _ in range(8)
        ]
        for hit in (True, False)
    }  # fmt: skip
    times: dict[bool, list[float]] = {True: [], False: []}
    sizes = set()
    for trial in range(trials):
        hit = bool(secrets.randbits(1))
        start = time.thread_time()
        reply = answer(asked[hit][trial % 8], c, known)  # type: ignore[operator]
        times[hit].append(time.thread_time() - start)
        sizes.add(len(b"".join(reply.points)))
    assert len(sizes) == 1
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(times[True], times[False]).pvalue)


SECRET = psi.new_secret()


def honest(question: Question, *_: object) -> deconflict.Answer:
    return deconflict.answer(question, SECRET)


def leaky(question: Question, secret: bytes, known: dict[bytes, tuple[str, ...]]) -> deconflict.Answer:
    if deconflict.recognised(question, secret, lambda point: known.get(point, ())):
        psi.blind(SECRET, psi.dummies(24))
    return deconflict.answer(question, SECRET)


def test_a_covert_hit_takes_as_long_as_a_miss_and_a_leak_would_show() -> None:
    # Of one kind, p is below 0.0005 once in 2,000 runs; the whole test, 10,000 trials against 0.05, is in bench/deconflict.py.
    assert indistinguishable(400, honest) > 0.0005
    assert indistinguishable(120, leaky) < 0.0005


# Limits -------------------------------------------------------------------------------------------


def test_a_holder_refuses_what_is_not_agreed_and_says_so_on_its_log(two: tuple[Body, Body]) -> None:
    _, ben = two
    secret = psi.new_secret()

    def question(size: int = 16, at: datetime = NOW, **changes: object) -> Question:
        said = {**SAID, **changes}
        return deconflict.ask(OWN, secret, size=size, asker=A, holder=B, at=at, **said)[0]  # type: ignore[arg-type]

    for wrong, why in (
        (question(size=8), "agreed 16 points"),
        (question(basis="curiosity"), "legal basis"),
        (question(at=NOW - timedelta(days=15)), "fortnight"),
        (replace(question(), points=(question().points[0],) * 16), "twice"),
    ):
        reply = ben.answer(wrong, WITH_A)
        assert why in reply.refused
        assert reply.points == ()
    refused = [one for one in ben.office.entries() if one["kind"] == "question-refused"]
    assert len(refused) == 4
    assert refused[1]["basis"] == "curiosity"
    assert ben.questions == []
    with pytest.raises(InputError, match="between others"):
        ben.answer(replace(question(), holder="cat.example"), WITH_A)


def test_a_holder_stops_one_who_goes_through_a_dictionary(two: tuple[Body, Body]) -> None:
    _, ben = two
    agreed = replace(WITH_A, questions_a_day=1000, new_points_a_month=160)
    secret, answered = psi.new_secret(), 0
    for turn in range(40):
        guesses = [f"handle|chat|{secrets.token_hex(4)}" for _ in range(16)]
        question, _ = deconflict.ask(guesses, secret, size=16, asker=A, holder=B, at=NOW, **SAID)  # type: ignore[arg-type]
        ben.now = NOW + timedelta(minutes=turn)
        answered += not ben.answer(question, agreed).refused
    assert answered == 10


def test_a_day_has_so_many_questions_and_the_same_file_counts_once(two: tuple[Body, Body]) -> None:
    ann, ben = two
    agreed = replace(WITH_A, questions_a_day=2)
    first = ann.office.ask(OWN, WITH_B, **SAID)
    assert ben.answer(first, agreed) == ben.answer(first, agreed) == ben.answer(first, agreed)
    assert not ben.answer(ann.office.ask(OWN, WITH_B, **SAID), agreed).refused
    assert "2 a day" in ben.answer(ann.office.ask(OWN, WITH_B, **SAID), agreed).refused
    ben.now += timedelta(days=1, seconds=1)
    assert not ben.answer(ann.office.ask(OWN, WITH_B, **SAID), agreed).refused
    with pytest.raises(InputError, match="had this id"):
        ben.answer(replace(first, points=first.points[::-1]), agreed)


def test_no_limit_depends_on_covert_hits(two: tuple[Body, Body]) -> None:
    """Asking a covert entry again and again is refused exactly when asking nothing of interest is."""
    ann, ben = two
    introduce(ann, ben, [], [entry(key, "persona", covert=True) for key in OWN])
    agreed = replace(WITH_A, questions_a_day=5)
    nothing = [f"name||nobody {word}" for word in ("one", "two", "three", "four")]
    refused = []
    for keys in (OWN, nothing):
        ben.now += timedelta(days=2)
        ann.now = ben.now
        refused.append([ben.answer(ann.office.ask(keys, WITH_B, **SAID), agreed).refused for _ in range(7)])
        ben.desk.read(ben.questions, agreed)
    assert refused[0] == refused[1]


def test_a_desk_may_send_so_many_rounds_of_the_agreed_size(two: tuple[Body, Body]) -> None:
    ann, ben = two
    agreed = replace(WITH_B, rounds_a_month=2)
    for _ in range(2):
        sent = ben.desk.round_for(WITH_A)
        assert ann.office.answer_round(sent, agreed) == ann.office.answer_round(sent, agreed)  # counts once
    with pytest.raises(InputError, match="2 rounds"):  # an old id with other points is another round
        ann.office.answer_round(replace(ben.desk.round_for(WITH_A), id=sent.id), agreed)
    with pytest.raises(InputError, match="2 rounds"):
        ann.office.answer_round(ben.desk.round_for(WITH_A), agreed)
    with pytest.raises(InputError, match="agreed 16"):
        ann.office.answer_round(ben.desk.round_for(replace(WITH_A, round_size=8)), agreed)


def test_an_askers_own_people_are_stopped_before_a_question_leaves(two: tuple[Body, Body]) -> None:
    ann, _ = two
    for keys, why in (
        (OWN[:2], "fewer"),
        ([f"handle|chat|otter{number}" for number in range(12)], "guesses"),
        ([f"phone||+4420794600{number:02}" for number in range(12)], "guesses"),
    ):
        with pytest.raises(InputError, match=why):
            ann.office.ask(keys, WITH_B, **SAID)
    with pytest.raises(InputError, match="basis"):
        ann.office.ask(OWN, WITH_B, **{**SAID, "basis": "curiosity"})
    assert [one["kind"] for one in ann.office.entries()] == ["question-stopped"] * 4
    assert own_refusal(OWN, BASIS, WITH_B) == ""
    many = [
        f"handle|chat|{word}"
        for word in ("otter", "heron", "wren", "finch", "robin", "swift", "egret", "raven")
    ]
    assert feels_its_way(many) == ""


def test_an_agreement_names_a_basis_and_can_be_kept() -> None:
    agreed, key = parse_agreement('partner = "x"\nkey = "k"\nbases = ["law"]\nsize = 64\n', "a")
    assert (agreed.size, agreed.bases, key) == (64, ("law",), "k")
    for wrong in ('partner = "x"\nkey = "k"\nbases = []', 'partner = "x"\nbases = ["a"]', "x", 'partner="x"\nkey="k"\nbases=["a"]\nsize=5000'):  # fmt: skip
        with pytest.raises(InputError):
            parse_agreement(wrong, "a")


def test_rows_are_read_and_a_bad_one_is_named_without_its_value() -> None:
    text = "identifier,value,platform\nhandle,@Otter,Chat\nphone,020 7946 0001,\n"
    assert identifiers(text, "a.csv", calling_code="44") == ("handle|chat|otter", "phone||+442079460001")
    with pytest.raises(InputError, match="line 3") as refused:
        identifiers(text, "a.csv")
    assert "7946" not in str(refused.value)
    head = "kind,identifier,value,platform,reference,contact,urgency,until\n"
    [one] = interests(head + "child,handle,@Otter,Chat,R-1,desk,1,2027-01-01\n", "b.csv", covert=False)
    assert (one.kind, one.key, one.urgency) == ("child", "handle|chat|otter", 1)
    for row in ("pet,handle,@O,Chat,R,d,1,2027-01-01", "child,handle,@O,Chat,R,d,x,2027-01-01", "persona,handle,@O,Chat,R,d,1,2027-01-01"):  # fmt: skip
        with pytest.raises(InputError):
            interests(head + row, "b.csv", covert=False)
