"""The body's console asks other bodies, sends to partners, and says what is known, each by a person and on the record."""

import json
import re
from dataclasses import replace

import pytest
from tests.unit.console.casework import PARTNERS, body, referred
from tests.unit.console.unit_people import BASIS, Insider, found, two_bodies
from tests.unit.console.visiting import Visitor

from lightship.app_share import make_identity, make_signing_key, open_pack
from lightship.casework import knowledge
from lightship.core.casework import Dissemination, Identifier, Inquiry, Marking, Referral, Use
from lightship.core.release import Partner
from lightship.exchange.labels import languages

AMBER = Marking(tlp="amber", pap="amber", originator="A sender")
UNTIL = "2027-02-20"
INTERESTS = "kind,identifier,value,platform,reference,contact,urgency,until\n"
OVERT = f"{INTERESTS}child,handle,@Heron,Chat,R-9,desk@there.example,1,{UNTIL}\n"
COVERT = f"{INTERESTS}persona,handle,@Otter,Chat,C-4,desk@there.example,1,{UNTIL}\n"
ASKED = "identifier,value,platform\nhandle,OTTER,chat\nhandle,heron,chat\nemail,ivy@example.org,\n"


@pytest.fixture
def made(tmp_path):
    return referred(body(tmp_path), marking=AMBER)


def at(made, name):
    who = Visitor(made)
    assert who.sign_in(name).status_code == 303
    who.get("/keys")
    return who


def bring(who, path, data, **form):
    """Send a file with a form."""
    return who.send("POST", path, data={"csrf": who.csrf, **form}, files={"file": ("file", data)})


def asked_by(who, text=ASKED, **more):
    said = {
        "basis": BASIS,
        "reference": "REF-1",
        "contact": "desk@here.example",
        "urgency": "2",
        "until": UNTIL,
    }
    return who.post("/deconfliction/there/ask", identifiers=text, **{**said, **more})


# Deconfliction ---------------------------------------------------------------------------------


def asked_and_answered(tmp_path, covert):
    """Return what a caseworker sees and how, and what the covert desk sees; ``covert`` is what that desk keeps."""
    here, there = two_bodies(tmp_path)
    found(there)
    ann, ben, fir = at(here, "ann"), at(there, "ann"), Insider(there, "fir")
    listed = ben.post("/deconfliction/here/list", entries=OVERT)
    assert listed.headers["content-disposition"].startswith('attachment; filename="list-here-')
    assert "is kept" in bring(ann, "/deconfliction/there/open", listed.content).text
    if covert:
        assert fir.post("/unit/desk/keep", entries=covert).status_code == 303
    sent = fir.post("/unit/desk/round", partner="here")
    back = bring(ann, "/deconfliction/there/open", sent.content)
    assert bring(fir, "/unit/desk/back", back.content, partner="here").status_code == 303
    question = asked_by(ann)
    assert question.status_code == 200, question.text
    answer = bring(ben, "/deconfliction/here/open", question.content)
    ann.get("/deconfliction/there")
    page = bring(ann, "/deconfliction/there/open", answer.content)
    desk = fir.get(fir.post("/unit/desk/read").headers["location"])
    return page, answer, desk, here, there


def test_a_covert_hit_is_a_miss_to_who_asks_and_a_notice_to_the_covert_desk(tmp_path):
    (tmp_path / "hit").mkdir()
    (tmp_path / "miss").mkdir()
    hit, answer, desk, here, there = asked_and_answered(tmp_path / "hit", COVERT)
    miss, other, empty, *_ = asked_and_answered(tmp_path / "miss", "")
    assert "R-9" in hit.text
    assert "heron" in hit.text

    def plain(page):
        return re.sub(r"nonce[-=][^'\s>]+|value=\"[^\"]*\"", "", page.text)

    assert plain(hit) == plain(miss)
    assert len(hit.content) == len(miss.content)
    assert len(answer.content) == len(other.content)
    told = re.search(r'<section aria-labelledby="told">.*?</section>', hit.text, re.DOTALL)[0]
    assert "otter" not in told
    assert "1 new notice." in desk.text
    for said in ("persona", "here.example", "REF-1", "desk@here.example"):
        assert said in desk.text
    assert "0 new notices." in empty.text
    for one in (here, there):
        record = json.dumps(list(one.ledger.entries()))
        assert "otter" not in record.casefold()
        assert "C-4" not in record
        assert "notice" not in record


def test_every_question_has_its_law_its_person_and_its_place_on_the_record(tmp_path):
    here, _ = two_bodies(tmp_path)
    ann, ada = at(here, "ann"), at(here, "ada")
    assert "Choose one" in asked_by(ann, basis="Some other law").text
    assert "fewer than the agreed 3" in asked_by(ann, "identifier,value,platform\nemail,a@b.org,\n").text
    assert (
        "identifiers, line 3: "
        in asked_by(ann, "identifier,value,platform\nemail,a@b.org,\nemail,no,\n").text
    )
    guesses = "identifier,value,platform\n" + "".join(f"handle,heron{n},chat\n" for n in range(8))
    assert "look like guesses" in asked_by(ann, guesses).text
    assert asked_by(ann).status_code == 200
    [entry] = here.ledger.of("interests-asked")
    assert (entry["by"], entry["to"], entry["basis"], entry["identifiers"]) == ("ann", "there", BASIS, 3)
    assert [one.reason for one in here.all(Use, by="ann", verb="consultation")] == [BASIS]
    page = ada.get("/deconfliction").text
    assert "Question asked" in page
    assert "Question stopped" in page
    assert "1 of 24" in page
    assert BASIS in page
    assert ada.get("/deconfliction/there").status_code == 403


def test_no_more_is_asked_in_a_day_than_was_agreed(tmp_path):
    here, _ = two_bodies(tmp_path)
    path = here.folder / "deconflict" / "agreements" / "there.toml"
    path.write_text(path.read_text() + "questions_a_day = 1\n")
    ann = at(here, "ann")
    assert asked_by(ann).status_code == 200
    done = asked_by(ann)
    assert done.status_code == 429
    assert "Ask tomorrow" in done.text
    here.clock.on(hours=25)
    assert asked_by(at(here, "ann")).status_code == 200


def test_the_identifiers_of_a_case_are_filled_in_and_that_is_logged(tmp_path):
    here, _ = two_bodies(tmp_path)
    referred(here)
    ann = at(here, "ann")
    case = here.all(Inquiry)[0].id
    assert f"/deconfliction?case={case}" in ann.get(f"/cases/{case}").text
    assert f"/deconfliction/there?case={case}" in ann.get(f"/deconfliction?case={case}").text
    page = ann.get(f"/deconfliction/there?case={case}").text
    mine = {one.id for one in here.all(Referral, inquiry_id=case)}
    values = [one.value for one in here.all(Identifier) if one.referral_id in mine]
    assert values
    assert all(value in page for value in values)
    assert here.all(Use, about=case, verb="consultation", by="ann")
    assert ann.get("/deconfliction/there?case=nothing").status_code == 404


def test_a_changed_file_another_bodys_and_no_file_are_each_refused(tmp_path):
    here, _ = two_bodies(tmp_path)
    ann = at(here, "ann")
    path = "/deconfliction/there/open"
    question = asked_by(ann).content
    for data, said in (
        (question[:-1] + b"x", "refused"),
        (b"no file of ours", "no file of"),
        (b"", "missing"),
    ):
        done = bring(ann, path, data)
        assert done.status_code == 422
        assert said in done.text
    assert ann.get("/deconfliction/nobody").status_code == 404
    assert ann.get("/deconfliction/..%2Fown").status_code == 404


# Sending ---------------------------------------------------------------------------------------


def looked(who, made, to="abroad"):
    page = who.get(f"/cases/{made.inquiries[0]}/send?to={to}").text
    return re.search(r'name="seen" value="([^"]+)"', page)[1]


def test_what_is_sent_is_what_was_seen_with_who_and_why_and_what_became_of_it(made):
    ann, ada = at(made, "ann"), at(made, "ada")
    case = made.inquiries[0]
    path = f"/cases/{case}"
    assert f"{path}/send?to=abroad" in ann.get(f"{path}/preview?to=abroad").text
    sent = {"to": "abroad", "seen": looked(ann, made), "why": "the payer lives there"}
    assert "say that you did" in ann.post(f"{path}/send", **sent, way="taxii").text
    assert made.all(Dissemination) == []
    assert ann.post(f"{path}/send", **sent, way="taxii", sure="yes").headers["location"] == f"{path}/sent"
    [one] = made.all(Dissemination)
    assert (one.recipient, one.way, one.by) == ("abroad", "taxii", "ann")
    values = [
        each.value for each in made.all(Identifier, referral_id=made.all(Referral, inquiry_id=case)[0].id)
    ]
    assert all(value in one.content for value in values)
    [use] = made.all(Use, about=case, verb="disclosure")
    assert (use.by, use.recipient, use.reason) == ("ann", "abroad", "the payer lives there")
    assert made.ledger.of("disseminated")[0]["digest"] == one.digest

    page = ada.get(f"{path}/sent").text
    for said in ("A unit abroad", "the payer lives there", "not acknowledged yet"):
        assert said in page
    assert "Say what became of it" not in page
    assert ada.get(f"{path}/sent/{one.id}").status_code == 403
    assert values[0] in ann.get(f"{path}/sent/{one.id}").text
    assert ann.get(f"/cases/{made.inquiries[1]}/sent/{one.id}").status_code == 404

    became = f"{path}/sent/{one.id}"
    assert "nothing is said" in ann.post(became).text
    assert ann.post(became, acknowledged="yes").status_code == 303
    assert ann.post(became, outcome="the child was found safe").status_code == 303
    page = ann.get(f"{path}/sent").text
    assert "acknowledged 2" in page
    assert "the child was found safe" in page
    assert [each["outcome"] for each in made.ledger.of("dissemination-became")] == [
        "",
        "the child was found safe",
    ]


def test_who_is_not_cleared_for_all_of_it_sends_nothing_and_reads_nothing_of_what_was_sent(tmp_path):
    low = Partner("ben", "Ben", Marking(tlp="green", pap="green"))
    made = referred(body(tmp_path, readers={"ben": low}), marking=AMBER)
    ann, ben = at(made, "ann"), at(made, "ben")
    case = f"/cases/{made.inquiries[0]}"
    sent = {"to": "abroad", "seen": looked(ann, made), "why": "canary why", "way": "taxii", "sure": "yes"}
    values = [one.value for one in made.all(Identifier)]
    page = ben.get(f"{case}/send?to=abroad").text
    assert "above your clearance" in page
    assert 'name="why"' not in page
    assert not any(f">{value}<" in page for value in values)
    assert ben.post(f"{case}/send", **sent).status_code == 403
    assert made.all(Dissemination) == []
    assert ann.post(f"{case}/send", **sent).status_code == 303
    [one] = made.all(Dissemination)
    assert ann.post(f"{case}/sent/{one.id}", outcome="canary outcome").status_code == 303
    page = ben.get(f"{case}/sent").text
    assert "A unit abroad" in page
    assert "canary" not in page
    assert ben.get(f"{case}/sent/{one.id}").status_code == 403
    assert ben.post(f"{case}/sent/{one.id}", outcome="x").status_code == 403


def test_a_question_is_filled_in_with_what_its_reader_may_see_alone(tmp_path):
    here, _ = two_bodies(tmp_path)
    referred(here, marking=Marking(tlp="red", originator="A sender"))
    case = here.all(Inquiry)[0].id
    page = at(here, "ann").get(f"/deconfliction/there?case={case}").text
    assert not any(one.value in page for one in here.all(Identifier))


def test_what_changed_since_it_was_seen_is_not_sent(made):
    ann = at(made, "ann")
    sent = {"to": "abroad", "seen": looked(ann, made), "why": "w", "way": "taxii", "sure": "yes"}
    with made.store.begin() as work:
        work.change(Inquiry, made.inquiries[0], {}, title="Another title")
    done = ann.post(f"/cases/{made.inquiries[0]}/send", **sent)
    assert done.status_code == 409
    assert "Look again" in done.text
    assert made.all(Dissemination) == []
    assert made.all(Use, verb="disclosure") == []


@pytest.mark.parametrize(("way", "ending"), [("misp", ".misp.json"), ("case", ".case.jsonld")])
def test_a_file_is_given_once_and_is_what_was_kept(made, way, ending):
    ann = at(made, "ann")
    sent = {"to": "abroad", "seen": looked(ann, made), "why": "w", "way": way, "sure": "yes"}
    done = ann.post(f"/cases/{made.inquiries[0]}/send", **sent)
    assert done.headers["content-disposition"].endswith(f'{ending}"')
    assert done.headers["cache-control"] == "no-store"
    [one] = made.all(Dissemination)
    assert done.content.decode() == one.content


def test_a_pack_comes_as_a_file_that_the_partner_alone_opens(tmp_path):
    line = make_identity(tmp_path / "theirs.key")
    make_signing_key(tmp_path / "house.key", "body.example/sharing")
    partners = {"abroad": replace(PARTNERS["abroad"], age=line)}
    made = body(tmp_path, partners=partners, key=tmp_path / "house.key")
    referred(made, marking=Marking(tlp="amber", pap="amber", originator="A sender"))
    ann = at(made, "ann")
    page = ann.get(f"/cases/{made.inquiries[0]}/send?to=abroad").text
    assert "An offline pack" in page
    sent = {"to": "abroad", "seen": looked(ann, made), "why": "w", "way": "pack", "sure": "yes"}
    done = ann.post(f"/cases/{made.inquiries[0]}/send", **sent)
    (tmp_path / "x.pack").write_bytes(done.content)
    opened = open_pack(tmp_path / "x.pack", tmp_path / "theirs.key", tmp_path / "house.pub", tmp_path / "out")
    assert (opened.sender, opened.recipient) == ("body.example/sharing", "abroad")
    assert (tmp_path / "out" / "bundle.json").read_text() == made.all(Dissemination)[0].content


def test_a_partner_without_a_key_is_offered_no_pack_and_one_who_would_see_nothing_no_form(made):
    ann = at(made, "ann")
    page = ann.get(f"/cases/{made.inquiries[0]}/send?to=abroad").text
    assert "TAXII" in page
    assert "offline pack" not in page
    nothing = ann.get(f"/cases/{made.inquiries[0]}/send?to=hotline").text
    assert "They would see nothing." in nothing
    assert 'name="why"' not in nothing
    assert ann.get(f"/cases/{made.inquiries[0]}/send?to=nobody").status_code == 404
    assert ann.get("/cases/nothing/send?to=abroad").status_code == 404


# Knowledge -------------------------------------------------------------------------------------


def test_a_card_shows_each_claim_with_its_source_its_days_and_what_nobody_has_verified(made):
    ann = at(made, "ann")
    cards = knowledge.shipped()
    page = ann.get("/knowledge").text
    assert all(f"/knowledge/{one.id}?" in page for one in cards)
    for card in cards:
        page = ann.get(f"/knowledge/{card.id}").text
        for claim in card.claims:
            assert str(claim.review_by) in page
            assert claim.tbv is False or "To be verified" in page
        assert all(one in page for one in card.links)
    assert ann.get("/knowledge/nothing").status_code == 404


def test_a_search_finds_claims_and_says_when_there_are_none(made):
    ada = at(made, "ada")
    page = ada.get("/knowledge?words=PICACC+160").text
    assert "160 referrals" not in page or "country-ph" in page
    found = knowledge.search(knowledge.shipped(), "160 referrals")
    page = ada.get("/knowledge?words=160+referrals").text
    assert found
    assert all(card.title in page for card, _ in found)
    assert "Nothing has all of these words." in ada.get("/knowledge?words=zebra+crossing").text


def test_a_claim_whose_review_is_over_says_so(made):
    made.clock.on(days=400)
    assert "Overdue" in at(made, "ann").get("/knowledge/country-ph").text


@pytest.mark.parametrize("code", languages())
def test_the_labels_are_in_the_readers_language_and_the_claims_say_that_they_are_english(made, code):
    from lightship.exchange.labels import labels

    root = at(made, "root")
    words = labels(code)
    page = root.get(f"/knowledge/country-ph?language={code}").text
    assert f'<div lang="{code}" dir="{words.direction}">' in page
    assert words["source"] in page
    assert (words["claims_english"] in page) is (code != "en")
    assert root.get("/knowledge?language=xx").status_code == 404
