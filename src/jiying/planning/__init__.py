"""What if: a district's day in memory, with other staff, other pools, more demand; and how few people would do.

model       what days are drawn from: past orders, staff, towns           folder      from a day's two tables
changes     what is asked to be different                                history     from the database
pools       who may be sent where                                        words       a change by words
drawing     a day from a model and a seed: common random numbers
outcome     one day under the engine, and what is kept of it             causes      why an emergency was late
sweep       many days in processes, the same figures with any number     estimates   shares with their intervals
study       a question and its answer                                    staffing    the smallest staffing for a target

All of these are pure but `history`; `models`, `actions` and `queries` keep what the district asked.
"""
