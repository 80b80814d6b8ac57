"""Mutants of both verifiers of bundles: a rule broken in one of them, and the case of the suite that sees it."""

from __future__ import annotations

from tests.laws.breaks_source import Edit
from tests.laws.killers_tests import Tested
from tests.transfer.conformance.beside import SOURCE

assert SOURCE.is_dir()  # the second reader is found from here


def _case(name: str) -> Tested:
    return Tested(f"tests/transfer/conformance/test_verdicts.py::test_both_give_the_verdict[{name}]")


def _alone(name: str) -> Tested:
    return Tested(f"tests/transfer/conformance/test_alone.py::test_{name}")


BOUND = "a root more than was signed, sealed with the true key"
VOLUMES = "tests/transfer/conformance/test_volumes.py"
SECOND, FIRST = "casemate_verify", "casemate.transfer"

# name, leak, the line, what stands in its place, the killer
TABLE = (
    (
        "second-classic-half-unchecked",
        "half a hybrid signature is enough",
        Edit(f"{SECOND}.crypt:verifies", "if classic:\n            Ed25519", "if False:\n            Ed25519"),
        _case("the lattice half alone"),
    ),
    (
        "second-role-not-signed",
        "a signer's signature counts as an approver's",
        Edit(f"{SECOND}.face:Signed.holds", 'b"signer" if self.role == 1 else b"approver"', 'b"signer"'),
        _case("the next"),
    ),
    (
        "second-area-behind-signatures",
        "something is hidden in the area",
        Edit(f"{SECOND}.face:read_area", 'not area[cursor.at :].strip(b"\\x00")', "True"),
        _case("something behind the signatures"),
    ),
    (
        "second-frames-unhashed",
        "frames that nobody signed are held for those that were",
        Edit(f"{SECOND}.verdict:_Judge._outside", "hashed(self.file) == face.digest", "True"),
        _case("frames that nobody signed, and no key"),
    ),
    (
        "second-revoked-counts",
        "what a revoked key signed is taken",
        Edit(f"{SECOND}.verdict:_Judge._outside", "if one.name not in revoked", "if True"),
        _case("the signer is revoked"),
    ),
    (
        "second-last-frame-unbound",
        "a bundle that is cut at a frame is whole",
        Edit(f"{SECOND}.frames:_opened", "bytes([place == face.frames - 1])", 'b"\\x00"'),
        _case("the next"),
    ),
    (
        "second-header-unheld",
        "a header of tar says more than is described",
        Edit(f"{SECOND}.members:_header", "_need(raw == _written(path, told)", "_need(True"),
        _case("info: a link"),
    ),
    (
        "second-padding-unread",
        "something is hidden in the padding",
        Edit(f"{SECOND}.frames:Content.blank", "and clean", "or True"),
        _case("something in the padding"),
    ),
    (
        "second-json-twice",
        "two readers see two values of one name",
        Edit(f"{SECOND}.jsontext:_Reader._name", "if name in holder:", "if False:"),
        _alone("what_is_no_json_within_bounds_is_not_read"),
    ),
    (
        "second-label-above-taken",
        "what is above the channel rises through it",
        Edit(f"{SECOND}.verdict:_Judge._labels", "_keep(label <= state.bound", "_keep(True"),
        _case("label 'us:TOP SECRET'"),
    ),
    (
        "second-open-to-all",
        "what is released to a few is taken as released to all",
        Edit(f"{SECOND}.labels:Label.__le__", "and opened", ""),
        _case("open to us:SECRET//REL=USA"),
    ),
    (
        "second-root-by-itself",
        "whoever brings a root vouches for it himself",
        Edit(f"{SECOND}.verdict:_Judge._newest_root", "in (root, following)", "in (following,)"),
        _case("root 2: not signed by the one before"),
    ),
    (
        "second-folded-path",
        "two files fall into one where letters have no case",
        Edit(f"{SECOND}.layout:_judge_paths", "path.casefold() for", "path for"),
        _case("paths: of one name in two cases"),
    ),
    (
        "first-padding-of-any-size",
        "a bundle's size tells what its sender likes",
        Edit(f"{FIRST}.bundle.inside:Reading.finish", "or self._fed != padded(self._tar)", ""),
        _case("padded to twice its size"),
    ),
    (
        "first-approver-unchecked",
        "a bad signature of an approver goes unseen",
        Edit(f"{FIRST}.verify_inside:_release", "(*trust.signers, *trust.approvers)", "trust.signers"),
        _case("the release bears a known one's bad signature"),
    ),
    (
        "first-truth-for-a-number",
        "a version is true",
        Edit(f"{FIRST}.bundle.roles:_read", 'b":true" in raw or', ""),
        _case("timestamp: version true"),
    ),
    (
        "first-roots-without-end",
        "more roots than anybody rotates",
        Edit(f"{FIRST}.bundle.inside:Reading.finish", "> MOST_ROOTS", "> 10 * MOST_ROOTS"),
        _case("too many roots"),
    ),
    (
        "second-frame-unopened",
        "frames of another are held for those that were signed",
        Edit(f"{SECOND}.frames:opens", "return False", "return True"),
        _case("a bit of frame at 0"),
    ),
    (
        "second-inner-unbound",
        "whoever knows the key brings another root, and nobody who signed is asked",
        Edit(f"{SECOND}.inside:read_inside", "if running.digest() != face.inner:", "if False:"),
        _case(BOUND),
    ),
    (
        "first-inner-unbound",
        "whoever knows the key brings another root, and nobody who signed is asked",
        Edit(f"{FIRST}.verify:verify", "if not same(facts.inside.inner, outside.face.inner):", "if False:"),
        _case(BOUND),
    ),
    (
        "second-volumes-unheld",
        "volumes that do not belong together make a file",
        Edit(
            f"{SECOND}.volumes:Set._whole",
            "if hashlib.sha512(_ROOT + pages).digest() != head.roots[column]:",
            "if False:",
        ),
        Tested(f"{VOLUMES}::test_parity_that_was_made_for_something_else_is_not_believed"),
    ),
    (
        "second-volumes-mixed",
        "volumes of two sets are one",
        Edit(f"{SECOND}.volumes:Set.__init__", "if len({each.head.digest for each in volumes}) != 1:", "if False:"),
        Tested(f"{VOLUMES}::test_two_sets_are_never_mixed_and_what_is_signed_says_by_whom"),
    ),
)
