"""Casework: which child may be in danger now, who is behind it, whose case is it, and who else must know."""
