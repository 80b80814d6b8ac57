"""The host of missions: what a region knows of them, and how a form becomes a job. It imports no mission.

What must never happen: that a description, a form, a run or a report is told to whom its label does not dominate.
"""
