"""A district-day: reads its two tables, runs it under a policy, writes the plan, says how good it is.

reading    the tables, checked
running    a day under a named policy
judging    how many were on site in time
writing    the plan
"""
