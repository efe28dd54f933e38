"""What a pack may never do: let corridor, nationality, age and sex reach an alert. Shown from the pack alone.

A customer of whom nothing but protected attributes speaks is one whose other indicators all weigh zero or less. Such a
total is at most the sum, over families, of the largest cap of a protected member: a family's weight is the mean of
those of its members that are on, and a mean is at most the largest. Whatever subset of the attributes one takes, it is
no more than with all of them, since a cap is never negative. So it is enough that this one sum stays below the
floor, and that an alert needs other families besides. A family with a protected
member counts as protected as a whole. The corridor chooses which payments are compared and has no weight of its own.

A Watchkeeper adds up weeks without a bound, so none of its traits may stand for a protected attribute. And a pack that
asks for more families than it has could never alert: it is refused too, since nobody would notice.
"""

from __future__ import annotations

from dataclasses import dataclass

from lightship.core.errors import PolicyError
from lightship.payments.pack import Pack

FREE_FAMILIES_NEEDED = 2


@dataclass(frozen=True, slots=True)
class Proof:
    """What the analysis found.

    Parameters
    ----------
    reach_mdb
        The most that protected attributes can bring to a total.
    floor_mdb
        The least total of an alert.
    families_needed
        Families free of protected attributes that must speak for an alert.
    free_families
        Those that the pack has.
    protected
        Indicator to the attributes it stands for.
    kept
        Those of them that the Watchkeeper adds up over the weeks.
    """

    reach_mdb: int
    floor_mdb: int
    families_needed: int
    free_families: tuple[str, ...]
    protected: dict[str, tuple[str, ...]]
    kept: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether protected attributes cannot reach an alert, and something else can."""
        enough = FREE_FAMILIES_NEEDED <= self.families_needed <= len(self.free_families)
        return self.reach_mdb < self.floor_mdb and enough and not self.kept


def protected_families(pack: Pack) -> frozenset[str]:
    """Return the families that have a member which stands for a protected attribute."""
    return frozenset(one.family for one in pack.computed if one.protected)


def free_families(pack: Pack) -> tuple[str, ...]:
    """Return the families that may count as speaking for an alert, in the pack's order."""
    barred = protected_families(pack)
    found = dict.fromkeys(
        one.family
        for one in pack.computed
        if not one.counter and not one.only_joined and one.family not in barred
    )
    return tuple(found)


def prove(pack: Pack) -> Proof:
    """Return how far protected attributes can reach in a pack."""
    protected = [one for one in pack.computed if one.protected]
    reach: dict[str, int] = {}
    for one in protected:
        if not one.counter:
            reach[one.family] = max(reach.get(one.family, 0), round(one.cap_db * 1000))
    return Proof(
        reach_mdb=sum(reach.values()),
        floor_mdb=round(pack.floor_db * 1000),
        families_needed=pack.families_needed,
        free_families=free_families(pack),
        protected={one.id: tuple(sorted(one.protected)) for one in protected},
        kept=tuple(one.id for one in protected if pack.keeper and one.id in pack.keeper.traits),
    )


def refuse_unproven(pack: Pack, where: str = "pack") -> Pack:
    """Return the pack, or refuse it.

    Raises
    ------
    PolicyError
        If corridor, nationality, age and sex, or some of them, could reach an alert.
    """
    proof = prove(pack)
    if proof.holds:
        return pack
    names = ", ".join(
        f"{indicator} ({', '.join(attributes)})" for indicator, attributes in proof.protected.items()
    )
    if proof.reach_mdb >= proof.floor_mdb:
        raise PolicyError(
            f"Protected attributes alone could reach an alert: {names} bring up to {proof.reach_mdb / 1000:g} dB, "
            f"and the floor is {proof.floor_mdb / 1000:g} dB.",
            where,
            "Lower their cap_db or raise floor_db.",
        )
    if proof.kept:
        raise PolicyError(
            f"The Watchkeeper adds up {names} over the weeks, without a bound.",
            where,
            "Take them out of the keeper's traits.",
        )
    raise PolicyError(
        f"An alert needs {proof.families_needed} families free of protected attributes; it must be at least "
        f"{FREE_FAMILIES_NEEDED}, and at most the {len(proof.free_families)} that the pack has.",
        where,
        "Change families_needed.",
    )
