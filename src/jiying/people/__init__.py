"""People: users, organisations, their memberships, and what each may see."""
