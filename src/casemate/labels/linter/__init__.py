"""The linter: what is wrong with the marks of a text, where, by which rule, and what may be written instead.

text        where marks stand          said     what they say          whole     what all of them say together
lint        the look at a text         linted   what it gives          fix       the text with what may be written
"""
