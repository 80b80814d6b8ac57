"""The verdict: what is asked of a bundle, in the order of docs/bytes/bundle.md. The first answer that is no counts.

It reads nothing but the bundle's file that it is given, no clock, and changes nothing. What a stranger's bytes are made
of ends in a verdict, never in an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

from casemate_verify.crypt import Opener, frame_key
from casemate_verify.face import AREA, Face, read_area
from casemate_verify.faults import Misread
from casemate_verify.frames import hashed, opens
from casemate_verify.inside import Inside, read_inside
from casemate_verify.labels import read_label
from casemate_verify.release import Guarded, Object
from casemate_verify.roles import Group, Root, read_root, read_vouching
from casemate_verify.state import State

__all__ = ["Verdict", "verify"]

_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`verdict`: accept, hold, quarantine or refuse. `gap`: the first and the last sequence that are missing."""

    verdict: str
    rule: str
    why: str = ""
    alarms: tuple[str, ...] = ()
    gap: tuple[int, int] | None = None


class _Ends(Exception):
    """A verdict is found."""

    def __init__(self, verdict: str, rule: str, why: str = "", gap: tuple[int, int] | None = None) -> None:
        super().__init__(rule)
        self.found = (verdict, rule, why)
        self.gap = gap


def verify(
    file: BinaryIO, state: State, now: int, opener: Opener | None = None, guards: Mapping[str, Guarded] | None = None
) -> Verdict:
    """What is to be done with the bundle. `now` in microseconds since 1970; `guards` by manifest (`sha512:HEX`)."""
    judge = _Judge(file, state, now, opener, {} if guards is None else guards)
    try:
        judge.judge()
    except Misread as error:
        return Verdict("refuse", error.rule, error.why, judge.told)
    except _Ends as end:
        return Verdict(*end.found, judge.told, end.gap)
    return Verdict("accept", "accepted", "", judge.told)


def _refuse(holds: bool, rule: str, why: str = "") -> None:
    if not holds:
        raise _Ends("refuse", rule, why)


def _keep(holds: bool, rule: str, why: str = "") -> None:
    if not holds:
        raise _Ends("quarantine", rule, why)


def _read(rule: str, reader: Callable[..., _Told], *what: Any) -> _Told:
    """What the reader makes of it; where it is none, that rule refuses."""
    try:
        return reader(*what)
    except ValueError as error:
        raise Misread(rule, str(error)) from None


class _Judge:
    """One bundle, one state, one moment."""

    def __init__(
        self, file: BinaryIO, state: State, now: int, opener: Opener | None, guards: Mapping[str, Guarded]
    ) -> None:
        self.file, self.state, self.now, self.opener, self.guards = file, state, now, opener, guards
        self.alarms: set[str] = set()
        self.time = now

    @property
    def told(self) -> tuple[str, ...]:
        return tuple(sorted(self.alarms))

    def judge(self) -> None:
        self.file.seek(0, 2)
        whole = self.file.tell()
        self.file.seek(0)
        face = read_area(self.file.read(AREA), whole)
        self._outside(face)
        self._order(face)
        inside = read_inside(self.file, face, self._key(face))
        self._metadata(inside, self._newest_root(inside))
        self._release(inside, face)
        self._labels(inside)
        self._digests(inside)
        self._guards(inside)

    def _key(self, face: Face) -> bytes:
        """The key of the frames."""
        wrapped = None if self.opener is None else face.wrapped_for(self.opener.short)
        if self.opener is None or wrapped is None:
            raise _Ends("hold", "sealed", "no key was given that opens it")
        try:
            return frame_key(self.opener.unwrap(wrapped, face.bundle), face.bundle)
        except ValueError as error:
            raise Misread("inside", str(error)) from None

    def _opening(self, face: Face) -> bytes | None:
        """The key of the frames, where one was given that opens it."""
        try:
            return self._key(face)
        except (_Ends, Misread):
            return None

    def _outside(self, face: Face) -> None:
        """Channel, signatures, frames, thresholds."""
        _refuse(face.channel.hex() == self.state.channel, "channel")
        _refuse(all(one.holds(face.raw) for one in face.signed), "signature")
        key = self._opening(face)
        sound = hashed(self.file) == face.digest if key is None else opens(self.file, face, key)
        _refuse(sound, "frames")
        root, revoked = self.state.root, self.state.revoked
        present = [(one.role, one.public) for one in face.signed]
        left = [(one.role, one.public) for one in face.signed if one.name not in revoked]
        _refuse(_enough(root, left) or not _enough(root, present), "key-revoked")
        _refuse(_enough(root, left), "threshold")

    def _order(self, face: Face) -> None:
        """Where it stands in its channel, and until when."""
        state = self.state
        if state.attested and not 0 <= self.now - state.attested <= state.window:
            self.alarms.add("clock-behind" if self.now < state.attested else "clock-ahead")
            self.time = state.attested
        _refuse(face.bundle.hex() != state.bundle, "seen")
        _refuse(face.sequence > state.sequence, "rollback")
        _refuse(face.expires > self.time, "expired")
        if self.time != self.now and face.expires <= self.now:
            self.alarms.add("clock-expired")
        reached = max(state.sequence, state.skip)
        if face.sequence > reached + 1:
            raise _Ends("hold", "gap", gap=(reached + 1, face.sequence - 1))
        if face.sequence > state.sequence + 1:
            self.alarms.add("gap-skipped")

    def _newest_root(self, inside: Inside) -> Root:
        root, revoked = self.state.root, self.state.revoked
        version = root.file.version
        same = inside.roots.get(version)
        _refuse(same is None or same == root.file.raw, "roots", "the trusted root is another")
        while (raw := inside.roots.get(version + 1)) is not None:
            version += 1
            following = _read("roots", read_root, raw)
            _refuse(following.file.version == version, "roots", "a version that is not its name")
            _refuse(following.channel == self.state.channel, "roots", "a root of another channel")
            for voucher in (root, following):
                _refuse(voucher.vouches("root", following.file, revoked), "roots", "too few signatures on a root")
            root = following
        return root

    def _metadata(self, inside: Inside, root: Root) -> None:
        state = self.state
        files = {}
        for role in ("timestamp", "snapshot", "targets"):
            _refuse(role in inside.files, "metadata", f"no {role}")
            files[role] = _read("metadata", read_vouching, role, inside.files[role])
            _refuse(root.vouches(role, files[role].file, state.revoked), "metadata", f"too few signatures on {role}")
        for above, below in (("timestamp", "snapshot"), ("snapshot", "targets")):
            told, found = files[above].told, files[below].file
            fits = told.fits(found.raw) and told.version == found.version
            _refuse(fits, "metadata", f"a {below} that is not the one that is named")
        _refuse(files["targets"].told.fits(inside.envelope), "metadata", "another release than the one that is named")
        fresh = all(one.file.version >= state.versions[role] for role, one in files.items())
        _refuse(fresh, "metadata-rollback")
        valid = all(file.expires > self.time for file in (root.file, *(one.file for one in files.values())))
        _refuse(valid, "metadata-expired")

    def _release(self, inside: Inside, face: Face) -> None:
        state, said = self.state, inside.release.statement
        if said.issued > self.now:
            self.alarms.add("clock-behind")
        _refuse(self._signed(inside), "release-signature")
        outside = (face.banner, face.bundle.hex(), face.channel.hex(), face.sequence, face.expires)
        _refuse(
            (said.banner, said.bundle, said.channel, said.sequence, said.not_after) == outside,
            "release",
            "it is of another face",
        )
        regions = (said.source, said.destination) == (state.source, state.destination)
        _refuse(regions and said.issued < said.not_after, "release", "other regions, or issued after its end")
        follows = said.sequence != state.sequence + 1 or said.previous == state.previous
        _refuse(follows, "previous")
        _keep(said.label == state.label, "label-channel")
        _keep(face.banner == state.banner, "banner")

    def _signed(self, inside: Inside) -> bool:
        """Whether every signature of a key that is known is one, and one is of a signer that counts."""
        root = self.state.root
        known = {name: public for group in (root.signers, root.approvers) for name, public in group.named.items()}
        mine = [(name, signature) for name, signature in inside.release.signatures if name in known]
        if not all(inside.release.holds(known[name], signature) for name, signature in mine):
            return False
        return any(name in root.signers.named and name not in self.state.revoked for name, _ in mine)

    def _labels(self, inside: Inside) -> None:
        state = self.state
        for (name, digest), one in _objects(inside):
            _keep(one.label is not None, "label-missing", name)
            assert one.label is not None  # it was asked for in the line above
            try:
                label = read_label(one.label, state.lattice)
            except ValueError as error:
                raise _Ends("quarantine", "label-unknown", f"{name}: {error}") from None
            _keep(label <= state.bound, "label-high", name)
            _keep(state.floor <= label <= state.ceiling, "label-range", name)
            before = state.labels.get(digest)
            _keep(before is None or before <= label, "label-downgraded", name)

    def _digests(self, inside: Inside) -> None:
        listed = tuple((entry.name, entry.digest) for entry in inside.layout.entries)
        _refuse(inside.release.statement.subjects == listed, "digests", "other objects than the release names")
        wrong = inside.layout.judged()
        _refuse(not wrong, "digests", wrong)

    def _guards(self, inside: Inside) -> None:
        for (name, digest), one in _objects(inside):
            here = self.guards.get(digest)
            if not self.state.each and not one.guards:
                continue
            _keep(here is not None, "guard-missing", name)
            assert here is not None  # it was asked for in the line above
            _keep(here.verdict == "agree", "guard-refused", name)
            _keep(not one.guards or here in one.guards, "guard-differs", name)


def _objects(inside: Inside) -> Iterator[tuple[tuple[str, str], Object]]:
    said = inside.release.statement
    return zip(said.subjects, said.objects, strict=True)


def _enough(root: Root, signed: list[tuple[int, bytes]]) -> bool:
    """Whether these signatures, as roles and keys, are as many as the root asks for in either role."""
    return all(
        sum(role == place and public in group.keys for role, public in signed) >= group.threshold
        for place, group in _groups(root)
    )


def _groups(root: Root) -> tuple[tuple[int, Group], tuple[int, Group]]:
    return (1, root.signers), (2, root.approvers)
