"""The command centre: the wall of what is running out of time, and the call-taker's form."""
