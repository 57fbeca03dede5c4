"""What the developers measure: `bench.compare` beside Postfix, each other module one thing of ours by itself.

It is no part of the product. The sides of the comparison are driven as programs, through their own
configuration files and ports; only a queue that is to be full at the start is filled from inside.
"""
