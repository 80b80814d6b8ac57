"""A second reader of Casemate's bundles: written from the description of their bytes, with the standard library and
`cryptography`, and not a line of the first. It judges and explains; it adopts nothing and writes nothing.
"""

from casemate_verify.crypt import Opener
from casemate_verify.faults import Unusable
from casemate_verify.state import State, read_guards, read_state
from casemate_verify.verdict import Verdict, verify

__all__ = ["Opener", "State", "Unusable", "Verdict", "read_guards", "read_state", "verify"]
