"""Bundles without a region: made of files, signed, looked at and laid open; the state of a channel as a file.

It must never adopt what a bundle holds: that is a region's doing, through its gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from casemate.crypto import Keeper, KeySigner, Recipient, Signer
from casemate.engines import bundle_files
from casemate.engines.bundle_files import Opened, Source, digested
from casemate.engines.bundle_laid import laid
from casemate.engines.files_publish import publish
from casemate.errors import BadInput, Conflict
from casemate.ids import SystemEntropy
from casemate.labels import Policies
from casemate.transfer.bundle import (
    ROLES,
    Approval,
    Face,
    File,
    Frames,
    Outside,
    Piece,
    Release,
    Role,
    Thing,
    content_of,
    envelope_of,
    hint_of,
    is_name,
    make_metadata,
    planned,
    read_envelope,
    signed,
    strict,
    wrapped_to,
)
from casemate.transfer.state import State, read_state, written
from casemate.transfer.verdict import Verdict
from casemate.transfer.verify import Finding, advanced, held, verify
from casemate.wiring.bundle_channel import Sent, alone, channel_in, file_of, read_file

__all__ = [
    "Given",
    "create",
    "findings_in",
    "judge",
    "lay_open",
    "look",
    "other_sign",
    "outside_of",
    "settled",
    "state_in",
]

KIND = "application/vnd.casemate.files"


@dataclass(frozen=True, slots=True)
class Given:
    """A file or a folder that is to travel, under a name, with the label that somebody gave it."""

    path: Path
    name: str
    label: str


def create(
    folder: Path,
    given: Sequence[Given],
    output: Path,
    signer: Signer,
    unlock: Callable[[Path], bytes],
    now: int,
    days: int,
    approvals: Sequence[Approval] = (),
    known: Mapping[Path, str] | None = None,
) -> Outside:
    """The next bundle of a channel, signed by one. `unlock` reads a private key; `known`: digests that are known.

    The channel goes on just before the file gets its name: whoever is killed between gives a number up, and none is
    given twice. Whoever makes another bundle meanwhile waits.
    Raises BadInput, Conflict where `output` is there.
    """
    with alone(folder):
        channel, sent = channel_in(folder), read_file(folder / "sent.json", Sent)
        if output.exists():
            raise Conflict(what=str(output))
        policies = Policies.load(channel.policies)
        things, sources = _things(given, policies, known or {})
        over = [thing.name for thing in things if not policies.parse(thing.label) <= policies.parse(channel.label)]
        if over:
            raise BadInput(what=f"{over[0]}: its label is not below that of the channel")
        entropy = SystemEntropy()
        id, key = entropy.draw("bundle"), entropy.draw("bundle", 32)
        layout = planned(things)
        expires = now + days * 86_400 * 1_000_000
        release = Release(
            tuple(approvals),
            channel.banner,
            id.hex(),
            channel.channel,
            channel.destination,
            now,
            channel.label,
            expires,
            layout.stated,
            sent.previous,
            sent.sequence + 1,
            channel.source,
        )
        sealed = envelope_of(release, layout.subjects, [signer])
        keys = {name: [KeySigner(unlock(folder / "roles" / f"{name}.key"))] for name in ROLES if name != "root"}
        metadata = make_metadata(sealed, sent.sequence + 1, expires, keys)
        metadata |= {path.name: path.read_bytes() for path in sorted((folder / "roots").glob("*.root.json"))}
        content = content_of(layout, sealed, metadata)
        recipients = [Recipient(bytes.fromhex(each)) for each in channel.recipients]
        wrapped = tuple((hint_of(each), wrapped_to(each, key, id)) for each in recipients)

        def face(digest: bytes) -> Outside:
            bare = Face(
                id,
                bytes.fromhex(channel.channel),
                sent.sequence + 1,
                expires,
                content.size,
                digest,
                content.inner,
                channel.profile,
                channel.banner,
                wrapped,
            )
            outside = signed(bare, signer, "signer")
            publish(folder / "sent.json", [file_of(Sent(sent.sequence + 1, read_envelope(sealed).digest))])
            return outside

        try:
            bundle_files.seal(output, content, Frames(key, id, content.size), sources, face)
        except BaseException:
            if not output.exists():
                publish(folder / "sent.json", [file_of(sent)])  # nobody has ever seen that number
            raise
        return bundle_files.area_of(output)[0]


def other_sign(path: Path, signer: Signer, role: Role) -> Outside:
    """One signature more, over what is already there. Raises Damaged, Conflict where that key has signed."""
    outside, _ = bundle_files.area_of(path)
    if signer.public in {each.public for each in outside.signatures}:
        raise Conflict(what=signer.key_id)
    made = signed(outside.face, signer, role, outside.signatures)
    bundle_files.resigned(path, made)
    return made


def outside_of(path: Path) -> Outside:
    """What stands outside a bundle. Raises Damaged."""
    return bundle_files.area_of(path)[0]


def named_outside(path: Path) -> tuple[bytes, str] | None:
    """Id and banner of a bundle, for who carries it in parts; None where the file is none. Raises Damaged."""
    if not bundle_files.says_bundle(path):
        return None
    face = outside_of(path).face
    return face.id, face.banner


def look(path: Path, keepers: Sequence[Keeper]) -> Opened:
    """All that these can see of a bundle; nothing of it is judged."""
    return bundle_files.look(path, keepers)


def state_in(path: Path) -> State:
    """The state of a channel. Raises Damaged, OSError."""
    return read_state(path.read_bytes())


def findings_in(path: Path) -> dict[str, Finding]:
    """What guards here found, by manifest. Raises Damaged."""
    said = strict.read(path.read_bytes(), 8 << 20, "findings", spelling=False)
    return strict.shaped(said, dict[str, Finding], "findings")


def judge(
    path: Path,
    state: State,
    now: int,
    keepers: Sequence[Keeper],
    guards: Mapping[str, Finding] | None = None,
    write: Callable[[Piece], None] | None = None,
) -> tuple[Opened, Verdict]:
    """One pass over a bundle, and the verdict on it."""
    opened = bundle_files.look(path, keepers, write)
    return opened, verify(opened.facts, state, now, guards)


def settled(path: Path, state: State, verdict: Verdict, opened: Opened) -> State:
    """The state's file with what the verdict makes of it: whole, or as it was."""
    after = state
    if verdict.came is not None:
        after = advanced(state, verdict.came)
    elif verdict.rule == "gap" and opened.outside is not None:
        after = held(state, opened.outside.face.sequence)
    if after != state:
        publish(path, [written(after)])
    return after


def lay_open(
    path: Path,
    folder: Path,
    state: State,
    now: int,
    keepers: Sequence[Keeper],
    guards: Mapping[str, Finding] | None = None,
) -> tuple[Opened, Verdict]:
    """The layout of a bundle in a new folder, once it is accepted; else there is no folder.

    `files/NAME/PATH` beside it are the same files under their names. Raises Conflict where the folder is there.
    """
    if folder.exists():
        raise Conflict(what=str(folder))
    with laid(folder) as open_:
        opened, verdict = judge(path, state, now, keepers, guards, open_.write)
        if verdict.came is not None and opened.facts.inside is not None:
            open_.appear(opened.facts.inside)
    return opened, verdict


def _things(
    given: Sequence[Given], policies: Policies, known: Mapping[Path, str]
) -> tuple[list[Thing], dict[str, Source]]:
    """Objects, and the files that they are made of. Raises BadInput."""
    things: list[Thing] = []
    sources: dict[str, Source] = {}
    for each in given:
        if not is_name(each.name):
            raise BadInput(what=f"name of an object: {each.name}")
        label = policies.parse(each.label).text
        files: list[File] = []
        for path, name in _files(each.path):
            source = digested(path, known.get(path, ""))
            sources[source.digest] = source
            files.append(File(name, source.digest, source.size))
        things.append(Thing(each.name, KIND, tuple(files), label))
    return things, sources


def _files(path: Path) -> list[tuple[Path, str]]:
    """The files of an object, with their paths in it. Raises BadInput for a link: what it leads to was not given."""
    if path.is_dir():
        links = [each for each in path.rglob("*") if each.is_symlink()]
        if links:
            raise BadInput(what=str(links[0]))
        return [(each, each.relative_to(path).as_posix()) for each in sorted(path.rglob("*")) if not each.is_dir()]
    return [(path, path.name)]
