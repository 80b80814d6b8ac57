"""Roll-up: the label and the banner of a whole from its parts.

roll        the way in: policy by policy, the join as the label and the banner as its projection
us          the United States: D.2 and Table 3, whose rows lie in policies/us_rollup.toml (rules, scenario, release)
plain       every other policy: the join, written
stated      a banner that the document bears, held against its parts
reason      what is given: marks, label, and which rule put or took which control
"""
