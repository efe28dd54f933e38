"""That no withheld count can be worked out from what is published."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lightship.duties.transparency_suppression import LEAST, publish


def bounds(made, row, column):
    """Return the smallest and largest value of a withheld cell that the published ones allow, as an attacker would."""
    height, width = len(made.cells), len(made.cells[0])
    number = {
        cell: n
        for n, cell in enumerate(
            (r, c) for r in range(height) for c in range(width) if made.cells[r][c] is None
        )
    }
    equations, known = [], []

    def line(cells, total):
        coefficients, rest = np.zeros(len(number)), 0.0
        for cell in cells:
            if cell in number:
                coefficients[number[cell]] += 1
            else:
                rest -= made.cells[cell[0]][cell[1]]
        if total in number:
            coefficients[number[total]] -= 1
        else:
            rest += made.cells[total[0]][total[1]]
        equations.append(coefficients)
        known.append(rest)

    for r in range(height):
        line([(r, c) for c in range(width - 1)], (r, width - 1))
    for c in range(width):
        line([(r, c) for r in range(height - 1)], (height - 1, c))
    from scipy.optimize import linprog

    found = []
    for sign in (1, -1):
        goal = np.zeros(len(number))
        goal[number[row, column]] = sign
        done = linprog(goal, A_eq=np.array(equations), b_eq=known, bounds=(0, 10**6))
        assert done.status == 0
        found.append(sign * done.fun)
    return found


tables = st.integers(1, 4).flatmap(
    lambda height: st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.sampled_from([0, 0, 1, 2, 3, 4, 5, 7, 20, 300]), min_size=width, max_size=width),
            min_size=height,
            max_size=height,
        )
    )
)


@settings(max_examples=50, deadline=None)
@given(tables)
def test_a_withheld_count_may_always_be_more_and_may_be_less(lines):
    rows, columns = [f"r{n}" for n in range(len(lines))], [f"c{n}" for n in range(len(lines[0]))]
    found = {(rows[r], columns[c]): value for r, line in enumerate(lines) for c, value in enumerate(line)}
    made = publish(rows, columns, found)
    whole = np.array(lines)
    whole = np.vstack([np.hstack([whole, whole.sum(1, keepdims=True)]), [*whole.sum(0), whole.sum()]])
    for r, line in enumerate(made.cells):
        for c, cell in enumerate(line):
            true = int(whole[r, c])
            if cell is not None:
                assert cell == true
                assert cell == 0 or cell >= LEAST
                continue
            low, high = bounds(made, r, c)
            assert low <= true - 1 + 1e-6
            assert high >= true + 1 - 1e-6


@given(tables)
def test_the_grand_total_is_shown_unless_it_is_small(lines):
    rows, columns = [f"r{n}" for n in range(len(lines))], [f"c{n}" for n in range(len(lines[0]))]
    found = {(rows[r], columns[c]): value for r, line in enumerate(lines) for c, value in enumerate(line)}
    total = sum(map(sum, lines))
    assert publish(rows, columns, found).cells[-1][-1] == (total if total == 0 or total >= LEAST else None)


def test_the_audit_itself_finds_what_is_given_away():
    made = publish(("a", "b"), ("x", "y"), {("a", "x"): 9, ("a", "y"): 20, ("b", "x"): 30, ("b", "y"): 40})
    assert not made.withheld
    bad = type(made)(made.rows, made.columns, ((None, 20, 29), (30, 40, 70), (39, 60, 99)), 1, 0)
    low, high = bounds(bad, 0, 0)
    assert low == high == 9
