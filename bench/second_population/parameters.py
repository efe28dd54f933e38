"""The numbers of the second population, each with its source, or (A) where it is the author's judgement.

P5, S7 and so on are the sources of the domain notes on payments: P5 is AIC Trends & issues 589, S1 and S2 the
summaries of FATF's report of 2025, S21 and S24 those of FinCEN's notice of 2025. Shares are of customers (or of the
group named), sums are pounds, counts are a year's. What shapes one life alone (the spread of a wage, the words of a
reference) stands in `lives` beside what it shapes, and is (A) throughout.
"""

from __future__ import annotations

from datetime import date

FIRST_DAY = date(2025, 11, 1)  # (A) crosses a Christmas, a school year and two clock changes
DAYS = 365

# --- who banks here ---------------------------------------------------------------------------------------------
BUSINESSES = 0.045  # (A) small firms and sole traders with a business account
HOUSEHOLD_KINDS = {
    "single": 0.55,
    "couple": 0.385,
    "family": 0.05,
    "lone-parent": 0.015,
}  # (A) as customers see it
CHILD_ACCOUNTS = (0.50, 0.36, 0.14)  # (A) one, two, three accounts of 11 to 17 in a household that has any
BORN_ABROAD = 0.15  # households; census of 2021, England and Wales: 16.8 % of people were born abroad
ORIGINS = {  # (A) of those, after the largest groups of that census; the Philippines as in care and nursing
    "IN": 19, "PL": 14, "PK": 13, "RO": 11, "NG": 10, "BD": 7, "PH": 8, "IE": 4, "GH": 4, "KE": 3, "LK": 3, "JM": 4,
}  # fmt: skip
MAIN_ACCOUNT = 0.34  # (A) adults whose pay arrives here
PAY_RULES = {"last-workday": 0.55, "25th": 0.17, "15th": 0.06, "four-weekly": 0.14, "weekly": 0.08}  # (A)
OPENED_THIS_YEAR = 0.07  # (A)
LIVES_ABROAD = 0.008  # (A) customers with an address in Ireland, Spain or the Emirates
SEX_UNKNOWN = 0.03  # (A)
BORN_UNKNOWN = 0.01  # (A)
TIME_UNKNOWN = 0.05  # (A) bank transfers of which only the booking day came
PAYEE_SUM_KNOWN = 0.85  # (A) of payments abroad
REMITTERS = 8  # (A)
TRUE_TO_REMITTER = 0.88  # (A) the rest of sends go by another

# --- ordinary payments (A all): mean a year, gamma shape of the spread between people ------------------------------
RENT = 0.36  # main accounts that pay a landlord or lender monthly from here
BILLS = 0.30  # main accounts with one monthly bill paid from here
FRIENDS = (3.8, 0.7)
SHOPPING = (5.0, 0.8)
ONLINE = (1.8, 0.6)
SHOP_ABROAD = (0.25, 0.4)
HELP_ABROAD = (0.03, 0.3)  # a one-off gift, deposit or fee to a person abroad
SOFTWARE = (0.5, 0.4)  # apps, storage, security and privacy programs
GIFT_CARDS = (0.15, 0.5)  # mostly December
CRYPTO = (0.04, 6.0, 0.5)  # share of people from 18 to 45, then as above
BETTING = (0.04, 9.0, 0.5)
POCKET_MONEY = {"weekly": 0.14, "four-weekly": 0.34, "15th": 0.24, "none": 0.28}
CHILD_SHOPPING = (7.0, 0.9)
CHILD_FRIENDS = (3.0, 0.6)
CHILD_DAY_OUT = 0.18  # children who once settle several small debts within a day
CHILD_SALE = 0.10  # children who once spend a gift in a weekend on games or cards
CHILD_ABROAD = 0.012  # children who send a little to relatives or to a maker abroad
CHILD_CHEATED = 0.001  # children who lose money once on a ticket or a shoe that never comes
BUSINESS_PAYS, BUSINESS_GETS, BUSINESS_ABROAD = (16.0, 0.9), (12.0, 0.9), 0.10

# --- look-alikes: share of adults (of businesses where it says so), all (A) but for what section 3 says of each -------
FAMILY_SENDS = 0.40  # adults of households from abroad who send money home
FAMILY_REGULAR = (
    0.68  # "payday-linked, regular, 150-500, 1-2 lasting receivers"; the others send as need arises
)
FAMILY_SUM, FAMILY_SUM_SPREAD = 230.0, 0.38
FAMILY_NEEDS = (9.0, 1.6)
FAMILY_NEED_SUM = 70.0
FAMILY_TIE_KNOWN = 0.70
ORIGIN_KNOWN = 0.30  # (A) others whose family is from abroad: the bank knows
FAMILY_OUTSIDE_REMITTER = 0.18  # the bank sees only a card payment to the remitter
FAMILY_AGENT = 0.03  # sends go to an agent of the village who serves many families
PARTNER = 0.006
PARTNER_SENDS = (15.0, 2.0)
PARTNER_TIES = {"travel": 0.50, "residence": 0.18, "none": 0.32}
PARTNER_BACK = 0.40  # "two-way flow"
PAYROLL_BUSINESS, PAYROLL_PERSON = 0.022, 0.0005  # of businesses; of adults (a sole trader's own account)
SPONSOR = 0.007
SPONSOR_SMALL = 0.12  # to a small home or school's manager in person
STUDENT = 0.006
ROMANCE = 0.00025
ADULT_PLATFORM = (0.009, 15.0, 0.7)
ADULT_DIRECT = 0.012  # of those: also sends to an adult performer abroad, by wallet
PERFORMERS = 30  # (A) whom those pay
TRAVELLER = 0.018
TRAVELLER_GIVES = 0.35  # pays guides, drivers, homestays in person
TRAVELLER_GOES_ON = 0.04  # sends a little afterwards
GUIDES = 12  # (A) in each country whom travellers pay: hosts, drivers, dive shops; few, and known to many
GIG = 0.025
SELLER = 0.003  # many small sums from strangers
GAMER, GAMER_CHILD = 0.03, 0.16
GAMER_SPENDS = (16.0, 2.0)
LESSONS = 0.0012  # weekly lessons with a teacher abroad
COMMISSIONS = 0.0012  # small works ordered from makers abroad
MAKERS = 1.0  # (A) for each who orders; they order about six times a year, so makers have several buyers
FRIENDS_ABROAD = 0.004
ORGANISER = 0.0012  # collects small sums from the young and pays the venue at once
# (A) in which countries those whom they pay are
PARTNER_COUNTRIES = {
    "PH": 22, "TH": 18, "CO": 7, "BR": 8, "UA": 10, "MX": 4, "DO": 5, "US": 8, "NG": 5, "VN": 5, "JM": 4, "RO": 4,
}  # fmt: skip
SPONSOR_COUNTRIES = {
    "IN": 20, "KE": 18, "PH": 16, "GH": 10, "KH": 8, "NP": 10, "BD": 8, "CO": 5, "NG": 5,
}  # fmt: skip
STUDENT_COUNTRIES = {
    "US": 14, "IE": 10, "DE": 8, "IN": 14, "PL": 7, "PH": 9, "NG": 8, "GH": 6, "RO": 8, "AU": 6, "UA": 4, "MX": 3,
}  # fmt: skip
MAKER_COUNTRIES = {
    "PH": 16, "ID": 14, "US": 25, "BR": 10, "MX": 8, "UA": 6, "VN": 6, "TH": 5, "CO": 5, "RO": 5,
}  # fmt: skip
FRIEND_COUNTRIES = {
    "PH": 10, "IN": 12, "NG": 8, "KE": 8, "TH": 8, "PL": 8, "US": 10, "UA": 10, "JM": 6, "GH": 6, "CO": 4, "NP": 6,
}  # fmt: skip

# --- livestream payer ----------------------------------------------------------------------------------------------
COUNT_MU, COUNT_SIGMA = 0.592, 1.881  # payments a payer; fitted to P5 and S7b (section 2, C)
COUNT_MOST = 400  # (A) in one year; Westpac's first customer made 625 in six (S8)
PROLIFIC_ABOVE = 20  # 9.9 % of payers by the count model; "prolific ~10 %" (A, section 2)
PROLIFIC_SUM = 24.0  # "< A$55 a payment" (P6): a median under GBP 29
PROLIFIC_GAP_D = (5.0, 15.0)  # "gaps < 20 days" (P6); 5-15 (A, section 2)
OCCASIONAL_SUM = 62.0  # band A$49-390 (S7), A$51 in chats (P7), EUR 10-200 (S1)
OCCASIONAL_GAP_D = (30.0, 60.0)  # (A, section 2)
PAYER_SUM_SPREAD = 0.55  # (A) between payers; with the next two it gives "90 % in 10-200, 1 % > 500"
PAYMENT_SUM_SPREAD = 0.40  # (A) between a payer's payments
LARGE_PAYER = (0.04, 5.0)  # (A) share, and times the sum: the mean of A$486 is far above the band (S7b)
MENU = (10, 15, 20, 25, 30, 50, 75, 100, 150, 200)  # (A, section 2)
ROUND_HERE, ROUND_THERE = 0.55, 0.33  # (A) "round in either currency" (S1 S2)
ESCALATION = (0.05, 0.30)  # b of 1 + b ln n, sums up and gaps down (A, section 2; P5 says the sign)
GAP_SPREAD = 0.60  # (A) "short regular gaps" (P9)
SAME_SESSION = 0.12  # (A) the next payment minutes later
RECEIVERS = (0.34, 0.24, 0.17, 0.12, 0.08, 0.05)  # 1 to 6 (A, section 2)
RECEIVER_LEAVES = 0.12  # (A) chance after each payment that the payer goes on to the next
FAN_IN_POWER, FAN_IN = 2.0, (2, 30)  # "2-30 payers a receiver (power law)" (A, section 2)
FAN_IN_SEEN = 0.40  # (A) part of a receiver's payers that banks here
RELATIVES = (
    0.60  # (A) a payer's next receiver is a relative of the last: "relatives and victims themselves" (S19)
)
RECEIVER_HAS_KIN_HERE = 0.10  # (A) also gets ordinary family support from somebody here
PAYER_COUNTRIES = {
    "PH": 70,
    "TH": 6,
    "CO": 5,
    "DO": 4,
    "RO": 4,
    "GH": 4,
    "MX": 3,
    "UA": 2,
    "JM": 2,
}  # S10 S5; parts (A)
PAYER_ONE_COUNTRY = 0.90  # (A)
PAYER_RAILS = {"remittance": 0.68, "wallet": 0.17, "bank": 0.10, "crypto": 0.05}  # (A) after S15, S17, S5
PAYER_TEXT = 0.35  # (A) everyday references (P2 S1 S4)
PAYER_MALE = 0.97  # S9 S10: all or nearly all
PAYER_AGE = (51.0, 11.0)  # AU 50s-60s, UK mean 53, SE 37-50 (P5 S9 P10)
PAYER_ADULT_PLATFORM = 0.18  # (A) C14, Swedish judgments
PAYER_TRAVELS = 0.18  # (A) C12; 4 of 7 in P7b, tiny n
PAYER_TRAVELS_THERE = 0.75  # (A) of those: pays into the country of the trip
PAYER_SOFTWARE = 0.25  # (A) C13
FLAGGED_RECEIVERS = 0.02  # (A) receivers already flagged by somebody

# --- extortion ------------------------------------------------------------------------------------------------------
VICTIMS = 0.0002  # (A) of customers; far above what is reported, to have enough of them
VICTIM_MALE = 0.90  # "boys 14-17 most exposed" (S23)
VICTIM_AGES = (14, 17)
VICTIM_PARENT_ACCOUNT = 0.10  # (A) "child (or child-parent) account" (S21)
VICTIM_PAYMENTS = (2, 8)  # (A, section 2)
VICTIM_HOURS = (9.0, 0.9, 47.5)  # median and spread (A), bound "< 48 h" (section 2)
VICTIM_FIRST, VICTIM_FIRST_MOST, VICTIM_TOTAL_MOST = 45.0, 250.0, 1500.0  # bounds S1, median (A)
VICTIM_RAILS = {"person": 0.60, "gift-card": 0.25, "crypto": 0.15}  # (A, section 2)
VICTIM_CHANGES_RAIL = 0.15  # (A)
VICTIM_TO_MULE = 0.45  # (A) of person-to-person victims; the others pay abroad
VICTIM_COUNTRIES = {"NG": 50, "CI": 20, "PH": 15, "BJ": 8, "GH": 7}  # (A)
VICTIM_RECOVERY_FEE = 0.06  # (A) V6 (S24)
MULES = 0.00004  # (A)
MULE_CREDITS = (6, 30)  # (A) "many small credits from unrelated young senders" (S21)
MULE_WEEKS = (1.0, 8.0)  # (A)
MULE_KEEPS = (0.03, 0.15)  # (A)
MULE_ONWARD_HOURS = (2.0, 1.0)  # (A) median and spread of "prompt"
MULE_REPORTED = 0.04  # (A) V7

# --- hours, local: (share, mean hour, spread in hours) ----------------------------------------------------------------
CLOCKS = {  # (A) but for "livestream"
    "office": ((0.65, 11.0, 2.3), (0.35, 15.0, 1.8)),
    "batch": ((0.85, 3.0, 1.2), (0.15, 9.0, 1.5)),  # standing orders and pay are booked at night
    "shopping": ((0.40, 12.5, 2.2), (0.45, 17.5, 2.2), (0.15, 21.0, 1.5)),
    "evening": ((0.70, 20.0, 2.0), (0.30, 13.5, 3.0)),
    "friends": ((0.55, 21.5, 2.2), (0.45, 15.0, 3.5)),
    "family": ((0.45, 19.0, 2.5), (0.40, 12.0, 2.5), (0.15, 7.5, 1.2)),
    "night": ((0.75, 23.3, 1.9), (0.25, 18.0, 3.5)),
    # "21:00-02:00 sender, daytime at receiver" (A, section 2; S1 P10): late evening here, and Manila's afternoon
    "livestream": ((0.60, 23.3, 1.6), (0.25, 8.5, 2.2), (0.15, 16.0, 3.5)),
    "victim": ((0.65, 22.5, 2.3), (0.35, 15.5, 3.5)),
}
