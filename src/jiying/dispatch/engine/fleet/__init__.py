"""All open orders and all workers of a district together: compiled, no database, no clock.

tables world prices road history   what a decision looks at, and what weighs how much
cover                              the price of a worker: coverage that is lost without them
urgent usual moves assign          emergencies, ordinary orders, idle workers, and the assignment
simple                             the policies to compare with and to fall back on
kernels deciding policies          one decision; the same with its reasons; the named policies
motion run                         what happens by itself, and a day from end to end

Importing any of these loads numba, which takes memory and a second: only those who need it do, and not at start-up.
"""
