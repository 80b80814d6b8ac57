"""What a sweep leaves, in one table: Parquet and CSV with their marking, and a plot. Runs as a job, in its sandbox.

It reads what programs of strangers wrote, so it believes none of it: what is too large, no flat JSON or badly named is
said in the row, which stays. It imports the standard library alone: its files are lent to the job as an input.
"""
