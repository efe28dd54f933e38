"""Casework: referrals, entities, priority, undercover authorisations, deconfliction, intelligence, custody."""
