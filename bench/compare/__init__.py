"""The comparison with Postfix: `make compare`, or `.venv/bin/python -m bench.compare [options]`.

A *scenario* is a piece of work; a *stage* is how the sides are set up for it, and several scenarios may share
one. Who takes part is an *entrant*: a side, or a yardstick that says what the machine could do at best. In
each round all entrants do the same *load*, one after the other, and another one begins each round.

    catalogue   which scenarios there are, with their loads, in full and small
    stages      the sides, set up and running: to mailboxes, to a sink, for submission ...
    throughput, accepting, draining, restarting, pacing, yardsticks
                how each kind of work is done and measured
    samples, plan, results, figures, tables
                what was measured, what is left to do, what comes of it; pure but for the file of results
"""
