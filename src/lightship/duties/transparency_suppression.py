"""Tables from which no small count can be worked out: small cells are withheld, and as many more as it takes.

A table with its totals is a network: each row and each column, that of the totals too, is a node, and each cell ties
its row to its column. What is withheld can be worked out exactly from the rest where its tie is on no cycle of withheld
ties. So cells are withheld until every one of them is on a cycle. As none of them is zero, each may then be one more or
one less than it is, for all that the published cells say.

References
----------
Gusfield 1988, "A graph theoretic approach to statistical data security", SIAM J. Comput. 17(3).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

LEAST = 5
"""Counts from one up to, but not including, this are withheld; zero says nothing of anybody."""

Cell = tuple[int, int]
"""Row and column; the last of each is the totals'."""


@dataclass(frozen=True, slots=True)
class Published:
    """A table as it may be published.

    Parameters
    ----------
    cells
        With the totals last, by rows; None is withheld.
    small, others
        How many cells are withheld since they are small, and how many so that those cannot be worked out.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int | None, ...], ...]
    small: int
    others: int

    @property
    def withheld(self) -> bool:
        """Whether any cell is."""
        return self.small + self.others > 0


def publish(
    rows: Sequence[str], columns: Sequence[str], found: Mapping[tuple[str, str], int], least: int = LEAST
) -> Published:
    """Return the table of some counts with its totals, small ones withheld.

    The grand total is withheld only where it is small itself: other tables of a report may show the same one.

    Examples
    --------
    >>> publish(("a", "b"), ("x", "y"), {("a", "x"): 3, ("a", "y"): 20, ("b", "x"): 30, ("b", "y"): 40}).cells
    ((None, None, 23), (None, None, 70), (33, 60, 93))
    """
    inner = [[found.get((row, column), 0) for column in columns] for row in rows]
    whole = [[*line, sum(line)] for line in inner]
    whole.append([sum(column) for column in zip(*whole, strict=True)] if whole else [0] * (len(columns) + 1))
    height, width = len(whole), len(columns) + 1
    small = {
        (row, column) for row in range(height) for column in range(width) if 0 < whole[row][column] < least
    }
    hidden = set(small)
    while (bare := next(_bridges(hidden), None)) is not None:
        hidden |= _detour(bare, hidden, whole)
    cells = tuple(
        tuple(None if (row, column) in hidden else value for column, value in enumerate(line))
        for row, line in enumerate(whole)
    )
    return Published((*rows, "all"), (*columns, "all"), cells, len(small), len(hidden) - len(small))


def _ties(hidden: set[Cell]) -> dict[int, list[tuple[int, Cell]]]:
    """Return the neighbours of each node by withheld cells; rows are 0, 1, ..., columns -1, -2, ..."""
    found: dict[int, list[tuple[int, Cell]]] = {}
    for row, column in sorted(hidden):
        found.setdefault(row, []).append((-1 - column, (row, column)))
        found.setdefault(-1 - column, []).append((row, (row, column)))
    return found


def _bridges(hidden: set[Cell]) -> Iterator[Cell]:
    """Yield the withheld cells that are on no cycle (Tarjan 1974)."""
    ties = _ties(hidden)
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    for root in sorted(ties):
        if root in order:
            continue
        order[root] = low[root] = len(order)
        stack: list[tuple[int, Cell | None, Iterator[tuple[int, Cell]]]] = [(root, None, iter(ties[root]))]
        while stack:
            node, by, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                stack.pop()
                if stack and by is not None:
                    parent = stack[-1][0]
                    low[parent] = min(low[parent], low[node])
                    if low[node] > order[parent]:
                        yield by
                continue
            other, cell = step
            if cell == by:
                continue
            if other in order:
                low[node] = min(low[node], order[other])
            else:
                order[other] = low[other] = len(order)
                stack.append((other, cell, iter(ties[other])))


def _detour(bare: Cell, hidden: set[Cell], whole: list[list[int]]) -> set[Cell]:
    """Return the cells of the cheapest way from a cell's row to its column that is not the cell itself.

    Cheap is what is withheld already, then what counts little; a total costs as much as all of the table.
    """
    height, width = len(whole), len(whole[0])
    total = 1 + whole[-1][-1]
    start, goal = bare[0], -1 - bare[1]
    best: dict[int, tuple[int, frozenset[Cell]]] = {}
    queue: list[tuple[int, int, tuple[Cell, ...]]] = [(0, start, ())]
    while queue:
        cost, node, path = heapq.heappop(queue)
        if node in best:
            continue
        best[node] = (cost, frozenset(path))
        if node == goal:
            break
        cells = (
            [(-1 - column, (node, column)) for column in range(width)]
            if node >= 0
            else [(row, (row, -1 - node)) for row in range(height)]
        )
        for other, cell in cells:
            row, column = cell
            value = whole[row][column]
            grand = cell == (height - 1, width - 1)
            if cell == bare or other in best or value == 0 or (grand and cell not in hidden):
                continue
            edge = row == height - 1 or column == width - 1
            price = 0 if cell in hidden else value + (total if edge else 0)
            heapq.heappush(queue, (cost + price, other, (*path, cell)))
    return set(best[goal][1])
